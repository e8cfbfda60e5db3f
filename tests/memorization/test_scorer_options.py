"""Laws of MemorizationScorer's parameters: seeds, cores, caches, when to stop, what is kept."""

import pickle
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KernelDensity as DefectiveKernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skmem import MemorizationScorer
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]
RESULTS = [
    "memorization_",
    "standard_error_",
    "p_values_",
    "log_density_in_",
    "log_density_out_",
]
n_fitted = []


class Noisy(BaseEstimator):
    """A Gaussian whose scores depend on its seed; it counts its fits."""

    def __init__(self, noise=0.3, random_state=None):
        self.noise = noise
        self.random_state = random_state

    def fit(self, X, y=None):
        n_fitted.append(len(X))
        self.mean_ = X.mean(axis=0)
        return self

    def score_samples(self, X):
        noise = np.random.RandomState(self.random_state).standard_normal(len(X))
        return -np.sum((X - self.mean_) ** 2, axis=1) / 2 + self.noise * noise


class NoisyAtOnce(Noisy):
    """A closed form whose noise depends on its seed and the fit's mask alone."""

    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        offset = np.random.RandomState(self.random_state).standard_normal()
        place = train_mask @ np.arange(len(X))
        waves = np.sin(np.outer(place, np.arange(1, len(X) + 1)))
        return offset + np.where(train_mask, 1.0, 0.0) + waves


def fit(estimator, data=X, y=None, **params):
    params = {"random_state": 0, "cv": 4, "n_repeats": 5} | params
    return MemorizationScorer(estimator, **params).fit(data, y)


def assert_equal_results(a, b):
    for name in RESULTS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert a.noise_floor_ == b.noise_floor_


# Seeds and cores


@pytest.mark.parametrize("estimator", [Noisy(), GaussianMixture(2)], ids=["refit", "closed"])
def test_a_seed_fixes_everything(estimator):
    first, again, other = (fit(estimator, random_state=seed) for seed in (0, 0, 1))
    assert_equal_results(first, again)
    # and another one changes the folds and the fits
    assert np.any(first.memorization_ != other.memorization_)
    assert np.any(first.cross_fit_.train_mask != other.cross_fit_.train_mask)


def test_a_generator_goes_on():
    rng = np.random.RandomState(0)
    first, second = (fit(Noisy(), random_state=rng) for _ in range(2))
    # as in scikit-learn: an instance is used up, a seed is not
    assert np.any(first.memorization_ != second.memorization_)
    assert_equal_results(first, fit(Noisy(), random_state=np.random.RandomState(0)))


def test_the_seed_of_the_estimator_is_overridden():
    # one seed, that of the scorer, reproduces the whole
    assert_equal_results(fit(Noisy(random_state=3)), fit(Noisy(random_state=4)))


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (Noisy(), {}),
        (make_pipeline(KernelDensity(bandwidth=0.5)), {}),
        (make_pipeline(KernelDensity(bandwidth=0.5)), {"method": "leave-one-out"}),
        (Noisy(), {"tol": 1.0}),
    ],
    ids=["noisy", "pipeline", "leave-one-out", "tol"],
)
def test_cores_change_nothing(estimator, params):
    # bit for bit: seeds are drawn before the fits are handed out
    assert_equal_results(fit(estimator, n_jobs=1, **params), fit(estimator, n_jobs=2, **params))


# Cache


def test_a_second_run_fits_only_on_all_rows(tmp_path):
    first = fit(Noisy(), memory=tmp_path, n_jobs=1)
    n_fitted.clear()
    again = fit(Noisy(), memory=tmp_path, n_jobs=1)
    assert n_fitted == [len(X)]
    assert_equal_results(first, again)
    # and more repeats take up the fits of fewer
    n_fitted.clear()
    fit(Noisy(), memory=tmp_path, n_repeats=7, refit=False)
    assert len(n_fitted) == 4 * 2


def test_refits_without_one_row_are_cached(tmp_path):
    fit(Noisy(), memory=tmp_path, method="leave-one-out")
    n_fitted.clear()
    fit(Noisy(), memory=tmp_path, method="leave-one-out")
    assert n_fitted == [len(X)]


def test_a_cache_without_a_seed_is_warned_of(tmp_path):
    scorer = MemorizationScorer(Noisy(), cv=3, n_repeats=1, memory=tmp_path)
    with pytest.warns(UserWarning, match="memory needs a fixed random_state") as caught:
        scorer.fit(X)
    # at the line that called
    assert [w.filename for w in caught] == [__file__]


# When to stop


def largest_error_of_the_top(scorer):
    """Largest standard error among the 5 % highest of 50 scores."""
    return scorer.standard_error_[np.argsort(scorer.memorization_)[-3:]].max()


