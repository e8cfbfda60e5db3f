"""Log-densities of many kernel density fits at once."""

import numpy as np

from skmem._kernel_plan import plan_pairs
from skmem._kernel_sums import PairwiseDistances, log_kernel_sums


def log_kernel_densities(X, X_train, weighting, kernel, metric, metric_params, own=None):
    """Log-density of each row under every fit of `weighting`, (n_rows, n_fits), in nats.

    Where `own` names the training row that each row of X is, that row's own kernel is left out of the sum, though
    not of the total weight it is divided by.
    """
    resolution = weighting.bandwidth.min() ** 2 if kernel.smooth else None
    distances = PairwiseDistances(X_train, metric, metric_params, resolution)
    plan = plan_pairs(X, X_train, kernel, weighting, own) if metric == "euclidean" else None
    log_sums = log_kernel_sums(distances, X, kernel, weighting, own=own, plan=plan)
    return log_sums - log_total(weighting, kernel, X.shape[1])


def log_total(weighting, kernel, d):
    """Log of N h^d Z_d, by which the kernels' sum is divided, for every fit."""
    log_volume = kernel.log_normalizer(d) + d * np.log(weighting.bandwidth)
    return np.log(weighting.weights.sum(axis=1, dtype=np.float64)) + log_volume
