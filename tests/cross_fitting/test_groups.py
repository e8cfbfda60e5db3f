"""Laws of estimators that make the fits of a cross-fit in groups: what comes out is what refits give."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from skmem import MemorizationScorer
from skmem._random import child_seeds, set_random_state
from skmem.cross_fitting import cross_fit
from skmem.cross_fitting._cross_fit import FitOptions, fill_scores
from skmem.cross_fitting._splits import train_masks

X = np.random.RandomState(0).standard_normal((12, 2))
made = []


class Grouped(BaseEstimator):
    """A mean with noise of its seed; fits are made in pairs, the one left over alone."""

    def __init__(self, power=1, random_state=None):
        self.power = power
        self.random_state = random_state

    def fit(self, X, y=None):
        made.append(1)
        self.mean_ = np.mean(X) + self.random_state % 1000
        return self

    def score_samples(self, X):
        return np.sum(X, axis=1) ** self.power + self.mean_

    def staged_score_samples(self, X):
        yield self.score_samples(X) - 1
        yield self.score_samples(X)

    def cross_fit_groups(self, X, train_mask):
        return np.array_split(np.arange(len(train_mask)), -(-len(train_mask) // 2))

    def cross_fit_estimators(self, X, train_mask, seeds):
        pairs = zip(train_mask, seeds, strict=True)
        fits = [set_random_state(clone(self), seed).fit(X[mask]) for mask, seed in pairs]
        made[-len(fits) :] = [len(fits)]
        return fits

    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        raise AssertionError("the engine makes the fits itself, to keep them and their stages")


class Refitted(Grouped):
    """The same without the methods."""

    cross_fit_groups = cross_fit_estimators = cross_fit_score_samples = property()


def groups_of(*args, **options):
    """Sizes of the groups that a call of `cross_fit` makes, and its result."""
    made.clear()
    options = {"cv": KFold(5), "random_state": 0} | options
    result = cross_fit(*args, **options)
    return sorted(made), result


def test_groups_give_what_refits_give():
    sizes, fits = groups_of(Grouped(), X)
    alone, refits = groups_of(Refitted(), X)
    # a group of one is a fit like any other
    assert (sizes, alone) == ([1, 2, 2], [1] * 5)
    assert (fits.method, refits.method) == ("refit", "refit")
    assert_array_equal(fits.scores, refits.scores)
    assert_array_equal(fits.staged_scores, refits.staged_scores)
    # points of their own
    _, elsewhere = groups_of(Grouped(), X, X_eval=X[:3])
    assert_array_equal(elsewhere.scores, fits.scores[:, :3])


def test_a_pipeline_does_not_pass_the_methods_on():
    sizes, fits = groups_of(make_pipeline(Grouped()), X)
    assert sizes == [1] * 5
    # and gives its step the same seeds
    assert_array_equal(fits.scores, groups_of(Grouped(), X)[1].scores)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_number_of_workers_gives_the_same_bits(backend):
    one = cross_fit(Grouped(), X, cv=KFold(5), random_state=0)
    with joblib.parallel_config(backend):
        two = cross_fit(Grouped(), X, cv=KFold(5), random_state=0, n_jobs=2)
    assert_array_equal(one.scores, two.scores)


def test_the_fits_of_a_group_are_kept_together(tmp_path):
    first, fits = groups_of(Grouped(), X, memory=tmp_path)
    again, cached = groups_of(Grouped(), X, memory=tmp_path)
    assert (first, again) == ([1, 2, 2], [])
    assert_array_equal(fits.scores, cached.scores)
    assert_array_equal(fits.staged_scores, cached.staged_scores)
    # other parameters, other fits
    assert groups_of(Grouped(power=2), X, memory=tmp_path)[0] == [1, 2, 2]


def test_fits_that_are_done_are_in_no_group():
    mask = train_masks(KFold(5), X)
    seeds = child_seeds(1, len(mask))
    whole = fill_scores(Grouped(), X, None, mask, seeds, options=FitOptions())
    made.clear()
    rest = fill_scores(Grouped(), X, None, mask, seeds, options=FitOptions(), first=3)
    assert made == [2]
    assert_array_equal(rest.scores, whole.scores[3:])
    # adding repeats until a tolerance is reached relies on it
    scorer = MemorizationScorer(Grouped(), cv=3, n_repeats=5, tol=1e9, random_state=0).fit(X)
    fixed = MemorizationScorer(Grouped(), cv=3, n_repeats=3, random_state=0).fit(X)
    assert_array_equal(scorer.memorization_, fixed.memorization_)


def test_finished_fits_are_counted_one_by_one(monkeypatch, capsys):
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    cross_fit(Grouped(), X, cv=KFold(3), random_state=0, progress=True)
    assert capsys.readouterr().err == "\rfit 1/3\rfit 2/3\rfit 3/3\n"


class Broken(Grouped):
    def cross_fit_estimators(self, X, train_mask, seeds):
        raise RuntimeError("no")


class Infinite(Grouped):
    def score_samples(self, X):
        return np.full(len(X), np.inf)


def test_errors_name_the_fits():
    with pytest.raises(RuntimeError) as error:
        cross_fit(Broken(), X, cv=KFold(4), random_state=0)
    # which of them failed is for the estimator to say
    assert error.value.__notes__ == [
        "Raised by Broken in one of fits 0, 1 (rows 0, 1 of train_mask)."
    ]
    # scores are checked fit by fit
    with pytest.raises(ValueError, match=r"score_samples of Infinite in fit 0, .* must return"):
        cross_fit(Infinite(), X, cv=KFold(4), random_state=0)


class Short(Grouped):
    def cross_fit_estimators(self, X, train_mask, seeds):
        return super().cross_fit_estimators(X, train_mask, seeds)[:1]


def test_a_fit_too_few_is_no_group():
    with pytest.raises(ValueError, match="shorter"):
        cross_fit(Short(), X, cv=KFold(4), random_state=0)
