"""One candidate of a search: all its fits, reduced to what a search compares."""

import time
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skmem._blocks import map_blocks, row_blocks
from skmem.cross_fitting._cross_fit import CrossFit, FitOptions, fill_scores
from skmem.cross_fitting._responses import check_scores, is_logarithmic
from skmem.memorization._reductions import memorization_and_parts, standard_error_of_parts
from skmem.model_selection._scoring import LOG_DENSITY

SUMMARIES = ("memorization_q95", "memorization_q999", "memorization_max", "n_memorized")


@dataclass(frozen=True)
class Trial:
    """What every candidate is tried on: rows, training sets, seeds, and how to reduce.

    The seeds are the same for all candidates, so that these differ by what they are alone. `n_folds` is the number of
    fits in a repeat of folds, None without folds.
    """

    X: object
    y: object
    rows: np.ndarray
    train_mask: np.ndarray
    n_folds: int | None
    seeds: np.ndarray
    options: FitOptions
    reduction: str
    threshold: float
    seed: int


@dataclass(frozen=True)
class Evaluation:
    """A candidate's held-out scores and its memorization, in nats; all nan if a fit failed.

    split_scores : {name: (n_fits,)}, one of them "log_density"; row_log_density, memorization : (n_rows,);
    summaries : (4,), of `SUMMARIES`, with standard_errors : (4,); seconds : time for all fits; error : the exception
    of a failed fit, or None.
    """

    params: dict
    split_scores: dict
    row_log_density: np.ndarray
    memorization: np.ndarray
    summaries: np.ndarray
    standard_errors: np.ndarray
    seconds: float
    error: Exception | None = None


def try_candidates(estimator, wanted, trial, error_score):
    """Return the Evaluations of `estimator` with each of the `wanted` parameters.

    A fit that fails is raised if `error_score` is "raise". Candidates that the estimator can cross-fit together are,
    as many at once as there is memory for their scores.
    """
    options = trial.options
    closed = options.response == "score_samples" and not (options.scorer or options.params)
    if closed and hasattr(estimator, "cross_fit_candidates"):
        blocks = row_blocks(len(wanted), 8 * trial.train_mask.size, np.inf)
        parts = [_try_together(estimator, wanted[block], trial, error_score) for block in blocks]
        return [evaluation for part in parts for evaluation in part]
    return [_try_alone(estimator, params, trial, error_score) for params in wanted]


def _try_together(estimator, wanted, trial, error_score):
    """Evaluations from one call, or from one call each if that fails: which of them does is not known."""
    start = time.perf_counter()
    try:
        candidates = [_candidate(estimator, params) for params in wanted]
        found = estimator.cross_fit_candidates(trial.X, trial.train_mask, candidates)
        for scores in found:
            check_scores(scores, trial.train_mask.shape, "cross_fit_candidates")
    except Exception:
        return [_try_alone(estimator, params, trial, error_score) for params in wanted]
    seconds = (time.perf_counter() - start) / len(wanted)

    def reduce(pair):
        params, scores = pair
        fits = CrossFit(trial.train_mask, scores, "score_samples", "closed-form")
        return _reduced(params, fits, trial, seconds)

    return map_blocks(reduce, list(zip(wanted, found, strict=True)))


def _try_alone(estimator, params, trial, error_score):
    start = time.perf_counter()
    try:
        candidate = _candidate(estimator, params)
        fits = fill_scores(
            candidate, trial.X, trial.y, trial.train_mask, trial.seeds, options=trial.options
        )
    except Exception as error:
        if error_score == "raise":
            raise
        return _failed(params, trial, time.perf_counter() - start, error)
    return _reduced(params, fits, trial, time.perf_counter() - start)


def _candidate(estimator, params):
    return clone(estimator).set_params(**clone(params, safe=False))


def _reduced(params, fits, trial, seconds):
    """The Evaluation of a candidate whose fits all succeeded."""
    with np.errstate(divide="ignore"):
        log_density = fits.scores if is_logarithmic(fits.response) else np.log(fits.scores)
    by_fit, by_row = _held_out_means(log_density, ~fits.train_mask)
    rng = check_random_state(trial.seed)
    memorization, parts = memorization_and_parts(fits, trial.reduction, rng, trial.n_folds)
    return Evaluation(
        params,
        {LOG_DENSITY: by_fit} | (fits.held_out_scores or {}),
        by_row,
        memorization,
        summarize(memorization, trial.threshold),
        standard_error_of_parts(np.stack([summarize(part, trial.threshold) for part in parts])),
        seconds,
    )


def _held_out_means(log_density, held_out):
    """Means (n_fits,) over the rows held out of each fit, and (n_rows,) over the fits without each row."""
    kept = np.where(held_out, log_density, 0.0)
    return tuple(np.sum(kept, axis=axis) / np.sum(held_out, axis=axis) for axis in (1, 0))


def summarize(memorization, threshold):
    """Quantiles 0.95 and 0.999, maximum, and number above `threshold`, of scores (n_rows,); nan if one is nan."""
    if np.isnan(memorization).any():
        return np.full(len(SUMMARIES), np.nan)
    # Between a finite score and an infinite one there is nothing to interpolate.
    method = "linear" if np.isfinite(memorization).all() else "higher"
    quantiles = np.quantile(memorization, [0.95, 0.999, 1.0], method=method)
    return np.append(quantiles, np.count_nonzero(memorization > threshold))


def _failed(params, trial, seconds, error):
    n_fits, n_rows = trial.train_mask.shape
    splits, rows, summaries = (np.full(n, np.nan) for n in (n_fits, n_rows, len(SUMMARIES)))
    return Evaluation(
        params, {LOG_DENSITY: splits}, rows, rows, summaries, summaries, seconds, error
    )
