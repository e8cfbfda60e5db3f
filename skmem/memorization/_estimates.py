"""Memorization by cross-fitting: fit with and without each row, and reduce."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmem._random import child_seeds
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._sides import check_both_sides
from skmem.cross_fitting._splits import is_fold_number, repeats_of, train_masks
from skmem.cross_fitting._stages import stack_stages, unstack_stages
from skmem.cross_fitting._warn import warn_user
from skmem.density import KernelDensity
from skmem.memorization._paths import PATH_ATTRIBUTES, MemorizationPath, cross_fitted_path
from skmem.memorization._reductions import (
    MemorizationScores,
    fold_errors,
    memorization_score,
)

DEFAULT_REPEATS = 10
_MIN_REPEATS = 3  # a jackknife over fewer says little
_TOP_SHARE = 0.05  # of the rows, those that van den Burg & Williams call highly memorized


# What only some fits leave behind.
EXTRA_ATTRIBUTES = (*PATH_ATTRIBUTES, "groups_", "row_memorization_", "proxy_")


@dataclass(frozen=True)
class RowScores:
    """Beside the scores of rows left out with their groups, those of rows left out alone, in nats."""

    groups: np.ndarray
    row_memorization: np.ndarray


@dataclass(frozen=True)
class Estimate:
    """Memorization scores, also at the stages of the fits if they have any, and the fits they rest on.

    `extra` is a record of what only some methods find.
    """

    scores: MemorizationScores
    path: MemorizationPath | None
    cross_fit: CrossFit | None
    method: str
    n_fits: int
    n_repeats: int
    extra: Any = None

    def attributes(self):
        """What a fitted scorer has, by name."""
        found = vars(self).copy()
        for part in (found.pop(name) for name in ("scores", "path", "extra")):
            found |= {} if part is None else vars(part)
        return {f"{name}_": value for name, value in found.items()}


@dataclass(frozen=True)
class Design:
    """How to cross-fit: the splits, how to reduce, when to stop, and the seeds of each."""

    cv: object
    n_repeats: int
    reduction: str
    tol: float | None
    seeds: np.ndarray

    @property
    def is_k_fold(self):
        """Whether `cv` is the number of folds, and no splitter."""
        return is_fold_number(self.cv)


def with_row_scores(score, groups):
    """Estimate of ``score(groups=groups)``; with groups also how each row would score if its group stayed."""
    estimate = score(groups=groups)
    if groups is None:
        return estimate
    row_scores = RowScores(np.asarray(groups), score(groups=None).scores.memorization)
    return replace(estimate, extra=row_scores)


def cross_fitted(estimator, X, y, design, options, groups):
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
    n_repeats = repeats_of(design.cv, design.n_repeats, DEFAULT_REPEATS)
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
