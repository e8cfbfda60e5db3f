"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""

from itertools import combinations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import gammaln, logsumexp
from scipy.stats import multivariate_normal, norm
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


# Influence


def leave_one_out_influence_by_refits(estimator, X_train, X, sample_weight=None):
    """Log-density of each point by a fit to all rows minus that by a fit without each row, row by row."""
    weight = None if sample_weight is None else np.asarray(sample_weight)

    def scores(rows):
        params = {} if weight is None else {"sample_weight": weight[rows]}
        return clone(estimator).fit(X_train[rows], **params).score_samples(X)

    everything = np.arange(len(X_train))
    whole, influence = scores(everything), []
    for i in everything:
        without = scores(np.delete(everything, i))
        # a point of density zero either way is not helped
        influence.append([a - b if a != b else 0.0 for a, b in zip(whole, without, strict=True)])
    return np.array(influence)


def pooled_influence(scores, train_mask):
    """Log-mean-exp over the fits with row i minus that over those without it, pair by pair."""
    n_samples, n_points = train_mask.shape[1], scores.shape[1]
    influence = np.empty((n_samples, n_points))
    for i in range(n_samples):
        for j in range(n_points):
            u = log_mean_exp(scores[train_mask[:, i], j])
            v = log_mean_exp(scores[~train_mask[:, i], j])
            influence[i, j] = u - v if u != v else 0.0
    return influence


def matched_influence(scores, train_mask, n_folds):
    """Mean over rotations of equal-sized log-mean-exps, pair by pair and repeat by repeat."""
    influence = np.empty((train_mask.shape[1], scores.shape[1]))
    for i in range(len(influence)):
        for j in range(scores.shape[1]):
            # of row i's folds, with point j's scores in the place of the row's own
            own_scores = scores[:, [j]]
            influence[i, j] = matched_memorization(own_scores, train_mask[:, [i]], n_folds)[0]
    return influence


# --- gradients of single rows ---


def vae_row_losses(vae, X, noise, state=None):
    """Minus the ELBO of each row as trained, at its own draws, a list of scalars; and the parameters behind them."""
    import copy

    import torch
    from torch.distributions import kl_divergence

    module = copy.deepcopy(vae.net_.module_).double().eval()
    if state is not None:
        module.load_state_dict(state)
    losses = []
    for x, draws in zip(torch.as_tensor(vae._columns.forward(X, 0)[0]), noise, strict=True):
        q = module.encode(x[None])
        log_likelihoods = [
            module.decode(q.base_dist.loc + q.base_dist.scale * torch.as_tensor(draw)).log_prob(x)
            for draw in draws
        ]
        divergence = kl_divergence(q, module.prior).squeeze()
        losses.append(vae.beta * divergence - sum(log_likelihoods).squeeze() / len(draws))
    return losses, list(module.parameters())


def row_gradients(losses, parameters):
    """Gradient of each loss, by a backward pass of its own: (n_rows, n_parameters), float64."""
    import torch

    gradients = []
    for loss in losses:
        parts = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        filled = [
            torch.zeros_like(p) if g is None else g for g, p in zip(parts, parameters, strict=True)
        ]
        gradients.append(torch.cat([g.flatten() for g in filled]).double().numpy())
    return np.array(gradients)


# --- influence functions ---


def moved_mixture(mixture, basis, kind, theta):
    """Shares, means and matrices of a fitted mixture moved by `theta`: logits, whitened means, matrix logarithms."""
    from scipy.linalg import expm

    n_components, n_features = mixture.means_.shape
    weights = mixture.weights_
    w, a, s = np.split(theta, np.cumsum([n_components - 1, n_components * n_features]))
    logits = np.log(weights) + basis @ w / np.sqrt(weights)
    means, matrices = [], []
    for k, (share, step) in enumerate(zip(weights, a.reshape(n_components, -1), strict=True)):
        factor = mixture.precisions_cholesky_
        factor = factor if kind == "tied" else factor[k]
        if kind in ("diag", "spherical"):
            factor = np.diag(np.broadcast_to(factor, n_features))
        root = np.linalg.inv(factor).T  # Sigma = root @ root.T
        means.append(mixture.means_[k] + root @ step / np.sqrt(share))
        own = s if kind == "tied" else s.reshape(n_components, -1)[k]
        log_matrix = np.sqrt(2 if kind == "tied" else 2 / share) * _symmetric(
            own, kind, n_features
        )
        matrices.append(root @ expm(log_matrix) @ root.T)
    return np.exp(logits - logsumexp(logits)), means, matrices


