"""Permutation laws, ranks and intervals: pure functions of arrays."""

import numpy as np
from scipy.special import betaln
from scipy.stats import hypergeom, mannwhitneyu, norm, rankdata

from skmem._distances import duplicate_groups

# Additions that the law of ranks may take.
_MAX_STEPS = 10**8
# Units that the range of ranks must have when they are rounded.
_FEWEST_LEVELS = 20


def conformal_p_values(calibration, values):
    """Share of the calibration values, and the value itself, that are at most as large.

    Uniform on 1/(m+1), ..., 1 where a value is drawn as the m of `calibration` are; with ties it
    errs to the safe side.
    """
    below = np.searchsorted(np.sort(calibration), values, side="right")
    return (below + 1) / (len(calibration) + 1)


def precedence_p_value(p_values, n_calibration):
    """Probability that so many of all values lie below the j-th least calibration value.

    The `p_values` are conformal ones. For j = 1, 2, 4, ... the number of values below it is held against
    its law when values and calibration values are drawn alike, a hypergeometric one, and the least
    probability is taken times the number of j.
    """
    j = 2 ** np.arange(int(np.log2(n_calibration)) + 1)
    rank = np.sort(np.rint(p_values * (n_calibration + 1)))
    n_below = np.searchsorted(rank, j, side="right")
    n_both = n_calibration + len(p_values)
    # Of the first n_below + j - 1 values of both kinds, at most j - 1 are of the calibration.
    tails = hypergeom.cdf(j - 1, n_both, n_calibration, n_below + j - 1)
    return float(min(1.0, len(j) * tails.min()))


def mann_whitney_p_value(first, second):
    """Probability that so many of the pairs have the higher value in the first sample, ties one half.

    From the law of the ranks over all labels: of the very ranks where that is cheap to compute, as for small samples
    and where all values but a few are tied, else of ranks that are rounded to a coarser unit. Where none but a very
    coarse one is cheap, samples are so large that Mann and Whitney's normal approximation holds.
    """
    ranks = np.rint(2 * rankdata(np.concatenate([first, second]))).astype(np.int64)
    n, m = len(first), len(second)
    if min(n, m) == 1:
        alone = ranks[0] if n == 1 else -ranks[-1]
        return float(np.mean((ranks if n == 1 else -ranks) >= alone))
    ranks = _beside_most_frequent(ranks)
    fewer, all_ranks = (ranks[:n], ranks) if n <= m else (-ranks[n:], -ranks)
    n_others = np.count_nonzero(ranks)
    n_steps = min(len(fewer), n_others) * float(np.abs(ranks).sum()) * n_others
    unit = max(1.0, n_steps / _MAX_STEPS)
    if 1 < unit > np.ptp(ranks) / _FEWEST_LEVELS:
        approximate = mannwhitneyu(first, second, alternative="greater", method="asymptotic")
        return float(approximate.pvalue)
    fewer, all_ranks = (np.rint(r / unit).astype(np.int64) for r in (fewer, all_ranks))
    return _rank_sum_p_value(fewer.sum(), all_ranks[all_ranks != 0], len(fewer), n + m)


