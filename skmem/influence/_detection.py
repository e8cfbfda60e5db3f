"""How well scores of training rows find the planted ones among them."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy.stats import rankdata
from sklearn.utils import check_random_state

from skmem._bootstrap import percentile_interval
from skmem._sklearn import Interval, validate_params


@dataclass(frozen=True, eq=False)
class DetectionCurve:
    """Share of the planted rows found as rows are inspected from the highest score down, beside that by plain loss.

    Shares from 0 to 1; higher is better; at chance `roc_auc` is 0.5.

    Parameters
    ----------
    inspected : ndarray of shape (n_train + 1,)
        Share of all rows inspected.
    found : ndarray of shape (n_train + 1,)
        Share of the planted rows among them; of equal scores the mean over their orders.
    roc_auc : float
        Chance that a planted row scores higher than another; equal scores count half.
    low, high : float
        Bootstrap interval of `roc_auc`.
    mean_detection_rate : float
        Area under `found` over `inspected`, which some publish as their AUC. With a share q of planted rows it
        is q / 2 + (1 - q) `roc_auc`, so it is at most 1 - q / 2.
    baseline : DetectionCurve, default=None
        That of the loss; None for the baseline itself.
    """

    inspected: np.ndarray
    found: np.ndarray
    roc_auc: float
    low: float
    high: float
    mean_detection_rate: float
    baseline: "DetectionCurve | None" = None

    def __str__(self):
        text = (
            f"ROC-AUC {self.roc_auc:.3f} [{self.low:.3f}, {self.high:.3f}], "
            f"mean detection rate {self.mean_detection_rate:.3f}"
        )
        return text if self.baseline is None else f"{text}; loss alone: {self.baseline}"


@validate_params(
    {
        "scores": ["array-like"],
        "is_planted": ["array-like"],
        "baseline": ["array-like"],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def detection_curve(
    scores, is_planted, baseline, *, n_resamples=1000, confidence_level=0.95, random_state=None
):
    """How soon planted rows, mislabelled or foreign, are found by a score such as self-influence.

    Shares, from 0 to 1; higher is better; at chance `roc_auc` is 0.5.

    Parameters
    ----------
    scores : array-like of shape (n_train,)
        Score of each training row, high where it is suspicious.
    is_planted : array-like of shape (n_train,) of bool
        Which rows were planted.
    baseline : array-like of shape (n_train,)
        Loss of each training row, such as ``-estimator.score_samples(X_train)``.
    n_resamples : int, default=1000
        Number of bootstrap draws of planted and of other rows.
    confidence_level : float, default=0.95
        Share of the draws that the interval covers.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap.

    Returns
    -------
    curve : DetectionCurve
        The curve with ROC-AUC and mean detection rate, and those of the loss.

    Raises
    ------
    ValueError
        If shapes differ, a value is nan, or all rows or none are planted.

    Notes
    -----
    Kong & Chaudhuri, "Understanding Instance-based Interpretability of Variational Auto-Encoders", NeurIPS 2021,
    report the area under the detection curve; it depends on the share of planted rows, ROC-AUC does not.

    Examples
    --------
    >>> from skmem.influence import detection_curve
    >>> print(detection_curve([3, 2, 1, 0], [True, False, True, False], [0, 0, 1, 0]).roc_auc)
    0.75
    """
    is_planted = np.asarray(is_planted)
    if is_planted.dtype != np.bool_ or is_planted.ndim != 1:
        raise ValueError(
            f"is_planted must be a 1-d array of bool, got shape {is_planted.shape} and dtype {is_planted.dtype}."
        )
    if is_planted.all() or not is_planted.any():
        raise ValueError(
            f"is_planted must be true for some rows and false for others, got {is_planted.sum()} "
            f"of {len(is_planted)}."
        )
    seed = check_random_state(random_state).randint(2**31 - 1)
    how, curve = (n_resamples, confidence_level, seed), None
    for name, values in (("baseline", baseline), ("scores", scores)):
        curve = _curve(_checked(name, values, is_planted), is_planted, how, curve)
    return curve


def _checked(name, values, is_planted):
    values = np.asarray(values, dtype=np.float64)
    if values.shape != is_planted.shape:
        raise ValueError(f"{name} must have shape {is_planted.shape}, got {values.shape}.")
    if np.isnan(values).any():
        raise ValueError(f"{name} must not be nan, got {np.isnan(values).sum()} that are.")
    return values


def _curve(scores, is_planted, how, baseline):
    n_resamples, level, seed = how
    rank = rankdata(scores)
    draws = _auc_draws(rank[is_planted], rank[~is_planted], n_resamples, seed)
    auc = float(_auc(rank, is_planted))
    # From the top down; within equal scores the expectation over their orders is a straight line.
    _, place, size = np.unique(-rank, return_inverse=True, return_counts=True)
    found = np.cumsum(np.bincount(place, weights=is_planted)) / is_planted.sum()
    n_inspected = np.arange(len(rank) + 1)
    found = np.interp(n_inspected, np.append(0, np.cumsum(size)), np.append(0.0, found))
    inspected = n_inspected / len(rank)
    area = float(np.trapezoid(found, inspected))
    return DetectionCurve(
        inspected, found, auc, *percentile_interval(draws, level), area, baseline
    )


def _auc(rank, is_planted):
    """Mann and Whitney's statistic from mid-ranks."""
    n_planted = is_planted.sum()
    excess = rank[is_planted].sum() - n_planted * (n_planted + 1) / 2
    return excess / (n_planted * (len(rank) - n_planted))


def _auc_draws(planted, others, n_resamples, seed):
    """ROC-AUC of planted and of other rows drawn anew, each among themselves."""
    rng, draws = np.random.default_rng(seed), np.empty(n_resamples)
    is_planted = np.arange(len(planted) + len(others)) < len(planted)
    for i in range(n_resamples):
        drawn = np.append(rng.choice(planted, len(planted)), rng.choice(others, len(others)))
        draws[i] = _auc(rankdata(drawn), is_planted)
    return draws
