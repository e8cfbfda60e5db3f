"""Densities to audit data with, and how their hyper-parameter is chosen once, before any fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skmem._distances import nearest_neighbors
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity

# Candidates, about evenly spaced in their logarithm. A training row is its own first neighbour, so
# with one neighbour every training row would lie at distance 0 from "its" neighbour.
_N_NEIGHBORS = (2, 3, 5, 8, 13, 21, 34, 55)
_MAX_COMPONENTS = 10


@dataclass(frozen=True)
class Model:
    """A density by name: the parameter to be chosen, its simplest member, and how to choose.

    ``choose(X, n_train, random_state)`` returns an estimator for training folds of `n_train` rows
    and says in words how it was chosen; `X` holds every distinct row once.
    """

    parameter: str
    simplest: Callable
    choose: Callable


def choose_kernel_density(X, n_train, random_state):
    """Choose the bandwidth of the highest leave-one-out likelihood."""
    bandwidth = KernelDensity(bandwidth="loo").fit(X).bandwidth_
    return KernelDensity(bandwidth=bandwidth), "bandwidth of the highest leave-one-out likelihood"


def choose_n_neighbors(X, n_train, random_state):
    """Choose the number of neighbours of the highest leave-one-out likelihood.

    The likelihood is that of the unbiased estimate ``(k - 1) / (N V_d R_k^d)``. The density itself
    has k there, which flatters small k: its mean exceeds the truth by the factor k / (k - 1).
    One search serves every k: up to a constant, ``log p = log(k - 1) - d log R_k``.
    """
    candidates = [k for k in _N_NEIGHBORS if k < min(n_train, len(X))]
    if not candidates:
        raise ValueError(
            f"knn needs 3 distinct rows in every training fold; got {min(n_train, len(X))}"
        )
    distances, _ = nearest_neighbors(X, X, candidates[-1], exclude_self=True)
    mean_log = np.log(distances).mean(axis=0)
    likelihood = [np.log(k - 1) - X.shape[1] * mean_log[k - 1] for k in candidates]
    best = candidates[int(np.argmax(likelihood))]
    among = ", ".join(map(str, candidates))
    return (
        KNeighborsDensity(n_neighbors=best),
        f"number of neighbours of the highest leave-one-out likelihood, among {among}",
    )


def choose_n_components(X, n_train, random_state):
    """Choose the number of components of the lowest Bayesian information criterion."""
    most = min(_MAX_COMPONENTS, n_train, len(X))
    candidates = [
        GaussianMixture(n_components=k, random_state=random_state) for k in range(1, most + 1)
    ]
    best = min(candidates, key=lambda density: density.fit(X).bic(X))
    return (
        GaussianMixture(n_components=best.n_components),
        f"number of components of the lowest BIC, among 1 to {most}",
    )


def _bandwidth_to_choose():
    return KernelDensity(bandwidth="loo")


def _two_neighbors():
    return KNeighborsDensity(n_neighbors=_N_NEIGHBORS[0])


MODELS = {
    "kde": Model("bandwidth", _bandwidth_to_choose, choose_kernel_density),
    "knn": Model("n_neighbors", _two_neighbors, choose_n_neighbors),
    "gmm": Model("n_components", GaussianMixture, choose_n_components),
}
