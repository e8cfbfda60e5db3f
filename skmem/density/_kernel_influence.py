"""How much each training row of a kernel density raises the log-density of each point, in closed form."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.validation import check_is_fitted

from skmem._blocks import map_blocks, row_blocks
from skmem._kernel_sums import PairwiseDistances
from skmem._kernels import KERNELS

# Below it four terms of the series of -log(1 - t) are right to 2e-13 of it.
_SMALL = 1e-3
_BLOCK_BYTES = 2**22


class KernelInfluence:
    """The influence of its training rows, for a kernel density."""

    def leave_one_out_influence(self, X):
        """Log-density of each point minus its log-density without each training row.

        In nats; positive = the training row makes the point likelier, 0 = no effect; inf where it alone does.

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
            If no other row of positive weight would be left.

        Notes
        -----
        With t_ij the share of the density of point j that the kernel of row i makes up,

            influence[i, j] = log(1 - w_i / sum(w)) - log(1 - t_ij).

        The bandwidth stays the fitted one. A point of density zero has influences of zero: no row could lower it.
        """
        check_is_fitted(self)
        X, weights = self._check_query(X), self._fit_weights
        n_rows = np.count_nonzero(weights)
        if n_rows < 2:
            raise ValueError(f"X must have at least 2 rows of positive weight, got {n_rows}.")
        kernel = KERNELS[self.kernel]
        resolution = self.bandwidth_**2 if kernel.smooth else None
        distances = PairwiseDistances(self._fit_X, self.metric, self.metric_params, resolution)
        with np.errstate(divide="ignore"):
            log_weights = None if (weights == 1).all() else np.log(weights)

        def log_terms(block):
            u = distances(X[block])
            log_kernel = kernel.log_profile(np.multiply(u, 1.0 / self.bandwidth_**2, out=u))
            return log_kernel if log_weights is None else log_kernel + log_weights

        # Each block reads all training rows, which pays for larger blocks of many columns.
        most_bytes = _BLOCK_BYTES * max(1, X.shape[1] // 128)
        blocks = row_blocks(len(X), 16 * len(weights), most_bytes)
        return kernel_influence(log_terms, blocks, (len(X), len(weights)), log_remaining(weights))


def log_remaining(weights):
    """Log of the share of all weight that is left without each row, (n_train,)."""
    total = weights.sum()
    rest = total - weights
    top = np.argmax(
        weights
    )  # the one row that may weigh more than all others, which rounding would lose
    rest[top] = np.delete(weights, top).sum()
    return np.log(rest / total)


def kernel_influence(log_terms, blocks, shape, log_left):
    """Influence (n_train, n_points) where a density is a sum over training rows.

    ``log_terms(block)`` are the logs of the terms of a block of points, a new array (n_block, n_train); `blocks`
    cover the points, `shape` is (n_points, n_train), and `log_left` (n_train,) is what dividing by fewer rows does.
    """
    out = np.empty(shape)

    def fill(block):
        terms = log_terms(block)
        top = terms.max(axis=1)
        heaviest = np.argmax(terms, axis=1)
        top[np.isneginf(top)] = 0.0
        share = np.exp(np.subtract(terms, top[:, np.newaxis], out=out[block]), out=out[block])
        total = share.sum(axis=1)
        share /= np.where(total > 0, total, 1.0)[:, np.newaxis]
        # Of each point at most one row has more than half; 1 - t would round there.
        most = np.flatnonzero(share[np.arange(len(share)), heaviest] > 0.5)
        place = most, heaviest[most]
        share[place] = 0.0
        _minus_log1p_negative(share)
        terms[place] = -np.inf
        share[place] = np.log(total[most]) + top[most] - logsumexp(terms[most], axis=1)
        share += log_left
        share[total == 0] = 0.0

    map_blocks(fill, blocks)
    return out.T


def _minus_log1p_negative(t):
    """``-log(1 - t)`` in place, of which most are nearly zero in a sum of many kernels."""
    large = np.flatnonzero(t > _SMALL)
    exact = -np.log1p(-t.ravel()[large])
    series = t * 0.25
    for coefficient in (1 / 3, 0.5, 1.0):
        series += coefficient
        series *= t
    t[...] = series
    t.ravel()[large] = exact