def _beside_most_frequent(ranks):
    """Ranks less the most frequent one, the middle one of such: its rows add nothing to a sum."""
    counts = np.bincount(ranks)
    most_frequent = np.flatnonzero(counts == counts.max())
    return ranks - most_frequent[len(most_frequent) // 2]


def _rank_sum_p_value(value, ranks, n_drawn, n_rows):
    """Probability of so large a sum of `n_drawn` of `n_rows` rows, of which these have ranks other than 0."""
    low, high = ranks[ranks < 0].sum(), ranks[ranks > 0].sum()
    most = min(n_drawn, len(ranks))
    n_subsets = np.zeros((most + 1, high - low + 1))  # by how many of the ranks, and by their sum
    n_subsets[0, -low] = 1
    for rank in ranks:
        n_subsets[1:] += _shifted(n_subsets[:-1], rank)
    k = np.arange(most + 1)
    rest = n_rows - len(ranks), n_drawn - k
    log_chance = _log_binomial(*rest) - _log_binomial(n_rows, n_drawn)
    return float(min(1.0, n_subsets[:, max(0, value - low) :].sum(axis=1) @ np.exp(log_chance)))


def _shifted(values, by):
    """Columns moved to the right; what falls off the end is 0."""
    moved = np.zeros_like(values)
    if by > 0:
        moved[:, by:] = values[:, :-by]
    else:
        moved[:, :by] = values[:, -by:]
    return moved


def _log_binomial(n, k):
    """Logarithm of the number of k of n, -inf where there is none."""
    return np.where((k >= 0) & (k <= n), -betaln(1 + n - k, 1 + k) - np.log1p(n), -np.inf)


def holm(p_values):
    """Adjust p-values by Holm's step-down method, which bounds the chance of any false discovery."""
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def benjamini_hochberg(p_values):
    """Adjust p-values by the method that bounds the expected share of false discoveries."""
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values)[::-1]
    steps = p_values[order] * len(p_values) / np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.minimum.accumulate(steps))
    return adjusted


ADJUSTMENTS = {"benjamini-hochberg": benjamini_hochberg, "holm": holm}


def wilson_interval(successes, n, level=0.95):
    """Wilson's interval of a probability, from `successes` in `n` trials."""
    z = norm.isf((1 - level) / 2)
    p = np.asarray(successes) / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # Without a success, or a failure, the interval ends there; rounding would miss it.
    return np.where(p == 0, 0.0, centre - half), np.where(p == 1, 1.0, centre + half)


def votes(to_first, to_second, first, second):
    """How many rows have each row of two tables, joined, as their nearest.

    `to_first` and `to_second` are what searches of the same rows in the two tables found. The votes
    for equal rows are split evenly among them, in whichever table. Between two different rows at
    the same distance, the first table gets one half, or its share of all rows if that is less: how
    many more rows are as near is not known, and the test is to err to the safe side.
    """
    groups = duplicate_groups(np.concatenate([first, second]))
    in_first = groups[to_first.indices[:, 0]]
    in_second = groups[len(first) + to_second.indices[:, 0]]
    near, far = to_first.distances[:, 0], to_second.distances[:, 0]
    tied = min(0.5, len(first) / len(groups))
    share = np.where(near < far, 1.0, np.where(near == far, tied, 0.0))
    of_group = np.bincount(in_first, share, minlength=groups.max() + 1)
    of_group += np.bincount(in_second, 1 - share, minlength=len(of_group))
    of_row = (of_group / np.bincount(groups))[groups]
    return of_row[: len(first)], of_row[len(first) :]


def share_of_votes(first, second, n_permutations, rng):
    """Share of the votes that the first table gets, and its law when its rows are any of both.

    Rows of equal votes are alike, so that a permutation is one multivariate hypergeometric draw.
    """
    # Rounded, so that thirds and the like that were summed in another order are alike too, in `share` as in its law.
    first, second = first.round(9), second.round(9)
    values, counts = np.unique(np.concatenate([first, second]), return_counts=True)
    drawn = rng.multivariate_hypergeometric(
        counts, len(first), size=n_permutations, method="marginals"
    )
    permuted = drawn @ values / (counts @ values)
    share = float(first.sum() / (counts @ values))
    return {
        "share": share,
        "expected_share": len(first) / (len(first) + len(second)),
        "floor": central(permuted),
        "p_value": float(permutation_p_value(share, permuted)),
    }


def permutation_p_value(value, permuted, axis=0):
    """Share of `permuted`, and the value itself, that are at least as large as `value`."""
    # Sums in another order differ by rounding, and such a difference is a tie.
    tolerance = 1e-12 * np.maximum(1.0, np.abs(value))
    n_as_large = np.count_nonzero(permuted >= value - tolerance, axis=axis)
    return (1 + n_as_large) / (1 + permuted.shape[axis])


def central(permuted, level=0.9):
    """The central interval of permuted values; its ends are one-sided 0.05 limits at level 0.9."""
    tail = (1 - level) / 2
    return tuple(float(q) for q in np.quantile(permuted, (tail, 1 - tail)))