def _symmetric(coordinates, kind, n_features):
    if kind == "diag":
        return np.diag(coordinates)
    if kind == "spherical":
        return np.eye(n_features) * coordinates / np.sqrt(n_features)
    out = np.zeros((n_features, n_features))
    for value, i, j in zip(coordinates, *np.triu_indices(n_features), strict=True):
        out[i, j] = out[j, i] = value if i == j else value / np.sqrt(2)
    return out


def jacobian_by_differences(function, theta, step=1e-4):
    """Derivatives of a vector function, one column for each parameter, by central differences of fourth order."""
    columns = []
    for e in np.eye(len(theta)) * step:
        near, far = (function(theta + m * e) - function(theta - m * e) for m in (1, 2))
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=-1)


def second_derivative(function, step=0.03):
    """Second derivative at 0, by central differences of sixth order."""
    weights = {0: -49 / 18, 1: 3 / 2, 2: -3 / 20, 3: 1 / 90}
    return (
        sum(
            w * (function(m * step) + function(-m * step)) / (1 + (m == 0))
            for m, w in weights.items()
        )
        / step**2
    )


def separated_mixture_influence(x, z, mean, variance, n_cluster, n_rows):
    """Influence of x on z, both in one of several spherical clusters that are far apart, to first order."""
    d = len(mean)
    squares = (z - mean) @ (z - mean) * ((x - mean) @ (x - mean)) / (d * variance)
    bracket = squares - (z - x) @ (z - x)
    return (d + 2) / (2 * n_cluster) + bracket / (2 * n_cluster * variance) - 1 / n_rows


def ekfac_influence(train, points, share):
    """EK-FAC from lists of explicit pairs (a, delta) of each layer and row, as its definition reads; see George 2018.

    `train` and `points` are lists over layers of (a (n, n_positions, n_in), delta (n, n_positions, n_out)). Damping
    is `share` times the mean eigenvalue of each layer.
    """
    total = 0
    for (a, delta), (b, epsilon) in zip(train, points, strict=True):
        n = len(a)
        A = sum(np.outer(x, x) for row in a for x in row) / n
        G = sum(np.outer(d, d) for row in delta for d in row) / n
        U, W = np.linalg.eigh(A)[1], np.linalg.eigh(G)[1]
        turned = [W.T @ sum(map(np.outer, d, x)) @ U for x, d in zip(a, delta, strict=True)]
        eigenvalues = sum(D**2 for D in turned) / n
        damped = eigenvalues + share * eigenvalues.mean()
        others = [W.T @ sum(map(np.outer, d, x)) @ U for x, d in zip(b, epsilon, strict=True)]
        total += np.array([[np.sum(D * E / damped) for E in others] for D in turned]) / n
    return total


# Rows left out with their group, groups of near-copies


def refit_leave_one_group_out(estimator, X, groups):
    """Log-density of each row under a fit to all rows of other groups."""
    groups = np.asarray(groups)
    return np.array(
        [
            clone(estimator).fit(X[groups != group]).score_samples(X[i : i + 1])[0]
            for i, group in enumerate(groups)
        ]
    )


def chained_groups(distances, threshold):
    """Groups of rows joined by distances (n, n) of at most the threshold, as a set of sets: spread row by row."""
    groups, left = set(), set(range(len(distances)))
    while left:
        group, frontier = set(), [min(left)]
        while frontier:
            row = frontier.pop()
            group.add(row)
            near = np.flatnonzero(distances[row] <= threshold)
            frontier += [j for j in near.tolist() if j not in group and j not in frontier]
        groups.add(frozenset(group))
        left -= group
    return groups


# Copying: every pair of rows, as the definitions read.


def gower_distances(X, Y, X_train, categorical):
    """Mean over columns of differences by the training rows' range, or of 0 and 1 for categories."""
    total = np.zeros((len(X), len(Y)))
    for j in range(X_train.shape[1]):
        for i, x in enumerate(X[:, j]):
            for k, y in enumerate(Y[:, j]):
                if j in categorical:
                    total[i, k] += x != y
                else:
                    column = [float(value) for value in X_train[:, j]]
                    total[i, k] += abs(x - y) / ((max(column) - min(column)) or 1.0)
    return total / X_train.shape[1]


