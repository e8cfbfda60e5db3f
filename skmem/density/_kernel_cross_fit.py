"""Cross-fitted log-densities of kernel densities in closed form, for one bandwidth or many."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from skmem._blocks import map_blocks, row_blocks
from skmem._kernel_sums import Weighting
from skmem._sklearn import fit_context
from skmem.density._bandwidth import find_bandwidths
from skmem.density._checks import check_train_mask
from skmem.density._kernel_densities import log_kernel_densities, log_total

_FLOATS = (np.float64, np.float32)


class KernelCrossFit:
    """Fits to any training sets at once, for a kernel density."""

    @fit_context(prefer_skip_nested_validation=True)
    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        """Log-densities under a fit to every row of `train_mask`, from one pass over the distances.

        In nats; equal to refitting on ``X[mask]`` for each mask. A bandwidth that is a number is shared; "scott" and
        "silverman" are found for every fit at little cost, "loo" by a search for every fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            All rows.
        train_mask : ndarray of shape (n_fits, n_samples) of bool
            Which rows each fit is trained on.
        X_eval : array-like of shape (n_points, n_features), default=None
            Rows to score; by default X.

        Returns
        -------
        log_density : ndarray of shape (n_fits, n_points)
            Log p(x_j | fit k).

        Raises
        ------
        ValueError
            If `train_mask` is not boolean, has another width than X, or has a fit without rows.
        """
        model = clone(self)
        X = validate_data(model, X, order="C", dtype=_FLOATS)
        if X_eval is not None:
            X_eval = validate_data(model, X_eval, order="C", dtype=_FLOATS, reset=False)
        return _cross_fitted([model], X, check_train_mask(train_mask, X.shape[0]), X_eval)[0]

    def cross_fit_candidates(self, X, train_mask, candidates):
        """Log-densities of `cross_fit_score_samples` for several densities of this kind at once.

        In nats; those that differ in bandwidth alone share one pass over the distances.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            All rows, which are also those to score.
        train_mask : ndarray of shape (n_fits, n_samples) of bool
            Which rows each fit is trained on.
        candidates : list of KernelDensity
            The densities; they are left as they are.

        Returns
        -------
        log_densities : list of ndarray of shape (n_fits, n_samples)
            Log p(x_j | fit k) by each of the candidates.

        Raises
        ------
        ValueError
            If a parameter of a candidate is out of range, or as for `cross_fit_score_samples`.
        """
        for candidate in candidates:
            candidate._validate_params()
        X = validate_data(clone(self), X, order="C", dtype=_FLOATS)
        mask = check_train_mask(train_mask, X.shape[0])
        found, rest = [None] * len(candidates), list(range(len(candidates)))
        while rest:
            smoother = candidates[rest[0]]._smoother
            same = [i for i in rest if candidates[i]._smoother == smoother]
            rest = [i for i in rest if i not in same]
            scores = _cross_fitted([candidates[i] for i in same], X, mask)
            for i, log_density in zip(same, scores, strict=True):
                found[i] = log_density
        return found


def _cross_fitted(densities, X, mask, X_eval=None):
    """Log-densities (n_densities, n_fits, n_points) of densities that differ in bandwidth alone."""
    for density in densities:
        density._check_algorithm()
    smoother = kernel, *_ = densities[0]._smoother
    bandwidths = [find_bandwidths(density.bandwidth, X, mask, *smoother) for density in densities]
    weighting = Weighting(mask.astype(X.dtype), np.concatenate(bandwidths))
    shape = len(densities), len(mask), -1
    if X_eval is not None:
        return log_kernel_densities(X_eval, X, weighting, *smoother).T.reshape(shape)
    log_density = log_kernel_densities(X, X, weighting, *smoother, np.arange(len(X)))
    # A row that a fit was trained on adds its own kernel, log K(0) = 0.
    _add_own(log_density.T, -log_total(weighting, kernel, X.shape[1]), mask)
    return log_density.T.reshape(shape)


def _add_own(log_density, log_own, mask):
    """Add its own kernel to the density of each row in each fit that was trained on it, in place.

    `log_density` is (n_fits, n_rows), `log_own` (n_fits,); the fits go through the masks again and again.
    """
    which = np.arange(log_own.size) % len(mask)

    def add(fits):
        # numpy's logaddexp takes three times as long.
        part, own = log_density[fits], log_own[fits, None]
        gap = np.abs(part - own)
        both = np.log1p(np.exp(np.negative(gap, out=gap), out=gap), out=gap)
        both += np.maximum(part, own)
        np.copyto(part, both, where=mask[which[fits]])

    map_blocks(add, row_blocks(log_own.size, 8 * mask.shape[1], 2**20))
