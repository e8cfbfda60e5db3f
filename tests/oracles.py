"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""

from itertools import combinations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import gammaln, logsumexp
from scipy.stats import multivariate_normal
from sklearn import mixture
from sklearn.base import clone
from sklearn.metrics import DistanceMetric

from skmem._random import set_random_state

PROFILES = {
    "gaussian": lambda r: np.exp(-0.5 * r**2),
    "tophat": lambda r: (r < 1.0).astype(float),
    "epanechnikov": lambda r: np.maximum(1.0 - r**2, 0.0) * (r < 1.0),
    "exponential": lambda r: np.exp(-r),
    "linear": lambda r: np.maximum(1.0 - r, 0.0),
    "cosine": lambda r: np.cos(0.5 * np.pi * r) * (r < 1.0),
}


def log_sphere_area(d):
    """Log surface of the unit sphere in d dimensions."""
    return np.log(2.0) + 0.5 * d * np.log(np.pi) - gammaln(0.5 * d)


def kde_score_samples(X_train, X, bandwidth, kernel="gaussian", weights=None):
    """Log of the weighted mean of kernels, every pair of rows by its difference."""
    from scipy.integrate import quad

    d = X_train.shape[1]
    weights = np.ones(len(X_train)) if weights is None else np.asarray(weights, dtype=float)
    profile = PROFILES[kernel]
    end = np.inf if kernel in ("gaussian", "exponential") else 1.0
    radial, _ = quad(
        lambda r: profile(np.asarray(r)) * r ** (d - 1), 0, end, epsabs=0, epsrel=1e-12
    )
    r = cdist(np.asarray(X, dtype=float), np.asarray(X_train, dtype=float)) / bandwidth
    with np.errstate(divide="ignore"):
        if kernel == "gaussian":
            log_kernel = -0.5 * r**2
        elif kernel == "exponential":
            log_kernel = -r
        else:
            log_kernel = np.log(profile(r))
        log_sum = logsumexp(log_kernel + np.log(weights), axis=1)
    log_volume = log_sphere_area(d) + np.log(radial) + d * np.log(bandwidth)
    return log_sum - np.log(weights.sum()) - log_volume


def refit_leave_one_out(estimator, X):
    """Log-density of each row under a fit to all the others."""
    from sklearn.base import clone

    keep = ~np.eye(len(X), dtype=bool)
    return np.array(
        [clone(estimator).fit(X[keep[i]]).score_samples(X[i : i + 1])[0] for i in range(len(X))]
    )


def refit_cross_fit(estimator, X, train_mask, X_eval=None):
    """Log-densities under a separate fit to the rows of every mask, (n_fits, n_points)."""
    from sklearn.base import clone

    X_eval = X if X_eval is None else X_eval
    return np.array([clone(estimator).fit(X[m]).score_samples(X_eval) for m in train_mask])


def log_mean_exp(values):
    """Log of the mean of the exponentials of a list."""
    values = np.asarray(values, dtype=float)
    return logsumexp(values) - np.log(len(values))


def pooled_memorization(scores, train_mask):
    """Algorithm 1 of van den Burg & Williams, row by row as published: U_i - V_i."""
    n_rows = scores.shape[1]
    u = [log_mean_exp(scores[train_mask[:, i], i]) for i in range(n_rows)]
    v = [log_mean_exp(scores[~train_mask[:, i], i]) for i in range(n_rows)]
    return np.array(u) - np.array(v)


def matched_memorization(scores, train_mask, n_folds):
    """Mean over rotations of equal-sized log-mean-exps, row by row and repeat by repeat."""
    n_fits, n_rows = scores.shape
    result = []
    for i in range(n_rows):
        own = [
            next(k for k in range(n_folds) if not train_mask[start + k, i])
            for start in range(0, n_fits, n_folds)
        ]
        by_shift = [
            log_mean_exp([scores[r * n_folds + (f + s) % n_folds, i] for r, f in enumerate(own)])
            for s in range(n_folds)
        ]
        result.append(np.mean(by_shift[1:]) - by_shift[0])
    return np.array(result)


