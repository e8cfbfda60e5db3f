"""Distances between the rows of two whole tables: rough ones for a block at once, and exact ones of single pairs.

Rough distances only select. Every distance that is returned or compared with a radius is measured in float64 from
differences.
"""

from copy import copy

import numpy as np
from scipy.spatial.distance import cdist

from skmem._distances import NeighborIndex, lengths

# Tables are padded to groups of so many rows, at infinite distance.
GROUP = 16
# Up to so many columns a tree is far faster than all distances.
_TREE_COLUMNS = 6
# Below this, squares of float32 have no relative precision.
_TINY = 1e-36


def padded(n_rows):
    """`n_rows` rounded up to whole groups."""
    return -(-n_rows // GROUP) * GROUP


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
        # |x|^2 + |y|^2 - 2 x.y as the product of (x, 1, |x|^2) and (-2 y, |y|^2, 1); norms of padding are infinite.
        self.left = np.zeros((padded(len(x)), x.shape[1] + 2), dtype=np.float32)
        self.left[: len(x), :-2] = x
        self.left[:, -2] = 1
        self.left[:, -1] = np.inf
        self.left[: len(x), -1] = self.x_norms**2
        self.right = np.zeros((x.shape[1] + 2, padded(len(y))), dtype=np.float32)
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
        return lengths(gap)

    def flipped(self):
        """The same pairs with the tables' roles swapped."""
        other = _swapped(self)
        other.left, other.right = self.right.T, self.left.T
        return other

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
        total = np.full((rows.stop - rows.start, columns.stop - columns.start), np.inf)
        inside = total[: len(x), : len(y)]
        inside[:] = cdist(x[:, :k], y[:, :k], "cityblock") if k else 0.0
        for j in range(k, x.shape[1]):
            inside += x[:, j, None] != y[:, j]
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

    def flipped(self):
        """As that of `EuclideanPairs`."""
        return _swapped(self)


def _swapped(pairs):
    other = copy(pairs)
    other.X, other.Y, other.x_norms, other.y_norms = pairs.Y, pairs.X, pairs.y_norms, pairs.x_norms
    return other
