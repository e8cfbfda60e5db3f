"""Memorization by cross-fitting: fit with and without each row, and reduce."""

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmem._random import child_seeds
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._splits import train_masks
from skmem.cross_fitting._stages import stack_stages, unstack_stages
from skmem.cross_fitting._warn import warn_user
from skmem.density import KernelDensity
from skmem.memorization._paths import MemorizationPath, cross_fitted_path
from skmem.memorization._reductions import (
    MemorizationScores,
    check_both_sides,
    fold_errors,
    memorization_score,
)

DEFAULT_REPEATS = 10
_MIN_REPEATS = 3  # a jackknife over fewer says little
_TOP_SHARE = 0.05  # of the rows, those that van den Burg & Williams call highly memorized


@dataclass(frozen=True)
class Estimate:
    """Memorization scores, also at the stages of the fits if they have any, and the fits they rest on."""

    scores: MemorizationScores
    path: MemorizationPath | None
    cross_fit: CrossFit | None
    method: str
    n_fits: int
    n_repeats: int

    def attributes(self):
        """What a fitted scorer has, by name."""
        found = vars(self) | vars(self.scores) | ({} if self.path is None else vars(self.path))
        return {f"{name}_": found[name] for name in found if name not in ("scores", "path")}


@dataclass(frozen=True)
class Design:
    """How to cross-fit: the splits, how to reduce, when to stop, and the seeds of each."""

    cv: object
    n_repeats: int
    reduction: str
    tol: float | None
    seeds: np.ndarray


def cross_fitted(estimator, X, y, groups, design, options):
    """Estimate from fits with and without each row, repeat by repeat where there is a `tol` to reach."""
    masks, n_repeats = _masks(X, y, groups, design, options.response)
    seeds = child_seeds(design.seeds[1], len(masks))
    fits = None
    for n_made in _stops(n_repeats, design.tol):
        upto, first = len(masks) // n_repeats * n_made, 0 if fits is None else fits.n_fits
        more = fill_scores(
            estimator, X, y, masks[:upto], seeds[:upto], options=options, first=first
        )
        fits = more if fits is None else _joined(fits, more)
        if n_made < n_repeats and _worst_error(fits, design) <= design.tol:
            break
    _warn_of_imprecision(fits, design, n_made)
    scores = memorization_score(
        fits.scores,
        fits.train_mask,
        reduction=design.reduction,
        response=fits.response,
        random_state=int(design.seeds[2]),
    )
    path = cross_fitted_path(fits, design.reduction, int(design.seeds[2]))
    return Estimate(scores, path, fits, fits.method, fits.n_fits, n_made)


def _masks(X, y, groups, design, response):
    """Training rows of all fits, and the number of repeats they make: one of a splitter."""
    is_int = isinstance(design.cv, Integral) and not isinstance(design.cv, bool)
    n_repeats = design.n_repeats if is_int or design.n_repeats != DEFAULT_REPEATS else 1
    masks = train_masks(
        design.cv,
        X,
        y,
        groups,
        n_repeats=n_repeats,
        stratify=response == "predict_proba",
        random_state=int(design.seeds[0]),
    )
    check_both_sides(masks)
    return masks, n_repeats


def _stops(n_repeats, tol):
    """Numbers of repeats after which to look at the standard errors."""
    return range(n_repeats if tol is None else min(_MIN_REPEATS, n_repeats), n_repeats + 1)


def _joined(fits, more):
    scores = np.concatenate([fits.scores, more.scores])
    stages, staged_scores = stack_stages(unstack_stages(fits) + unstack_stages(more), scores)
    return replace(
        fits,
        train_mask=np.concatenate([fits.train_mask, more.train_mask]),
        scores=scores,
        stages=stages,
        staged_scores=staged_scores,
    )


def _worst_error(fits, design):
    """Largest standard error of the highest scores that have one: none that is infinite, or nearly so, has."""
    memorization, error = fold_errors(fits, design.reduction)
    known = np.flatnonzero(np.isfinite(memorization) & np.isfinite(error))
    top = known[np.argsort(memorization[known])[-math.ceil(_TOP_SHARE * len(memorization)) :]]
    return np.max(error[top], initial=0.0)


def _warn_of_imprecision(fits, design, n_repeats):
    """Warn of a `tol` that all repeats could not reach; a single one cannot tell."""
    if design.tol is not None and n_repeats > 1 and _worst_error(fits, design) > design.tol:
        warn_user(
            f"tol={design.tol} was not reached in n_repeats={n_repeats}: standard errors of the highest scores are "
            f"up to {_worst_error(fits, design):.3g}. Allow more repeats.",
            ConvergenceWarning,
        )


def default_density(X, **params):
    """Kernel density of the highest leave-one-out likelihood, its bandwidth a number; `params` are those of `fit`."""
    return KernelDensity(bandwidth=KernelDensity(bandwidth="loo").fit(X, **params).bandwidth_)
