"""Fitted models, and how likely they find rows, for the tests of influence functions."""

import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge

from skmem.density import GaussianMixture

IRIS, SPECIES = load_iris(return_X_y=True)
KINDS = ("full", "tied", "diag", "spherical")


def tight(kind="full", n_components=2, **params):
    """A mixture whose EM goes on until rounding."""
    defaults = {"tol": 1e-13, "max_iter": 10_000, "random_state": 0}
    return GaussianMixture(n_components, covariance_type=kind, **{**defaults, **params})


def clusters(n, d=2, distance=5.0, seed=0):
    """Rows of two clusters of different size and width."""
    rng = np.random.default_rng(seed)
    second = np.arange(n)[:, None] % 3 == 0
    return np.where(second, distance, 0.0) + np.where(second, 0.8, 1.2) * rng.normal(size=(n, d))


_CLASSIFIER = {"tol": 1e-10, "solver": "newton-cholesky", "max_iter": 10_000}
LINEAR = {
    "two classes": (LogisticRegression(**_CLASSIFIER), IRIS[50:, :2], SPECIES[50:]),
    "two classes, no intercept": (
        LogisticRegression(**_CLASSIFIER, fit_intercept=False, C=0.1),
        IRIS[50:, :2],
        SPECIES[50:],
    ),
    "three classes": (
        LogisticRegression(**_CLASSIFIER),
        IRIS[:, :2],
        np.array(["b", "c", "a"])[SPECIES],
    ),
    "ridge": (Ridge(), IRIS[:, :3], IRIS[:, 3]),
    "ridge, two targets": (Ridge(alpha=np.array([0.1, 30.0])), IRIS[:, :2], IRIS[:, 2:]),
    "ridge, no intercept": (Ridge(alpha=0.5, fit_intercept=False), IRIS[:, :3], IRIS[:, 3]),
}


def target_scores(estimator, X, y, variance=None):
    """Log-probability of classes, or Gaussian log-density of targets."""
    if isinstance(estimator, LogisticRegression):
        positions = np.searchsorted(estimator.classes_, y)
        return estimator.predict_log_proba(X)[np.arange(len(X)), positions]
    scores = norm(estimator.predict(X), np.sqrt(variance)).logpdf(y)
    return scores.reshape(len(X), -1).sum(axis=1)


def residual_variance(estimator, X, y):
    """The variance that makes a density of a Ridge; None for classifiers."""
    if isinstance(estimator, LogisticRegression):
        return None
    return np.mean((y - estimator.predict(X)) ** 2)
