"""Memorization by leaving one row out: in closed form where the estimator has one, by refits where not."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import LeaveOneOut

from skmem._math import difference
from skmem._random import child_seeds
from skmem._sklearn import num_samples
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._responses import score_rows
from skmem.cross_fitting._splits import train_masks
from skmem.memorization._estimates import Estimate
from skmem.memorization._paths import left_out_path
from skmem.memorization._reductions import NOISE_QUANTILES, MemorizationScores


def leaves_one_out(scorer, estimator, response, groups):
    """Whether a scorer is to leave one row out: asked to, or free to and able to do so exactly at no cost."""
    if scorer.method == "leave-one-out" and groups is not None:
        raise ValueError(
            "groups must be None for method='leave-one-out', which leaves out single rows, "
            f"got {num_samples(groups)} groups."
        )
    if scorer.method != "auto":
        return scorer.method == "leave-one-out"
    asks_for_fits = (
        not isinstance(scorer.cv, Integral) or scorer.tol is not None or groups is not None
    )
    closed_form = hasattr(estimator, "leave_one_out_score_samples") and _is_exact(estimator)
    return closed_form and response == "score_samples" and not asks_for_fits


def _is_exact(estimator):
    """Whether the closed form is exact: an estimator where it is not says so."""
    return getattr(estimator, "leave_one_out_is_exact", True)


def leave_one_out(estimator, fitted, X, y, options, seed):
    """Estimate from the fit on all rows and the fits on all rows but one.

    In closed form where the fitted estimator has `leave_one_out_score_samples`, by refits where it has not.
    """
    has_closed_form = hasattr(fitted, "leave_one_out_score_samples")
    closed_form = has_closed_form and options.response == "score_samples"
    fits = path = None
    if closed_form:
        log_density_in = fitted.score_samples(X)
        log_density_out = fitted.leave_one_out_score_samples()
    else:
        masks = train_masks(LeaveOneOut(), X, y)
        fits = fill_scores(estimator, X, y, masks, child_seeds(seed, len(masks)), options=options)
        log_density_in = score_rows(fitted, X, y, options.response)
        log_density_out = np.diagonal(fits.scores).copy()
        path = left_out_path(fitted, fits, X, log_density_in)
    noise = 0.0 if closed_form and _is_exact(fitted) else np.nan
    scores = _scores(log_density_in, log_density_out, noise)
    n_fits = 1 if closed_form else 1 + len(log_density_in)
    return Estimate(scores, path, fits, "leave-one-out", n_fits, 1)


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
