"""Memorization and influence of regressors: by the likelihood of residuals, and by squared errors."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags

from skmem import MemorizationScorer, SubsetSplit, cross_fit
from skmem.influence import empirical_influence, leave_one_out_influence
from skmem.model_selection import MemorizationSearchCV, make_memorization_scorer
from tests.oracles import (
    log_mean_exp,
    ridge_memorization,
    target_scores_by_hand,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 1))
Y = 2 * X[:, 0] + rng.normal(size=8)
Y[3] += 4
X_NEW, Y_NEW = rng.normal(size=(3, 1)), rng.normal(size=3)
SIZE = 5
SUBSETS = [list(rows) for rows in combinations(range(len(X)), SIZE)]
ALL = [(rows, np.setdiff1d(np.arange(len(X)), rows)) for rows in SUBSETS]
HAS = np.array([[i in rows for i in range(len(X))] for rows in SUBSETS])
BOTH = pytest.mark.parametrize("response", ["predict", "neg_squared_error"])
DIABETES = tuple(a[:60] for a in load_diabetes(return_X_y=True))


def scored(cv, **params):
    return MemorizationScorer(LinearRegression(), cv=cv, **{"random_state": 0} | params).fit(X, Y)


def by_hand(response, X_new=X, y_new=Y):
    """Score of each point by each fit to a subset, (n_subsets, n_points)."""
    squared = response == "neg_squared_error"
    fits = (
        target_scores_by_hand(LinearRegression(), X, Y, r, X_new, y_new, squared) for r in SUBSETS
    )
    return np.array(list(fits))


def enumerated(fits, average):
    """Average over the subsets with each row minus that over those without it, (n_rows, n_points)."""
    return np.array([[average(f[has]) - average(f[~has]) for f in fits.T] for has in HAS.T])


@BOTH
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_leave_one_out_of_a_linear_model_is_its_hat_matrix(response, alpha):
    data, target = DIABETES
    model = Ridge(alpha) if alpha else LinearRegression()
    scorer = MemorizationScorer(model, method="leave-one-out", response=response, random_state=0)
    expected = ridge_memorization(data, target, alpha, squared=response == "neg_squared_error")
    # 61 fits say what one matrix does
    assert_allclose(scorer.fit(data, target).memorization_, expected, rtol=1e-6, atol=1e-9)
    # squared errors can only grow when the row goes, so no row is memorized less than not at all
    if response == "neg_squared_error":
        assert np.all(scorer.memorization_ > 0)


@pytest.mark.parametrize(
    ("response", "average"), [("predict", log_mean_exp), ("neg_squared_error", np.mean)]
)
def test_all_subsets_of_a_size_are_the_definition(response, average):
    scorer = scored(ALL, response=response, reduction="pooled")
    expected = enumerated(by_hand(response), average)
    # likelihoods are averaged, not their logarithms; squared errors as they are
    assert_allclose(scorer.memorization_, np.diag(expected), atol=1e-9)
    assert_allclose(scorer.influence(), expected, atol=1e-9)
    # points with targets of their own, by fits made again
    new = enumerated(by_hand(response, X_NEW, Y_NEW), average)
    assert_allclose(scorer.influence(X_NEW, Y_NEW), new, atol=1e-9)
    assert_allclose(
        empirical_influence(scorer.cross_fit_, reduction="pooled"), expected, atol=1e-9
    )


@pytest.mark.parametrize(
    ("response", "reduction"),
    [("neg_squared_error", "matched"), ("neg_squared_error", "pooled"), ("predict", "mean")],
)
def test_random_subsets_are_right_in_expectation(response, reduction):
    expected = np.diag(enumerated(by_hand(response), np.mean))
    params = {"response": response, "reduction": reduction, "refit": False}
    splits = (SubsetSplit(SIZE / len(X), 30, seed) for seed in range(20))
    draws = np.array([scored(split, **params).memorization_ for split in splits])
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    # which subsets a row is in is random, and plain means are unbiased
    assert np.all(np.abs(draws.mean(axis=0) - expected) <= 4 * error)
    # and the law has power: the errors are smaller than what they are to tell apart
    assert np.median(error) < np.ptp(expected) / 4


@BOTH
@pytest.mark.parametrize("params", [{}, {"method": "leave-one-out"}], ids=["subsets", "one out"])
def test_rows_as_new_points_have_the_influence_of_rows(response, params):
    scorer = scored(ALL, response=response, **params)
    influence = scorer.influence()
    # the diagonal is what the scorer is about
    assert_allclose(np.diag(influence), scorer.memorization_, atol=1e-9)
    # the same rows with the same targets, in other arrays and in the very same
    assert_allclose(scorer.influence(X.copy(), Y), influence, atol=1e-9)
    assert_allclose(scorer.influence(X, Y), influence, atol=1e-9)


@BOTH
def test_leave_one_out_influence_is_that_of_the_scorer(response):
    scorer = scored(ALL, response=response, method="leave-one-out")
    options = {"y_train": Y, "y": Y_NEW, "response": response}
    found = leave_one_out_influence(LinearRegression(), X, X_NEW, **options)
    # two ways to ask for the same refits
    assert_allclose(scorer.influence(X_NEW, Y_NEW), found, atol=1e-9)


def test_nats_have_no_unit_of_the_target_and_squared_errors_its_square():
    data, target = DIABETES
    for response, factor in ("predict", 1), ("neg_squared_error", 100):
        one, ten = (
            MemorizationScorer(
                Ridge(0.1), cv=3, n_repeats=2, response=response, random_state=0
            ).fit(data, c * target)
            for c in (1, 10)
        )
        # a linear model follows the unit of y
        assert_allclose(ten.memorization_, factor * one.memorization_, rtol=1e-6)
        assert_allclose(ten.standard_error_, factor * one.standard_error_, rtol=1e-6)
        assert_allclose(ten.noise_floor_[0.95], factor * one.noise_floor_[0.95], rtol=1e-6)
        # ranks have no unit
        assert_array_equal(ten.p_values_, one.p_values_)


def test_a_regressor_that_does_not_learn_memorizes_nothing():
    data, target = DIABETES
    model = DummyRegressor(strategy="constant", constant=100.0)
    scorer = MemorizationScorer(model, cv=3, n_repeats=3, response="neg_squared_error")
    # every fit predicts the same
    assert not scorer.fit(data, target).memorization_.any()


@BOTH
def test_a_wrong_target_stands_out(response):
    data, target = load_diabetes(return_X_y=True)
    target = target.copy()
    target[17] += 1500
    scorer = MemorizationScorer(Ridge(0.1), response=response, random_state=0).fit(data, target)
    # by far the hardest row to predict without having seen it, and more than noise
    assert scorer.top(1)[0] == [17]
    assert scorer.memorization_[17] > 3 * scorer.noise_floor_[0.999]
    assert scorer.p_values_[17] <= 0.01


def test_auto_and_names():
    # what a regressor has is predict, also inside of others
    for model in LinearRegression(), make_pipeline(StandardScaler(), Ridge()):
        assert cross_fit(model, X, Y, cv=2, random_state=0).response == "predict"
    scorer = scored(2, n_repeats=2)
    assert (scorer.response_, get_tags(scorer).estimator_type) == ("predict", "regressor")
    # the fit to all rows predicts, and its score is R squared, as of any regressor
    whole = LinearRegression().fit(X, Y)
    assert scorer.score(X, Y) == whole.score(X, Y)
    assert_array_equal(scorer.predict(X_NEW), whole.predict(X_NEW))


@BOTH
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(Ridge(0.1)),
        Pipeline([("nothing", "passthrough"), ("ridge", Ridge(0.1))]),
        GridSearchCV(Ridge(), {"alpha": [0.1]}, cv=2),
        TransformedTargetRegressor(Ridge(0.1)),
    ],
    ids=["pipeline", "passthrough", "search", "target"],
)
def test_what_is_around_a_regressor_does_not_matter(model, response):
    data, target = DIABETES
    options = {"cv": 3, "response": response, "random_state": 0}
    plain, around = (cross_fit(m, data, target, **options).scores for m in (Ridge(0.1), model))
    assert_allclose(around, plain, rtol=1e-9)


@pytest.mark.parametrize(
    "around", [lambda m: m, make_pipeline, lambda m: GridSearchCV(m, {}, cv=2)]
)
@pytest.mark.parametrize("routing", [False, True])
def test_a_predicted_standard_deviation_is_used(around, routing):
    data, target = DIABETES
    train = np.arange(40)
    mean, std = BayesianRidge().fit(data[train], target[train]).predict(data, return_std=True)
    with config_context(enable_metadata_routing=routing):
        fits = cross_fit(around(BayesianRidge()), data, target, cv=[(train, np.arange(40, 60))])
    # each point has a width of its own
    assert_allclose(fits.scores[0], norm.logpdf(target, mean, std), rtol=1e-6)
    assert np.ptp(std) > 0


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LinearRegression(), "sample_weight"),
        (
            make_pipeline(StandardScaler(with_std=False), LinearRegression()),
            "linearregression__sample_weight",
        ),
        (
            TransformedTargetRegressor(make_pipeline(LinearRegression())),
            "linearregression__sample_weight",
        ),
        (
            make_pipeline(TransformedTargetRegressor(make_pipeline(LinearRegression()))),
            "transformedtargetregressor__linearregression__sample_weight",
        ),
        (
            make_pipeline(
                GridSearchCV(make_pipeline(LinearRegression()), {"verbose": [False]}, cv=2)
            ),
            "gridsearchcv__linearregression__sample_weight",
        ),
    ],
    ids=["alone", "pipeline", "target", "target-in-pipeline", "search-in-pipeline"],
)
def test_weights_count_rows(model, name):
    weights = np.array([1, 2, 1, 3, 1, 1, 2, 1])
    train, again = np.arange(6), np.repeat(np.arange(6), weights[:6])
    fits = cross_fit(model, X, Y, cv=[(train, [6, 7])], params={name: weights})
    expected = target_scores_by_hand(LinearRegression(), X, Y, again, X, Y)
    # a row of weight 2 is in the fit, and in its variance, as two rows are
    assert_allclose(fits.scores[0], expected, atol=1e-9)


@BOTH
def test_scores_do_not_depend_on_how_they_are_made(tmp_path, response):
    data, target = DIABETES
    options = {"cv": 3, "response": response, "random_state": 0}
    forest = RandomForestRegressor(5)
    once, twice, cached = (
        cross_fit(forest, data, target, **options, **how).scores
        for how in ({}, {"n_jobs": 2}, {"memory": tmp_path})
    )
    # processes and caches change nothing, and the cache of one response is not that of the other
    assert_array_equal(once, twice)
    assert_array_equal(once, cached)
    assert_array_equal(once, cross_fit(forest, data, target, **options, memory=tmp_path).scores)


def test_the_cache_knows_targets_and_responses(tmp_path):
    data, target = DIABETES

    def scores(target, response):
        options = {"cv": 3, "response": response, "random_state": 0, "memory": tmp_path}
        return cross_fit(Ridge(), data, target, **options).scores

    different = [
        scores(target, "predict"),
        scores(target, "neg_squared_error"),
        scores(-target, "predict"),
    ]
    # the second is of other units, the third of other data whose scores are the same: none is another's
    assert not np.allclose(different[0], different[1])
    assert_allclose(different[0], different[2])


def test_a_search_over_a_regressor_compares_likelihoods_of_residuals():
    data, target = DIABETES
    search = MemorizationSearchCV(
        Ridge(), {"alpha": [0.1, 10.0]}, cv=3, n_repeats=2, random_state=0
    )
    search.fit(data, target)
    expected = cross_fit(Ridge(), data, target, cv=3, random_state=0).response
    assert expected == "predict"
    held_out = search.cv_results_["mean_test_log_density"]
    # diabetes is predicted from its columns, which a penalty of 10 on such small numbers prevents
    assert search.best_params_ == {"alpha": 0.1}
    assert np.all(np.isfinite(held_out))
    # and shrinkage memorizes less
    q95 = search.cv_results_["memorization_q95"]
    assert q95[1] < q95[0]


def test_searches_of_scikit_learn_take_memorization_of_regressors():
    data, target = load_diabetes(return_X_y=True)
    scoring = make_memorization_scorer(quantile=0.99)
    search = GridSearchCV(
        Ridge(), {"alpha": [0.01, 1.0, 100.0]}, scoring=scoring, cv=2, refit=False
    )
    scores = search.fit(data, target).cv_results_["mean_test_score"]
    # the more a regressor is held back, the less it owes to single rows
    assert np.all(np.diff(scores) > 0)


class Column(RegressorMixin, BaseEstimator):
    """Predicts a column where one number a row is wanted."""

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full((len(X), 1), self.mean_)


def _with(value):
    y = Y.copy()
    y[2] = value
    return y


BAD = {
    "no y": ({"y": None}, TypeError, "y must be given to score rows by their target"),
    "nan": ({"y": _with(np.nan)}, ValueError, "Input y contains NaN"),
    "infinite": ({"y": _with(np.inf)}, ValueError, "Input y contains infinity"),
    "two targets": (
        {"y": np.c_[Y, Y]},
        ValueError,
        "1-d .* got 2 dimensions; regression of several",
    ),
    "a column": ({"y": Y[:, np.newaxis]}, ValueError, "1-d"),
    "words": ({"y": np.array(list("abcdefgh"))}, ValueError, "y must be numbers"),
    "complex": ({"y": Y + 1j}, ValueError, "Complex data not supported"),
    "fewer": ({"y": Y[:-1]}, ValueError, "y must have one entry for each of the 8 rows"),
    "classifier": ({"estimator": LogisticRegression()}, TypeError, "predict of a regressor"),
    "interpolates": (
        {"estimator": DecisionTreeRegressor()},
        ValueError,
        "DecisionTreeRegressor leaves a residual standard deviation of 0,",
    ),
    "no noise": (
        {"estimator": GaussianProcessRegressor(alpha=1e-30, optimizer=None)},
        ValueError,
        "GaussianProcessRegressor predicts a standard deviation of 0",
    ),
    "all alike": ({"y": np.ones(8)}, ValueError, "where y has 0"),
    "columns": (
        {"estimator": Column()},
        ValueError,
        r"one number for each of 8 rows, got shape \(8, 1\)",
    ),
}


@pytest.mark.filterwarnings("ignore:Predicted variances smaller than 0")
@pytest.mark.parametrize(("change", "error", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_named(change, error, words):
    arguments = {"estimator": LinearRegression(), "y": Y} | change
    scorer = MemorizationScorer(arguments["estimator"], cv=2, n_repeats=2, response="predict")
    # the user is told what to change, not where numpy failed
    with pytest.raises(error, match=words):
        scorer.fit(X, arguments["y"])


def test_a_tree_that_interpolates_has_squared_errors():
    scorer = MemorizationScorer(
        DecisionTreeRegressor(), cv=2, n_repeats=2, response="neg_squared_error", random_state=0
    ).fit(X, Y)
    # nothing is left of a residual that it has seen
    assert_array_equal(scorer.log_density_in_, 0.0)
    assert np.all(scorer.memorization_ > 0)


def test_parameters_set_after_the_fit_are_those_of_the_next():
    scorer = MemorizationScorer(Ridge(), cv=ALL, random_state=0).fit(X, Y)
    before = scorer.influence(X_NEW, Y_NEW)
    scorer.set_params(estimator__alpha=1000.0, reduction="pooled", random_state=1)
    # the fits that are made again for new points are those that the scores came from
    assert_array_equal(scorer.influence(X_NEW, Y_NEW), before)
    assert not np.allclose(scorer.fit(X, Y).influence(X_NEW, Y_NEW), before)


def test_points_need_finite_targets_of_their_own():
    scorer = scored(ALL)
    with pytest.raises(ValueError, match="y must be given with X"):
        scorer.influence(X_NEW)
    with pytest.raises(ValueError, match="y must be None where X is None"):
        scorer.influence(y=Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        scorer.influence(X_NEW, Y)
    with pytest.raises(ValueError, match="1-d"):
        scorer.influence(X_NEW, Y_NEW[:, None])
    with pytest.raises(ValueError, match="y contains NaN"):
        scorer.influence(X_NEW, [1.0, np.nan, 0.0])
    with pytest.raises(ValueError, match="y contains NaN"):
        leave_one_out_influence(LinearRegression(), X, X_NEW, y_train=Y, y=[1.0, np.nan, 0.0])
    with pytest.raises(ValueError, match="of their own"):
        cross_fit(LinearRegression(), X, Y, cv=2, X_eval=X_NEW)