@pytest.mark.parametrize("estimator", [Noisy(), NoisyAtOnce()], ids=["refit", "closed form"])
@pytest.mark.parametrize("reduction", ["matched", "pooled", "mean"])
def test_a_run_that_stops_is_the_beginning_of_a_longer_one(estimator, reduction):
    runs = {n: fit(estimator, n_repeats=n, reduction=reduction) for n in range(3, 7)}
    errors = {n: largest_error_of_the_top(run) for n, run in runs.items()}
    # between those of the runs, so that it stops neither at once nor at the end
    tol = min(max(errors[4], errors[5]), 0.99 * errors[3])
    expected = next(n for n in runs if errors[n] <= tol)
    stopped = fit(estimator, n_repeats=12, reduction=reduction, tol=tol)
    # as soon as the standard errors of the highest scores allow
    assert 3 < expected == stopped.n_repeats_
    assert stopped.n_fits_ == 4 * expected
    # bit for bit as if the number had been known: masks, seeds and exchanges are prefixes
    assert_equal_results(stopped, runs[expected])
    np.testing.assert_array_equal(stopped.cross_fit_.scores, runs[expected].cross_fit_.scores)


@pytest.mark.parametrize(
    ("tol", "n_repeats", "made"),
    [(0, 6, 6), (np.inf, 6, 3), (None, 6, 6), (np.inf, 2, 2), (0, 1, 1)],
)
def test_repeats_made_are_at_least_three_and_at_most_those_asked_for(tol, n_repeats, made):
    # more than one repeat can tell that it has not reached what was asked for
    missed = tol == 0 and n_repeats > 1
    with pytest.warns(ConvergenceWarning, match="tol=0") if missed else nullcontext():
        scorer = fit(Noisy(), tol=tol, n_repeats=n_repeats)
    assert scorer.n_repeats_ == made
    assert scorer.n_fits_ == 4 * made


def test_infinite_scores_do_not_hide_those_to_be_precise_about():
    spread = np.random.default_rng(0).normal(scale=5, size=(95, 1))
    rows = np.concatenate([spread, np.arange(1, 11)[:, np.newaxis] * 1e3])
    tophat = KernelDensity(bandwidth=0.5, kernel="tophat")
    with pytest.warns(ConvergenceWarning, match="tol=0.001"):
        scorer = fit(tophat, rows, tol=1e-3, n_repeats=5)
    # more than 5 % of the scores are infinite, and the finite ones are not known to 0.001
    assert np.mean(np.isinf(scorer.memorization_)) > 0.05
    assert scorer.n_repeats_ == 5


def test_an_infinite_score_neither_stops_a_run_nor_keeps_it_going():
    tophat = KernelDensity(kernel="tophat", bandwidth=0.4)
    params = {"method": "cross-fit", "n_repeats": 6}
    isolated = fit(tophat, tol=np.inf, **params)
    # a quarter of the rows has no neighbour: infinite scores, which have no standard error
    assert np.isinf(isolated.memorization_).mean() > 0.05
    assert isolated.n_repeats_ == 3


def test_defects_are_measured_once_however_often_a_run_goes_on():
    rows = load_digits().data[:200]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(DefectiveKernelDensity(), rows, cv=2, n_repeats=5, tol=0.0)
    # one warning of it, at the line that called, which names the cure; another of the tol
    assert [w.filename for w in caught] == [__file__, __file__]
    assert [w.category for w in caught] == [UserWarning, ConvergenceWarning]
    assert "skmem.density.KernelDensity" in str(caught[0].message)


@pytest.mark.parametrize("wrap", [lambda e: e, make_pipeline], ids=["bare", "pipeline"])
def test_leave_one_out_by_refits_warns_of_defects_too(wrap):
    rows = load_digits().data[:100]
    # one row of one fit may happen to be right, so several fits are looked at
    with pytest.warns(UserWarning, match="in the first 10 fits, .* of 10 held-out rows") as caught:
        fit(wrap(DefectiveKernelDensity()), rows, method="leave-one-out")
    assert [w.filename for w in caught] == [__file__]


# What is kept


def test_without_refit_there_is_nothing_to_query():
    scorer = fit(Noisy(), refit=False)
    assert not hasattr(scorer, "estimator_")
    for name in ("score_samples", "score", "sample"):
        # as scikit-learn's searches do
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(scorer, name)
    # scores are there all the same
    assert_equal_results(scorer, fit(Noisy()))


def test_a_fit_forgets_the_one_before():
    scorer = fit(Noisy()).set_params(refit=False)
    # an estimator fitted on other rows would answer for these
    assert not hasattr(scorer.fit(X[:30]), "estimator_")


def test_leave_one_out_keeps_its_fit_in_any_case():
    scorer = fit(KernelDensity(), refit=False)
    np.testing.assert_array_equal(scorer.score_samples(X), scorer.log_density_in_)


