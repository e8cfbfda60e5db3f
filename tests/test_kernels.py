"""Every kernel is a density after its normaliser, and is drawn from rightly."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import simpson

from skmem._kernels import KERNELS
from tests.oracles import PROFILES, log_sphere_area

names = pytest.mark.parametrize("name", sorted(KERNELS))


@names
def test_log_profile(name):
    r = np.array([0.0, 0.3, 0.999, 1.0, 1.001, 7.0])
    with np.errstate(divide="ignore"):
        expected = np.log(PROFILES[name](r))
    # The log of the textbook formula, -inf outside a compact support.
    np.testing.assert_allclose(KERNELS[name].log_profile(r**2), expected, rtol=1e-12, atol=1e-15)


@names
@pytest.mark.parametrize("d", [1, 2, 3, 6, 64, 784])
def test_normalizer_by_quadrature(name, d):
    end = 1.0 if KERNELS[name].compact else 30.0 + 3 * d
    r = np.linspace(0, end, 200_001)[1:]
    with np.errstate(divide="ignore"):
        log_integrand = KERNELS[name].log_profile(r**2) + (d - 1) * np.log(r)
    top = log_integrand.max()
    radial = simpson(np.concatenate([[float(d == 1)], np.exp(log_integrand - top)]), dx=r[0])
    # The integral over R^d is the sphere's surface times the radial integral.
    expected = log_sphere_area(d) + np.log(radial) + top
    # Simpson's rule loses the half step at the tophat's edge.
    assert KERNELS[name].log_normalizer(d) == pytest.approx(expected, abs=3e-3 if d > 64 else 2e-4)


@names
@pytest.mark.parametrize("d", [1, 2, 10])
def test_sampled_radii_follow_the_kernel(name, d):
    radius = KERNELS[name].sample_radius(d, 2000, np.random.RandomState(0))
    grid = np.linspace(0, 1 if KERNELS[name].compact else 60, 20001)
    density = PROFILES[name](grid) * grid ** (d - 1)
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    # Kolmogorov-Smirnov against the radial distribution, integrated numerically.
    test = stats.kstest(radius, lambda r: np.interp(r, grid, cdf / cdf[-1]))
    assert test.pvalue > 1e-3
