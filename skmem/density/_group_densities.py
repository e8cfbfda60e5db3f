"""Leave-one-group-out log-densities in closed form: a row's copies leave with it."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.validation import check_is_fitted

from skmem._base import BaseDensity
from skmem._blocks import map_blocks, row_blocks
from skmem._kernel_sums import PairwiseDistances
from skmem._math import log_unit_ball_volume
from skmem.density._checks import check_groups
from skmem.density._kth_neighbor import check_found, count_members, kth_neighbors


class _GroupDensity(BaseDensity):
    """A density that also tells how likely each training row is without its group."""

    def leave_one_group_out_score_samples(self, groups):
        """Log-density of each training row by all rows outside its group, without refitting.

        In nats; ``score_samples`` on the training rows minus this is their memorization together with
        the rows of their group. What `fit` found from the rows stays as fitted.

        Parameters
        ----------
        groups : array-like of shape (n_samples,)
            Label of the group of each training row, such as `skmem.copying.find_duplicates` gives.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x_i | all rows outside the group of row i).

        Raises
        ------
        ValueError
            If there is not one label for each training row, or too few rows are outside a group.
        """
        check_is_fitted(self)
        groups = check_groups(groups, self._n_rows)
        log_density = self.leave_one_out_score_samples()
        rows = np.flatnonzero(np.bincount(groups)[groups] > 1)
        if rows.size:
            log_density[rows] = self._without_groups(rows, groups)
        return log_density


class KernelGroups(_GroupDensity):
    """Leave-one-group-out of a kernel density: the kernels of the group are left out of the sum."""

    @property
    def _n_rows(self):
        return len(self._fit_X)

    def _without_groups(self, rows, groups):
        """Log-densities of `rows`, each in a group of several."""
        X, weights, kernel, h = self._fit_X, self._fit_weights, self._smoother[0], self.bandwidth_
        outside = weights.sum() - np.bincount(groups, weights)[groups[rows]]
        n_outside = np.sum(weights > 0) - np.bincount(groups, weights > 0)[groups[rows]]
        if n_outside.min() < 1:
            raise ValueError("groups must leave a row of positive weight outside every group.")
        distances = PairwiseDistances(X, *self._smoother[1:], h**2 if kernel.smooth else None)
        log_sums = np.empty(rows.size)

        def fill(block):
            squared = distances(X[rows[block]])
            squared[groups[rows[block], None] == groups] = np.inf
            log_kernel = kernel.log_profile(np.multiply(squared, 1.0 / h**2, out=squared))
            log_sums[block] = logsumexp(log_kernel.astype(np.float64), axis=1, b=weights)

        map_blocks(fill, row_blocks(rows.size, 40 * len(X)))
        d = X.shape[1]
        return log_sums - np.log(outside) - kernel.log_normalizer(d) - d * np.log(h)


class NeighborGroups(_GroupDensity):
    """Leave-one-group-out of a k-nearest-neighbour density: neighbours in the group do not count."""

    @property
    def _n_rows(self):
        return self.n_samples_fit_

    def _without_groups(self, rows, groups):
        """Log-densities of `rows`, each in a group of several."""
        k, d = self.n_neighbors, self.n_dims_
        largest = np.bincount(groups).max()
        if self._n_rows - largest < k:
            raise ValueError(
                f"groups must leave n_neighbors={k} rows outside every group, got a group of {largest} "
                f"of {self._n_rows} rows."
            )
        log_radius, rank = np.empty((1, rows.size)), np.empty((1, rows.size), dtype=np.intp)
        members = count_members(np.ones((1, self._n_rows), dtype=bool), self._group).astype(int)
        order = np.argsort(groups[rows], kind="stable")
        for own in np.split(order, np.flatnonzero(np.diff(groups[rows][order])) + 1):
            np.subtract.at(members, self._group[rows[own]], 1)
            log_radius[:, own], rank[:, own] = self._kth_neighbors(rows[own], members)
            np.add.at(members, self._group[rows[own]], 1)
        check_found(log_radius, rank, k)
        n_outside = self._n_rows - np.bincount(groups)[groups[rows]]
        return np.log(rank[0] / n_outside) - d * log_radius[0] - log_unit_ball_volume(d)

    def _kth_neighbors(self, rows, members):
        """Log-distance and rank of the neighbour of each row that sets its density, by `members`."""
        neighbors, points = self._neighbors, self._group[rows]
        if self.metric != "precomputed":
            points = neighbors.X[points]

        def search(which, m):
            return neighbors.query(points[which], m)

        sizes = len(rows), neighbors.n_available
        return kth_neighbors(search, *sizes, members, self.n_neighbors)
