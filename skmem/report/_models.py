"""Densities to audit data with, and how their hyper-parameter is chosen once, before any fit."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skmem._distances import nearest_neighbors
from skmem._random import child_seeds
from skmem.cross_fitting import cross_fit
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from skmem.neural._extras import require_torch
from skmem.report._choices import fewest_within_error
from skmem.report._vae_choice import choose_vae

# Candidates, about evenly spaced in their logarithm. A training row is its own first neighbour, so
# with one neighbour every training row would lie at distance 0 from "its" neighbour.
_N_NEIGHBORS = (2, 3, 5, 8, 13, 21, 34, 55)
_MAX_COMPONENTS = 10
# A component has d means and d (d + 1) / 2 covariances to estimate; with fewer rows than this times
# d + 1 a component only traces its rows.
_ROWS_PER_MEAN = 2
# Added to every variance, as a share of the mean variance of the columns.
_RELATIVE_FLOOR = 1e-3
_N_FOLDS = 5
# More rows make no choice among so few candidates any clearer.
_MAX_ROWS = 5000


@dataclass(frozen=True)
class Model:
    """A density by name: the parameter to be chosen, how few rows can be fitted, and how to choose.

    ``choose(X, n_train, random_state)`` returns an estimator for training folds of `n_train` rows
    and says in words how it was chosen; `X` holds every distinct row once. A model that scales
    columns itself is given them as they are, and its log-densities are in their units. ``require()``
    raises an ImportError that says what to install, if anything is missing. `n_repeats` of the folds
    are as many as an audit has time for.
    """

    parameter: str
    fewest_rows: int
    choose: Callable
    scales_itself: bool = False
    require: Callable = bool
    n_repeats: int = 10


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
    """Choose the fewest components within a standard error of the highest held-out likelihood.

    The likelihood on the training rows, and BIC with it, rises without bound as a component closes
    in on a few rows; held-out rows see through that. Numbers are tried upwards until the likelihood
    has fallen twice in a row. The standard error is that of the mean over rows of the difference.
    """
    n_rows = min(n_train, len(X))
    most = min(_MAX_COMPONENTS, max(1, n_rows // (_ROWS_PER_MEAN * (X.shape[1] + 1))))
    shared = {"reg_covar": _RELATIVE_FLOOR * float(X.var(axis=0).mean())}
    seed, folds_seed, subset_seed = child_seeds(random_state, 3)
    if len(X) > _MAX_ROWS:
        X = X[np.random.RandomState(subset_seed).permutation(len(X))[:_MAX_ROWS]]
    folds = KFold(_N_FOLDS, shuffle=True, random_state=int(folds_seed))
    held_out = []
    while len(held_out) < most > 1 and not _fell_twice(held_out):
        density = GaussianMixture(len(held_out) + 1, cross_fit_start="cold", **shared)
        held_out.append(_held_out_scores(density, X, folds, int(seed)))
    return (
        GaussianMixture(n_components=fewest_within_error(held_out), **shared),
        "fewest components within a standard error of the highest likelihood of held-out rows "
        f"({_N_FOLDS} folds), among 1 to {max(1, len(held_out))}; {_RELATIVE_FLOOR:g} of the mean "
        "variance is added to each",
    )


def _held_out_scores(density, X, folds, seed):
    """Log-density of each row by the fit that did not see it."""
    with warnings.catch_warnings():
        # A candidate that EM has not done with is a candidate still; the model chosen may warn.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = cross_fit(density, X, cv=folds, random_state=seed)
    return np.where(fits.train_mask, 0.0, fits.scores).sum(axis=0)


def _fell_twice(held_out):
    means = [scores.mean() for scores in held_out[-3:]]
    return len(means) == 3 and means[0] > means[1] > means[2]


MODELS = {
    "kde": Model("bandwidth", 1, choose_kernel_density),
    "knn": Model("n_neighbors", _N_NEIGHBORS[0] + 1, choose_n_neighbors),
    "gmm": Model("n_components", 2, choose_n_components),
    "vae": Model("max_epochs", 3, choose_vae, True, require_torch, n_repeats=2),
}