def authentic_rows(X_train, X):
    """Whether each row is farther from its nearest training row than that one from its own nearest."""
    among = cdist(X_train, X_train)
    np.fill_diagonal(among, np.inf)
    authentic = []
    for x in X:
        distances = np.linalg.norm(X_train - x, axis=1)
        nearest = distances.argmin()
        authentic.append(distances[nearest] > among[nearest].min())
    return np.array(authentic)


def precision_recall_density_coverage(X_real, X, k):
    """The four figures from all pairs, with closed balls."""

    def radii(rows):
        distances = cdist(rows, rows)
        np.fill_diagonal(distances, np.inf)
        return np.sort(distances, axis=1)[:, k - 1]

    real, made = radii(X_real), radii(X)
    distances = cdist(X_real, X)
    in_real, in_made = distances <= real[:, None], distances <= made[None, :]
    return (
        in_real.any(axis=0).mean(),
        in_made.any(axis=1).mean(),
        in_real.sum() / (k * len(X)),
        in_real.any(axis=1).mean(),
    )


def mann_whitney_z(holdout, generated):
    """U by counting pairs; its variance over all permutations by that of the mid-ranks."""
    n, m = len(generated), len(holdout)
    U = sum((g > h) + 0.5 * (g == h) for g in generated for h in holdout)
    pooled = np.concatenate([holdout, generated])
    ranks = [np.sum(pooled < v) + 0.5 * (np.sum(pooled == v) + 1) for v in pooled]
    return (U - (n * m / 2 - 0.5)) / np.sqrt(n * m / (n + m) * np.var(ranks, ddof=1))


def share_over_all_labels(near_first, near_second):
    """Shares of the rows nearer to the first table, for every choice of its rows from both tables."""
    distances = np.hstack([near_first, near_second])
    n_first, n_both = near_first.shape[1], distances.shape[1]
    winners = distances == distances.min(axis=1, keepdims=True)
    votes = (winners / winners.sum(axis=1, keepdims=True)).sum(axis=0)
    return [
        votes[list(chosen)].sum() / len(distances)
        for chosen in combinations(range(n_both), n_first)
    ]


# Change of variables


def log_abs_det_by_differences(transform, x, step=1e-5):
    """Log |det| of the Jacobian of a function of rows at one point: central differences, extrapolated once."""
    steps = np.eye(len(x)) * step

    def jacobian(h):
        return (transform(x + h * steps) - transform(x - h * steps)) / (2 * h * step)

    return np.linalg.slogdet((4 * jacobian(0.5) - jacobian(1.0)) / 3)[1]


def quantile_slope(x, knots, heights):
    """Slope at x of the line through the knots: the mean of those of the segments that x touches, to rounding."""
    off = 1e-13 * np.abs(knots).max()
    slopes = [
        (heights[j + 1] - heights[j]) / (knots[j + 1] - knots[j])
        for j in range(len(knots) - 1)
        if knots[j + 1] - knots[j] > off and knots[j] - off <= x <= knots[j + 1] + off
    ]
    return np.mean(slopes) if slopes else 0.0


def refits_with_weights(estimator, X, weights, train_mask):
    """Log-densities of all rows under a fit to the rows of every mask with their weights, (n_fits, n_samples)."""
    fits = [clone(estimator).fit(X[m], sample_weight=weights[m]) for m in train_mask]
    return np.array([fit.score_samples(X) for fit in fits])


def fit_one_by_one(estimator, X, train_mask, seeds):
    """A clone for each mask, with its seed, fitted by itself."""
    from sklearn.base import clone

    from skmem._random import set_random_state

    pairs = zip(train_mask, seeds, strict=True)
    return [set_random_state(clone(estimator), seed).fit(X[mask]) for mask, seed in pairs]


def label_probability_by_hand(classifier, X, y, rows, X_new, y_new):
    """Probability of each point's label under a fit to the rows, zero where no row has the label."""
    fit = clone(classifier).fit(X[rows], y[rows])
    table = [dict(zip(fit.classes_, p, strict=True)) for p in fit.predict_proba(X_new)]
    return np.array([p.get(label, 0.0) for p, label in zip(table, y_new, strict=True)])


