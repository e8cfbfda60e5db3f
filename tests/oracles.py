"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn import mixture
from sklearn.base import clone

# --- Gaussian mixtures -------------------------------------------------------------------------------------------


def gmm_parameters(X, mass, covariance_type, reg_covar):
    """M-step as its definition reads: shares, means and full covariance matrices of the components."""
    n_components, n_features = mass.shape[1], X.shape[1]
    means, matrices = [], []
    for k in range(n_components):
        mean = np.average(X, axis=0, weights=mass[:, k])
        matrix = np.cov(X.T, aweights=mass[:, k], ddof=0).reshape(n_features, n_features)
        if covariance_type in ("diag", "spherical"):
            matrix = np.diag(np.diag(matrix))
        if covariance_type == "spherical":
            matrix = np.eye(n_features) * np.trace(matrix) / n_features
        means.append(mean)
        matrices.append(matrix)
    shares = mass.sum(axis=0) / mass.sum()
    if covariance_type == "tied":
        matrices = [sum(s * m for s, m in zip(shares, matrices, strict=True))] * n_components
    return shares, means, [m + reg_covar * np.eye(n_features) for m in matrices]


def gmm_log_density(X, shares, means, matrices):
    """Log of the sum over components of share times density."""
    logs = [
        np.log(share) + multivariate_normal(mean, matrix).logpdf(X).reshape(len(X))
        for share, mean, matrix in zip(shares, means, matrices, strict=True)
    ]
    return logsumexp(logs, axis=0)


def gmm_leave_one_out(X, mass, covariance_type, reg_covar):
    """Each row under the M-step that all other rows make with the responsibilities they have."""
    out = np.empty(len(X))
    for i in range(len(X)):
        rest = np.arange(len(X)) != i
        parameters = gmm_parameters(X[rest], mass[rest], covariance_type, reg_covar)
        out[i] = gmm_log_density(X[[i]], *parameters)[0]
    return out


def gmm_warm_refits(full, X, train_mask, X_eval):
    """scikit-learn's own EM for each mask row, begun at the parameters of `full`."""
    model = mixture.GaussianMixture(
        full.n_components,
        covariance_type=full.covariance_type,
        tol=full.tol,
        reg_covar=full.reg_covar,
        max_iter=full.max_iter,
        weights_init=full.weights_,
        means_init=full.means_,
        precisions_init=full.precisions_,
    )
    return np.stack([model.fit(X[train]).score_samples(X_eval) for train in train_mask])


def refits(estimator, X, train_mask, X_eval):
    """One fit from scratch for each mask row."""
    return np.stack([clone(estimator).fit(X[train]).score_samples(X_eval) for train in train_mask])
