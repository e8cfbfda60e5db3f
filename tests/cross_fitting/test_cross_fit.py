"""Laws of cross_fit: what it computes, wherever it computes it."""

import copy
import dataclasses
import pickle
import time

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneOut, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem._random import child_seeds
from skmem.cross_fitting import CrossFit, SubsetSplit, cross_fit
from skmem.cross_fitting._cross_fit import FitOptions, fill_scores
from skmem.cross_fitting._splits import train_masks
from skmem.cross_fitting._threads import single_thread
from tests.oracles import cross_fit_by_loop

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]
X_eval = X[:7] + 0.1
kde = KernelDensity(leaf_size=10**6)
scaled_kde = make_pipeline(StandardScaler(), kde)
search = GridSearchCV(kde, {"bandwidth": [0.3, 1.0]}, cv=2)
noisy = GaussianMixture(3, init_params="random_from_data", max_iter=2, tol=0)
noisy = make_pipeline(StandardScaler(), PCA(3, svd_solver="randomized"), noisy)
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # two iterations leave the seed's trace
)


class RefittedNormal(DensityMixin, BaseEstimator):
    """Normal density of unit covariance around the mean."""

    def fit(self, X, y=None):
        self.mean_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        return _log_normal(X - self.mean_)


class Normal(RefittedNormal):
    """The same for all fits at once."""

    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        means = train_mask @ X / train_mask.sum(axis=1, keepdims=True)
        points = X if X_eval is None else X_eval
        return _log_normal(points - means[:, np.newaxis])


