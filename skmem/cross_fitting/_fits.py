"""Refit an estimator on each row of a train mask, in parallel and in a cache if asked."""

import itertools
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_memory

from skmem._random import set_random_state
from skmem._sklearn import num_samples, rows_of_params, safe_indexing
from skmem._version import __version__
from skmem.cross_fitting._devices import set_device
from skmem.cross_fitting._keys import estimator_key
from skmem.cross_fitting._progress import track
from skmem.cross_fitting._responses import check_scores, check_targets, needs_targets, score_rows
from skmem.cross_fitting._stages import score_stages, stack_stages
from skmem.cross_fitting._threads import single_thread


@dataclass(frozen=True)
class FitOptions:
    """How to run and score the fits; see `cross_fit`."""

    X_eval: Any = None
    response: str = "auto"
    memory: Any = None
    n_jobs: int | None = None
    progress: bool = False
    params: dict | None = None
    y_eval: Any = None
    staged: bool = True
    scorer: Any = None


@dataclass(frozen=True)
class FitJob:
    """What all fits share: an unfitted estimator, its data, and how to score which points.

    A `scorer` further gives a dict of scores of a fitted estimator and the rows held out of it.
    """

    estimator: Any
    X: Any
    y: Any
    X_eval: Any
    response: str
    y_eval: Any = None
    params: dict | None = None
    staged: bool = True
    scorer: Any = None

    @property
    def n_points(self):
        """Number of points that each fit scores."""
        return num_samples(self.X_eval)


def make_job(estimator, X, y, X_eval, response, y_eval=None, params=None):
    """Return the FitJob of a call, its data such that rows can be taken from it.

    Labels or targets of the points are `y_eval`, or `y` where the points are `X`.

    Raises
    ------
    ValueError
        If points other than `X` are to be scored by labels or targets, which they lack, or weights are not one for
        each row.
    """
    scores_X = X_eval is None or (X_eval is X and y_eval is None)
    if needs_targets(response) and not scores_X:
        _check_points(X_eval, y_eval, response)
    params = params or {}
    _check_weights(params, num_samples(X))
    # Strided arrays reach a worker process contiguous, where sums may round otherwise: make them
    # so for all. The indexable of lists are lists, that of sparse matrices is in CSR format.
    X, y, X_eval, y_eval = (
        np.ascontiguousarray(a) if isinstance(a, np.ndarray) and not a.flags.forc else a
        for a in (*indexable(X, y), *indexable(X_eval, y_eval))
    )
    points = (X, response, y) if scores_X else (X_eval, response, y_eval)
    return FitJob(clone(estimator), X, y, *points, params)


def _check_points(X_eval, y_eval, response):
    """Check that points other than the training rows come with what they are to be scored by."""
    if y_eval is None:
        raise ValueError(
            f"X_eval must be None for response={response!r}, or come with labels or targets of their own, since y has "
            f"those of X alone, got an object of type {type(X_eval).__name__}."
        )
    check_targets(y_eval, response)


def _check_weights(params, n_samples):
    """Check that weights are one for each row; others would be taken for those of a fit of as many rows."""
    for name, weights in params.items():
        if name.rpartition("__")[2] == "sample_weight" and np.shape(weights)[:1] != (n_samples,):
            raise ValueError(
                f"{name} must have one entry for each of the {n_samples} rows of X, got shape {np.shape(weights)}."
            )


def fit_rows(job, fit, train, seed):
    """Return a clone of the job's estimator fitted on the rows `train`; `fit` is its number."""
    estimator = set_device(set_random_state(clone(job.estimator), seed), fit)
    X, y, params = _training(job, train)
    with _noting(job, fit):
        estimator.fit(X, *(() if y is None else (y,)), **params)
    return estimator


def _training(job, train):
    """X, y (None if it has none) and a dict of further parameters, of the rows `train`."""
    X, y = (None if a is None else safe_indexing(a, train) for a in (job.X, job.y))
    return X, y, rows_of_params(job.X, job.params, train)


def score_fit(job, fit, train, seed, key):
    """Return the scores of one fit, (n_points,), those at its stages, {stage: (n_points,)}, and its scorer's.

    `key` stands for `job` in the cache, which ignores `job` and the number `fit`.
    """
    with single_thread():
        return _scored(job, fit, fit_rows(job, fit, train, seed), train)


