"""Tell the user of a density known to be wrong by how much it is wrong on their data."""

import numpy as np
from sklearn.base import clone
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import Pipeline

from skmem._math import difference
from skmem._sklearn import safe_indexing
from skmem.cross_fitting._fits import fit_rows
from skmem.cross_fitting._threads import single_thread
from skmem.cross_fitting._warn import warn_user
from skmem.density import TransformedDensity

_N_ROWS = 200
_ENOUGH = 10  # held-out rows, and fits to take them from
_TOLERANCE = 1e-3


def density_step(estimator):
    """Return the density that scores the rows: past the transformers and searches around it."""
    while True:
        if isinstance(estimator, Pipeline):
            inner = estimator.steps[-1][1]
        elif isinstance(estimator, TransformedDensity):
            inner = getattr(estimator, "density_", estimator.density)
        else:
            names = ("best_estimator_", "estimator_", "estimator")
            inner = next((getattr(estimator, n) for n in names if hasattr(estimator, n)), None)
        if inner is None:
            return estimator
        estimator = inner


def warn_of_defects(job, train_mask, seeds):
    """Warn if scikit-learn's KernelDensity gives wrong log-densities to held-out rows.

    The size is measured: the same fit, scored through the tree it grew and through a tree of one
    leaf, which sums over all training rows. It costs one fit, or a few that hold out a row each.
    """
    suspect = type(density_step(job.estimator)) is KernelDensity
    if not suspect or job.response != "score_samples":
        return
    errors = []
    for fit in range(min(len(train_mask), _ENOUGH)):
        errors.extend(_held_out_errors(job, fit, train_mask[fit], seeds[fit]))
        if len(errors) >= _ENOUGH:
            break
    n_wrong = sum(error > _TOLERANCE for error in errors)
    if n_wrong:
        warn_user(
            "scikit-learn's KernelDensity is wrong on held-out rows: the tree stops its sum early "
            "(scikit-learn #7492, #25799, #27186). On this data, in the first "
            f"{'fit' if fit == 0 else f'{fit + 1} fits'}, {n_wrong} of {len(errors)} held-out "
            f"rows wrong by more than {_TOLERANCE:g} nats, up to {max(errors):.3g} nats. Use "
            "skmem.density.KernelDensity (same arguments), or leaf_size >= n_samples."
        )


def _held_out_errors(job, fit, mask, seed):
    """Absolute errors in nats of some rows held out of a fit, evenly spread over all."""
    held_out = np.flatnonzero(~mask)
    if not held_out.size:
        return []
    spread = np.linspace(0, len(held_out) - 1, min(len(held_out), _N_ROWS)).astype(int)
    with single_thread():
        fitted = fit_rows(job, fit, np.flatnonzero(mask), seed)
        return _tree_errors(fitted, safe_indexing(job.X, held_out[spread]))


def _tree_errors(fitted, rows):
    """Absolute error in nats of each row's log-density; exchanges the tree inside `fitted`."""
    density = density_step(fitted)
    if type(density) is not KernelDensity or not hasattr(density, "tree_"):
        return np.zeros(0)
    data = np.asarray(density.tree_.data)
    if density.leaf_size >= len(data):
        return np.zeros(0)
    by_tree = fitted.score_samples(rows)
    density.tree_ = clone(density).set_params(leaf_size=len(data)).fit(data).tree_
    return np.abs(difference(by_tree, fitted.score_samples(rows)))
