"""Laws of the cache: a stopped run resumes, and nothing else is taken for it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

import skmem
from skmem._random import child_seeds
from skmem.cross_fitting import SubsetSplit, cross_fit
from skmem.cross_fitting._cross_fit import FitOptions, fill_scores
from skmem.cross_fitting._splits import train_masks

X = np.random.RandomState(0).standard_normal((12, 2))
n_fitted = []


class Counter(BaseEstimator):
    """Counts its fits in `n_fitted`; its seed shows in its scores."""

    def __init__(self, power=1, random_state=None):
        self.power = power
        self.random_state = random_state

    def fit(self, X, y=None):
        n_fitted.append(1)
        self.mean_ = np.mean(np.asarray(X, dtype=float)) + (self.random_state or 0)
        return self

    def score_samples(self, X):
        return np.sum(np.asarray(X, dtype=float), axis=1) ** self.power + self.mean_


def fits_of(*args, **options):
    """Number of fits that a call of `cross_fit` makes, and its scores."""
    n_fitted.clear()
    options = {"cv": KFold(4), "random_state": 0} | options
    result = cross_fit(*args, **options)
    return len(n_fitted), result.scores


@pytest.mark.parametrize("kind", [str, Path, lambda p: joblib.Memory(p, verbose=0)])
def test_a_second_run_fits_nothing(tmp_path, kind):
    memory = kind(tmp_path)
    count, scores = fits_of(Counter(), X, memory=memory)
    again, cached = fits_of(Counter(), X, memory=memory)
    assert (count, again) == (4, 0)
    assert np.array_equal(scores, cached)
    assert np.array_equal(scores, fits_of(Counter(), X)[1])


@pytest.mark.parametrize(
    ("estimator", "data", "options"),
    [
        (Counter(power=2), X, {}),
        (Counter(), np.nextafter(X, 9.0), {}),
        (Counter(), X.astype(np.float32), {}),
        (Counter(), pd.DataFrame(X), {}),
        (Counter(), X, {"y": np.zeros(12)}),
        (Counter(), X, {"X_eval": X + 1}),
        (Counter(), X, {"random_state": 1}),
    ],
    ids=["parameter", "data", "dtype", "frame", "y", "X_eval", "random_state"],
)
def test_another_question_is_not_answered_from_the_cache(tmp_path, estimator, data, options):
    fits_of(Counter(), X, memory=tmp_path)
    count, scores = fits_of(estimator, data, memory=tmp_path, **options)
    assert count == 4
    assert np.array_equal(scores, fits_of(estimator, data, **options)[1])


def test_a_random_state_that_is_overridden_is_not_a_difference(tmp_path):
    fits_of(Counter(random_state=3), X, memory=tmp_path)
    assert fits_of(Counter(random_state=4).fit(X), X, memory=tmp_path)[0] == 0


@pytest.mark.parametrize("frame", [pl.DataFrame, pd.DataFrame])
def test_frames_are_found_again(tmp_path, frame):
    columns = {"a": X[:, 0], "b": X[:, 1].astype(str)}
    fits_of(Counter(), frame(columns), memory=tmp_path)
    assert fits_of(Counter(), frame(columns), memory=tmp_path)[0] == 0


def test_more_fits_take_up_the_fits_of_fewer(tmp_path):
    few, many = (SubsetSplit(n_subsets=n, random_state=0) for n in (3, 8))
    fits_of(Counter(), X, cv=few, memory=tmp_path)
    assert fits_of(Counter(), X, cv=many, memory=tmp_path)[0] == 5
    options = FitOptions(memory=tmp_path)
    n_fitted.clear()
    for n_repeats in (2, 3):
        mask = train_masks(4, X, n_repeats=n_repeats, random_state=0)
        fill_scores(Counter(), X, None, mask, child_seeds(1, len(mask)), options=options)
    # 8 for two repeats, then 4 for the third
    assert len(n_fitted) == 12


def test_a_cache_without_a_seed_is_warned_of(tmp_path):
    with pytest.warns(UserWarning, match="memory needs a fixed random_state") as caught:
        cross_fit(Counter(), X, cv=3, memory=tmp_path)
    assert caught[0].filename == __file__


SCRIPT = """
import sys
import numpy as np
from logged import Logged
from skmem.cross_fitting import cross_fit

cv = [(list(set(range(10)) - {k}), [k]) for k in range(10)]
X = np.arange(20.0).reshape(10, 2)
memory, n_jobs, out = sys.argv[1:]
result = cross_fit(Logged(), X, cv=cv, memory=memory or None, n_jobs=int(n_jobs), random_state=0)
np.save(out, result.scores)
"""

LOGGED = """
import os, signal
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

class Logged(BaseEstimator):
    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X):
        out = (set(range(10)) - set((X[:, 0] / 2).astype(int))).pop()
        with open("log", "a") as log:
            log.write(f"{out}\\n")
        if os.environ.get("KILL") == str(out):
            os.kill(os.getpid(), signal.SIGKILL)
        self.rng_ = np.random.RandomState(self.random_state)
        self.mean_ = X.mean()
        return self

    def score_samples(self, X):
        return self.mean_ + self.rng_.standard_normal(len(X))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system knows no SIGKILL")
def test_a_killed_run_resumes_where_it_stopped(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "logged.py").write_text(LOGGED)
    package = str(Path(skmem.__file__).parents[1])

    def run(memory, jobs, out, **env):
        (tmp_path / "log").unlink(missing_ok=True)
        env = os.environ | {"PYTHONPATH": package} | env
        command = [sys.executable, "script.py", memory, str(jobs), out]
        code = subprocess.run(command, cwd=tmp_path, env=env, check=False).returncode
        return code, [int(fit) for fit in (tmp_path / "log").read_text().split()]

    code, fitted = run("cache", 1, "none.npy", KILL="6")
    # killed within fit 6, which is lost
    assert code == -signal.SIGKILL
    assert fitted == [0, 1, 2, 3, 4, 5, 6]
    shutil.copytree(tmp_path / "cache", tmp_path / "copy")
    run("", 1, "whole.npy")
    for memory, n_jobs in (("cache", 1), ("copy", 2)):
        code, fitted = run(memory, n_jobs, "resumed.npy")
        assert code == 0
        # only the missing are fitted, in whatever order
        assert sorted(fitted) == [6, 7, 8, 9]
        assert np.array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy"))
