"""Weighted expectation-maximisation for Gaussian mixtures, as pure functions of arrays.

The state between two steps is a `Mixture` and the *mass* (n_samples, n_components), the share of each
row's weight that each component holds: every sufficient statistic is a sum over its rows.
"""

from typing import NamedTuple

import numpy as np

from skmem._blocks import row_blocks
from skmem.density._squares import Squares

_ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical "
    "covariance (for instance caused by singleton or collapsed samples). Try to decrease the "
    "number of components, increase reg_covar, or scale the input data."
)


class Mixture(NamedTuple):
    """Parameters of a Gaussian mixture, in the shapes and the order of scikit-learn's attributes."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    precisions_cholesky: np.ndarray
    covariance_type: str


class Options(NamedTuple):
    """What one run of EM needs to know beside its data and its start."""

    reg_covar: float
    tol: float
    max_iter: int

    @classmethod
    def of(cls, estimator):
        """Parameters of `estimator` that have these names."""
        return cls(estimator.reg_covar, estimator.tol, estimator.max_iter)


class Run(NamedTuple):
    """Outcome of one run of EM; `mass` is what the last M-step saw, None if there was none."""

    mixture: Mixture
    mass: np.ndarray | None
    lower_bounds: list
    converged: bool

    @property
    def lower_bound(self):
        """Weighted mean log-density at the last E-step, in nats per row."""
        return self.lower_bounds[-1] if self.lower_bounds else -np.inf


def run_em(X, sample_weight, start, options, *, previous=-np.inf, report=None, squares=None):
    """EM from the mixture `start` until the lower bound changes by less than ``options.tol``.

    `previous` is the bound to compare the first one with; `report` is called with each iteration and change;
    `squares` are the Squares of `X` if they have been made before.
    """
    mixture, mass, bounds = start, None, []
    squares = Squares.of(X, start.covariance_type) if squares is None else squares
    for n_iter in range(1, options.max_iter + 1):
        log_prob, responsibilities = e_step(X, mixture, squares)
        mass = component_mass(responsibilities, sample_weight)
        kind = mixture.covariance_type
        mixture = m_step(X, sample_weight, mass, options.reg_covar, kind, squares)
        bounds.append((log_prob @ sample_weight) / sample_weight.sum())
        change, previous = bounds[-1] - previous, bounds[-1]
        if report is not None:
            report(n_iter, change)
        if abs(change) < options.tol:
            return Run(mixture, mass, bounds, True)
    return Run(mixture, mass, bounds, False)


def e_step(X, mixture, squares=None):
    """Log-density (n,) of the rows of `X` in nats, and responsibilities (n, n_components).

    `squares` are the Squares of `X`, if it has any.
    """
    with np.errstate(divide="ignore"):  # a start may give a component weight zero
        joint = log_gaussians(X, mixture, squares) + np.log(mixture.weights)
    joint = np.ascontiguousarray(joint.T)  # reductions over a short last axis are slow
    top = joint.max(axis=0)
    joint -= top
    np.exp(joint, out=joint)
    total = joint.sum(axis=0)
    joint /= total
    return top + np.log(total), joint.T


def log_density(X, mixture):
    """Log-density (n,) of the rows of `X` in nats, in blocks of bounded memory."""
    n_components, n_features = mixture.means.shape
    blocks = row_blocks(len(X), X.itemsize * (2 * n_components + 2 * n_features))
    return np.concatenate([e_step(X[block], mixture)[0] for block in blocks])


def log_gaussians(X, mixture, squares=None):
    """Log-density (n, n_components) of every row under every component alone."""
    _, means, _, factors, covariance_type = mixture
    n_features = X.shape[1]
    # Squares are expanded around the means' mean: around 0 the digits of rows far from there would be lost.
    origin = means.mean(axis=0)
    if squares is not None and squares.resolve(factors):
        out = squares.distances(means, factors)
    elif covariance_type == "full":
        out = _full_distances(X, means, factors)
    elif covariance_type == "tied":
        out = _expanded_distances((X - origin) @ factors, (means - origin) @ factors, 1)
    else:
        precisions = (factors**2).reshape(len(means), -1)
        out = _expanded_distances(X - origin, means - origin, precisions)
    out += n_features * np.log(2 * np.pi)
    out *= -0.5
    out += _log_determinants(factors, covariance_type, n_features)
    return out


def _full_distances(X, means, factors):
    out = np.empty((len(X), len(means)), dtype=X.dtype)
    for k, mean in enumerate(means):
        z = (X - mean) @ factors[k]
        np.einsum("ij,ij->i", z, z, out=out[:, k])
    return out


def _expanded_distances(X, means, precisions):
    precisions = np.broadcast_to(precisions, means.shape).astype(X.dtype, copy=False)
    out = (X * X) @ precisions.T - 2 * (X @ (means * precisions).T)
    return out + (means**2 * precisions).sum(axis=1)


def _log_determinants(factors, covariance_type, n_features):
    """Log-determinants of the Cholesky factors of the precisions, broadcastable over components."""
    if covariance_type == "spherical":
        return n_features * np.log(factors)
    if covariance_type == "diag":
        return np.log(factors).sum(axis=1)
    return np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)


def component_mass(responsibilities, sample_weight):
    """Share of each row's weight that each component holds, (n_samples, n_components).

    scikit-learn adds 10 eps to the mass of a component, so that an empty one does not divide by zero. Spread
    over the rows, the same amount makes an empty component the Gaussian of all rows, not a spike at the origin.
    One that has rows gets none: of a single row, the variance would be that of rows far away.
    """
    mass = responsibilities * sample_weight[:, np.newaxis]
    spare = 10 * np.finfo(mass.dtype).eps / sample_weight.sum()
    mass[:, lacks_rows(mass.sum(axis=0))] += spare * sample_weight[:, np.newaxis]
    return mass


def lacks_rows(totals):
    """Which components have no mass but rounding errors, where a row has mass one."""
    return totals < np.sqrt(np.finfo(totals.dtype).eps)


def m_step(X, sample_weight, mass, reg_covar, covariance_type, squares=None):
    """Maximise the expected log-likelihood; `reg_covar` is added to every variance."""
    totals = mass.sum(axis=0)
    mixture = None if squares is None else _m_step_by_squares(mass, totals, reg_covar, squares)
    if mixture is not None:
        return mixture
    # Second moments around 0 lose digits, and around a mean with rows of weight zero too.
    origin = np.average(X, axis=0, weights=sample_weight.astype(np.float64)).astype(X.dtype)
    means, covariances = moments(X - origin, sample_weight, mass, totals, covariance_type)
    covariances = regularize(covariances, reg_covar, covariance_type)
    factors = precision_cholesky(covariances, covariance_type)
    return Mixture(totals / totals.sum(), means + origin, covariances, factors, covariance_type)


def _m_step_by_squares(mass, totals, reg_covar, squares):
    """The same for full covariances, or None where it would lose digits."""
    means, covariances = squares.moments(mass, totals)
    covariances = regularize(covariances, reg_covar, "full")
    try:
        factors = precision_cholesky(covariances, "full")
    except ValueError:
        return None
    mixture = Mixture(totals / totals.sum(), means, covariances, factors, "full")
    return mixture if squares.resolve(factors) else None


def moments(X, sample_weight, mass, totals, covariance_type):
    """Means and covariances of the components, `totals` being their masses."""
    means = (mass.T @ X) / totals[:, np.newaxis]
    if covariance_type == "full":
        parts = zip(mass.T, means, totals, strict=True)
        return means, np.stack([_covariance(X, *part) for part in parts])
    if covariance_type == "tied":
        # as scikit-learn: every row counts with its weight, even before it belongs to a component
        scatter = (X * sample_weight[:, np.newaxis]).T @ X - (totals * means.T) @ means
        return means, scatter / totals.sum()
    variances = (mass.T @ (X * X)) / totals[:, np.newaxis] - means**2
    return means, variances if covariance_type == "diag" else variances.mean(axis=1)


def regularize(covariances, reg_covar, covariance_type):
    """Add `reg_covar` to every variance."""
    if covariance_type in ("full", "tied"):
        return covariances + reg_covar * np.eye(covariances.shape[-1], dtype=covariances.dtype)
    return covariances + reg_covar


def _covariance(X, mass, mean, total):
    centered = X - mean
    return (mass * centered.T) @ centered / total


def precision_cholesky(covariances, covariance_type):
    """Factor the inverse covariances into ``U @ U.T``, U upper triangular; axis-aligned: 1 / standard deviation.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    if covariance_type in ("full", "tied"):
        try:
            factors = np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError:
            raise ValueError(_ILL_DEFINED) from None
        return np.triu(np.linalg.inv(factors).swapaxes(-1, -2))
    if not (covariances > 0).all():
        raise ValueError(_ILL_DEFINED)
    return 1 / np.sqrt(covariances)
