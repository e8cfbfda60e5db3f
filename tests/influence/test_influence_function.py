"""Influence functions of mixtures and linear models, held against refits, formulas and each other."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import mixture
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from skmem.influence import InfluenceFunction
from skmem.influence._gradients import checked_rows, model_of
from tests import oracles
from tests.influence.influence_models import (
    IRIS,
    KINDS,
    LINEAR,
    clusters,
    residual_variance,
    target_scores,
    tight,
)
from tests.test_common import state

every_kind = pytest.mark.parametrize("kind", KINDS)
every_linear_model = pytest.mark.parametrize(
    ("estimator", "X", "y"), LINEAR.values(), ids=list(LINEAR)
)


def agreement(predicted, true):
    """Slope of the truth over the prediction, and their correlation."""
    a, b = np.ravel(predicted), np.ravel(true)
    return np.polyfit(a, b, 1)[0], np.corrcoef(a, b)[0, 1]


def refitted_influence(fitted, X, rows, points):
    """Log-density of points minus that of refits without each row, begun at the fit to all rows."""
    refit = clone(fitted).set_params(
        weights_init=fitted.weights_,
        means_init=fitted.means_,
        precisions_init=fitted.precisions_,
    )
    full = fitted.score_samples(points)
    return np.array(
        [full - refit.fit(np.delete(X, i, axis=0)).score_samples(points) for i in rows]
    )


# --- refits ---


@every_kind
@pytest.mark.parametrize("reg_covar", [1e-6, 0.05])
def test_mixture_influence_is_that_of_refits(kind, reg_covar):
    X = clusters(600)
    rows = np.arange(0, 600, 40)
    points = np.vstack([X[rows], clusters(60, seed=1)])
    fitted = tight(kind, reg_covar=reg_covar, tol=1e-11).fit(X)
    function = InfluenceFunction(fitted).fit(X)
    true = refitted_influence(fitted, X, rows, points)
    slope, correlation = agreement(function.influence(points)[rows], true)
    # removed, retrained, subtracted: what the number is defined by, up to terms of second order in 1/n
    assert 0.95 < slope < 1.05
    assert 0.95 < correlation <= 1
    # and a row's influence on itself is its memorization
    assert_allclose(function.self_influence()[rows], np.diag(true), rtol=0.1, atol=1e-3)


@every_linear_model
def test_linear_influence_is_that_of_refits(estimator, X, y):
    fitted = clone(estimator).fit(X, y)
    variance = residual_variance(fitted, X, y)
    rows = np.arange(0, len(X), 10)
    true = [
        target_scores(fitted, X, y, variance)
        - target_scores(
            clone(estimator).fit(np.delete(X, i, axis=0), np.delete(y, i, axis=0)), X, y, variance
        )
        for i in rows
    ]
    function = InfluenceFunction(fitted).fit(X, y)
    slope, correlation = agreement(function.influence(X, y)[rows], true)
    # removed, retrained, subtracted
    assert 0.95 < slope < 1.05
    assert 0.95 < correlation <= 1


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_ridge_self_influence_is_leverage_times_squared_residual(alpha):
    X, y = IRIS[:, :3], IRIS[:, 3]
    fitted = Ridge(alpha=alpha).fit(X, y)
    centered = np.column_stack([X - X.mean(axis=0), np.ones(len(X))])
    penalty = np.diag([alpha, alpha, alpha, 0])
    hat = centered @ np.linalg.solve(centered.T @ centered + penalty, centered.T)
    leverage, residual = np.diag(hat), y - fitted.predict(X)
    own = InfluenceFunction(fitted).fit(X, y).self_influence()
    variance = np.mean(residual**2)
    # the residual of a refit without the row is r / (1 - h) exactly; its square is r^2 (1 + 2 h) to first order
    assert_allclose(own, leverage * residual**2 / variance, rtol=1e-9)
    exact = (residual**2 / (1 - leverage) ** 2 - residual**2) / (2 * variance)
    # what is left out is of the order of the leverage
    assert_allclose(own, exact, rtol=2 * leverage.max())


def test_separated_clusters_follow_the_published_formula():
    X = clusters(60, d=3, distance=200.0)
    fitted = tight("spherical", reg_covar=0).fit(X)
    influence = InfluenceFunction(fitted).fit(X).influence(X)
    labels = fitted.predict(X)
    counts = np.bincount(labels)
    for i, j in np.ndindex(12, 12):
        k = labels[i]
        expected = oracles.separated_mixture_influence(
            X[i], X[j], fitted.means_[k], fitted.covariances_[k], counts[k], len(X)
        )
        # across clusters only the weights are affected
        expected = expected if labels[j] == k else -1 / len(X)
        assert_allclose(influence[i, j], expected, rtol=0, atol=1e-9)


def test_what_is_neglected_falls_with_the_square_of_the_cluster_size():
    X = clusters(45, d=2, distance=200.0)
    errors = []
    for copies in (2, 4, 8):
        repeated = np.tile(X, (copies, 1))
        fitted = tight("spherical", reg_covar=0).fit(repeated)
        function = InfluenceFunction(fitted).fit(repeated)
        true = refitted_influence(fitted, repeated, range(9), X)
        errors.append(np.abs(function.influence(X)[:9] - true).max())
    # copies of all rows leave the fit as it is and halve each row's share: O(N_k^-2) falls to a quarter
    assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=0.15)


@every_kind
def test_all_rows_together_have_no_influence(kind):
    X = IRIS[:, :3]
    influence = InfluenceFunction(tight(kind, reg_covar=0).fit(X)).fit(X).influence(X)
    # at the maximum the gradients of all rows add up to zero: opponents balance proponents
    assert_allclose(influence.sum(axis=0), 0, atol=1e-6)
    # without a floor of variances, it is an inner product of gradients
    assert_allclose(influence, influence.T, atol=1e-10)
    assert np.diag(influence).min() > 0


def test_influence_knows_no_units():
    X, points = clusters(200), clusters(20, seed=1)
    A = np.array([[30.0, 5.0], [0.0, 0.01]])
    by = np.array([100.0, -3.0])
    fit = lambda X: InfluenceFunction(tight(reg_covar=0).fit(X)).fit(X)
    # columns in other units, or mixed: log-densities all move by the same constant
    assert_allclose(
        fit(X @ A + by).influence(points @ A + by), fit(X).influence(points), atol=1e-6
    )


# --- solvers ---


MODELS = {
    **{kind: ("mixture", kind) for kind in KINDS},
    "scikit-learn": ("mixture", "scikit-learn"),
    **{name: ("linear", name) for name in LINEAR},
}


def fitted_model(family, name):
    if family == "linear":
        estimator, X, y = LINEAR[name]
        return clone(estimator).fit(X, y), X, y
    if name == "scikit-learn":
        return mixture.GaussianMixture(1).fit(IRIS), IRIS, None
    return tight(name).fit(IRIS), IRIS, None


every_model = pytest.mark.parametrize(("family", "name"), MODELS.values(), ids=list(MODELS))


@every_model
def test_solvers_agree(family, name):
    fitted, X, y = fitted_model(family, name)
    exact = InfluenceFunction(fitted).fit(X, y)
    iterative = InfluenceFunction(fitted, solver="cg", tol=1e-10).fit(X, y)
    # the same system
    assert_allclose(iterative.influence(X, y), exact.influence(X, y), rtol=1e-6, atol=1e-9)
    assert (iterative.residuals_ <= 1e-10).all()
    assert len(iterative.residuals_) <= 8
    # at the optimum, and says so
    assert (exact.curvature_, exact.damping_) == ("Hessian", 0.0)
    assert exact.optimality_gap_ < 1e-6
    # damping adds to the diagonal of the same matrix
    exact, iterative = (
        InfluenceFunction(fitted, solver=solver, damping=0.3, tol=1e-10).fit(X, y)
        for solver in ("exact", "cg")
    )
    assert_allclose(iterative.influence(X, y), exact.influence(X, y), rtol=1e-6, atol=1e-9)
    assert exact.damping_ == iterative.damping_ == 0.3


@every_model
def test_exact_is_the_dense_formula(family, name):
    fitted, X, y = fitted_model(family, name)
    model = model_of(fitted, checked_rows(BaseEstimator(), fitted, X, y, reset=True))
    every = slice(None)
    g, hessian = model.own_gradients(every), model.hvp(np.eye(model.n_parameters))
    slow = model.train_gradients(every) @ np.linalg.solve(hessian, g.T) / len(X)
    function = InfluenceFunction(fitted).fit(X, y)
    # g_i H^-1 g_j / n
    assert_allclose(function.influence(X, y), slow, rtol=1e-6, atol=1e-10)
    identity = InfluenceFunction(fitted, solver="identity").fit(X, y)
    # without the matrix, products of gradients
    assert_allclose(identity.influence(X, y), model.train_gradients(every) @ g.T / len(X))
    assert (identity.curvature_, identity.damping_) == ("identity", 0.0)
    assert not hasattr(identity, "optimality_gap_")


@every_model
@pytest.mark.parametrize("solver", ["exact", "cg", "identity"])
def test_queries_agree_whatever_the_memory(family, name, solver):
    fitted, X, y = fitted_model(family, name)
    function = InfluenceFunction(fitted, solver=solver).fit(X, y)
    before = state(function)
    influence = function.influence(X, y)
    with sklearn.config_context(working_memory=0.2):
        blocked = function.influence(X, y)
        own = function.self_influence()
        indices, values = function.top(X, 4, y)
    # blocks change the order of sums alone
    assert_allclose(blocked, influence, rtol=1e-5, atol=1e-10)
    assert_allclose(own, np.diag(influence), rtol=1e-5, atol=1e-10)
    # the largest first, wherever blocks begin
    assert_allclose(values, -np.sort(-influence, axis=0)[:4].T, rtol=1e-5, atol=1e-10)
    assert_allclose(values, np.take_along_axis(blocked.T, indices, axis=1), rtol=1e-9)
    # queries write nothing
    assert state(function) == before
    assert_array_equal(pickle.loads(pickle.dumps(function)).influence(X, y), influence)


def test_top_never_holds_the_matrix():
    rows, points = clusters(20_000), clusters(2000, seed=1)
    function = InfluenceFunction(tight(n_components=1).fit(rows)).fit(rows)
    tracemalloc.start()
    with sklearn.config_context(working_memory=16):
        function.top(points, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # the matrix would take 320 MB
    assert peak < 32 * 2**20


def test_a_frozen_estimator_survives_cloning():
    fitted = tight().fit(IRIS)
    frozen = clone(InfluenceFunction(FrozenEstimator(fitted))).fit(IRIS)
    # scikit-learn's own way to say that an estimator is not to be fitted again
    assert_array_equal(frozen.influence(IRIS), InfluenceFunction(fitted).fit(IRIS).influence(IRIS))


def test_rows_of_any_kind_are_taken():
    frame = load = pd.DataFrame(IRIS, columns=list("abcd"))
    fitted = tight().fit(load)
    expected = InfluenceFunction(fitted).fit(frame).influence(frame)
    for X in (IRIS.tolist(), IRIS.astype(np.float32)):
        single = tight(tol=1e-9).fit(np.asarray(X))
        found = InfluenceFunction(single).fit(X).influence(X)
        # lists and single precision are the same rows, to what the fit lost
        assert_allclose(found, expected, atol=1e-2)
    assert list(InfluenceFunction(fitted).fit(frame).feature_names_in_) == list("abcd")


def test_components_without_rows_have_no_parameters():
    X = clusters(60, distance=50.0)
    fitted = tight(n_components=2, reg_covar=1e-3).fit(X)
    padded = tight(n_components=3, reg_covar=1e-3).fit(X)
    padded.weights_ = np.append(fitted.weights_, 0.0)
    padded.means_ = np.vstack([fitted.means_, [0.0, 0.0]])
    for name in ("covariances_", "precisions_cholesky_"):
        setattr(padded, name, np.concatenate([getattr(fitted, name), np.eye(2)[None]]))
    # nothing can be said of them, and nothing needs to be
    assert_allclose(
        InfluenceFunction(padded).fit(X).influence(X),
        InfluenceFunction(fitted).fit(X).influence(X),
        atol=1e-10,
    )
