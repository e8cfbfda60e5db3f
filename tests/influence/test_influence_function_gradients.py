"""Derivatives of mixtures and linear models, held against finite differences."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression

from skmem.influence._gradients import checked_rows, model_of
from tests import oracles
from tests.influence.influence_models import (
    IRIS,
    KINDS,
    LINEAR,
    residual_variance,
    target_scores,
    tight,
)

every_kind = pytest.mark.parametrize("kind", KINDS)
every_linear_model = pytest.mark.parametrize(
    ("estimator", "X", "y"), LINEAR.values(), ids=list(LINEAR)
)


@every_kind
def test_mixture_gradients_are_those_of_finite_differences(kind):
    fitted = tight(kind, max_iter=3, tol=10.0).fit(IRIS[:, :3])
    model = model_of(fitted, (IRIS[:, :3],))
    basis = model.weight_scores * np.sqrt(fitted.weights_)[:, None]

    def log_density(theta):
        moved = oracles.moved_mixture(fitted, basis, kind, theta)
        return oracles.gmm_log_density(IRIS[::7, :3], *moved)

    slow = oracles.jacobian_by_differences(log_density, np.zeros(model.n_parameters))
    # the density as a function of its unconstrained parameters, one after another; no convergence is needed
    assert_allclose(model.gradients(IRIS[::7, :3]), slow, rtol=0, atol=1e-8)


@every_kind
@pytest.mark.parametrize("reg_covar", [1e-6, 0.05])
def test_mixture_hessian_is_that_of_finite_differences_at_the_optimum(kind, reg_covar):
    X = IRIS[:, :2]
    fitted = tight(kind, reg_covar=reg_covar).fit(X)
    model = model_of(fitted, (X,))
    basis = model.weight_scores * np.sqrt(fitted.weights_)[:, None]
    responsibilities = fitted.predict_proba(X)

    def mean_loss(theta):
        shares, means, matrices = oracles.moved_mixture(fitted, basis, kind, theta)
        # what EM adds to every variance, as a penalty of the precisions with the shares of the fit
        traces = [np.trace(np.linalg.inv(matrix)) for matrix in matrices]
        penalty = 0.5 * reg_covar * responsibilities.mean(axis=0) @ traces
        return penalty - oracles.gmm_log_density(X, shares, means, matrices).mean()

    size = model.n_parameters
    # second derivatives of the mean loss along lines, at the point where its first ones vanish
    for v in np.vstack([np.eye(size), np.random.default_rng(0).normal(size=(5, size)) / 2]):
        slow = oracles.second_derivative(lambda t, v=v: mean_loss(t * v))
        assert_allclose(v @ model.hvp(v[None])[0], slow, rtol=0, atol=1e-6)
    assert_allclose(model.mean_gradient(), 0, atol=1e-6)


@every_linear_model
def test_linear_derivatives_are_those_of_finite_differences(estimator, X, y):
    fitted = clone(estimator).fit(X, y)
    checked = checked_rows(BaseEstimator(), fitted, X, y, reset=True)
    model = model_of(fitted, checked)
    variance = residual_variance(fitted, X, y)
    linear = model.penalty.shape

    def moved(theta):
        step = theta.reshape(linear)
        spread = getattr(model, "basis", np.eye(len(step)))
        spread = spread[1:] if len(spread) == 2 and linear[0] == 1 else spread
        columns = X.shape[1]
        coef = spread @ step[:, :columns] / model.scale
        out = copy.copy(fitted)
        out.coef_ = out.coef_ + coef.reshape(out.coef_.shape)
        if model.intercept:
            shift = spread @ step[:, -1] - coef @ model.origin
            out.intercept_ = out.intercept_ + shift.reshape(np.shape(out.intercept_))
        return out

    def mean_loss(theta):
        out = moved(theta)
        if isinstance(out, LogisticRegression):
            penalty = np.sum(out.coef_**2) / (2 * out.C)
        else:
            alpha = np.reshape(out.alpha, (-1, 1))
            penalty = np.sum(alpha * np.atleast_2d(out.coef_) ** 2) / (2 * variance)
        return penalty / len(X) - target_scores(out, X, y, variance).mean()

    zero = np.zeros(model.n_parameters)
    rows = slice(None, None, 9)
    slopes = oracles.jacobian_by_differences(
        lambda theta: target_scores(moved(theta), X[rows], y[rows], variance), zero
    )
    # coefficients of standardised columns, and what they do to the likelihood of each row
    assert_allclose(model.gradients(*(a[rows] for a in checked)), slopes, rtol=1e-6, atol=1e-7)
    # second derivatives along single directions, penalty included
    for e in np.eye(model.n_parameters):
        slow = oracles.second_derivative(lambda t, e=e: mean_loss(t * e), 0.01)
        assert_allclose(e @ model.hvp(e[None])[0], slow, rtol=1e-5, atol=1e-8)
