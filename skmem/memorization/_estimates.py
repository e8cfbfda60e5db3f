"""The two ways to memorization: leave one row out, or cross-fit and reduce."""

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import LeaveOneOut

from skmem._math import difference
from skmem._random import child_seeds
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._responses import score_rows
from skmem.cross_fitting._splits import train_masks
from skmem.cross_fitting._warn import warn_user
from skmem.memorization._reductions import (
    NOISE_QUANTILES,
    MemorizationScores,
    check_both_sides,
    memorization_score,
)

DEFAULT_REPEATS = 10
_MIN_REPEATS = 3  # a jackknife over fewer says little
_TOP_SHARE = 0.05  # of the rows, those that van den Burg & Williams call highly memorized


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


def leave_one_out(estimator, fitted, X, y, options, seed):
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
        fits = fill_scores(estimator, X, y, masks, child_seeds(seed, len(masks)), options=options)
        log_density_in = score_rows(fitted, X, y, options.response)
        log_density_out = np.diagonal(fits.scores).copy()
    n_rows = len(log_density_in)
    # One refit a row cannot tell how much refits vary, and an approximation is off by what nobody knows.
    noise = 0.0 if closed_form and getattr(fitted, "leave_one_out_is_exact", True) else np.nan
    memorization = difference(log_density_in, log_density_out)
    scores = MemorizationScores(
        memorization=memorization,
        log_density_in=log_density_in,
        log_density_out=log_density_out,
        standard_error=np.where(np.isfinite(memorization), noise, np.nan),
        p_values=np.full(n_rows, np.nan),
        noise_floor=dict.fromkeys(NOISE_QUANTILES, noise),
    )
    return Estimate(scores, fits, "leave-one-out", 1 if closed_form else 1 + n_rows, 1)


def cross_fitted(estimator, X, y, groups, design, options):
    """Estimate from fits with and without each row, repeat by repeat where there is a `tol` to reach."""
    masks, n_repeats = _masks(X, y, groups, design, options.response)
    seeds = child_seeds(design.seeds[1], len(masks))
    fits = None
    for n_made in _stops(n_repeats, design.tol):
        upto, first = len(masks) // n_repeats * n_made, 0 if fits is None else fits.n_fits
        more = fill_scores(
            estimator, X, y, masks[:upto], seeds[:upto], options=options, first=first
        )
        fits = more if fits is None else _joined(fits, more)
        if design.tol is None or _is_precise(fits, design, is_last=n_made == n_repeats):
            break
    scores = memorization_score(
        fits.scores,
        fits.train_mask,
        reduction=design.reduction,
        response=fits.response,
        random_state=int(design.seeds[2]),
    )
    return Estimate(scores, fits, fits.method, fits.n_fits, n_made)


def _masks(X, y, groups, design, response):
    """Training rows of all fits, and the number of repeats they make: one of a splitter."""
    is_int = isinstance(design.cv, Integral)
    n_repeats = design.n_repeats if is_int or design.n_repeats != DEFAULT_REPEATS else 1
    masks = train_masks(
        design.cv,
        X,
        y,
        groups,
        n_repeats=n_repeats,
        stratify=response == "predict_proba",
        random_state=int(design.seeds[0]),
    )
    check_both_sides(masks)
    return masks, n_repeats


def _stops(n_repeats, tol):
    """Numbers of repeats after which to look at the standard errors."""
    return range(n_repeats if tol is None else min(_MIN_REPEATS, n_repeats), n_repeats + 1)


def _joined(fits, more):
    return replace(
        fits,
        train_mask=np.concatenate([fits.train_mask, more.train_mask]),
        scores=np.concatenate([fits.scores, more.scores]),
    )


def _is_precise(fits, design, is_last):
    """Whether the standard errors of the highest scores are all at most `tol`; infinite scores have none."""
    memorization, error = fold_errors(fits, design.reduction)
    top = np.argsort(memorization)[-math.ceil(_TOP_SHARE * len(memorization)) :]
    finite = top[np.isfinite(memorization[top])]
    precise = bool(np.all(error[finite] <= design.tol))
    if is_last and not precise:
        warn_user(
            f"tol={design.tol} was not reached in n_repeats={design.n_repeats}: the largest standard error of the "
            f"highest scores is {np.max(error[finite]):.3g}. Allow more repeats.",
            ConvergenceWarning,
        )
    return precise
