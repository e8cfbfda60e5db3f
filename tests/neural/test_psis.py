"""Pareto k-hat; needs no torch."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmem.neural._psis import pareto_shapes


@pytest.mark.parametrize("n_draws", [25, 128, 256, 1000])
def test_as_the_library(n_draws):
    array_stats = pytest.importorskip(
        "arviz_stats.base", reason="arviz-stats is not installed"
    ).array_stats
    log_weights = np.random.default_rng(0).standard_t(4, size=(n_draws, 5)) * 2.0
    # the referee smooths the weights as well, of which we want the index alone
    _, k_hat = array_stats.psislw(-log_weights, axis=0)
    assert_allclose(pareto_shapes(log_weights), k_hat, rtol=1e-8)


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9])
def test_known_tails(shape):
    uniform = np.random.default_rng(1).uniform(size=(4000, 50))
    k_hat = pareto_shapes(-shape * np.log(uniform))
    # weights u^-k are Pareto of shape k
    assert_allclose(k_hat.mean(), shape, atol=0.05)


def test_no_tail():
    # equal weights are perfect; they are not an error
    assert (pareto_shapes(np.zeros((100, 2))) == -np.inf).all()
    # nor is what rounding makes of them, as where the proposal is the posterior itself
    rounded = np.random.default_rng(0).integers(-3, 3, size=(256, 40)) * 2.0**-52
    assert (pareto_shapes(rounded) == -np.inf).all()
    # ties are no error either
    assert np.isfinite(pareto_shapes(np.repeat([0.0, 5.0], [90, 10])[:, None])).all()
    # a tail of fewer than five draws has no index
    assert np.isnan(pareto_shapes(np.zeros((24, 2)))).all()


def test_a_constant_factor_changes_nothing():
    log_weights = np.random.default_rng(0).normal(size=(200, 3))
    assert_allclose(pareto_shapes(log_weights - 1e4), pareto_shapes(log_weights), rtol=1e-6)


def test_weights_that_are_all_zero_are_not_to_be_trusted():
    log_weights = np.random.default_rng(0).normal(size=(100, 2))
    log_weights[:, 0] = -np.inf
    shapes = pareto_shapes(log_weights)
    # no draw says anything, and that without a warning; the neighbour is none the worse
    assert shapes[0] == np.inf
    assert shapes[1] == pareto_shapes(log_weights[:, 1:])[0] < 0.7
