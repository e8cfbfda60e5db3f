"""Which training rows matter to which rows: boxes of a tree, far ones left out where they are negligible."""

from functools import partial

import numpy as np
from scipy.special import logsumexp
from sklearn.neighbors import KDTree

from skmem._blocks import row_blocks

_LEAF_ROWS = 128
_MAX_DIMS = 8  # boxes of more dimensions are all near one another
_MIN_PAIRS = 2**24  # below it all pairs cost less than the plan
_NEGLIGIBLE = 1e-9  # of a row's own sum


class _Boxes:
    """Leaves of a k-d tree: the rows of each, and the box they fill."""

    def __init__(self, X):
        _, order, nodes, bounds = (np.asarray(a) for a in KDTree(X, _LEAF_ROWS).get_arrays())
        leaves = np.flatnonzero(nodes["is_leaf"])
        self.rows = [order[nodes["idx_start"][i] : nodes["idx_end"][i]] for i in leaves]
        self.low, self.high = bounds[:, leaves]

    def rows_of(self, boxes):
        """Rows in these boxes, in order."""
        return np.sort(np.concatenate([self.rows[i] for i in boxes]))

    def sums(self, weights):
        """Sum of the weights (n_fits, n_rows) in each box, (n_fits, n_boxes)."""
        order = np.concatenate(self.rows)
        starts = np.cumsum([0, *(rows.size for rows in self.rows[:-1])])
        return np.add.reduceat(weights[:, order], starts, axis=1)

    def squared_range(self, low, high):
        """Least and greatest squared distance from each box to another box."""
        gap = np.maximum(np.maximum(self.low - high, low - self.high), 0.0)
        reach = np.maximum(self.high - low, high - self.low)
        return np.sum(gap**2, axis=1), np.sum(reach**2, axis=1)


def plan_pairs(X, X_train, kernel, weighting, own=None):
    """Pairs (rows, columns) for `log_kernel_sums` without negligible kernels, or None where all are better taken.

    The columns are functions without arguments that give them.

    Boxes of training rows are left out of the sums of a box of rows when the most they can add is less than 1e-9 of
    the least that all boxes add. Around an isolated row that least is little, so nothing is left out.
    """
    n_pairs = X.shape[0] * X_train.shape[0]
    if X.shape[1] > _MAX_DIMS or n_pairs < _MIN_PAIRS:
        return None
    train = _Boxes(X_train)
    queries = train if X is X_train else _Boxes(X)
    bounds = _weight_bounds(train, weighting, own)
    sizes = np.array([rows.size for rows in train.rows])
    plan, n_kept = [], 0
    for rows, low, high in zip(queries.rows, queries.low, queries.high, strict=True):
        near = _near_boxes(*train.squared_range(low, high), kernel, bounds)
        n_kept += rows.size * sizes[near].sum()
        if n_kept > n_pairs / 2:
            return None
        # Boxes, not the rows in them: those would be a fixed share of all pairs, held at once.
        columns = partial(train.rows_of, np.flatnonzero(near).astype(np.int32))
        blocks = row_blocks(rows.size, sizes[near].sum() * X.dtype.itemsize)
        plan += [(rows[block], columns) for block in blocks]
    return plan


def _weight_bounds(train, weighting, own):
    """For each bandwidth, the log of the most and of the least weight that a fit has in each box.

    Where a row's own kernel is left out of its sum, each box may lack its heaviest row.
    """
    bounds = []
    for h, _, which in weighting.groups():
        weights = weighting.weights[which].astype(np.float64)
        sums = train.sums(weights)
        least = sums.min(axis=0)
        if own is not None:
            least = least - np.array([weights[:, rows].max() for rows in train.rows])
        with np.errstate(divide="ignore"):
            bounds.append((h, np.log(sums.max(axis=0)), np.log(np.maximum(least, 0.0))))
    return bounds


def _near_boxes(least, greatest, kernel, bounds):
    """Which training boxes are not negligible at these squared distances, for any of the bandwidths."""
    near = np.zeros(least.size, dtype=bool)
    for h, log_most, log_least in bounds:
        most = log_most + kernel.log_profile(least / h**2)
        total = logsumexp(log_least + kernel.log_profile(greatest / h**2))
        order = np.argsort(most)
        with np.errstate(over="ignore", invalid="ignore"):
            added = np.cumsum(np.exp(np.minimum(most[order] - total, 700.0)))
        near[order[~(added <= _NEGLIGIBLE) & (most[order] > -np.inf)]] = True
    return near