# --- cross-fitting ---


def cross_fit_by_loop(estimator, X, train_mask, seeds, X_eval=None, y=None):
    """Refit on each row of the mask, one by one: nats, or with y the label's probability."""
    scores = []
    for mask, seed in zip(train_mask, seeds, strict=True):
        fitted = set_random_state(clone(estimator), seed)
        if y is None:
            fitted.fit(X[mask])
            scores.append(fitted.score_samples(X if X_eval is None else X_eval))
        else:
            fitted.fit(X[mask], y[mask])
            labels = list(fitted.classes_)
            rows = zip(fitted.predict_proba(X), y, strict=True)
            scores.append([p[labels.index(c)] if c in labels else 0.0 for p, c in rows])
    return np.array(scores)


# Neighbours and the k-nearest-neighbour density


def neighbors_by_differences(X_query, X_train, n_neighbors, metric):
    """Distances and indices of the nearest rows, from all pairs; ties by index."""
    distances = DistanceMetric.get_metric(metric).pairwise(X_query, X_train)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, indices, axis=1), indices


def duplicate_labels(X):
    """Label of the first row that equals each row, counted by first appearance."""
    seen = []
    labels = []
    for row in X.tolist():
        if row not in seen:
            seen.append(row)
        labels.append(seen.index(row))
    return np.array(labels)


def knn_log_density(x, X_train, n_neighbors, log_unit_volume, metric="euclidean"):
    """log k / (N V_d R_k^d) of one point; copies raise k to the first positive distance."""
    distances = np.sort(DistanceMetric.get_metric(metric).pairwise(x[None], X_train)[0])
    k = n_neighbors
    while distances[k - 1] == 0:
        k += 1
    n, d = X_train.shape
    return np.log(k) - np.log(n) - log_unit_volume - d * np.log(distances[k - 1])


def refit_score_samples(estimator, X, train_mask, X_eval):
    """Score `X_eval` by a refit for each row of `train_mask`, shape (n_fits, n_points)."""
    return np.array([clone(estimator).fit(X[mask]).score_samples(X_eval) for mask in train_mask])


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


# --- memorization ---


def matched_by_all_subsets(scores, train_mask):
    """Mean over all equal-sized subsets of the fits on the larger side, row by row."""
    result = []
    for i in range(scores.shape[1]):
        inside, outside = scores[train_mask[:, i], i], scores[~train_mask[:, i], i]
        size = min(len(inside), len(outside))
        u, v = (
            np.mean([log_mean_exp(subset) for subset in combinations(side, size)])
            for side in (inside, outside)
        )
        result.append(u - v)
    return np.array(result)


# Latent-variable models


def linear_gaussian_log_density(X, mean, loadings, sigma):
    """Log-density of x = mean + loadings z + sigma e, with z and e standard normal: probabilistic PCA's marginal."""
    covariance = loadings @ loadings.T + sigma**2 * np.eye(len(mean))
    return multivariate_normal(mean, covariance).logpdf(X)


def one_draw_at_a_time(module, x, noise):
    """Log importance weights (n_draws, n_samples) of normal encoders and priors, row by row and draw by draw."""
    import torch
    from scipy.stats import norm

    weights = np.empty((len(noise), len(x)))
    for i in range(len(x)):
        row = torch.as_tensor(x[i : i + 1])
        q = module.encode(row).base_dist
        loc, scale = q.loc[0].numpy(), q.scale[0].numpy()
        for s, eps in enumerate(noise):
            z = loc + scale * eps
            log_likelihood = module.decode(torch.as_tensor(z[None])).log_prob(row).item()
            weights[s, i] = log_likelihood + (norm.logpdf(z) - norm.logpdf(z, loc, scale)).sum()
    return weights


def fit_one_by_one(estimator, X, train_mask, seeds):
    """A clone for each mask, with its seed, fitted by itself."""
    from sklearn.base import clone

    from skmem._random import set_random_state

    pairs = zip(train_mask, seeds, strict=True)
    return [set_random_state(clone(estimator), seed).fit(X[mask]) for mask, seed in pairs]
