"""The two ways to memorization: leave one row out, or cross-fit and reduce."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import LeaveOneOut

from skmem._math import difference
from skmem._random import child_seeds
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._responses import score_rows
from skmem.cross_fitting._splits import train_masks
from skmem.memorization._reductions import NOISE_QUANTILES, MemorizationScores, memorization_score

DEFAULT_REPEATS = 10
_MIN_REPEATS = 3  # a jackknife over fewer says little
_TOP_QUANTILE = 0.95  # from here on van den Burg & Williams call rows highly memorized


@dataclass(frozen=True)
class Estimate:
    """Memorization scores and the fits they rest on."""

    scores: MemorizationScores
    cross_fit: CrossFit | None
    method: str
    n_fits: int
    n_repeats: int


@dataclass(frozen=True)
class Design:
    """How to cross-fit: the splits, how to reduce, when to stop, and the seeds of each."""

    cv: object
    n_repeats: int
    reduction: str
    tol: float | None
    seeds: np.ndarray


def leave_one_out(estimator, fitted, X, y, options, seeds):
    """Estimate from the fit on all rows and the fits on all rows but one.

    In closed form where the fitted estimator has `leave_one_out_score_samples`, by refits where it has not.
    """
    closed_form = options.response == "score_samples" and hasattr(
        fitted, "leave_one_out_score_samples"
    )
    fits = None
    if closed_form:
        log_density_in = fitted.score_samples(X)
        log_density_out = fitted.leave_one_out_score_samples()
    else:
        masks = train_masks(LeaveOneOut(), X, y)
        fits = fill_scores(estimator, X, y, masks, child_seeds(seeds, len(masks)), options=options)
        log_density_in = score_rows(fitted, X, y, options.response)
        log_density_out = np.diagonal(fits.scores).copy()
    n_rows = len(log_density_in)
    scores = MemorizationScores(
        memorization=difference(log_density_in, log_density_out),
        log_density_in=log_density_in,
        log_density_out=log_density_out,
        standard_error=np.zeros(n_rows),
        p_values=np.full(n_rows, np.nan),
        noise_floor=dict.fromkeys(NOISE_QUANTILES, 0.0),
    )
    return Estimate(scores, fits, "leave-one-out", 1 if closed_form else 1 + n_rows, 1)


def cross_fitted(estimator, X, y, groups, design, options):
    """Estimate from fits with and without each row, repeat by repeat where there is a `tol` to reach."""
    is_int = isinstance(design.cv, int | np.integer)
    n_repeats = design.n_repeats if is_int or design.n_repeats != DEFAULT_REPEATS else 1
    masks = train_masks(
        design.cv,
        X,
        y,
        groups,
        n_repeats=n_repeats,
        stratify=options.response == "predict_proba",
        random_state=int(design.seeds[0]),
    )
    seeds = child_seeds(int(design.seeds[1]), len(masks))
    per_repeat = len(masks) // n_repeats
    made, fits = 0, None
    for upto in _stops(n_repeats, design.tol):
        chunk = slice(made * per_repeat, upto * per_repeat)
        more = fill_scores(estimator, X, y, masks[chunk], seeds[chunk], options=options)
        fits = more if fits is None else _joined(fits, more)
        scores = memorization_score(
            fits.scores,
            fits.train_mask,
            reduction=design.reduction,
            response=fits.response,
            random_state=int(design.seeds[2]),
        )
        made = upto
        if design.tol is not None and _is_precise(scores, design.tol):
            break
    return Estimate(scores, fits, fits.method, fits.n_fits, made)


def _stops(n_repeats, tol):
    """Numbers of repeats after which to look at the standard errors."""
    if tol is None or n_repeats <= _MIN_REPEATS:
        return [n_repeats]
    return range(_MIN_REPEATS, n_repeats + 1)


def _joined(fits, more):
    return replace(
        fits,
        train_mask=np.concatenate([fits.train_mask, more.train_mask]),
        scores=np.concatenate([fits.scores, more.scores]),
    )


def _is_precise(scores, tol):
    """Whether the standard errors of the highest scores are all at most `tol`."""
    top = scores.memorization >= np.quantile(scores.memorization, _TOP_QUANTILE)
    return bool(np.all(scores.standard_error[top] <= tol))
