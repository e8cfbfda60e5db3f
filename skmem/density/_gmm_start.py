"""Runs of EM: starts drawn as scikit-learn draws them, the best of several, and warm ones for cross-fitting."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skmem._sklearn import check_mixture_parameters
from skmem.density._em import (
    Mixture,
    Options,
    component_mass,
    e_step,
    lacks_rows,
    log_density,
    moments,
    precision_cholesky,
    regularize,
    run_em,
)


def best_run(estimator, X, sample_weight):
    """Run EM from the `n_init` starts that `estimator` asks for, or on from its last fit; return the best."""
    options = Options.of(estimator)
    model = clone(estimator)  # for the check replaces parameters
    check_mixture_parameters(model, X)
    go_on = estimator.warm_start and hasattr(estimator, "converged_")
    previous = estimator.lower_bound_ if go_on else -np.inf
    random_state = check_random_state(estimator.random_state)
    report = estimator._print_verbose_msg_iter_end
    best = None
    for init in range(1 if go_on else estimator.n_init):
        estimator._print_verbose_msg_init_beg(init)
        start = (
            fitted_mixture(estimator)
            if go_on
            else draw_start(model, X, sample_weight, random_state)
        )
        run = run_em(X, sample_weight, start, options, previous=previous, report=report)
        estimator._print_verbose_msg_init_end(run.lower_bound, run.converged)
        if best is None or run.lower_bound > best.lower_bound:
            best = run
    if best.mass is None:
        best = best._replace(mass=component_mass(e_step(X, best.mixture)[1], sample_weight))
    return best


def fitted_mixture(estimator):
    """Parameters of a fitted mixture as one tuple."""
    return Mixture(*estimator._get_parameters(), estimator.covariance_type)


def draw_start(model, X, sample_weight, random_state):
    """Draw the start that `model` asks for: its ``*_init`` and, where they are None, `init_params`."""
    kind = model.covariance_type
    weights, means, precisions = model.weights_init, model.means_init, model.precisions_init
    covariances = None if precisions is None else _inverse(precisions, kind)
    if any(given is None for given in (weights, means, precisions)):
        responsibilities = initial_responsibilities(
            X, sample_weight, model.n_components, model.init_params, random_state
        )
        mass = responsibilities * sample_weight[:, np.newaxis]
        # to the letter scikit-learn's: a start at single rows has no variance, so even rounding shows
        totals = mass.sum(axis=0) + 10 * np.finfo(mass.dtype).eps
        drawn = moments(X, sample_weight, mass, totals, kind)
        weights = totals / len(X) if weights is None else weights
        means = drawn[0] if means is None else means
        if covariances is None:
            covariances = regularize(drawn[1], model.reg_covar, kind)
    return Mixture(weights, means, covariances, precision_cholesky(covariances, kind), kind)


def _inverse(precisions, covariance_type):
    return np.linalg.inv(precisions) if covariance_type in ("full", "tied") else 1 / precisions


def initial_responsibilities(X, sample_weight, n_components, init_params, random_state):
    """Responsibilities (n, n_components) to begin with; equal weights draw the same numbers as scikit-learn.

    Rows picked as centres get mass one whatever their weight, as one of several equal rows would.
    """
    n_samples = len(X)
    if init_params == "random":
        out = random_state.uniform(size=(n_samples, n_components)).astype(X.dtype, copy=False)
        return out / out.sum(axis=1, keepdims=True)
    out = np.zeros((n_samples, n_components), dtype=X.dtype)
    if init_params == "kmeans":
        kmeans = KMeans(n_clusters=n_components, n_init=1, random_state=random_state)
        out[np.arange(n_samples), kmeans.fit(X, sample_weight=sample_weight).labels_] = 1
        return out
    if init_params == "k-means++":
        _, chosen = kmeans_plusplus(
            X, n_components, sample_weight=sample_weight, random_state=random_state
        )
    else:
        equal = np.ptp(sample_weight) == 0
        p = None if equal else sample_weight / sample_weight.sum(dtype=np.float64)
        chosen = random_state.choice(n_samples, size=n_components, replace=False, p=p)
    out[chosen, np.arange(n_components)] = 1 / sample_weight[chosen]
    return out


def starts_warm(estimator):
    """Whether the fits of a cross-fit go on from the fit to all rows."""
    # Without an iteration a warm fit would be the full fit, which saw the held-out rows.
    return estimator.cross_fit_start == "warm" and estimator.max_iter != 0


def warm_scores(X, X_eval, start, options, squares, train):
    """Scores of one fit to the rows `train` of `X` that begins at `start`, and whether it converged.

    Rows held out weigh nothing, so that all fits share the `squares` of `X`.
    """
    run = run_em(X, train.astype(X.dtype), start, options, squares=squares)
    weights = run.mixture.weights
    # a component whose rows are all held out scores nothing, as in a cold fit
    empty = lacks_rows(weights * train.sum(dtype=weights.dtype))
    mixture = run.mixture._replace(weights=np.where(empty, 0, weights))
    if X_eval is X and squares is not None:
        return e_step(X, mixture, squares)[0], run.converged
    return log_density(X_eval, mixture), run.converged


def check_n_rows(n_rows, n_components, where):
    if n_rows < max(2, n_components):
        raise ValueError(
            f"Expected n_samples >= n_components and n_samples >= 2 in {where} "
            f"but got n_components = {n_components}, n_samples = {n_rows}"
        )


def warn_not_converged(what):
    message = (
        f"{what} did not converge. Try different init parameters, or increase max_iter, tol, or "
        "check for degenerate data."
    )
    warnings.warn(message, ConvergenceWarning, stacklevel=3)
