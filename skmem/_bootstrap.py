"""Correlations of many columns at once, and how sure their mean is."""

import numpy as np
from scipy.stats import rankdata

from skmem._blocks import row_blocks


def percentile_interval(draws, level):
    """Ends of the interval that holds the share `level` of bootstrap draws; nan without any."""
    draws = draws[np.isfinite(draws)]
    if not draws.size:
        return np.nan, np.nan
    tail = (1 - level) / 2
    return tuple(map(float, np.quantile(draws, [tail, 1 - tail])))


def ranks(values):
    """Mid-ranks within each column, as float64."""
    return rankdata(values, axis=0).astype(np.float64)


def correlations(a, b, weights=None):
    """Correlation of each column of `a` with the same one of `b`, (n_columns,).

    0 where `a` is constant, since what does not vary predicts nothing; nan where `b` is. With `weights` (n_draws,
    n_rows) weighted ones for each, (n_draws, n_columns).
    """
    weights = np.ones((1, len(a))) if weights is None else weights
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    total = weights.sum(axis=1, keepdims=True)
    mean_a, mean_b = weights @ a / total, weights @ b / total
    var_a = np.maximum(weights @ a**2 / total - mean_a**2, 0.0)
    var_b = np.maximum(weights @ b**2 / total - mean_b**2, 0.0)
    spread = np.sqrt(var_a * var_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (weights @ (a * b) / total - mean_a * mean_b) / spread
    found = np.where(np.ptp(a, axis=0) == 0, 0.0, found)
    return np.where(np.ptp(b, axis=0) == 0, np.nan, found)[slice(None) if len(weights) > 1 else 0]


def mean_correlation_draws(a, b, n_resamples, rng):
    """Bootstrap draws (n_resamples,) of the mean over columns of `correlations`: rows and columns drawn anew."""
    n_rows, n_columns = a.shape
    draws = np.empty(n_resamples)
    for block in row_blocks(n_resamples, 64 * (n_rows + n_columns)):
        n = len(draws[block])
        weights = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n)
        found = np.atleast_2d(correlations(a, b, weights.astype(np.float64)))
        columns = rng.multinomial(n_columns, np.full(n_columns, 1 / n_columns), size=n)
        columns = columns * np.isfinite(found)
        with np.errstate(invalid="ignore"):
            draws[block] = np.sum(np.nan_to_num(found) * columns, axis=1) / columns.sum(axis=1)
    return draws
