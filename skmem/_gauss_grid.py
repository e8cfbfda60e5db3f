"""Gaussian kernel sums in one or two dimensions through a grid: time linear in the rows, with a bound on the error.

A Gaussian of unit bandwidth is so smooth that a polynomial through `_NODES` Chebyshev nodes per unit cell and
dimension stands for it to about 1e-13. So training rows are spread onto the nodes of their cells, nodes are summed
over nodes, where the Gaussian is a product over dimensions and the same for every pair of cells at one offset, and
the sums are read off at the rows. This is the idea of the fast Gauss transform (Greengard & Strain, 1991), with
interpolation in place of Hermite series.
"""

import numpy as np
from scipy.sparse import csr_array
from sklearn import get_config

from skmem._blocks import row_blocks

_NODES = 14
_REACH = 9  # cells; kernels beyond count less than exp(-81 / 2)
_MIN_PAIRS = 2**24  # below it all pairs cost less than the grid
_PAIRS_PER_NODE = (
    300  # below it too: of few rows, or in a box that is empty but for an isolated row or two
)
_NODE_BYTES = 48  # that a fit needs at each node
# Interpolation at the rows and at the training rows, in two dimensions, errs by less than this times the sum of wider
# kernels exp(-r^2 / 5): Cramer's bound on Hermite functions for the 14th derivative, four Lebesgue constants of 2.7,
# and the step from the point where the derivative is taken, at most a cell away.
_ERROR = 2.5e-11
_TOLERANCE = 5e-9  # nats


def gauss_grid_log_sums(X, X_train, weighting, own=None):
    """Log of the sums of Gaussian kernels, (n_rows, n_fits), nan where they are not sure to 1e-8 nat.

    None where a grid does not pay: in three dimensions or more, or for few pairs of rows. All nan for a bandwidth tiny
    beside the spread of the training rows. Isolated rows are nan too: their sums are small beside the error.
    """
    n_pairs = X.shape[0] * X_train.shape[0]
    if X.shape[1] > 2 or n_pairs < _MIN_PAIRS:
        return None
    out = np.full((X.shape[0], weighting.bandwidth.size), np.nan)
    for h, fits, rows in weighting.groups():
        grid = _Grid(X_train, h)
        too_large = _NODE_BYTES * grid.size > get_config()["working_memory"] * 2**20
        if too_large or n_pairs < _PAIRS_PER_NODE * grid.size:
            continue
        inside = np.flatnonzero(grid.contains(X))
        for block in row_blocks(fits.size, _NODE_BYTES * grid.size):
            weights = weighting.weights[rows[block]].astype(np.float64)
            own_weights = 0.0 if own is None else weights[:, own[inside]].T
            sums = grid.sums(X[inside], X_train, weights, own_weights)
            out[np.ix_(inside, fits[block])] = sums
    return out


class _Grid:
    """Unit cells over the box of some rows, in units of the bandwidth, with Chebyshev nodes in each."""

    def __init__(self, X, h):
        self.h = h
        self.low = X.min(axis=0).astype(np.float64)
        cells = np.floor((X.max(axis=0).astype(np.float64) - self.low) / h) + 1
        # Counted as floats: of a bandwidth tiny beside the spread there may be more than integers can count.
        self.size = float(np.prod(cells * _NODES))
        self.n_cells = np.minimum(cells, 2.0**62).astype(np.int64)
        self.shape = tuple(int(n) * _NODES for n in self.n_cells)
        angles = (2 * np.arange(_NODES) + 1) * np.pi / (2 * _NODES)
        self.nodes = 0.5 - 0.5 * np.cos(angles)
        degrees = np.arange(_NODES)
        # Lagrange's polynomials of the nodes are sums of Chebyshev's.
        self.to_lagrange = np.cos(np.outer(degrees, np.pi - angles)) * 2 / _NODES
        self.to_lagrange[0] *= 0.5

    def contains(self, X):
        """Which rows lie in the cells."""
        cell = np.floor((X - self.low) / self.h)
        return np.all((cell >= 0) & (cell < self.n_cells), axis=1)

    def sums(self, X, X_train, weights, own_weights):
        """Log sums (n_rows, n_fits) less the rows' own weights, nan where not sure."""
        spread = np.zeros((int(self.size), weights.shape[0]))
        for block in self._row_blocks(X_train):
            spread += self._basis(X_train[block]).T @ weights[:, block].T
        narrow, wide = (self._convolve(spread, scale) for scale in (2.0, 5.0))
        out = np.empty((X.shape[0], weights.shape[0]))
        for block in self._row_blocks(X):
            basis = self._basis(X[block])
            own = own_weights if np.isscalar(own_weights) else own_weights[block]
            sums = basis @ narrow - own
            far = np.exp(-0.5 * _REACH**2) * weights.sum(axis=1)
            error = _ERROR * (basis @ wide + weights.max(axis=1)) + 4 * far
            sure = error < _TOLERANCE * sums
            out[block] = np.log(np.where(sure, sums, np.nan))
        return out

    def _row_blocks(self, X):
        return row_blocks(X.shape[0], 16 * _NODES ** X.shape[1])

    def _basis(self, X):
        """Values of the nodes' polynomials at each row, a sparse array (n_rows, n_nodes)."""
        index, value = np.zeros((X.shape[0], 1), dtype=np.int64), np.ones((X.shape[0], 1))
        position = (X - self.low) / self.h
        cell = np.clip(np.floor(position).astype(np.int64), 0, self.n_cells - 1)
        angle = np.arccos(np.clip(2 * (position - cell) - 1, -1.0, 1.0))
        for k, n_nodes in enumerate(self.shape):
            along = np.cos(np.arange(_NODES) * angle[:, k, None]) @ self.to_lagrange
            node = cell[:, k, None] * _NODES + np.arange(_NODES)
            index = (index[:, :, None] * n_nodes + node[:, None, :]).reshape(X.shape[0], -1)
            value = (value[:, :, None] * along[:, None, :]).reshape(X.shape[0], -1)
        pointer = np.arange(X.shape[0] + 1) * index.shape[1]
        shape = (X.shape[0], int(self.size))
        return csr_array((value.ravel(), index.ravel(), pointer), shape=shape)

    def _convolve(self, spread, scale):
        """Sum exp(-r^2 / scale) over the nodes, dimension by dimension."""
        offsets = np.arange(-_REACH, _REACH + 1)[:, None] + self.nodes
        kernel = np.exp(-((self.nodes[:, None] - offsets.ravel()) ** 2) / scale)
        values = spread.reshape(*self.shape, -1)
        for axis in range(len(self.shape)):
            first = np.ascontiguousarray(np.moveaxis(values, axis, 0))
            cells = first.reshape(self.n_cells[axis], _NODES, -1)
            padding = np.zeros((_REACH, *cells.shape[1:]))
            padded = np.concatenate([padding, cells, padding]).reshape(-1, cells.shape[2])
            summed = np.empty_like(cells)
            for i in range(cells.shape[0]):
                start = i * _NODES
                np.matmul(kernel, padded[start : start + kernel.shape[1]], out=summed[i])
            values = np.moveaxis(summed.reshape(first.shape), 0, axis)
        return np.ascontiguousarray(values).reshape(spread.shape)