class SeedDensity(DensityMixin, BaseEstimator):
    """Scores every row by the seed it was given."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return np.full(len(X), float(self.random_state))


class Patient(BaseEstimator):
    """Scores rows by the number of training rows; waits long where row 0 is held out."""

    def fit(self, X):
        time.sleep(0.2 * (X[0, 0] != 0))
        self.n_ = len(X)
        return self

    def score_samples(self, X):
        return np.full(len(X), self.n_)


def _log_normal(deviation):
    return -0.5 * np.sum(deviation**2 + np.log(2 * np.pi), axis=-1)


# What is computed


@pytest.mark.parametrize("points", [None, X_eval], ids=["X", "X_eval"])
@pytest.mark.parametrize(
    "cv",
    [3, LeaveOneOut(), SubsetSplit(n_subsets=4, random_state=1), ShuffleSplit(2, random_state=0)],
    ids=lambda cv: type(cv).__name__,
)
@pytest.mark.parametrize("estimator", [kde, noisy], ids=["kde", "noisy"])
def test_scores_are_those_of_a_loop_over_fits(estimator, cv, points):
    data = X[::2]
    rng = np.random.RandomState(0)
    expected_mask = train_masks(cv, data, random_state=rng)
    seeds = child_seeds(rng, len(expected_mask))
    result = cross_fit(estimator, data, cv=cv, X_eval=points, random_state=0)
    assert np.array_equal(result.train_mask, expected_mask)
    # the engine only arranges the fits: on one thread, not a bit differs
    with single_thread():
        expected = cross_fit_by_loop(estimator, data, expected_mask, seeds, points)
    assert np.array_equal(result.scores, expected)
    assert (result.method, result.response) == ("refit", "score_samples")
    assert result.n_fits == len(expected)


def test_groups_reach_the_splitter():
    groups = np.arange(len(X)) % 5
    result = cross_fit(kde, X, cv=GroupKFold(5), groups=groups)
    # each fold of five groups is one group
    assert sorted(len(set(groups[~m])) for m in result.train_mask) == [1] * 5
    assert np.array_equal(
        result.scores, cross_fit_by_loop(kde, X, result.train_mask, np.zeros(5, int))
    )


def test_a_search_is_run_within_each_fit():
    result = cross_fit(search, X, cv=3, random_state=0)
    expected = cross_fit_by_loop(search, X, result.train_mask, np.zeros(3, int))
    assert np.array_equal(result.scores, expected)


@pytest.mark.parametrize("points", [None, X_eval], ids=["X", "X_eval"])
def test_the_closed_form_is_that_of_refits(points):
    fast = cross_fit(Normal(), X, cv=4, X_eval=points, random_state=0)
    slow = cross_fit(RefittedNormal(), X, cv=4, X_eval=points, random_state=0)
    assert (fast.method, slow.method) == ("closed-form", "refit")
    # the folds are drawn before the ways part
    assert np.array_equal(fast.train_mask, slow.train_mask)
    np.testing.assert_allclose(fast.scores, slow.scores, rtol=1e-12)


def test_a_closed_form_is_computed_on_a_clone_with_the_first_seed():
    class Seeded(Normal):
        def __init__(self, random_state=None):
            self.random_state = random_state

        def cross_fit_score_samples(self, X, train_mask, X_eval=None):
            self.touched_ = True
            return np.full((len(train_mask), len(X)), float(self.random_state))

    estimator = Seeded()
    mask = train_masks(3, X, random_state=0)
    result = fill_scores(estimator, X, None, mask, [7, 8, 9], options=FitOptions())
    assert result.scores[0, 0] == child_seeds(7, 1)[0]
    assert not hasattr(estimator, "touched_")


@pytest.mark.parametrize("labels", [y, np.array(["a", "b", "c"], dtype=object)[y]])
def test_a_classifier_is_scored_by_the_probability_of_the_label(labels):
    result = cross_fit(GaussianNB(), X, labels, cv=3, random_state=0)
    assert result.response == "predict_proba"
    seeds = np.zeros(3, dtype=int)
    expected = cross_fit_by_loop(GaussianNB(), X, result.train_mask, seeds, y=labels)
    np.testing.assert_allclose(result.scores, expected, rtol=0, atol=1e-15)
    # an int cv is stratified by the label: every fit holds out a third of each class, or a row off
    held_out = [np.bincount(y[~m]) for m in result.train_mask]
    assert np.ptp(held_out, axis=0).max() <= 1


def test_a_label_that_a_fit_has_not_seen_has_probability_zero():
    seen = np.flatnonzero(y != 1)
    result = cross_fit(GaussianNB(), X, y, cv=[(seen, []), (np.arange(len(X)), [])])
    assert np.all(result.scores[0, y == 1] == 0)
    assert np.all(result.scores[0, y != 1] > 0.9)
    assert np.all(result.scores[1, y == 1] > 0)


def test_the_response_can_be_chosen():
    class Both(GaussianNB):
        def score_samples(self, X):
            return np.zeros(len(X))

    fits = {
        response: cross_fit(Both(), X, y, cv=3, response=response)
        for response in ("auto", "score_samples", "predict_proba")
    }
    # a density comes first
    assert not fits["auto"].scores.any()
    assert not fits["score_samples"].scores.any()
    assert fits["predict_proba"].scores.max() > 0.9


def test_a_density_gets_the_targets_it_is_given():
    class Counts(BaseEstimator):
        def fit(self, X, y):
            self.total_ = y.sum()
            return self

        def score_samples(self, X):
            return np.full(len(X), self.total_)

    result = cross_fit(Counts(), X, y, cv=3)
    assert np.array_equal(result.scores[:, 0], result.train_mask @ y)


def test_probability_zero_is_a_score():
    far = np.vstack([X, X.mean(axis=0) + 100])
    tophat = KernelDensity(kernel="tophat", leaf_size=10**6)
    with np.errstate(divide="ignore"):
        result = cross_fit(tophat, far, cv=LeaveOneOut())
    # only the fit without the far row gives it no density
    assert np.array_equal(np.isneginf(result.scores[:, -1]), ~result.train_mask[:, -1])


# Seeds


def test_seeds_of_fewer_fits_are_the_first_of_more():
    few, many = (
        cross_fit(SeedDensity(), X, cv=SubsetSplit(n_subsets=n, random_state=0), random_state=3)
        for n in (3, 8)
    )
    assert np.array_equal(few.scores, many.scores[:3])
    # each fit has its own
    assert len(set(many.scores[:, 0])) == 8


def test_every_random_state_is_overridden():
    results = [
        cross_fit(make_pipeline(StandardScaler(), SeedDensity(s)), X, cv=3, random_state=0)
        for s in (None, 0, 1)
    ]
    assert np.array_equal(results[0].scores, results[1].scores)
    assert np.array_equal(results[1].scores, results[2].scores)


def test_the_estimator_is_left_as_it_is():
    estimator = SeedDensity(random_state=12)
    cross_fit(estimator, X, cv=3)
    assert vars(estimator) == {"random_state": 12}


@pytest.mark.parametrize(
    ("backend", "n_jobs"), [("loky", 2), ("threading", 2), ("threading", 4), ("loky", 1)]
)
@pytest.mark.parametrize("stride", [1, 2], ids=["contiguous", "strided"])
def test_bits_do_not_depend_on_where_fits_run(backend, n_jobs, stride):
    data = np.random.RandomState(0).standard_normal((60, 6))[:, ::stride]
    alone = cross_fit(noisy, data, cv=5, random_state=0)
    # a limit this low sends the data to the workers through a memory map
    with joblib.parallel_config(backend, n_jobs=n_jobs, max_nbytes=100):
        together = cross_fit(noisy, data, cv=5, random_state=0)
    assert np.array_equal(alone.scores, together.scores)


def test_scores_are_in_the_order_of_the_masks_whatever_finishes_first():
    data = np.arange(12.0).reshape(6, 2)
    cv = [(range(1, k + 2) if k == 0 else range(k + 1), []) for k in range(4)]
    with joblib.parallel_config("threading"):
        result = cross_fit(Patient(), data, cv=cv, n_jobs=2)
    # fit 0, without row 0, finishes last; each fit tells its number of training rows
    assert result.scores[:, 0].tolist() == [1, 2, 3, 4]


# CrossFit


def test_a_cross_fit_is_read_only_and_leaves_its_arguments_writable():
    mask, scores = np.eye(3, dtype=bool), np.zeros((3, 4))
    result = CrossFit(mask, scores, "score_samples", "refit")
    for again in (result, pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert not again.train_mask.flags.writeable
        assert not again.scores.flags.writeable
        assert np.array_equal(again.train_mask, mask)
        with pytest.raises(dataclasses.FrozenInstanceError):
            again.scores = scores
    scores[0, 0] = 1.0


def test_a_cross_fit_prints_shapes_alone():
    result = CrossFit(np.eye(30, dtype=bool), np.zeros((30, 40)), "score_samples", "refit")
    assert repr(result) == (
        "CrossFit(train_mask=(30, 30), scores=(30, 40), response='score_samples', method='refit')"
    )


@pytest.mark.parametrize("scores", [np.zeros(3), np.zeros((2, 4)), np.zeros((3, 4, 1))])
def test_a_cross_fit_has_one_row_of_scores_a_fit(scores):
    with pytest.raises(ValueError, match="train_mask and scores must be 2-d"):
        CrossFit(np.eye(3, dtype=bool), scores, "score_samples", "refit")
