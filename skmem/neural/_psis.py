"""How far importance weights can be trusted: the tail index of Pareto smoothed importance sampling."""

import numpy as np
from scipy.special import logsumexp

from skmem._blocks import row_blocks

_PRIOR_SCALE = 3.0
_PRIOR_DRAWS = 10.0
_MIN_TAIL = 5
# Of a weight, relative to the largest.
_ROUNDING = 1e-12
# What stands for an excess of zero, which would be divided by: ties are heavy tails, not an error.
_TIE = 1e-300


def pareto_shapes(log_weights):
    """Pareto k-hat of each column of `log_weights`.

    Without unit; below 0.7 the mean of the weights can be trusted, above it can't; nan with fewer than 25 draws.

    Parameters
    ----------
    log_weights : ndarray of shape (n_draws, n_samples)
        Logarithms of importance weights, up to a constant for each column.

    Returns
    -------
    k_hat : ndarray of shape (n_samples,)
        Shape of the generalised Pareto distribution of the largest weights; -inf where all of these are equal, but
        for rounding, inf where all weights are zero.

    Notes
    -----
    Vehtari, Simpson, Gelman, Yao and Gabry, "Pareto smoothed importance sampling", JMLR 25 (2024): the tail is the
    largest min(S/5, 3 sqrt(S)) of S weights.
    """
    n_draws = len(log_weights)
    n_tail = int(3 * n_draws**0.5 if n_draws > 225 else n_draws / 5)
    if n_tail < _MIN_TAIL:
        return np.full(log_weights.shape[1], np.nan)
    top = np.sort(log_weights, axis=0)[-n_tail - 1 :]
    none = top[-1] == -np.inf
    top = np.exp(top - np.where(none, 0.0, top[-1]))
    excess = (top[1:] - top[0]).T
    shapes = np.where(none, np.inf, -np.inf)
    for block in row_blocks(len(excess), 8 * n_tail * (30 + int(n_tail**0.5))):
        # Tails of weights that are equal, but for rounding, have no shape; they are as far from heavy as can be.
        rows = block.start + np.flatnonzero(excess[block, -1] > _ROUNDING)
        shapes[rows] = generalized_pareto_shapes(np.maximum(excess[rows], _TIE))
    return shapes


def generalized_pareto_shapes(x):
    """Shape of a generalised Pareto distribution for each row of excesses over a threshold, ascending.

    The empirical-Bayes estimate of Zhang and Stephens, Technometrics 51 (2009), drawn towards 0.5 as if by ten
    further draws (Vehtari et al. 2024, appendix G).
    """
    n = x.shape[1]
    m = 30 + int(n**0.5)
    grid = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = grid / (_PRIOR_SCALE * x[:, [int(n / 4 + 0.5) - 1]]) + 1.0 / x[:, -1:]
    k = np.mean(np.log1p(-b[:, :, None] * x[:, None, :]), axis=2)
    log_likelihood = n * (np.log(-b / k) - k - 1.0)
    weight = np.exp(log_likelihood - logsumexp(log_likelihood, axis=1, keepdims=True))
    b = np.sum(weight * b, axis=1)
    k = np.mean(np.log1p(-b[:, None] * x), axis=1)
    return (n * k + _PRIOR_DRAWS * 0.5) / (n + _PRIOR_DRAWS)
