"""Nearest rows and shared balls of two whole tables, from blocks of all distances between them.

A block of rough distances only selects. Every distance that is returned or compared with a radius is
measured anew in float64 from differences.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches

from skmem._blocks import map_blocks, row_blocks
from skmem._distances import NeighborIndex

# A block of rough distances, 4 MiB of float32, stays in the caches.
_ROWS, _COLUMNS = 256, 4096
# The minimum of so many distances is looked at before they are.
_GROUP = 16
# Groups looked into beyond those needed, so that rounding seldom asks for another search.
_MARGIN = 3
# Up to so many columns a tree is far faster than all distances.
_TREE_COLUMNS = 6
# Below this, squares of float32 have no relative precision.
_TINY = 1e-36


class Nearest(NamedTuple):
    """What a search found, for each row of the first table."""

    distances: np.ndarray  # (n_rows, n_neighbors), ascending
    indices: np.ndarray  # (n_rows, n_neighbors), rows of the second table
    n_balls: np.ndarray  # (n_rows,), weight of the second table's balls that hold the row


class EuclideanPairs:
    """Rows `X` against rows `Y`; rough distances are squares in float32, by one matrix product.

    They are those of centred rows in units of the largest norm, so that nothing overflows.
    """

    dtype = np.float32

    def __init__(self, X, Y):
        self.X, self.Y = X, Y
        centre = Y.mean(axis=0)
        x, y = X - centre, Y - centre
        self.unit = max(np.linalg.norm(x, axis=1).max(), np.linalg.norm(y, axis=1).max()) or 1.0
        x, y = x / self.unit, y / self.unit
        self.x_norms, self.y_norms = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
        # |x|^2 + |y|^2 - 2 x.y as the product of (x, 1, |x|^2) and (-2 y, |y|^2, 1); |y| is infinite for padding.
        self.left = np.column_stack([x, np.ones(len(x)), self.x_norms**2]).astype(np.float32)
        self.right = np.zeros((x.shape[1] + 2, _padded(len(y))), dtype=np.float32)
        self.right[:-2, : len(y)] = -2 * y.T
        self.right[-2] = np.inf
        self.right[-2, : len(y)] = self.y_norms**2
        self.right[-1] = 1
        self.tree = X.shape[1] <= _TREE_COLUMNS

    def rough(self, rows, columns, buffer):
        """Write the rough distances of a block of rows to a block of columns into `buffer`."""
        shape = rows.stop - rows.start, columns.stop - columns.start
        out = buffer[: shape[0] * shape[1]].reshape(shape)
        return np.matmul(self.left[rows], self.right[:, columns], out=out)

    def bounds(self, norms, distances):
        """Rough values below and above which a pair is surely nearer or farther than `distances`.

        `norms` are those of one row of the pair, so the other's is at most ``norms + distances``.
        """
        r = distances / self.unit
        slack = 4 * (self.X.shape[1] + 4) * np.finfo(np.float32).eps * (2 * norms + r) ** 2 + _TINY
        return r**2 - slack, r**2 + slack

    def exact(self, rows, columns):
        """Distances of the `rows` (n,) to the `columns` (n, m), measured from differences."""
        gap = self.Y[columns]
        gap -= self.X[rows][:, None]
        return np.sqrt(np.einsum("ijk,ijk->ij", gap, gap))

    def search(self, rows, n_neighbors, exclude_self):
        """Search for `rows` where rough distances cannot tell, or need not be computed."""
        algorithm = "kd_tree" if self.tree else "brute"
        index = NeighborIndex(self.Y, algorithm=algorithm)
        return index.query(self.X[rows], n_neighbors, rows if exclude_self else None)


class GowerPairs:
    """Rows `X` against rows `Y`: the mean over columns of scaled differences and of mismatches.

    The first `n_numeric` columns hold scaled numbers, the others codes of categories.
    """

    tree, dtype = False, np.float64

    def __init__(self, X, Y, n_numeric):
        self.X, self.Y, self.n_numeric = X, Y, n_numeric
        self.x_norms, self.y_norms = np.zeros(len(X)), np.zeros(len(Y))

    def rough(self, rows, columns, buffer):
        """As those of `EuclideanPairs`, but sums of differences, without cancellation."""
        x, y, k = self.X[rows], self.Y[columns], self.n_numeric
        total = np.full((len(x), columns.stop - columns.start), np.inf)
        total[:, : len(y)] = cdist(x[:, :k], y[:, :k], "cityblock") if k else 0.0
        for j in range(k, x.shape[1]):
            total[:, : len(y)] += x[:, j, None] != y[:, j]
        return total

    def bounds(self, norms, distances):
        """As those of `EuclideanPairs`."""
        total = distances * self.X.shape[1]
        slack = 4 * self.X.shape[1] * np.finfo(np.float64).eps * total
        return total - slack, total + slack

    def exact(self, rows, columns):
        """Distances of the `rows` (n,) to the `columns` (n, m)."""
        x, y, k = self.X[rows][:, None], self.Y[columns], self.n_numeric
        total = np.abs(y[..., :k] - x[..., :k]).sum(axis=2)
        total += (y[..., k:] != x[..., k:]).sum(axis=2)
        return total / self.X.shape[1]


def nearest_in_blocks(pairs, n_neighbors, *, exclude_self=False, radii=None, weights=None):
    """Find the nearest rows of the second table to every row of the first, and the balls it is in.

    In the unit of the distances; a copy is at distance 0 exactly.

    Parameters
    ----------
    pairs : EuclideanPairs or GowerPairs
        The two tables.
    n_neighbors : int
        Neighbours of each row, at most as many as the second table has, less one with `exclude_self`.
    exclude_self : bool, default=False
        Whether both tables are the same, and row i no neighbour of itself.
    radii : array of shape (n_columns,), default=None
        Radii of closed balls around the rows of the second table.
    weights : array of shape (n_columns,), default=None
        What a ball counts; None is 1 each.

    Returns
    -------
    found : Nearest
        Neighbours sorted by distance, equal ones by index; which of several at the very distance
        of the last place are returned is not specified. Without `radii`, ``n_balls`` is 0.
    """
    n_rows = len(pairs.X)
    if pairs.tree and radii is None:
        return Nearest(
            *pairs.search(np.arange(n_rows), n_neighbors, exclude_self), np.zeros(n_rows)
        )
    balls = None if radii is None else _Balls(pairs, radii, weights)
    body = partial(_search_rows, pairs, n_neighbors, exclude_self, balls)
    found = map_blocks(body, list(gen_batches(n_rows, _ROWS)))
    distances, indices, n_balls, unsure = map(np.concatenate, zip(*found, strict=True))
    if unsure.any():
        rows = np.flatnonzero(unsure)
        distances[rows], indices[rows] = pairs.search(rows, n_neighbors, exclude_self)
    return Nearest(distances, indices, n_balls)


class _Balls:
    """Closed balls around the second table's rows; counts those that rows of the first are in."""

    def __init__(self, pairs, radii, weights):
        self.pairs, self.radii = pairs, radii
        self.weights = np.ones(len(radii)) if weights is None else weights
        padding = (0, _padded(len(radii)) - len(radii))
        bounds = pairs.bounds(pairs.y_norms, radii)
        self.surely, self.at_most = (np.pad(b, padding).astype(pairs.dtype) for b in bounds)

    def count(self, rough, rows, columns):
        hit = np.flatnonzero(rough <= self.at_most[columns])
        i, j = np.divmod(hit, rough.shape[1])
        inside = rough.ravel()[hit] <= self.surely[columns][j]
        i_all, j_all = i + rows.start, j + columns.start
        doubtful = np.flatnonzero(~inside)
        for block in row_blocks(len(doubtful), 32 * self.pairs.X.shape[1]):
            pair = doubtful[block]
            measured = self.pairs.exact(i_all[pair], j_all[pair, None])[:, 0]
            inside[pair] = measured <= self.radii[j_all[pair]]
        weights = self.weights[j_all[inside]]
        return np.bincount(i[inside], weights, minlength=len(rough))


