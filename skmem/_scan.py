"""Nearest rows and shared balls of two whole tables, from blocks of all distances between them.

A block of rough distances only selects. Every distance that is returned or compared with a radius is
measured anew in float64 from differences.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches

from skmem._blocks import map_blocks, row_blocks
from skmem._pairs import GROUP, EuclideanPairs, padded

# A block of rough distances, 4 MiB of float32, stays in the caches.
_ROWS, _COLUMNS = 256, 4096
# The minimum of a group of distances is looked at before they are. So many groups are looked into beyond those
# needed, so that rounding and ties seldom ask for another search.
_MARGIN = 1


class Nearest(NamedTuple):
    """What a search found, for each row of one table."""

    distances: np.ndarray  # (n_rows, n_neighbors), ascending
    indices: np.ndarray  # (n_rows, n_neighbors), rows of the other table
    n_balls: np.ndarray  # (n_rows,), weight of the other table's balls that hold the row


def nearest_in_blocks(pairs, n_neighbors, *, exclude_self=False):
    """Find the nearest rows of the second table to every row of the first.

    In the unit of the distances; a copy is at distance 0 exactly.

    Parameters
    ----------
    pairs : EuclideanPairs or GowerPairs
        The two tables.
    n_neighbors : int
        Neighbours of each row, at most as many as the second table has, less one with `exclude_self`.
    exclude_self : bool, default=False
        Whether both tables are the same, and row i no neighbour of itself.

    Returns
    -------
    found : Nearest
        Neighbours sorted by distance, equal ones by index; which of several at the very distance
        of the last place are returned is not specified.
    """
    if pairs.tree:
        rows = np.arange(len(pairs.X))
        return Nearest(*pairs.search(rows, n_neighbors, exclude_self), np.zeros(len(rows)))
    if exclude_self:
        return _Scan(pairs, (0, n_neighbors), exclude_self=True).run()[1]
    return _Scan(pairs, (n_neighbors, 0)).run()[0]


def nearest_both_ways(pairs, n_neighbors, radii=(None, None), weights=None):
    """Find the nearest rows to every row of either table in the other one, and the balls it is in.

    In the unit of the distances; a copy is at distance 0 exactly. All distances are computed once, which is what
    takes the time.

    Parameters
    ----------
    pairs : EuclideanPairs or GowerPairs
        The two tables.
    n_neighbors : tuple of int
        Neighbours of each row of the first table, and of the second.
    radii : tuple of array or None, default=(None, None)
        Radii of closed balls around the rows of the first table, and of the second.
    weights : array of shape (n_rows,), default=None
        What a ball around a row of the first table counts; None is 1 each.

    Returns
    -------
    found : tuple of Nearest
        As of :func:`nearest_in_blocks`, for the rows of the first table, and of the second. Without radii of one
        table's balls, ``n_balls`` of the other is 0.
    """
    if pairs.tree and radii[0] is None and radii[1] is None:
        sides = zip((pairs, pairs.flipped()), n_neighbors, strict=True)
        return tuple(nearest_in_blocks(side, k) for side, k in sides)
    return _Scan(pairs, n_neighbors, radii, weights).run()


class _Balls:
    """Closed balls around the rows of the first of two tables."""

    def __init__(self, pairs, radii, weights=None):
        self.pairs, self.radii = pairs, radii
        self.weights = np.ones(len(radii)) if weights is None else weights
        padding = (0, padded(len(radii)) - len(radii))
        bounds = pairs.bounds(pairs.x_norms, radii)
        self.surely, self.at_most = (np.pad(b, padding).astype(pairs.dtype) for b in bounds)

    def holding(self, rough, owners, others):
        """Which pairs, of these rough distances, of row `owners` and row `others` are in a ball of the former."""
        inside = rough <= self.surely[owners]
        doubtful = np.flatnonzero(~inside & (rough <= self.at_most[owners]))
        for block in row_blocks(len(doubtful), 32 * self.pairs.X.shape[1]):
            pair = doubtful[block]
            measured = self.pairs.exact(owners[pair], others[pair, None])[:, 0]
            inside[pair] = measured <= self.radii[owners[pair]]
        return inside


class _Scan:
    """One pass over all rough distances of two tables, by tiles of columns and, in parallel, blocks of rows.

    Of each group of rows and of each group of columns the least distance is kept. A group of columns is spread
    evenly over its block, so that whole vectors are compared; a group of rows is a run of them.
    """

    def __init__(self, pairs, n_neighbors, radii=(None, None), weights=None, exclude_self=False):
        self.pairs, self.flipped, self.exclude_self = pairs, pairs.flipped(), exclude_self
        self.n_neighbors = n_neighbors
        self.row_balls = None if radii[0] is None else _Balls(pairs, radii[0], weights)
        self.column_balls = None if radii[1] is None else _Balls(self.flipped, radii[1])
        self.n_rows, self.n_columns = padded(len(pairs.X)), padded(len(pairs.Y))
        n_kept = _n_kept(n_neighbors[0], self.n_columns)
        self.least = np.full((self.n_rows, n_kept), np.inf, dtype=pairs.dtype)
        self.groups = np.zeros((self.n_rows, n_kept), dtype=np.intp)

    def run(self):
        """Nearest of the rows of either table; None where none are wanted."""
        in_row_balls, of_columns = [], []
        in_column_balls = np.zeros(self.n_rows)
        width = self._tile_width()
        # Of an odd number of groups: rows a power of 2 apart would share few places in the caches.
        shape = self.n_rows // GROUP + 1, (width // GROUP | 1) * GROUP
        held = np.full(shape, np.inf, dtype=self.pairs.dtype)
        for tile in gen_batches(self.n_columns, width):
            minima = held[:, : tile.stop - tile.start]
            body = partial(self._scan_rows, tile, minima)
            counts = map_blocks(body, list(gen_batches(self.n_rows, _ROWS)))
            in_column_balls += np.concatenate([rows for rows, _ in counts])
            in_row_balls.append(sum(columns for _, columns in counts))
            columns = _parts(tile.start, min(tile.stop, len(self.pairs.Y)), _ROWS)
            if self.n_neighbors[1]:
                of_columns += map_blocks(partial(self._of_columns, tile, minima), columns)
        rows = _parts(0, len(self.pairs.X), _ROWS)
        of_rows = map_blocks(self._of_rows, rows) if self.n_neighbors[0] else []
        return (
            self._found(self.pairs, of_rows, in_column_balls),
            self._found(self.flipped, of_columns, np.concatenate(in_row_balls)),
        )

    def _tile_width(self):
        share = get_config()["working_memory"] * 2**20 / 4
        width = int(share / (self.n_rows / GROUP * np.dtype(self.pairs.dtype).itemsize))
        return min(max(1, width // _COLUMNS) * _COLUMNS, self.n_columns)

    def _scan_rows(self, tile, minima, rows):
        """Keep the minima of a block of rows and a tile of columns; what balls hold the rows, and the columns."""
        n_rows, width = rows.stop - rows.start, tile.stop - tile.start
        own_minima = np.empty((n_rows, width // GROUP), dtype=minima.dtype)
        in_balls = np.zeros(n_rows), np.zeros(width)
        buffer = np.empty(n_rows * min(_COLUMNS, width), dtype=minima.dtype)
        for columns in _parts(tile.start, tile.stop, _COLUMNS):
            rough = self.pairs.rough(rows, columns, buffer)
            if self.exclude_self:
                own = np.arange(max(rows.start, columns.start), min(rows.stop, columns.stop))
                rough[own - rows.start, own - columns.start] = np.inf
            here = slice(columns.start - tile.start, columns.stop - tile.start)
            of_columns = minima[rows.start // GROUP : rows.stop // GROUP, here]
            np.min(rough.reshape(n_rows // GROUP, GROUP, -1), axis=1, out=of_columns)
            of_rows = own_minima[:, here.start // GROUP : here.stop // GROUP]
            if self.n_neighbors[0] or self.row_balls:
                np.min(rough.reshape(n_rows, GROUP, -1), axis=1, out=of_rows)
            if self.row_balls:
                in_balls[1][here] = self._in_row_balls(rough, of_rows, rows, columns)
            if self.column_balls:
                in_balls[0][:] += self._in_column_balls(rough, of_columns, rows, columns)
        if self.n_neighbors[0]:
            self._keep_least(rows, tile, own_minima)
        return in_balls

    def _in_row_balls(self, rough, minima, rows, columns):
        """Weight of the rows' balls that hold each column, from the least distances to groups of columns."""
        i, group = np.nonzero(minima <= self.row_balls.at_most[rows, None])
        stride = rough.shape[1] // GROUP
        j = (group[:, None] + stride * np.arange(GROUP)).ravel()
        i = np.repeat(i, GROUP)
        inside = self.row_balls.holding(rough[i, j], i + rows.start, j + columns.start)
        weights = self.row_balls.weights[i[inside] + rows.start]
        return np.bincount(j[inside], weights, minlength=rough.shape[1])

    def _in_column_balls(self, rough, minima, rows, columns):
        """Number of the columns' balls that hold each row, from the least distances to groups of rows."""
        group, j = np.nonzero(minima <= self.column_balls.at_most[columns])
        i = (group[:, None] * GROUP + np.arange(GROUP)).ravel()
        j = np.repeat(j, GROUP)
        inside = self.column_balls.holding(rough[i, j], j + columns.start, i + rows.start)
        return np.bincount(i[inside], minlength=len(rough))

    def _keep_least(self, rows, tile, minima):
        """Merge a tile's groups of columns with the least ones so far."""
        n_kept = self.least.shape[1]
        least, best = _least(np.concatenate([self.least[rows], minima], axis=1), n_kept)
        before = np.take_along_axis(self.groups[rows], np.minimum(best, n_kept - 1), axis=1)
        new = best - n_kept + tile.start // GROUP
        self.least[rows], self.groups[rows] = least, np.where(best < n_kept, before, new)

    def _of_rows(self, rows):
        """What `_nearest` finds for a block of rows."""
        groups = self.groups[rows, :-1]
        block = groups // (_COLUMNS // GROUP)
        stride = np.minimum(_COLUMNS, self.n_columns - block * _COLUMNS) // GROUP
        first = block * _COLUMNS + groups % (_COLUMNS // GROUP)
        members = first[..., None] + stride[..., None] * np.arange(GROUP)
        return self._nearest(self.pairs, rows, self.least[rows], members)

    def _of_columns(self, tile, minima, columns):
        """What `_nearest` finds for a block of columns."""
        here = slice(columns.start - tile.start, columns.stop - tile.start)
        n_kept = _n_kept(self.n_neighbors[1], self.n_rows)
        least, groups = _least(np.ascontiguousarray(minima[:, here].T), n_kept)
        members = groups[:, :-1, None] * GROUP + np.arange(GROUP)
        return self._nearest(self.flipped, columns, least, members)

    def _nearest(self, pairs, rows, least, members):
        """Neighbours of a block of rows among the members of groups, and where rounding may hide a nearer one."""
        n_neighbors = self.n_neighbors[pairs is self.flipped]
        ids = np.arange(rows.start, rows.stop)
        absent = (members >= len(pairs.Y)) | np.isinf(least[:, :-1, None])
        members = np.where(absent, 0, members).reshape(len(ids), -1)
        distances = pairs.exact(ids, members)
        distances[absent.reshape(members.shape)] = np.inf
        if self.exclude_self:
            distances[members == ids[:, None]] = np.inf
        best = np.argpartition(distances, n_neighbors - 1, axis=1)[:, :n_neighbors]
        distances, members = (np.take_along_axis(a, best, axis=1) for a in (distances, members))
        order = np.lexsort((members, distances), axis=1)
        distances, members = (np.take_along_axis(a, order, axis=1) for a in (distances, members))
        last = distances[:, -1]
        unsure = (last > 0) & (pairs.bounds(pairs.x_norms[rows], last)[1] > least[:, -1])
        return distances, members, unsure & isinstance(pairs, EuclideanPairs)

    def _found(self, pairs, parts, n_balls):
        """The parts as one, rows searched for again where they are unsure."""
        if not parts:
            return None
        distances, indices, unsure = map(np.concatenate, zip(*parts, strict=True))
        if unsure.any():
            rows = np.flatnonzero(unsure)
            again = pairs.search(rows, indices.shape[1], self.exclude_self)
            distances[rows], indices[rows] = again
        return Nearest(distances, indices, n_balls[: len(pairs.X)])


def _n_kept(n_neighbors, n_padded):
    """Groups to keep: those to look into, and the least of all others."""
    return min(n_neighbors + _MARGIN, n_padded // GROUP) + 1


def _least(values, n):
    """The n least of each row, ascending, and where they are."""
    best = np.argpartition(values, n - 1, axis=1)[:, :n]
    least = np.take_along_axis(values, best, axis=1)
    order = np.argsort(least, axis=1)
    return np.take_along_axis(least, order, axis=1), np.take_along_axis(best, order, axis=1)


def _parts(start, stop, size):
    """Slices of at most `size` from `start` to `stop`."""
    return [slice(i, min(i + size, stop)) for i in range(start, stop, size)]