@pytest.mark.parametrize(
    "estimator", [KernelDensity(), GaussianMixture(2), make_pipeline(KernelDensity())]
)
def test_queries_go_to_the_estimator_fitted_on_all_rows(estimator):
    scorer = fit(estimator)
    inner = scorer.estimator_
    np.testing.assert_array_equal(scorer.score_samples(X[:5]), inner.score_samples(X[:5]))
    assert scorer.score(X[:5]) == inner.score(X[:5])
    if hasattr(inner, "sample"):
        drawn = scorer.sample(7)
        rows = drawn[0] if isinstance(drawn, tuple) else drawn
        # what the estimator's own sample returns
        assert rows.shape == (7, 4)


def test_arguments_of_sample_reach_the_estimator():
    scorer = fit(KernelDensity())
    expected = scorer.estimator_.sample(3, random_state=5)
    np.testing.assert_array_equal(scorer.sample(3, random_state=5), expected)


def test_queries_that_the_estimator_lacks_are_absent():
    # before the fit as after it
    for scorer in (MemorizationScorer(KNeighborsDensity()), fit(KNeighborsDensity())):
        assert hasattr(scorer, "score_samples")
        assert not hasattr(scorer, "sample")


@pytest.mark.parametrize(
    "query",
    [
        lambda s: s.score_samples(X),
        lambda s: s.score(X),
        lambda s: s.sample(),
        lambda s: s.top(),
        lambda s: s.to_frame(),
    ],
)
def test_queries_need_a_fit(query):
    with pytest.raises(NotFittedError, match="MemorizationScorer"):
        query(MemorizationScorer())


def test_the_estimator_given_is_left_alone():
    estimator = GaussianMixture(2)
    before = dict(vars(estimator))
    scorer = fit(estimator)
    # cloned, never fitted
    assert vars(estimator) == before
    assert scorer.estimator is estimator


@pytest.mark.parametrize("estimator", [None, Noisy(), KernelDensity()])
@pytest.mark.parametrize("method", ["auto", "cross-fit"])
def test_clones_and_pickles_give_the_same(estimator, method):
    scorer = fit(estimator, method=method)
    assert_equal_results(clone(scorer).fit(X), scorer)
    copied = pickle.loads(pickle.dumps(scorer))
    assert_equal_results(copied, scorer)
    np.testing.assert_array_equal(copied.score_samples(X), scorer.score_samples(X))
    assert copied.to_frame().equals(scorer.to_frame())


def test_nested_parameters_are_reached():
    scorer = MemorizationScorer(make_pipeline(KernelDensity()), cv=3)
    scorer.set_params(estimator__kerneldensity__bandwidth=0.1, cv=4, n_repeats=2, random_state=0)
    expected = fit(make_pipeline(KernelDensity(bandwidth=0.1)), n_repeats=2)
    assert_equal_results(scorer.fit(X), expected)


def test_top_rows_come_highest_first():
    scorer = fit(KernelDensity())
    rows, nats = scorer.top(7)
    np.testing.assert_array_equal(nats, np.sort(scorer.memorization_)[:-8:-1])
    np.testing.assert_array_equal(scorer.memorization_[rows], nats)
    # no more than there are, and none if none are asked for
    assert [len(scorer.top(n)[0]) for n in (0, 50, 51, 1000)] == [0, 50, 50, 50]
    assert len(scorer.top()[0]) == 10


def test_rows_that_tie_keep_their_order():
    rows, _ = fit(KernelDensity(), np.ones((6, 2))).top(3)
    np.testing.assert_array_equal(rows, [0, 1, 2])


@pytest.mark.parametrize("n", [-1, 2.0, "a", None])
def test_top_wants_a_number_of_rows(n):
    with pytest.raises(ValueError, match="n must be an int of at least 0, got"):
        fit(KernelDensity()).top(n)


# Other tools


def test_it_can_be_scored_like_its_estimator():
    scorer = MemorizationScorer(KernelDensity(bandwidth=0.5))
    folds = KFold(3, shuffle=True, random_state=0)
    # in scikit-learn's own tools it is the density that it fits
    expected = cross_val_score(scorer.estimator, X, cv=folds)
    np.testing.assert_allclose(cross_val_score(scorer, X, cv=folds), expected)
    labels = MemorizationScorer(LogisticRegression(), cv=3, n_repeats=1, random_state=0)
    assert is_classifier(labels)
    assert cross_val_score(labels, X, y, cv=3).mean() > 0.8


def test_its_tags_are_those_of_the_estimator():
    tags = get_tags(MemorizationScorer(LogisticRegression()))
    assert tags.target_tags.required
    assert tags.classifier_tags.multi_class
    assert get_tags(MemorizationScorer()).estimator_type == "density_estimator"


def test_progress_is_counted_on_stderr(capsys):
    fit(Noisy(), progress=True, n_repeats=1)
    out, err = capsys.readouterr()
    # on request only
    assert err
    assert not out
    fit(Noisy(), n_repeats=1)
    assert capsys.readouterr().err == ""
