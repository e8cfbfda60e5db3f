"""How the score falls with local density, and what more rows in a region would do to it."""

from bisect import bisect_left

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from skmem._distances import NeighborIndex

_MOST_ROWS = 10**6


class Support:
    """How much the rows around it hold up each row, and what more of them would do to its score.

    A row's score M is log(1 + 1 / s), s how many times its own contribution to its density the other rows contribute.
    Where the local density is f times as high, s is taken to be f^b times as large, b by a robust fit to all rows.
    The local density of a row is that of its k-th nearest other row, ``k / r^d`` up to a constant, d the intrinsic
    dimension; m more rows in a region supported by n raise it by the factor f = 1 + m / n.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Rows, scaled.
    scores : array of shape (n_samples,)
        Memorization scores.
    n_neighbors : int
        k, fewer than the rows.
    """

    def __init__(self, X, scores, n_neighbors):
        self.scores = scores
        distances, self.neighbors = NeighborIndex(X).query(X, n_neighbors, np.arange(len(X)))
        log_density = -intrinsic_dimension(distances) * _logs(distances[:, -1])
        self.exponent = _exponent(log_density, scores)

    def n_support(self, rows):
        """Number of rows that are in a region, or among the neighbours of its `rows`."""
        return np.union1d(rows, self.neighbors[rows]).size

    def predict(self, rows, n_new):
        """Scores of `rows` with `n_new` more rows among those that support them."""
        scores, gained = self.scores[rows], np.log1p(n_new / self.n_support(rows))
        with np.errstate(divide="ignore"):
            log_odds = scores + np.log(-np.expm1(-np.maximum(scores, 0.0)))  # of 1 / s
        return np.where(scores > 0, np.logaddexp(0.0, log_odds - self.exponent * gained), scores)

    def n_needed(self, rows, target):
        """Fewest new rows for which the median prediction is at most `target`; None where none are enough."""

        def is_enough(n_new):
            return np.median(self.predict(rows, n_new)) <= target

        return (
            bisect_left(range(_MOST_ROWS), True, key=is_enough) if is_enough(_MOST_ROWS) else None
        )


def _exponent(log_density, scores):
    """Least-squares b >= 0 of the curve ``log(1 + exp(a - b log_density))``; 0 where no score is finite."""
    known = np.isfinite(scores)
    if not known.any():
        return 0.0
    x, scores = log_density[known] - np.median(log_density), scores[known]

    def residuals(curve):
        return np.logaddexp(0.0, curve[0] - curve[1] * x) - scores

    def slopes(curve):
        share = expit(curve[0] - curve[1] * x)
        return np.column_stack([share, -share * x])

    # A few rows far out have scores of another order, and must not decide for all.
    robust = {"loss": "soft_l1", "f_scale": np.subtract(*np.quantile(scores, [0.75, 0.25])) or 1.0}
    bounds = [-np.inf, 0.0], np.inf
    return least_squares(residuals, (0.0, 1.0), slopes, bounds=bounds, **robust).x[1]


def intrinsic_dimension(distances):
    """Maximum-likelihood dimension from the distances (n_rows, k) to the nearest other rows, ascending.

    1 where distances do not differ. Levina & Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", NeurIPS
    2004, the inverses averaged over rows.
    """
    logs = _logs(distances)
    mean = np.mean(logs[:, -1:] - logs[:, :-1])
    return 1.0 / mean if mean > 0 else 1.0


def _logs(distances):
    """Logarithms, copies being as near as the nearest rows that are none."""
    least = distances[distances > 0].min(initial=np.inf)
    return np.log(np.maximum(distances, least if np.isfinite(least) else 1.0))
