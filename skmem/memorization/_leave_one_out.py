"""Memorization by leaving one row out, or its group: in closed form where there is one, by refits where not."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut

from skmem._math import difference
from skmem._random import child_seeds
from skmem._sklearn import num_samples
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._responses import check_scores, score_rows
from skmem.cross_fitting._splits import train_masks
from skmem.density._checks import check_groups
from skmem.memorization._estimates import Estimate
from skmem.memorization._paths import left_out, left_out_path
from skmem.memorization._reductions import NOISE_QUANTILES, MemorizationScores


def leaves_one_out(scorer, estimator, response, groups):
    """Whether a scorer is to leave one row out: asked to, or free to and able to do so exactly at no cost."""
    if scorer.method != "auto":
        return scorer.method == "leave-one-out"
    asks_for_fits = not isinstance(scorer.cv, Integral) or scorer.tol is not None
    closed_form = _has_closed_form(estimator, groups) and _is_exact(estimator)
    return closed_form and response == "score_samples" and not asks_for_fits


def _has_closed_form(estimator, groups):
    """Whether the estimator scores each row without itself, or without its group, and never refits."""
    what = "one" if groups is None else "one_group"
    return hasattr(estimator, f"leave_{what}_out_score_samples")


def _is_exact(estimator):
    """Whether the closed form is exact: an estimator where it is not says so."""
    return getattr(estimator, "leave_one_out_is_exact", True)


def leave_one_out(estimator, fitted, X, y, options, seed, groups):
    """Estimate from the fit on all rows and the fits on all rows but one, or but one group.

    In closed form where the fitted estimator has `leave_one_out_score_samples` (for groups
    `leave_one_group_out_score_samples`), by refits where it has not.
    """
    closed_form = _has_closed_form(fitted, groups) and options.response == "score_samples"
    if closed_form:
        noise = 0.0 if _is_exact(fitted) else np.nan
        scores = _scores(fitted.score_samples(X), _without(fitted, groups, num_samples(X)), noise)
        return Estimate(scores, None, None, "leave-one-out", 1, 1)
    groups = None if groups is None else check_groups(groups, num_samples(X))
    splitter = LeaveOneOut() if groups is None else LeaveOneGroupOut()
    masks = train_masks(splitter, X, y, groups)
    fits = fill_scores(estimator, X, y, masks, child_seeds(seed, len(masks)), options=options)
    trained_on = (X, y, options.params)
    log_density_in = score_rows(fitted, X, y, options.response, trained_on)
    scores = _scores(log_density_in, left_out(fits.scores, masks), np.nan)
    path = left_out_path(fitted, fits, X, log_density_in)
    return Estimate(scores, path, fits, "leave-one-out", 1 + len(masks), 1)


def _without(fitted, groups, n_samples):
    """Log-density (n_samples,) of each training row without itself, or without its group, by the closed form."""
    if groups is None:
        name, scores = "leave_one_out_score_samples", fitted.leave_one_out_score_samples()
    else:
        name = "leave_one_group_out_score_samples"
        scores = fitted.leave_one_group_out_score_samples(groups)
    return check_scores(scores, (n_samples,), f"{name} of {type(fitted).__name__}")


def _scores(log_density_in, log_density_out, noise):
    """Scores whose standard error and noise floor are `noise`: zero, or nan where they are not known."""
    memorization = difference(log_density_in, log_density_out)
    return MemorizationScores(
        memorization=memorization,
        log_density_in=log_density_in,
        log_density_out=log_density_out,
        standard_error=np.where(np.isfinite(memorization), noise, np.nan),
        p_values=np.full_like(memorization, np.nan),
        noise_floor=dict.fromkeys(NOISE_QUANTILES, noise),
    )