def subset_memorization(classifier, X, y, size):
    """Memorization of every row by enumeration of all training sets of a size, in probability."""
    from itertools import combinations

    sets = [list(rows) for rows in combinations(range(len(X)), size)]
    fits = np.array([label_probability_by_hand(classifier, X, y, rows, X, y) for rows in sets])
    has = np.array([[i in rows for i in range(len(X))] for rows in sets])
    return np.array(
        [fits[has[:, i], i].mean() - fits[~has[:, i], i].mean() for i in range(len(X))]
    )


def dense_log_kernel_sums(X, X_train, kernel, weights, bandwidths, own=None):
    """Log-sum-exp of every row over all training rows, for each bandwidth and row of weights in turn."""
    squared = np.sum((X[:, None] - X_train) ** 2, axis=2)
    if own is not None:
        squared[np.arange(len(X)), own] = np.inf
    columns = []
    with np.errstate(divide="ignore"):
        for h in bandwidths:
            log_kernel = kernel.log_profile(squared / h**2)
            columns += [logsumexp(log_kernel + np.log(w), axis=1) for w in weights]
    return np.stack(columns, axis=1)


# Proxies of memorization


def gaussian_leave_one_out(X):
    """Log-density of each row under a normal of all rows minus that under one of all others, by its definition."""

    def log_density(rows, x):
        covariance = np.atleast_2d(np.cov(rows.T, bias=True))
        return multivariate_normal(rows.mean(axis=0), covariance).logpdf(x)

    return np.array(
        [log_density(X, x) - log_density(np.delete(X, i, 0), x) for i, x in enumerate(X)]
    )


def learning_epoch_by_hand(stages, log_densities):
    """First stage from which on each row's log-density (n_stages, n_samples) is at least the median of all."""
    level = np.median([value for row in log_densities for value in row])
    found = []
    for row in np.transpose(log_densities):
        learned = [stage for k, stage in enumerate(stages) if all(v >= level for v in row[k:])]
        found.append(learned[0] if learned else np.inf)
    return np.array(found, dtype=float)


def isotonic_by_min_max(values, weights):
    """Weighted isotonic regression by its max-min formula."""

    def mean(i, j):
        return np.average(values[i : j + 1], weights=weights[i : j + 1])

    n = len(values)
    return np.array(
        [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    )


def reliability_of_two_repeats(scores, train_mask, n_folds):
    """Spearman-Brown of the scores of the first repeat of folds and of the second."""
    from scipy.stats import spearmanr

    from skmem.memorization import memorization_score

    halves = slice(None, n_folds), slice(n_folds, None)
    r = spearmanr(*(memorization_score(scores[h], train_mask[h]).memorization for h in halves))[0]
    return 2 * r / (1 + r)


# Regressors


def target_scores_by_hand(regressor, X, y, rows, X_new, y_new, squared=False):
    """Minus squared errors, or normal log-densities with the mean squared residual of the rows, under their fit."""
    fit = clone(regressor).fit(X[rows], y[rows])
    if squared:
        return -((y_new - fit.predict(X_new)) ** 2)
    sigma = np.sqrt(np.mean((y[rows] - fit.predict(X[rows])) ** 2))
    return norm.logpdf(y_new, fit.predict(X_new), sigma)


def hat_matrix(X, alpha):
    """Matrix that makes predictions of targets by ridge regression with an intercept that is not shrunk."""
    design = np.column_stack([np.ones(len(X)), X])
    penalty = alpha * np.diag([0.0] + [1.0] * X.shape[1])
    return design @ np.linalg.solve(design.T @ design + penalty, design.T)


def ridge_memorization(X, y, alpha, squared=False):
    """Leave-one-out memorization by ridge regression, from the fit on all rows alone.

    Without row i the residual of row j is e_j + h_ji e_i / (1 - h_ii), for i = j too (Cook & Weisberg, "Residuals and
    Influence in Regression", 1982, equation 2.2.8).
    """
    H, n = hat_matrix(X, alpha), len(X)
    e = y - H @ y
    without = e[:, np.newaxis] + H * e / (1 - np.diag(H))  # (j, i)
    left_out = np.diag(without)
    if squared:
        return left_out**2 - e**2
    variance_in = np.mean(e**2)
    variance_out = (np.sum(without**2, axis=0) - left_out**2) / (n - 1)
    return norm.logpdf(e, 0, np.sqrt(variance_in)) - norm.logpdf(
        left_out, 0, np.sqrt(variance_out)
    )
