"""Refit an estimator on each row of a train mask, in parallel and in a cache if asked."""

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
from skmem._sklearn import num_samples, safe_indexing
from skmem._version import __version__
from skmem.cross_fitting._devices import set_device
from skmem.cross_fitting._progress import track
from skmem.cross_fitting._responses import check_scores, score_rows
from skmem.cross_fitting._stages import score_stages, stack_stages
from skmem.cross_fitting._threads import single_thread


@dataclass(frozen=True)
class FitJob:
    """What all fits share: an unfitted estimator, its data, and how to score which points."""

    estimator: Any
    X: Any
    y: Any
    X_eval: Any
    response: str

    @property
    def n_points(self):
        """Number of points that each fit scores."""
        return num_samples(self.X_eval)


def make_job(estimator, X, y, X_eval, response):
    """Return the FitJob of a call, its data such that rows can be taken from it.

    Raises
    ------
    ValueError
        If points other than `X` are to be scored by labels, which they lack.
    """
    if response == "predict_proba" and X_eval is not None and X_eval is not X:
        raise ValueError(
            "X_eval must be None for response='predict_proba', since y has the labels of X alone, "
            f"got an object of type {type(X_eval).__name__}."
        )
    scores_X = X_eval is None or X_eval is X
    # Strided arrays reach a worker process contiguous, where sums may round otherwise: make them
    # so for all. The indexable of lists are lists, that of sparse matrices is in CSR format.
    X, y, X_eval = (
        np.ascontiguousarray(a) if isinstance(a, np.ndarray) and not a.flags.forc else a
        for a in (*indexable(X, y), *indexable(X_eval))
    )
    return FitJob(clone(estimator), X, y, X if scores_X else X_eval, response)


def fit_rows(job, fit, train, seed):
    """Return a clone of the job's estimator fitted on the rows `train`; `fit` is its number."""
    estimator = set_device(set_random_state(clone(job.estimator), seed), fit)
    rows = [safe_indexing(a, train) for a in (job.X, job.y) if a is not None]
    with _noting(job, fit):
        estimator.fit(*rows)
    return estimator


def score_fit(job, fit, train, seed, key):
    """Return the scores of one fit, (n_points,), and those at its stages, {stage: (n_points,)}.

    `key` stands for `job` in the cache, which ignores `job` and the number `fit`.
    """
    name = type(job.estimator).__name__
    with single_thread():
        fitted = fit_rows(job, fit, train, seed)
        with _noting(job, fit):
            scores = score_rows(fitted, job.X_eval, job.y, job.response)
            path = score_stages(fitted, job.X_eval, job.response, f"{name} in fit {fit}")
    source = f"{job.response} of {name} in fit {fit}"
    return check_scores(scores, (job.n_points,), source), path


def run_fits(job, train_mask, seeds, *, memory=None, n_jobs=None, progress=False, first=0):
    """Return scores, stages and staged scores of the fits from number `first` on, as CrossFit has them."""
    key = None if memory is None else _key(job)
    memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
    task = memory.cache(score_fit, ignore=["job", "fit"])
    fits = list(enumerate(zip(train_mask, seeds, strict=True)))[first:]
    calls = (
        delayed(_numbered)(task, job, fit, np.flatnonzero(mask), int(seed), key)
        for fit, (mask, seed) in fits
    )
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    scores, paths = np.empty((len(fits), job.n_points)), [{}] * len(fits)
    with single_thread():
        results = parallel(calls)
        for fit, (row, path) in track(results, len(scores), progress):
            scores[fit - first], paths[fit - first] = row, path
    return scores, *stack_stages(paths, scores)


def _numbered(task, job, fit, *args):
    """Return the fit's number with its scores, which arrive in any order."""
    return fit, task(job, fit, *args)


def _key(job):
    """Hash all that the scores of a fit depend on but its rows and seed, once for all fits."""
    estimator = set_random_state(clone(job.estimator), 0)
    versions = (__version__, sklearn.__version__)
    return joblib.hash((versions, estimator, job.X, job.y, job.X_eval, job.response))


@contextmanager
def _noting(job, fit):
    """Note on an exception which fit raised it."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f"Raised by {type(job.estimator).__name__} in fit {fit} (row {fit} of train_mask)."
        )
        raise
