"""How much each training row of a k-nearest-neighbour density raises the log-density of each point."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmem._blocks import row_blocks
from skmem.density._kth_neighbor import check_found, check_n_neighbors, neighbor_graph


class NeighborInfluence:
    """The influence of its training rows, for a k-nearest-neighbour density."""

    def leave_one_out_influence(self, X):
        """Log-density of each point minus its log-density without each training row.

        In nats; positive = the training row makes the point likelier, 0 = no effect.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points to explain; with ``metric="precomputed"`` their distances to the training rows.

        Returns
        -------
        influence : ndarray of shape (n_train, n_points)
            In the order of the rows given to `fit`. The diagonal of ``leave_one_out_influence(X_train)`` is
            ``score_samples(X_train) - leave_one_out_score_samples()``.

        Raises
        ------
        ValueError
            If fewer than `n_neighbors` + 1 rows would be left, or a point has no further neighbour to
            take the place of one that is left out.

        Notes
        -----
        Without one of the k nearest rows the next one is the k-th; without another row there is one row less:

            influence[i, j] = log((N - 1) / N) + d log(R_{k+1} / R_k)    for i among the k nearest rows of j,
            influence[i, j] = log((N - 1) / N)                           for all others.

        Where k or more rows equal the point and k is therefore raised to m, leaving out one of those takes m back
        by one: the second term of the first line is log(m / (m - 1)) then.
        """
        check_is_fitted(self)
        X, k = self._check_query(X), self.n_neighbors
        check_n_neighbors(k, self.n_samples_fit_ - 1, " but one")
        neighbors, points = self._neighbors, X
        if self.metric == "precomputed":
            neighbors = neighbor_graph(X, k)
            points = np.arange(neighbors.distances.shape[0])
        sizes = np.bincount(self._group)
        out = np.empty((X.shape[0], self.n_samples_fit_))
        base = np.log1p(-1.0 / self.n_samples_fit_)
        found = []
        for block in row_blocks(X.shape[0], 128 * (k + 2)):
            indices, gain, *reached = _gains(neighbors, points[block], sizes, k, self.n_dims_)
            _fill(out[block], self._group, indices, base, gain)
            found.append(reached)
        check_found(*np.concatenate(found, axis=1)[:, np.newaxis], k)
        return out.T


def _fill(out, group, indices, base, gain):
    """Fill `out` (n_block, n_train) with `base`, and more of it for the rows of the groups `indices`."""
    if group[-1] == len(group) - 1:  # labels in order of appearance: no two rows are equal
        out[...] = base
        np.put_along_axis(out, indices, base + gain, axis=1)
        return
    n_groups = group.max() + 1
    for block in row_blocks(len(out), 8 * n_groups):
        by_group = np.full((len(out[block]), n_groups), base)
        np.put_along_axis(by_group, indices[block], base + gain[block], axis=1)
        np.take(by_group, group, axis=1, out=out[block])


def _gains(neighbors, points, sizes, k, d):
    """What leaving out a row near each point costs it beside the base, and where: arrays (n_block, n_found).

    Besides the log-distance to the k-th nearest row and its rank, (n_block,); the first is nan where a row left out
    could not be replaced.
    """
    n_found = min(k + 2, neighbors.n_available)
    while True:
        distances, indices = neighbors.query(points, n_found)
        n_copies = np.sum(sizes[indices] * (distances == 0), axis=1)
        rank = np.where(n_copies >= k, n_copies + 1, k)
        is_inner, radius, next_radius = _radii(distances, np.cumsum(sizes[indices], axis=1), rank)
        missing = ~np.isfinite(next_radius)
        if not missing.any() or n_found == neighbors.n_available:
            break
        n_found = min(2 * n_found, neighbors.n_available)
    raised = (n_copies >= k)[:, np.newaxis] & (distances == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(raised, np.log(rank / (rank - 1))[:, np.newaxis], 0.0)
        farther = d * np.log(next_radius / radius)[:, np.newaxis]
        log_radius = np.where(missing, np.nan, np.log(radius))
    return indices, np.where(is_inner & ~raised, farther, gain), log_radius, rank


def _radii(distances, n_within, rank):
    """Which neighbours are among the first `rank` rows, and the distances of the row of that rank and of the next.

    `n_within` (n_block, n_found) counts the rows up to each neighbour; infinity where there are not so many.
    """
    padded = np.column_stack([distances, np.full(len(distances), np.inf)])
    rank = rank[:, np.newaxis]
    radius, next_radius = (
        np.take_along_axis(padded, np.sum(n_within < r, axis=1, keepdims=True), axis=1)[:, 0]
        for r in (rank, rank + 1)
    )
    return distances <= radius[:, np.newaxis], radius, next_radius
