"""Memorization as `scoring` of scikit-learn's own searches."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    RepeatedKFold,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.density import KernelDensity
from skmem.model_selection import make_memorization_scorer

X = np.random.default_rng(0).permutation(load_iris().data)[:90]
SCORER = make_memorization_scorer(quantile=0.9)


def log_density(estimator, X, y=None):
    return np.mean(estimator.score_samples(X))


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (KernelDensity(), "bandwidth"),
        (make_pipeline(StandardScaler(), KernelDensity()), "kerneldensity__bandwidth"),
        (MemorizationScorer(KernelDensity(), random_state=0), "estimator__bandwidth"),
        (
            make_pipeline(StandardScaler(), MemorizationScorer(KernelDensity(), random_state=0)),
            "memorizationscorer__estimator__bandwidth",
        ),
    ],
)
@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV])
def test_searches_prefer_the_bandwidth_that_memorizes_least(search, estimator, name):
    params = {"n_iter": 3} if search is RandomizedSearchCV else {}
    found = search(estimator, {name: [0.2, 0.5, 1.0]}, scoring=SCORER, cv=3, **params).fit(X)
    # a wider kernel leans less on single rows
    assert found.best_params_ == {name: 1.0}
    assert found.best_score_ < 0


def test_it_is_one_of_several_scores():
    scoring = {"log_density": log_density, "memorization": SCORER}
    search = GridSearchCV(
        KernelDensity(),
        {"bandwidth": [0.2, 0.5, 1.0]},
        scoring=scoring,
        refit="log_density",
        cv=RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    ).fit(X)
    # the two criteria disagree, which is what the second one is for
    assert search.best_params_ != {"bandwidth": 1.0}
    assert np.argmax(search.cv_results_["mean_test_memorization"]) == 2


def test_nested_cross_validation():
    inner = GridSearchCV(KernelDensity(), {"bandwidth": [0.5, 1.0]}, scoring=SCORER, cv=3)
    outer = cross_validate(inner, X, scoring={"m": SCORER, "p": log_density}, cv=3)
    assert np.isfinite(outer["test_m"]).all()
    assert np.isfinite(outer["test_p"]).all()


def test_a_fitted_scorer_is_scored_by_its_own_rows():
    fitted = MemorizationScorer(KernelDensity(bandwidth=0.5)).fit(X)
    expected = -np.quantile(fitted.memorization_, 0.9)
    # whatever rows come with it
    assert SCORER(fitted, X[:10]) == expected
    assert SCORER(fitted, X) == expected


@pytest.mark.parametrize("estimator", [KernelDensity(bandwidth=0.5), GaussianMixture(2)])
def test_any_other_density_is_scored_by_the_rows_given(estimator):
    scorer = make_memorization_scorer(quantile=1.0, method="cross-fit", cv=3, random_state=1)
    expected = MemorizationScorer(
        estimator, method="cross-fit", cv=3, n_repeats=1, random_state=1
    ).fit(X[:40])
    # rows that the fit has seen make no difference
    assert scorer(estimator.fit(X), X[:40]) == -expected.memorization_.max()


def test_infinite_memorization_is_minus_infinity():
    far = np.vstack([np.zeros((5, 1)), [[100.0]]]) + np.arange(6)[:, None] * 1e-3
    scorer = make_memorization_scorer(quantile=0.99)
    assert scorer(KernelDensity(kernel="tophat"), far) == -np.inf


def test_scorers_can_be_pickled_and_say_what_they_are():
    copy = pickle.loads(pickle.dumps(SCORER))
    assert copy(KernelDensity(), X) == SCORER(KernelDensity(), X)
    assert "quantile=0.9" in repr(copy)


@pytest.mark.parametrize("params", [{"quantile": 1.5}, {"method": "loo"}, {"n_repeats": 0}])
def test_bad_parameters_are_named(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        make_memorization_scorer(**params)
