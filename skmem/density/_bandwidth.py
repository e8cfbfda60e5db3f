"""Bandwidths from the data: scale-aware rules of thumb, and the maximum of the leave-one-out likelihood."""

import numpy as np

from skmem._kernel_sums import PairwiseDistances, Weighting
from skmem.density._kernel_densities import log_kernel_densities

_N_CANDIDATES = 11
_STEP = 1.02  # between bandwidths, from which on a parabola gives the maximum to 1e-4
_FINE_STEP = 1.00005
_RANGE = 1e-140, 1e140
_SMALLEST = 1e-8  # of the data's scale: below it the likelihood is taken to grow without bound


def find_bandwidths(bandwidth, X, weights, *search):
    """Bandwidth of the fit to each row of `weights` (n_fits, n_samples): given, or found by a rule.

    `search` is the kernel, the metric and its parameters.
    """
    if bandwidth == "loo":
        return np.array([leave_one_out_bandwidth(X[w > 0], w[w > 0], *search) for w in weights])
    if isinstance(bandwidth, str):
        return rule_of_thumb(bandwidth, X, weights)
    if not _RANGE[0] < bandwidth < _RANGE[1]:
        raise ValueError(
            f"bandwidth must be from {_RANGE[0]:g} to {_RANGE[1]:g}, the squares of which are floats, "
            f"got {bandwidth:.3g}; rescale X."
        )
    return np.full(len(weights), float(bandwidth))


def rule_of_thumb(rule, X, weights):
    """Scott's or Silverman's bandwidth for every fit, times the spread of the rows it was trained on.

    `weights` is (n_fits, n_samples). The spread is the root of the mean variance of the columns; n is Kish's
    effective number of rows.
    """
    d = X.shape[1]
    total = weights.sum(axis=1)
    share = weights / total[:, None]
    centered = X - X.mean(axis=0, dtype=np.float64)
    variance = np.mean(share @ centered**2 - (share @ centered) ** 2, axis=1)
    n = total**2 / np.sum(weights**2, axis=1)
    factor = {"scott": n, "silverman": n * (d + 2) / 4}[rule] ** (-1 / (d + 4))
    spread = np.sqrt(np.maximum(variance, 0.0))
    # Rounding alone gives equal rows a spread of some eps times their size.
    if np.any(spread <= 1e-12 * np.abs(X).max()):
        raise ValueError(
            f"bandwidth={rule!r} needs rows that differ, but all are equal "
            f"(n_samples={X.shape[0]}); pass a number."
        )
    return factor * spread


def leave_one_out_bandwidth(X, weights, kernel, metric="euclidean", metric_params=None):
    """The bandwidth that maximises the weighted sum of log p(x_i | all rows but i).

    To 1e-4 of itself for kernels without edge or cusp; others make for many small local maxima.

    A coarse grid over the scale of the data, ever finer ones around its best, and the vertex of the parabola through
    the last three; every grid is one pass over the distances.
    """
    search = (X, weights, kernel, metric, metric_params)
    scale = _scale(X, metric, metric_params)
    grid = scale * 2.0 ** np.arange(-10, 3)
    values = _leave_one_out_likelihood(grid, *search)
    # An edge is no maximum; a kernel too narrow to reach any other row gives -inf.
    while (best := int(np.argmax(values))) in (0, grid.size - 1) or np.isneginf(values[best]):
        grid = grid * 2.0 ** (-11 if best == 0 and np.isfinite(values[0]) else 11)
        if grid[-1] < _SMALLEST * scale:
            raise ValueError(
                "bandwidth='loo' found no maximum: the leave-one-out likelihood grows as the bandwidth shrinks, "
                "because (nearly) every row has an exact copy. Drop the copies, or pass a number."
            )
        values = _leave_one_out_likelihood(grid, *search)
    # A compact kernel's likelihood may peak right above the bandwidth at which it drops to -inf: no parabola there.
    while grid[best + 1] / grid[best] > (_STEP if np.isfinite(values[best - 1]) else _FINE_STEP):
        grid = np.geomspace(grid[best - 1], grid[best + 1], _N_CANDIDATES)
        values = _leave_one_out_likelihood(grid, *search)
        best = int(np.clip(np.argmax(values), 1, grid.size - 2))
    return float(
        grid[best] * (grid[best + 1] / grid[best]) ** _vertex(*values[best - 1 : best + 2])
    )


def _vertex(left, middle, right):
    """Where the parabola through values at -1, 0 and 1 is highest; 0 where it has no such place."""
    curvature = left - 2 * middle + right
    if not (np.isfinite(curvature) and curvature < 0):
        return 0.0
    return float(np.clip(0.5 * (left - right) / curvature, -1.0, 1.0))


def _leave_one_out_likelihood(grid, X, weights, kernel, metric, metric_params):
    """Weighted sum of the leave-one-out log-densities, for every bandwidth of `grid`, up to a constant."""
    weighting = Weighting(weights[None], grid)
    own = np.arange(X.shape[0])
    return weights @ log_kernel_densities(X, X, weighting, kernel, metric, metric_params, own=own)


def _scale(X, metric, metric_params):
    """Typical distance between rows, per dimension."""
    some = X[np.linspace(0, X.shape[0] - 1, min(100, X.shape[0])).astype(int)]
    squared = PairwiseDistances(some, metric, metric_params)(some)
    positive = squared[squared > 0]
    if positive.size == 0:
        positive = PairwiseDistances(some[:1], metric, metric_params)(X)
        positive = positive[positive > 0]
    if positive.size == 0:
        raise ValueError(
            "bandwidth='loo' needs rows that differ, but all are equal "
            f"(n_samples={X.shape[0]}); pass a number."
        )
    scale = np.sqrt(np.median(positive) / (2 * X.shape[1]))
    if not _RANGE[0] < scale < _RANGE[1]:
        raise ValueError(
            f"bandwidth='loo' needs rows from {_RANGE[0]:g} to {_RANGE[1]:g} apart, the squares of which are floats, "
            f"got {scale:.3g}; rescale X."
        )
    return scale
