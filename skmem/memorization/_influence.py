"""Which rows made a point likely, from the fits that a scorer has made or makes again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skmem._math import difference
from skmem._random import child_seeds
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._fits import FitOptions
from skmem.cross_fitting._influence import influence_from_fits
from skmem.cross_fitting._responses import check_targets, needs_targets, score_rows


@dataclass(frozen=True)
class Training:
    """What the fits of a scorer were made from, so that they can be made again to score other points."""

    estimator: Any
    X: Any
    y: Any
    response: str
    reduction: str
    seeds: np.ndarray
    params: dict

    def fits(self, scorer, X, y, seed):
        """The CrossFit of the scorer's fits, made again to score `X` by `y`, or as it is where X is None."""
        if X is None:
            return scorer.cross_fit_
        masks = scorer.cross_fit_.train_mask
        options = FitOptions(
            X, self.response, scorer.memory, scorer.n_jobs, scorer.progress, self.params, y
        )
        seeds = child_seeds(seed, len(masks))
        return fill_scores(self.estimator, self.X, self.y, masks, seeds, options=options)


class InfluenceQuery:
    """The influence of training rows on points, for a scorer."""

    def influence(self, X=None, y=None):
        """Influence of each training row on each point.

        In the unit of the scores, nats for log-densities; positive = proponent, negative = opponent, 0 = no effect.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_points, n_features), default=None
            Points to explain; None means the training rows, for which no fit is made.
        y : array-like of shape (n_points,), default=None
            Labels or targets of the points, for classifiers and regressors; densities ignore them.

        Returns
        -------
        influence : ndarray of shape (n_samples, n_points)
            Score of the point with the row minus without it. For the training rows the diagonal is `memorization_`.

        Raises
        ------
        ValueError
            If rows that are no copies of one another were in the same fits throughout (it says how many repeats it
            takes), if `groups` left as wholes, if rows were ranked by a proxy, if leave-one-out was done by one step
            of EM, which is about each row's own score alone, if points are to be scored by labels or targets and `y`
            is not one a point, or if there is a `y` without `X`.

        Notes
        -----
        In closed form where leave-one-out was, otherwise from the fits with and without each row, as
        :func:`skmem.influence.empirical_influence` computes it. For new points those fits are made again, from the
        same seeds; `memory` keeps them.
        """
        check_is_fitted(self)
        if hasattr(self, "groups_"):
            raise ValueError(
                f"influence is that of single rows, but {len(set(self.groups_.tolist()))} groups left as wholes; fit "
                "without groups."
            )
        if self.method_ == "proxy":
            raise ValueError(
                "influence needs fits that tell rows apart, and method='proxy' makes none; use method='cross-fit'."
            )
        training = self._training
        y = _targets_of(X, y, training.response)
        if self.method_ == "leave-one-out":
            return _leave_one_out(self, training, X, y)
        fits = training.fits(self, X, y, training.seeds[3])
        return influence_from_fits(fits, training.reduction, int(training.seeds[4]))


def _targets_of(X, y, response):
    """Labels or targets to score the points `X` by; None for training rows and for densities."""
    if X is None and y is not None:
        raise ValueError("y must be None where X is None: training rows have their own.")
    if not needs_targets(response) or y is None:
        return None
    check_targets(y, response)
    check_consistent_length(X, y)
    return y


def _leave_one_out(scorer, training, X, y):
    if scorer.cross_fit_ is not None:
        fits = training.fits(scorer, X, y, training.seeds[1])
        if X is None:
            return difference(scorer.log_density_in_, fits.scores)
        trained_on = (training.X, training.y, training.params)
        whole = score_rows(scorer.estimator_, X, y, training.response, trained_on)
        return difference(whole, fits.scores)
    if not hasattr(scorer.estimator_, "leave_one_out_influence"):
        raise ValueError(
            f"influence needs a closed form or fits without each row, and leave-one-out of {scorer.estimator_!r} "
            "gives neither; use method='cross-fit', or skmem.influence.leave_one_out_influence, which refits."
        )
    return scorer.estimator_.leave_one_out_influence(training.X if X is None else X)
