"""From the two arrays of a cross-fit to one memorization score per row, with its uncertainty."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skmem._math import difference, logmeanexp, mean
from skmem._sklearn import StrOptions, validate_params
from skmem.cross_fitting._responses import RESPONSES, is_logarithmic
from skmem.cross_fitting._sides import check_both_sides, find_repeats
from skmem.memorization import _folds, _subsets

NOISE_QUANTILES = (0.95, 0.999)


@dataclass(frozen=True)
class MemorizationScores:
    """Memorization of every row, and how sure it is.

    In the unit of the scores, nats for log-densities; positive = memorized, 0 = no effect.

    Parameters
    ----------
    memorization : ndarray of shape (n_samples,)
        ``log_density_in`` minus ``log_density_out``.
    log_density_in : ndarray of shape (n_samples,)
        Average over the fits that were trained on the row.
    log_density_out : ndarray of shape (n_samples,)
        Average over the fits that were not.
    standard_error : ndarray of shape (n_samples,)
        Jackknife standard error of `memorization`; nan where that is infinite or there is one repeat only.
    p_values : ndarray of shape (n_samples,)
        Chance of a held-out average as low, were the row not memorized.
    noise_floor : dict of float to float
        Quantiles 0.95 and 0.999 of the score under exchange of in and out, over rows; nan where there is nothing to
        exchange. For "pooled" of fewer than ten folds or of subsets it is too low, as it holds less of their bias.
    """

    memorization: np.ndarray
    log_density_in: np.ndarray
    log_density_out: np.ndarray
    standard_error: np.ndarray
    p_values: np.ndarray
    noise_floor: dict


@validate_params(
    {
        "scores": ["array-like"],
        "train_mask": ["array-like"],
        "reduction": [StrOptions({"matched", "pooled", "mean"})],
        "response": [StrOptions(set(RESPONSES))],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def memorization_score(
    scores, train_mask, *, reduction="matched", response="score_samples", random_state=None
):
    """Memorization of every row from a cross-fit's two arrays.

    In the unit of the response, nats for log-densities; positive = the row is memorized, 0 = no effect.

    Parameters
    ----------
    scores : array-like of shape (n_fits, n_samples)
        ``scores[k, i]`` is log p(x_i | fit k), or how well fit k predicts the label or target of row i.
    train_mask : array-like of shape (n_fits, n_samples) of bool
        Whether fit k was trained on row i. Every row needs a fit with it and one without it.
    reduction : {"matched", "pooled", "mean"}, default="matched"
        How fits are averaged. "pooled" is the published estimator; "matched" compares equal numbers of fits, so that
        it is not biased by noise; "mean" averages log-densities instead of densities.
    response : {"score_samples", "predict_proba", "predict", "neg_squared_error"}, default="score_samples"
        What the scores are, as in :func:`skmem.cross_fit`; probabilities and squared errors are averaged as they are.
    random_state : int, RandomState instance or None, default=None
        Seed of the random exchanges behind p-values, noise floor and matched subsets.

    Returns
    -------
    scores : MemorizationScores
        The score of every row with what it is made of and its uncertainty.

    Raises
    ------
    ValueError
        If the arrays differ in shape, a score is nan or +inf, or a row is in all fits or in none.

    Notes
    -----
    With lme the log-mean-exp over fits, the published estimator (van den Burg & Williams, "On Memorization in
    Probabilistic Deep Generative Models", NeurIPS 2021, Algorithm 1) is

        M_i = lme_k(scores[k, i] : i in fit k) - lme_k(scores[k, i] : i not in fit k).

    The two sides average unequal numbers of fits, and a log-mean-exp of noisy values grows with their number: a
    positive score without any memorization. "matched" takes, in each of L repeats of K folds, the fit whose held-out
    fold is s after the row's own, s = 1..K-1: an lme over L values as on the other side,

        M_i = mean_s lme(s, i) - lme(0, i).

    Under no memorization the K values of a repeat are exchangeable, so its mean is zero, and the rank of lme(0, i)
    among other choices of one fit per repeat is a p-value. For masks without folds, random subsets of equal size take
    the place of rotated folds.

    With L repeats, the score plus or minus the 0.975 quantile of Student's t with L - 1 degrees of freedom times its
    standard error covers what infinitely many such designs would average to: in simulations with independent noise
    and 5 to 10 repeats in 93 to 95 % of rows where a fit's log-density varies by 0.3 nats, in 92 to 93 % at 1 nat and
    in 87 to 89 % at 3 nats, where a few fits make up the log-mean-exp (with "mean" in 95 % always). In the same
    way the noise floor of masks without folds is somewhat low where noise is large: at 3 nats, 7 to 8 % of rows
    without any memorization are above the 0.95 one for "matched", 8 to 10 % for "pooled", and 5 to 6 % for "mean".

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.memorization import memorization_score
    >>> train_mask = np.array([[True, False], [False, True]] * 5)
    >>> scores = np.where(train_mask, -1.0, -3.0)
    >>> memorization_score(scores, train_mask, random_state=0).memorization
    array([2., 2.])
    """
    scores, train_mask = _check_arrays(scores, train_mask)
    rng = check_random_state(random_state)
    average, matched = _averaging(reduction, response)
    n_folds = find_repeats(train_mask)
    sides = average_in_and_out(scores, train_mask, reduction, response, rng)
    if n_folds is None:
        error = standard_error_of_parts(_subsets.without_each_group(scores, train_mask, average))
        p = _subsets.p_values(scores, train_mask, average, rng)
        null = _subsets.null_scores(scores, train_mask, average, matched, rng)
    else:
        rotated = _folds.rotate(scores, train_mask, n_folds)
        error = standard_error_of_parts(_folds.without_each_repeat(rotated, average, matched))
        p = _folds.p_values(rotated, average, rng)
        null = _folds.null_scores(rotated, average, matched, rng)
    return MemorizationScores(difference(*sides), *sides, error, p, _noise_floor(null))


def average_in_and_out(scores, train_mask, reduction, response, rng):
    """Averages over the fits with and without each row, two arrays (n_samples,)."""
    average, matched = _averaging(reduction, response)
    n_folds = find_repeats(train_mask)
    if n_folds is None:
        return _subsets.average_sides(scores, (train_mask, ~train_mask), average, matched, rng)
    rotated = _folds.rotate(scores, train_mask, n_folds)
    return _folds.average_in_and_out(rotated, average, matched)


def fold_errors(fits, reduction):
    """Memorization and its standard error, (n_samples,) each, of a CrossFit with folds: the quick part."""
    average, matched = _averaging(reduction, fits.response)
    n_folds = find_repeats(fits.train_mask)
    rotated = _folds.rotate(fits.scores, fits.train_mask, n_folds)
    memorization = difference(*_folds.average_in_and_out(rotated, average, matched))
    return memorization, standard_error_of_parts(
        _folds.without_each_repeat(rotated, average, matched)
    )


def memorization_and_parts(fits, reduction, rng, n_folds):
    """Memorization (n_samples,) of a CrossFit, and without each part of its fits in turn (n_parts, n_samples).

    In the unit of `memorization_score`. The parts are repeats of `n_folds`, or else ten groups of fits. `n_folds` is
    what `find_repeats` gives of the masks.
    """
    average, matched = _averaging(reduction, fits.response)
    scores, train_mask = fits.scores, fits.train_mask
    if n_folds is None:
        sides = _subsets.average_sides(scores, (train_mask, ~train_mask), average, matched, rng)
        return difference(*sides), _subsets.without_each_group(scores, train_mask, average)
    rotated = _folds.rotate(scores, train_mask, n_folds)
    memorization = difference(*_folds.average_in_and_out(rotated, average, matched))
    return memorization, _folds.without_each_repeat(rotated, average, matched)


def standard_error_of_parts(without):
    """Jackknife standard error from a statistic without each part in turn (n_parts, ...); nan with one part.

    In the unit of the statistic; nan too where that is infinite.
    """
    if len(without) < 2:
        return np.full(np.shape(without)[1:], np.nan)
    with np.errstate(invalid="ignore"):
        return np.sqrt((len(without) - 1) * np.var(without, axis=0))


def _averaging(reduction, response):
    """What averages fits, and whether equal numbers of them."""
    logarithmic = is_logarithmic(response) and reduction != "mean"
    return (logmeanexp if logarithmic else mean), reduction == "matched"


def _check_arrays(scores, train_mask):
    scores = np.asarray(scores, dtype=np.float64)
    train_mask = np.asarray(train_mask)
    if train_mask.dtype != np.bool_:
        raise ValueError(f"train_mask must be of dtype bool, got {train_mask.dtype}.")
    if scores.ndim != 2 or scores.shape != train_mask.shape:
        raise ValueError(
            "scores and train_mask must have the same shape (n_fits, n_samples), "
            f"got {scores.shape} and {train_mask.shape}."
        )
    bad = ~(scores < np.inf)
    if bad.any():
        raise ValueError(f"scores must be finite or -inf, got {bad.sum()} that are nan or +inf.")
    check_both_sides(train_mask)
    return scores, train_mask


def _noise_floor(null):
    finite = null[np.isfinite(null)]
    return {q: float(np.quantile(finite, q)) if finite.size else np.nan for q in NOISE_QUANTILES}
