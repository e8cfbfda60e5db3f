"""Log-densities of many kernel density fits at once."""

import numpy as np

from skmem._gauss_grid import gauss_grid_log_sums
from skmem._kernel_plan import plan_pairs
from skmem._kernel_sums import PairwiseDistances, log_kernel_sums


def log_kernel_densities(X, X_train, weighting, kernel, metric, metric_params, own=None):
    """Log-density of each row under every fit of `weighting`, (n_rows, n_fits), in nats.

    Where `own` names the training row that each row of X is, that row's own kernel is left out of the sum, though
    not of the total weight it is divided by.
    """
    arguments = (X, X_train, weighting, kernel, metric, metric_params)
    log_sums, rest = None, np.arange(X.shape[0])
    if kernel.smooth and metric == "euclidean":
        log_sums = gauss_grid_log_sums(X, X_train, weighting, own)
    if log_sums is not None:
        rest = np.flatnonzero(np.isnan(log_sums).any(axis=1))
    if rest.size == X.shape[0]:
        log_sums = _pairwise_log_sums(*arguments, own)
    elif rest.size:
        own = None if own is None else own[rest]
        log_sums[rest] = _pairwise_log_sums(X[rest], *arguments[1:], own)
    log_sums -= log_total(weighting, kernel, X.shape[1])
    return log_sums


def _pairwise_log_sums(X, X_train, weighting, kernel, metric, metric_params, own):
    """Log-sums of kernels over pairs of rows, leaving out pairs of far groups where there are any."""
    resolution = weighting.bandwidth.min() ** 2 if kernel.smooth else None
    distances = PairwiseDistances(X_train, metric, metric_params, resolution)
    plan = plan_pairs(X, X_train, kernel, weighting, own) if metric == "euclidean" else None
    return log_kernel_sums(distances, X, kernel, weighting, own=own, plan=plan)


def log_total(weighting, kernel, d):
    """Log of N h^d Z_d, by which the kernels' sum is divided, for every fit."""
    log_volume = kernel.log_normalizer(d) + d * np.log(weighting.bandwidth)
    log_weight = np.log(weighting.weights.sum(axis=1, dtype=np.float64))
    return np.resize(log_weight, log_volume.size) + log_volume