def _scored(job, fit, fitted, train):
    name = type(job.estimator).__name__
    trained_on = _training(job, train) if job.response == "predict" else None
    with _noting(job, fit):
        scores = score_rows(fitted, job.X_eval, job.y_eval, job.response, trained_on)
        source = f"{name} in fit {fit}"
        path = score_stages(fitted, job.X_eval, job.response, source) if job.staged else {}
        held_out = {} if job.scorer is None else _held_out_scores(job, fitted, train)
    source = f"{job.response} of {name} in fit {fit}"
    return check_scores(scores, (job.n_points,), source), path, held_out


def _held_out_scores(job, fitted, train):
    rows = np.setdiff1d(np.arange(num_samples(job.X)), train)
    return job.scorer(fitted, *(safe_indexing(a, rows) for a in (job.X, job.y) if a is not None))


def score_fits_together(job, fits, train_mask, seeds, key):
    """Return what `score_fit` gives for each of several fits, made by the estimator's `cross_fit_estimators`."""
    with single_thread():
        with _noting(job, *fits):
            estimators = job.estimator.cross_fit_estimators(job.X, train_mask, seeds)
        each = zip(fits, estimators, train_mask, strict=True)
        return [_scored(job, fit, fitted, np.flatnonzero(mask)) for fit, fitted, mask in each]


def run_fits(job, train_mask, seeds, *, memory=None, n_jobs=None, progress=False, first=0):
    """Return scores, stages, staged and held-out scores of the fits from number `first` on, as CrossFit has them."""
    key = None if memory is None else _key(job)
    memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
    tasks = (
        memory.cache(score_fit, ignore=["job", "fit"]),
        memory.cache(score_fits_together, ignore=["job", "fits"]),
    )
    groups, seeds = _groups(job, train_mask, first), np.asarray(seeds)
    calls = (
        delayed(_numbered)(tasks, job, group, train_mask[group], seeds[group], key)
        for group in groups
    )
    n_fits = len(train_mask) - first
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    scores, paths = np.empty((n_fits, job.n_points)), [{}] * n_fits
    held_out = [{}] * n_fits
    with single_thread():
        results = itertools.chain.from_iterable(parallel(calls))
        for fit, result in track(results, n_fits, progress):
            k = fit - first
            scores[k], paths[k], held_out[k] = result
    return scores, *stack_stages(paths, scores), _by_name(held_out)


def _by_name(held_out):
    """Scores of all fits by name, (n_fits,) each, nan where a fit has none; None if there are no names."""
    names = dict.fromkeys(name for found in held_out for name in found)
    return {
        name: np.array([found.get(name, np.nan) for found in held_out]) for name in names
    } or None


def _groups(job, train_mask, first):
    """Numbers of the fits from `first` on, in lists of those that the estimator wants to make together."""
    fits = np.arange(first, len(train_mask))
    together = job.response == "score_samples" and hasattr(job.estimator, "cross_fit_groups")
    if not together or job.params:
        return [[fit] for fit in fits.tolist()]
    with _noting(job, first):
        groups = job.estimator.cross_fit_groups(job.X, train_mask[first:])
    return [fits[group].tolist() for group in groups]


def _numbered(tasks, job, fits, train_mask, seeds, key):
    """Return the numbers of fits with their scores, which arrive in any order."""
    alone, together = tasks
    if len(fits) > 1:
        return list(zip(fits, together(job, fits, train_mask, seeds, key), strict=True))
    return [(fits[0], alone(job, fits[0], np.flatnonzero(train_mask[0]), int(seeds[0]), key))]


def _key(job):
    """Hash all that the scores of a fit depend on but its rows and seed, once for all fits."""
    estimator = estimator_key(job.estimator)
    versions = (__version__, sklearn.__version__)
    data = (job.X, job.y, job.X_eval, job.y_eval, job.params)
    how = job.response, job.staged, job.scorer
    return joblib.hash((versions, estimator, *data, *how))


@contextmanager
def _noting(job, *fits):
    """Note on an exception which fit raised it, or which fits made together."""
    try:
        yield
    except Exception as error:
        numbers = ", ".join(map(str, fits))
        where = "fit {0} (row {0} of" if len(fits) == 1 else "one of fits {0} (rows {0} of"
        error.add_note(
            f"Raised by {type(job.estimator).__name__} in {where.format(numbers)} train_mask)."
        )
        raise
