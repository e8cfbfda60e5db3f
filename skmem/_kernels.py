"""The six radial kernels of kernel density estimation: profile, normaliser and radius, one short class each."""

import numpy as np
from scipy.special import factorial, gammaln

from skmem._math import log_unit_ball_volume


class Kernel:
    """A radial kernel K(r) that decreases in r, with K(0) = 1.

    A subclass says `log_profile`, `log_radial_integral` and `sample_radius`. A `compact` kernel is zero from r = 1 on,
    and never so small as to underflow before. The log of a `smooth` kernel is linear in r^2, so that rounding of r^2
    is not magnified anywhere; others have an edge at r = 1 or a cusp at r = 0.
    """

    compact = True
    smooth = False

    def log_profile(self, u):
        """Log K(r) of ``u = r**2``, which it may overwrite."""
        raise NotImplementedError

    def log_radial_integral(self, d):
        """Log of d times the integral of K(r) r^(d-1) dr over r > 0: 0 for the tophat kernel."""
        raise NotImplementedError

    def sample_radius(self, d, size, rng):
        """Radii of `size` draws from the kernel in `d` dimensions."""
        raise NotImplementedError

    def reach(self, squared, h, nats):
        """Squared distances from which on K is `nats` below what it is at these ones, at bandwidth h."""
        return np.full_like(squared, h**2)

    def log_normalizer(self, d):
        """Log of the integral of K over R^d: the volume of the unit ball times the radial integral."""
        return log_unit_ball_volume(d) + self.log_radial_integral(d)


class Gaussian(Kernel):
    """K(r) = exp(-r^2 / 2)."""

    compact = False
    smooth = True

    def log_profile(self, u):
        return np.multiply(u, -0.5, out=u)

    def reach(self, squared, h, nats):
        return squared + 2.0 * h**2 * nats

    def log_radial_integral(self, d):
        return 0.5 * d * np.log(2.0) + gammaln(0.5 * d + 1.0)

    def sample_radius(self, d, size, rng):
        return np.sqrt(rng.chisquare(d, size))


class Tophat(Kernel):
    """K(r) = 1 for r < 1."""

    def log_profile(self, u):
        inside = u < 1.0
        u.fill(-np.inf)
        u[inside] = 0.0
        return u

    def log_radial_integral(self, d):
        return 0.0

    def sample_radius(self, d, size, rng):
        return rng.uniform(size=size) ** (1.0 / d)


class Epanechnikov(Kernel):
    """K(r) = 1 - r^2 for r < 1."""

    def log_profile(self, u):
        return _log1p_negative(u)

    def log_radial_integral(self, d):
        return np.log(2.0) - np.log(d + 2.0)

    def sample_radius(self, d, size, rng):
        return np.sqrt(rng.beta(0.5 * d, 2.0, size))


class Exponential(Kernel):
    """K(r) = exp(-r)."""

    compact = False

    def log_profile(self, u):
        return np.negative(np.sqrt(u, out=u), out=u)

    def reach(self, squared, h, nats):
        return (np.sqrt(squared) + h * nats) ** 2

    def log_radial_integral(self, d):
        return gammaln(d + 1.0)

    def sample_radius(self, d, size, rng):
        return rng.gamma(d, size=size)


class Linear(Kernel):
    """K(r) = 1 - r for r < 1."""

    def log_profile(self, u):
        return _log1p_negative(np.sqrt(u, out=u))

    def log_radial_integral(self, d):
        return -np.log(d + 1.0)

    def sample_radius(self, d, size, rng):
        return rng.beta(d, 2.0, size)


class Cosine(Kernel):
    """K(r) = cos(pi r / 2) for r < 1."""

    def log_profile(self, u):
        # cos(pi r / 2) = sin(pi (1 - r) / 2), which keeps its digits where the kernel vanishes.
        distance_to_edge = 1.0 - np.minimum(np.sqrt(u, out=u), 1.0, out=u)
        with np.errstate(divide="ignore"):
            return np.log(np.sin(0.5 * np.pi * distance_to_edge))

    def log_radial_integral(self, d):
        # d times the integral of r^(d-1) cos(pi r / 2), term by term from the cosine's own series.
        m = np.arange(20)
        terms = (-1.0) ** m * (0.5 * np.pi) ** (2 * m) / factorial(2 * m) * d / (d + 2 * m)
        return np.log(np.sum(terms[::-1]))

    def sample_radius(self, d, size, rng):
        # Rejection from the linear kernel: cos(pi r / 2) <= pi (1 - r) / 2, accepted with chance > 2 / pi.
        radius = rng.beta(d, 2.0, size)
        bound = 0.5 * np.pi * (1.0 - radius)
        rejected = rng.uniform(size=size) * bound > np.cos(0.5 * np.pi * radius)
        if rejected.any():
            radius[rejected] = self.sample_radius(d, int(rejected.sum()), rng)
        return radius


def _log1p_negative(u):
    """``log(1 - u)`` in place, -inf for u >= 1."""
    np.negative(np.minimum(u, 1.0, out=u), out=u)
    with np.errstate(divide="ignore"):
        return np.log1p(u, out=u)


KERNELS = {
    "gaussian": Gaussian(),
    "tophat": Tophat(),
    "epanechnikov": Epanechnikov(),
    "exponential": Exponential(),
    "linear": Linear(),
    "cosine": Cosine(),
}
