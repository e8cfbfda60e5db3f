"""Scorers of scikit-learn beside the memorization columns, as in GridSearchCV."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold

from skmem.density import KernelDensity
from skmem.model_selection import MemorizationSearchCV, make_memorization_scorer

X, Y = load_iris(return_X_y=True)
X, Y = X[::2] + 0.3 * np.random.default_rng(0).normal(size=(75, 4)), Y[::2]
CV = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
MODEL, GRID = LogisticRegression(max_iter=2000), {"C": [0.01, 1.0, 100.0]}


def several(estimator, X, y):
    return {"right": estimator.score(X, y), "narrow": -abs(np.log(estimator.C))}


def broken(estimator, X, y=None):
    raise RuntimeError("no score today")


@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        ("accuracy", True),
        (make_memorization_scorer(cv=2), True),
        (["accuracy", "neg_log_loss"], "neg_log_loss"),
        (("accuracy", "f1_macro"), "f1_macro"),
        ({"right": "accuracy", "m": make_memorization_scorer(cv=2)}, "m"),
        (several, "narrow"),
    ],
)
def test_columns_choice_and_score_are_those_of_grid_search(scoring, refit):
    ours = MemorizationSearchCV(MODEL, GRID, cv=CV, scoring=scoring, refit=refit).fit(X, Y)
    theirs = GridSearchCV(MODEL, GRID, cv=CV, scoring=scoring, refit=refit).fit(X, Y)
    # The same estimators on the same splits by the same scorers.
    for name in theirs.cv_results_:
        if "_test_" in name:
            np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name])
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert ours.score(X, Y) == theirs.score(X, Y)
    assert ours.multimetric_ == theirs.multimetric_
    assert type(ours.scorer_) is type(theirs.scorer_)


def test_scorers_leave_the_other_columns_as_they_are():
    plain = MemorizationSearchCV(MODEL, GRID, cv=CV, random_state=0).fit(X, Y)
    scored = clone(plain).set_params(scoring=["accuracy"], refit="log-density").fit(X, Y)
    # No fit is another for being scored.
    np.testing.assert_array_equal(scored.memorization_, plain.memorization_)
    assert scored.best_score_ == plain.best_score_
    assert scored.score(X, Y) == plain.score(X, Y)


def test_densities_are_scored_too():
    grid = {"bandwidth": [0.2, 0.5, 1.0]}
    scoring = {"total": None, "m": make_memorization_scorer(quantile=0.9)}
    search = MemorizationSearchCV(KernelDensity(), grid, cv=3, scoring=scoring, refit="m")
    search.set_params(n_repeats=1, random_state=0).fit(X)
    table = search.cv_results_
    # Their own score is a sum over the 25 held-out rows of a fold, log-density is the mean.
    np.testing.assert_allclose(table["mean_test_total"] / 25, table["mean_test_log_density"])
    # A wider kernel leans less on single rows.
    assert search.best_params_ == {"bandwidth": 1.0}
    # Refits and the closed form agree.
    closed = clone(search).set_params(scoring=None, refit=False).fit(X)
    np.testing.assert_allclose(closed.memorization_, search.memorization_, atol=1e-9)


def test_halving_goes_by_the_scorer():
    grid = {"C": [1e-4, 1e-2, 1.0, 1e2]}
    search = MemorizationSearchCV(MODEL, grid, search="halving", cv=3, n_repeats=1, factor=2)
    search.set_params(scoring={"strong": lambda e, X, y: -e.C}, refit="strong", random_state=0)
    # The scorer knows best: the smallest C survives all rounds, though it is the least likely.
    assert search.fit(X, Y).best_params_ == {"C": 1e-4}


def test_a_scorer_that_fails_gives_nan_and_a_warning():
    scoring = {"bad": broken, "good": "accuracy"}
    search = MemorizationSearchCV(MODEL, GRID, cv=CV, scoring=scoring, refit="good")
    with pytest.warns(UserWarning, match="Scoring by 'bad' failed.*no score today"):
        search.fit(X, Y)
    # The other columns do not suffer.
    assert np.isnan(search.cv_results_["mean_test_bad"]).all()
    assert np.isfinite(search.cv_results_["mean_test_good"]).all()
    with pytest.raises(RuntimeError, match="no score today"):
        search.set_params(error_score="raise").fit(X, Y)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"refit": "accuracy"}, "refit must be .*'log-density'.* got 'accuracy'"),
        ({"scoring": ["accuracy"], "refit": "f1"}, "refit must be .*'accuracy'.* got 'f1'"),
        ({"scoring": "acuracy"}, "acuracy"),
        ({"scoring": []}, "scoring must name"),
        ({"scoring": {"log_density": "accuracy"}}, "none 'log_density'"),
        ({"scoring": several}, "column must be one of .*mean_test_right"),
        # A callable that gives a score of that name would take the place of the log-density in silence.
        ({"scoring": lambda e, X, y: {"log_density": 1.0}, "refit": False}, "none 'log_density'"),
    ],
)
def test_bad_scoring_is_named(params, match):
    with pytest.raises(ValueError, match=match):
        MemorizationSearchCV(MODEL, GRID, cv=CV).set_params(**params).fit(X, Y)
