"""Rows joined by chains of near pairs, from a sweep along the direction in which the rows spread most."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.utils import gen_batches

from skmem._blocks import map_blocks, row_blocks
from skmem._distances import duplicate_groups

# Rows and columns of a block of distances; blocks of rows whose pairs are held before they are joined.
_ROWS, _COLUMNS, _BATCH = 256, 4096, 64


def chained_groups(table, threshold):
    """Group of each training row of the Tables: rows within `threshold` share one, directly or through others.

    Labels are numbered by first appearance. Distances are measured from differences, so copies are at distance 0.
    """
    exact = duplicate_groups(table.train)
    first = np.unique(exact, return_index=True)[1]
    if threshold == 0 or len(first) == 1:
        return exact
    rows = table.train[first]
    n_summed = rows.shape[1] if table.metric == "gower" else None
    position = _positions(rows, table.n_numeric, n_summed)
    order = np.argsort(position, kind="stable")
    sweep = _Sweep(table.pairs(rows[order], rows[order]), position[order], threshold)
    labels = np.empty(len(rows), dtype=np.intp)
    labels[order] = sweep.groups()
    _, first_seen, labels = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first_seen))[labels][exact]


def _positions(rows, n_numeric, n_summed):
    """A number for each row, such that no two rows are nearer than their numbers.

    `n_summed` is the number of columns over which Gower's distance is a mean, None for the Euclidean distance.
    """
    numbers = rows[:, :n_numeric]
    if not n_numeric:
        return np.zeros(len(rows))
    centred = numbers - numbers.mean(axis=0)
    scaled = centred / np.abs(centred).max(initial=1e-300)  # squares of large numbers overflow
    axis = np.linalg.eigh(scaled.T @ scaled)[1][:, -1]
    if n_summed is None:
        return centred @ axis  # |u . (x - y)| <= |x - y| for |u| = 1
    # |u . (x - y)| is at most the sum of differences for |u_j| = 1.
    return centred @ np.where(axis < 0, -1.0, 1.0) / n_summed


class _Sweep:
    """Pairs of one table with itself, in the order of the rows' positions: rows near a row stand near it."""

    def __init__(self, pairs, position, threshold):
        self.pairs, self.threshold = pairs, threshold
        # Positions are sums of as many products as there are columns, each rounded.
        size = np.abs(position).max() + np.abs(pairs.X).max() + threshold
        slack = 8 * (pairs.X.shape[1] + 4) ** 1.5 * np.finfo(np.float64).eps * size
        self.end = np.searchsorted(position, position + threshold + slack, side="right")
        bounds = pairs.bounds(pairs.x_norms, threshold)
        self.surely, self.at_most = (np.broadcast_to(b, len(self.end)) for b in bounds)

    def groups(self):
        """Label of each row's group."""
        labels = np.arange(len(self.end))
        blocks = list(gen_batches(len(labels), _ROWS))
        for batch in gen_batches(len(blocks), _BATCH):
            pairs = np.concatenate(map_blocks(self.joined_rows, blocks[batch]), axis=1)
            labels = _components(labels[pairs], len(labels))[labels]
        return labels

    def joined_rows(self, rows):
        """Pairs (2, n_pairs) that join all rows near a row of the block to it, of those that stand after it."""
        buffer = np.empty(_ROWS * _COLUMNS, dtype=np.float32)
        found = []
        for part in gen_batches(self.end[rows.stop - 1] - rows.start, _COLUMNS):
            columns = slice(part.start + rows.start, part.stop + rows.start)
            i, j = self.near(rows, columns, self.pairs.rough(rows, columns, buffer))
            ids = np.concatenate([np.arange(r.start, r.stop) for r in (rows, columns)])
            pair = i, j + (rows.stop - rows.start)
            # Many pairs are held as few that join the same rows.
            found.append(ids[np.stack(_spanning(*pair, len(ids)) if len(i) > len(ids) else pair)])
        return np.concatenate(found, axis=1)

    def near(self, rows, columns, rough):
        """Row and column in a block of rough distances of the pairs within the threshold."""
        i, j = np.nonzero(rough <= self.at_most[rows, None].astype(rough.dtype))
        inside = rough[i, j] <= self.surely[rows][i]
        doubtful = np.flatnonzero(~inside)
        for block in row_blocks(len(doubtful), 32 * self.pairs.X.shape[1]):
            pair = doubtful[block]
            measured = self.pairs.exact(i[pair] + rows.start, j[pair, None] + columns.start)
            inside[pair] = measured[:, 0] <= self.threshold
        return i[inside], j[inside]


def _components(pairs, n_labels):
    """New label of each label, those of a pair being one, also through others."""
    graph = coo_array((np.ones(len(pairs[0]), dtype=bool), tuple(pairs)), (n_labels, n_labels))
    return connected_components(graph, directed=False)[1]


def _spanning(i, j, n_labels):
    """Fewer pairs that join the same labels: each with the first of its group."""
    labels = _components((i, j), n_labels)
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    return np.arange(n_labels), first[group]
