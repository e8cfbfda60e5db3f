"""How well proxies rank rows, beside how well the cross-fitted score agrees with itself."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmem._blocks import row_blocks
from skmem._bootstrap import correlations, percentile_interval, ranks
from skmem._frames import make_frame
from skmem._math import difference
from skmem._random import child_seeds
from skmem._sklearn import HasMethods, Interval, validate_params
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._sides import check_both_sides, find_repeats
from skmem.memorization._proxies import check_proxy
from skmem.memorization._reductions import average_in_and_out

_N_SPLITS = 20  # random halves, over which the reliability is averaged


@dataclass(frozen=True, eq=False, repr=False)
class ProxyComparison:
    """Spearman's correlation of proxies with cross-fitted memorization, highest first.

    From -1 to 1; higher is better; 0 = no better than chance.

    Parameters
    ----------
    names : tuple of str
        The proxies.
    correlation : ndarray of shape (n_proxies,)
        Spearman's correlation of each with the score.
    low, high : ndarray of shape (n_proxies,)
        Ends of its bootstrap interval.
    reliability : float
        Correlation of the score with another one by as many other fits; nan where it is not known.
    ceiling : float
        Square root of the reliability (0 if that is negative): about what the true score would correlate.
    """

    names: tuple
    correlation: np.ndarray
    low: np.ndarray
    high: np.ndarray
    reliability: float
    ceiling: float

    def to_frame(self):
        """The comparison as a pandas data frame, one line for each proxy.

        Correlations from -1 to 1; higher is better; 0 = no better than chance.

        Returns
        -------
        frame : DataFrame
            Columns proxy, correlation, low, high, and the ceiling.

        Raises
        ------
        ImportError
            If narwhals or pandas is not installed.
        """
        columns = {name: getattr(self, name) for name in ("correlation", "low", "high")}
        ceiling = np.full(len(self.names), self.ceiling)
        return make_frame({"proxy": self.names, **columns, "ceiling": ceiling})

    def __str__(self):
        width = max(len(str(name)) for name in self.names)
        table = zip(self.names, self.correlation, self.low, self.high, strict=True)
        head = f"Spearman's correlation with memorization, ceiling {self.ceiling:.2f}"
        lines = [f"{name!s:{width}} {r:6.3f} [{a:.3f}, {b:.3f}]" for name, r, a, b in table]
        return "\n".join([head, *lines])

    __repr__ = __str__


@validate_params(
    {
        "proxies": [dict],
        "memorization": [HasMethods(["fit"]), CrossFit, "array-like"],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_proxies(
    proxies, memorization, *, n_resamples=1000, confidence_level=0.95, random_state=None
):
    """How well proxies rank rows by memorization, and how well anything could be seen to.

    Correlations from -1 to 1; higher is better; 0 = no better than chance.

    Parameters
    ----------
    proxies : dict of str to array-like of shape (n_samples,)
        What is to be judged, higher = more memorized: :func:`memorization_proxies`, and whatever else.
    memorization : MemorizationScorer, CrossFit or array-like of shape (n_samples,)
        What it is judged by: a fitted scorer, the fits themselves (by the matched reduction), or bare scores, of
        which the reliability is not known.
    n_resamples : int, default=1000
        Number of bootstrap draws of rows.
    confidence_level : float, default=0.95
        Share of the draws that the intervals cover.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap and of the halves.

    Returns
    -------
    comparison : ProxyComparison
        Correlations with their intervals, and the ceiling.

    Raises
    ------
    ValueError
        If there is no proxy, one is not a number for each row, or the scores come from a proxy themselves, from fits
        that scored other points than their rows, or from rows that are in all fits or in none.

    Notes
    -----
    Let r be the mean of Spearman's correlation between the scores of two random halves of the repeats (for masks
    without folds: of the fits). The reliability of all of them, k times as many as in a half, is
    ``k r / (1 + (k - 1) |r|)`` (Spearman 1910; Brown 1910), and a score without noise would correlate with them by its
    square root: the ceiling. That is exact for Pearson's correlation with independent noise, and a guide for ranks:
    where log-densities vary by 1.5 nats from fit to fit, their log-mean-exp makes it up to 0.1 too high in
    simulations. k is 2, or more for an odd number of repeats. A single repeat has no halves. Leave-one-out in exact
    closed form has no noise: its ceiling is 1.

    The intervals draw rows anew and keep their ranks. They hold neither the noise of the fits nor that of the one
    fit that a proxy is made of.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem import MemorizationScorer
    >>> from skmem.density import GaussianMixture
    >>> from skmem.memorization import compare_proxies, memorization_proxies
    >>> X, mixture = load_iris().data, GaussianMixture(2, random_state=0)
    >>> scorer = MemorizationScorer(mixture, method="cross-fit", random_state=0).fit(X)
    >>> proxies = memorization_proxies(mixture.fit(X), X)
    >>> print(compare_proxies(proxies, scorer, random_state=0))
    Spearman's correlation with memorization, ceiling 0.94
    leave_one_out         0.932 [0.908, 0.953]
    negative_log_density  0.520 [0.415, 0.612]
    """
    if not proxies:
        raise ValueError("proxies must be at least one array, got an empty dict.")
    seeds = child_seeds(random_state, 2)
    score, reliability = _score_and_reliability(memorization, seeds[0])
    checked = [check_proxy(values, len(score), name) for name, values in proxies.items()]
    a = ranks(np.stack(checked, axis=1))
    b = np.broadcast_to(ranks(score)[:, np.newaxis], a.shape)
    found = correlations(a, b)
    draws = _draws(a, b, n_resamples, np.random.default_rng(seeds[1]))
    low, high = np.transpose([percentile_interval(each, confidence_level) for each in draws.T])
    order = np.argsort(-found, kind="stable")
    names = tuple(list(proxies)[i] for i in order)
    ceiling = float(np.sqrt(np.maximum(reliability, 0.0)))
    return ProxyComparison(names, found[order], low[order], high[order], reliability, ceiling)


def split_half_reliability(fits, reduction, rng):
    """Reliability of the scores of a CrossFit by its halves, Spearman-Brown corrected; nan without halves."""
    n_folds = find_repeats(fits.train_mask)
    parts = np.arange(fits.n_fits).reshape(-1, n_folds or 1)
    n_half, found = len(parts) // 2, []
    for _ in range(_N_SPLITS if n_half else 0):
        order = rng.permutation(len(parts))
        halves = parts[order[:n_half]], parts[order[n_half : 2 * n_half]]
        scores = [_half(fits, half.ravel(), reduction, rng) for half in halves]
        if all(score is not None for score in scores):
            found.append(float(correlations(*(ranks(s)[:, np.newaxis] for s in scores))[0]))
    r = np.mean(found) if found else np.nan
    k = len(parts) / max(n_half, 1)
    return float(k * r / (1 + (k - 1) * abs(r)))


def _half(fits, chosen, reduction, rng):
    """Memorization by some of the fits; None where a row is in all of them or in none."""
    mask = fits.train_mask[chosen]
    if not (mask.any(axis=0) & ~mask.all(axis=0)).all():
        return None
    return difference(
        *average_in_and_out(fits.scores[chosen], mask, reduction, fits.response, rng)
    )


def _score_and_reliability(memorization, seed):
    """The scores (n_samples,) that proxies are judged by, and how reliable they are."""
    rng = check_random_state(int(seed))
    if isinstance(memorization, CrossFit):
        _check_own_rows(memorization)
        how = "matched", memorization.response, rng
        sides = average_in_and_out(memorization.scores, memorization.train_mask, *how)
        return difference(*sides), split_half_reliability(memorization, "matched", rng)
    if not hasattr(memorization, "fit"):
        score = np.asarray(memorization, dtype=np.float64)
        return check_proxy(score, score.size, "memorization"), np.nan
    check_is_fitted(memorization, "memorization_")
    score = check_proxy(memorization.memorization_, len(memorization.memorization_), "scores")
    if memorization.method_ == "proxy":
        raise ValueError(
            "memorization must come from refits, got scores of method='proxy', which come from a proxy themselves."
        )
    if memorization.method_ == "leave-one-out":
        return score, 1.0 if memorization.noise_floor_[0.95] == 0 else np.nan
    return score, split_half_reliability(memorization.cross_fit_, memorization.reduction, rng)


def _check_own_rows(fits):
    """Refuse fits that did not score their rows, each with it and without it."""
    if fits.scores.shape != fits.train_mask.shape:
        raise ValueError(
            "memorization must be fits that scored their own rows, got scores of shape "
            f"{fits.scores.shape} for a train_mask of shape {fits.train_mask.shape}."
        )
    check_both_sides(fits.train_mask)


def _draws(a, b, n_resamples, rng):
    """Bootstrap draws of the correlations of columns, (n_resamples, n_columns): rows drawn anew."""
    draws = np.empty((n_resamples, a.shape[1]))
    share = np.full(len(a), 1 / len(a))
    for block in row_blocks(n_resamples, 64 * len(a)):
        weights = rng.multinomial(len(a), share, size=len(draws[block])).astype(np.float64)
        draws[block] = np.atleast_2d(correlations(a, b, weights))
    return draws
