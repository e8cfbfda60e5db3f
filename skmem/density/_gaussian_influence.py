"""How much each training row of one Gaussian raises the log-density of each point, by rank-one downdates."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._blocks import map_blocks, row_blocks

_EPS = np.finfo(np.float64).eps


class GaussianInfluence:
    """The influence of its training rows, for a mixture of one component."""

    @available_if(lambda mixture: mixture.leave_one_out_is_exact)
    def leave_one_out_influence(self, X):
        """Log-density of each point minus its log-density without each training row.

        In nats; positive = the training row makes the point likelier, 0 = no effect.

        There with one component alone; of more components there is no closed form.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points to explain.

        Returns
        -------
        influence : ndarray of shape (n_train, n_points)
            In the order of the rows given to `fit`. The diagonal of ``leave_one_out_influence(X_train)`` is
            ``score_samples(X_train) - leave_one_out_score_samples()``.

        Raises
        ------
        ValueError
            If fewer than two rows of positive weight would be left, or next to no weight.

        Notes
        -----
        The rank-one updates of :meth:`leave_one_out_score_samples`; refits would give the same.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        mass = self._fit_mass[:, 0].astype(np.float64)
        n_rows = np.count_nonzero(mass)
        if n_rows < 3 or mass.max() > (1 - np.sqrt(_EPS)) * mass.sum():
            raise ValueError(
                "X must have at least 3 rows of positive weight, none with all of it to rounding, "
                f"got {n_rows} and {mass.max() / mass.sum():g} of the weight in one."
            )
        kind = self.covariance_type
        covariance = np.asarray(self.covariances_ if kind == "tied" else self.covariances_[0])
        scatter = mass.sum() * (covariance - self.reg_covar * _unit(kind, X.shape[1]))
        mean = self.means_[0].astype(np.float64)
        rows, points = self._fit_X - mean, X - mean
        if kind in ("full", "tied"):
            scatter, axes = np.linalg.eigh(scatter)
            rows, points = rows @ axes, points @ axes
        return gaussian_influence(rows, points, mass, scatter, self.reg_covar, kind)


def _unit(covariance_type, n_features):
    """What `reg_covar` is added along: all variances."""
    return np.eye(n_features) if covariance_type in ("full", "tied") else 1.0


def gaussian_influence(rows, points, mass, scatter, reg_covar, covariance_type):
    """Influence (n_train, n_points) of rows of some `mass` (n_train,) on points, both about the mean of all rows.

    `scatter` holds the sums of squares along the axes, which for "full" and "tied" are the principal ones.

    Without row d of mass a the mean is ``-(a / N') d``, so the point u is at v = u + (a / N') d from it, and

        -2 log p(u) = v' P v + c (d' P v)^2 - log det P + const,

    P diagonal: one matrix product for ``u' P u`` and one for ``d' P u`` give it for all pairs. The last row is one
    of no mass, the fit to all rows.
    """
    rows, mass = np.vstack([rows, np.zeros(rows.shape[1])]), np.append(mass, 0.0)
    left = mass.sum() - mass
    downdate = _rank_one if covariance_type in ("full", "tied") else _axis_aligned
    precisions, factor, log_det = downdate(rows, mass, left, scatter, reg_covar)
    shift = mass / left
    projection = rows * precisions
    own = np.sum(projection * rows, axis=1)
    out = np.empty((len(points), len(mass) - 1))

    def fill(block):
        cross = points[block] @ projection.T
        distance = points[block] ** 2 @ precisions.T
        distance += shift * (2 * cross + shift * own)
        distance += factor * (cross + shift * own) ** 2
        distance += log_det
        np.subtract(distance[:, :-1], distance[:, -1:], out=out[block])
        out[block] *= 0.5

    map_blocks(fill, row_blocks(len(points), 32 * len(mass)))
    return out.T


def _rank_one(rows, mass, left, scatter, reg_covar):
    # N' Sigma' = A - b d d' with A = S + N' reg diagonal, b = a N / N': its inverse by Sherman and Morrison's
    # formula, its determinant by the lemma; what rounding would leave of a vanishing one is bounded by eps.
    a = np.maximum(scatter + reg_covar * left[:, np.newaxis], _EPS * scatter.max())
    precisions = left[:, np.newaxis] / a
    beta = mass * (mass.sum() / left)
    kept = np.maximum(1.0 - beta * np.sum(rows**2 / a, axis=1), _EPS)
    log_det = np.log(kept) - np.sum(np.log(precisions), axis=1)
    return precisions, beta / (left * kept), log_det


def _axis_aligned(rows, mass, left, scatter, reg_covar):
    # One variance per column or (a number) one for all, that of the mean squared deviation.
    squares = rows**2 if np.ndim(scatter) else np.mean(rows**2, axis=1, keepdims=True)
    beta = mass * (mass.sum() / left)
    variances = (scatter - beta[:, np.newaxis] * squares) / left[:, np.newaxis] + reg_covar
    variances = np.maximum(variances, _EPS * (scatter / mass.sum() + reg_covar))
    precisions = np.broadcast_to(1.0 / variances, rows.shape)
    return precisions, np.zeros(len(rows)), -np.sum(np.log(precisions), axis=1)
