"""One candidate of a search: all its fits, reduced to what a search compares."""

import time
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skmem._math import mean
from skmem.cross_fitting._cross_fit import FitOptions, fill_scores
from skmem.cross_fitting._responses import is_logarithmic
from skmem.memorization._reductions import memorization_and_parts, standard_error_of_parts

SUMMARIES = ("memorization_q95", "memorization_q999", "memorization_max", "n_memorized")


@dataclass(frozen=True)
class Trial:
    """What every candidate is tried on: rows, training sets, seeds, and how to reduce.

    The seeds are the same for all candidates, so that these differ by what they are alone.
    """

    X: object
    y: object
    rows: np.ndarray
    train_mask: np.ndarray
    seeds: np.ndarray
    options: FitOptions
    reduction: str
    threshold: float
    seed: int


@dataclass(frozen=True)
class Evaluation:
    """A candidate's held-out log-densities and memorization, in nats; all nan if a fit failed.

    split_log_density : (n_fits,); row_log_density, memorization : (n_rows,); summaries : (4,), of `SUMMARIES`, with
    standard_errors : (4,); seconds : time for all fits; error : the exception of a failed fit, or None.
    """

    params: dict
    split_log_density: np.ndarray
    row_log_density: np.ndarray
    memorization: np.ndarray
    summaries: np.ndarray
    standard_errors: np.ndarray
    seconds: float
    error: Exception | None = None


def try_candidate(estimator, params, trial, error_score):
    """Return the Evaluation of `estimator` with `params`; a fit that fails is raised if `error_score` is "raise"."""
    start = time.perf_counter()
    try:
        candidate = clone(estimator).set_params(**clone(params, safe=False))
        fits = fill_scores(
            candidate, trial.X, trial.y, trial.train_mask, trial.seeds, options=trial.options
        )
    except Exception as error:
        if error_score == "raise":
            raise
        return _failed(params, trial, time.perf_counter() - start, error)
    return _reduced(params, fits, trial, time.perf_counter() - start)


def _reduced(params, fits, trial, seconds):
    """The Evaluation of a candidate whose fits all succeeded."""
    with np.errstate(divide="ignore"):
        log_density = fits.scores if is_logarithmic(fits.response) else np.log(fits.scores)
    held_out = ~fits.train_mask
    rng = check_random_state(trial.seed)
    memorization, parts = memorization_and_parts(fits, trial.reduction, rng)
    return Evaluation(
        params,
        mean(log_density, axis=1, where=held_out),
        mean(log_density, axis=0, where=held_out),
        memorization,
        summarize(memorization, trial.threshold),
        standard_error_of_parts(np.stack([summarize(part, trial.threshold) for part in parts])),
        seconds,
    )


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
    return Evaluation(params, splits, rows, rows, summaries, summaries, seconds, error)