def _search_rows(pairs, n_neighbors, exclude_self, balls, rows):
    """Neighbours of a block of rows, the balls they are in, and where rounding may hide a neighbour."""
    minima, n_balls = _group_minima(pairs, exclude_self, balls, rows)
    row_ids = np.arange(rows.start, rows.stop)
    n_picked = min(n_neighbors + _MARGIN, minima.shape[1])
    bound = np.inf
    groups = np.broadcast_to(np.arange(minima.shape[1]), minima.shape)
    if n_picked < minima.shape[1]:
        groups = np.argpartition(minima, n_picked, axis=1)
        bound = np.take_along_axis(minima, groups[:, n_picked, None], axis=1)[:, 0]
    members = _members(groups[:, :n_picked], len(pairs.Y))
    absent = members >= len(pairs.Y)
    members[absent] = 0
    distances = pairs.exact(row_ids, members)
    distances[absent] = np.inf
    if exclude_self:
        distances[members == row_ids[:, None]] = np.inf
    best = np.argpartition(distances, n_neighbors - 1, axis=1)[:, :n_neighbors]
    distances, members = (np.take_along_axis(a, best, axis=1) for a in (distances, members))
    order = np.lexsort((members, distances), axis=1)
    distances, members = (np.take_along_axis(a, order, axis=1) for a in (distances, members))
    last = distances[:, -1]
    unsure = (last > 0) & (pairs.bounds(pairs.x_norms[rows], last)[1] > bound)
    return distances, members, n_balls, unsure & isinstance(pairs, EuclideanPairs)


def _group_minima(pairs, exclude_self, balls, rows):
    """Least rough distance of a block of rows to each group of columns, and the balls they are in."""
    n_rows, n_padded = rows.stop - rows.start, _padded(len(pairs.Y))
    buffer = np.empty(n_rows * min(_COLUMNS, n_padded), dtype=pairs.dtype)
    minima = np.empty((n_rows, n_padded // _GROUP), dtype=pairs.dtype)
    n_balls = np.zeros(n_rows)
    for columns in gen_batches(n_padded, _COLUMNS):
        rough = pairs.rough(rows, columns, buffer)
        if balls is not None:
            n_balls += balls.count(rough, rows, columns)
        if exclude_self:
            own = np.arange(max(rows.start, columns.start), min(rows.stop, columns.stop))
            rough[own - rows.start, own - columns.start] = np.inf
        groups = slice(columns.start // _GROUP, columns.stop // _GROUP)
        # Over the middle axis, whole vectors are compared: a group's members are a stride apart.
        np.min(rough.reshape(n_rows, _GROUP, -1), axis=1, out=minima[:, groups])
    return minima, n_balls


def _members(groups, n_columns):
    """Columns in each group, shape (n_rows, n_groups * _GROUP); see `_group_minima`."""
    per_block = _COLUMNS // _GROUP
    start = groups // per_block * _COLUMNS
    stride = np.minimum(_COLUMNS, _padded(n_columns) - start) // _GROUP
    first = start + groups % per_block
    members = first[..., None] + stride[..., None] * np.arange(_GROUP)
    return members.reshape(len(groups), -1)


def _padded(n_columns):
    return -(-n_columns // _GROUP) * _GROUP
