"""Nearest neighbours with exact distances, and exact copies: the one place that finds either."""

import numpy as np
from scipy.sparse import issparse
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors, sort_graph_by_row_values

from skmem._blocks import map_blocks, row_blocks

# A tree pays off up to this many columns; scikit-learn's own rule for algorithm="auto".
_TREE_COLUMNS = 15
# Extra neighbours searched, so that near-ties at the last place seldom need the slow comparison.
_MARGIN = 3
# A relative error of a squared distance that no score can show: d / 2 times it, in nats.
_NEGLIGIBLE = 1e-10
# Squares of smaller distances lose digits, or all of them; magnified by a power of 2 they do not.
_TINY, _MAGNIFIED = 1e-145, 2.0**600
# scikit-learn computes these through inner products, which do not give a copy the distance zero.
_ROUNDED_METRICS = ("sqeuclidean", "nan_euclidean", "cosine", "correlation")


class NeighborIndex:
    """Exact nearest neighbours among the rows of `X`, around scikit-learn's `NearestNeighbors`.

    scikit-learn finds candidates; Euclidean distances to them are measured anew from row
    differences in float64. What is guaranteed then, whatever `algorithm`:

    - a copy of the query row is at distance 0 exactly, and copies come first;
    - the j-th distance returned is the j-th smallest one, to a relative error of 1e-10 at most
      (in practice a few units in the last place);
    - neighbours are sorted by distance, equal distances by index. Which rows are returned out of
      several at the very distance of the last place is not specified.

    Brute force computes ``|x|^2 + |y|^2 - 2 x.y``, whose error can hide a neighbour where
    distances are tiny beside the norms. So it runs on centred data, and every row for which the
    error could have mattered is compared with all training rows by differences.

    Parameters
    ----------
    X : array of shape (n_train, n_features)
        The rows to search, finite.
    metric : str or callable, default="euclidean"
        A metric of `sklearn.neighbors.NearestNeighbors`. Metrics other than the Euclidean one
        have scikit-learn's own precision; copies are at distance 0 all the same.
    metric_params : dict, default=None
        Further arguments of the metric.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How to search; it changes the time taken only.
    n_jobs : int, default=None
        Jobs of a tree search.
    """

    def __init__(
        self, X, *, metric="euclidean", metric_params=None, algorithm="auto", n_jobs=None
    ):
        params = dict(metric_params or {})
        p = params.pop("p", 2)
        self.X = np.ascontiguousarray(X, dtype=np.float64)
        self.metric = metric
        self.euclidean = metric in ("euclidean", "l2") or (
            metric == "minkowski" and p == 2 and params.get("w") is None
        )
        if self.euclidean and algorithm == "auto":
            algorithm = "kd_tree" if self.X.shape[1] <= _TREE_COLUMNS else "brute"
        self.n_available = len(self.X)
        self.rounded = self.euclidean and algorithm == "brute"
        self.centre = self.X.mean(axis=0) if self.rounded else 0.0
        self.searcher = NearestNeighbors(
            metric=metric, metric_params=params, p=p, algorithm=algorithm, n_jobs=n_jobs
        ).fit(self.X - self.centre if self.rounded else self.X)

    def query(self, X, n_neighbors, exclude=None):
        """Return the `n_neighbors` training rows nearest to each row of `X`.

        Parameters
        ----------
        X : array of shape (n_queries, n_features)
            Query rows.
        n_neighbors : int
            At most ``n_train``, less one with `exclude`.
        exclude : array of shape (n_queries,), default=None
            For each query the index of one training row that is not to be its neighbour.

        Returns
        -------
        distances : array of shape (n_queries, n_neighbors), float64
            Distances, ascending.
        indices : array of shape (n_queries, n_neighbors)
            Indices of training rows.
        """
        X = np.asarray(X, dtype=np.float64)
        wanted = n_neighbors + (exclude is not None)
        distances, indices = self._candidates(X, wanted)
        if exclude is not None:
            distances[indices == exclude[:, None]] = np.inf
            distances, indices = _sorted(distances, indices)
        return distances[:, :n_neighbors], indices[:, :n_neighbors]

    def _candidates(self, X, wanted):
        """At least the `wanted` nearest rows and their distances, sorted."""
        n_found = min(wanted + _MARGIN, len(self.X)) if self.rounded else wanted
        centred = X - self.centre if self.rounded else X
        distances, indices = self.searcher.kneighbors(centred, n_found)
        if not self.euclidean:
            if self.metric in _ROUNDED_METRICS:
                distances[_row_distances(X, self.X, indices) == 0] = 0.0
            return _sorted(distances, indices)
        reach = distances[:, -1]
        distances, indices = _sorted(_row_distances(X, self.X, indices), indices)
        nearest = distances[:, :wanted]
        if n_found < len(self.X):
            # scikit-learn takes distances for 0 whose squares are.
            unsure = ((nearest > 0) & (nearest < _TINY)).any(axis=1)
            if self.rounded:
                unsure |= _may_have_missed(centred, nearest, reach)
            rows = np.flatnonzero(unsure)
            if rows.size:
                distances[rows], indices[rows] = self._compare_all(X[rows], n_found)
        return distances, indices

    def _compare_all(self, X, n_found):
        """As `_candidates`, from the differences to all training rows."""

        def nearest(block):
            distances = cdist(X[block], self.X)
            i, j = np.nonzero(distances < _TINY)
            distances[i, j] = lengths(X[block][i] - self.X[j])
            return np.argpartition(distances, n_found - 1, axis=1)[:, :n_found]

        indices = np.concatenate(
            map_blocks(nearest, row_blocks(len(X), 8 * (2 + X.shape[1]) * len(self.X)))
        )
        return _sorted(_row_distances(X, self.X, indices), indices)


def _may_have_missed(centred, nearest, reach):
    """Rows for which the rounding of brute force may have hidden a row nearer than `nearest`.

    A hidden row y at distance < r has ``|y| < |x| + r``, so its computed squared distance is
    below ``r^2 + slack``; yet it is no less than `reach` squared, the largest one found.
    """
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    slack = 4 * (centred.shape[1] + 4) * np.finfo(np.float64).eps * (2 * norm + nearest) ** 2
    hidden = nearest**2 + slack > reach[:, None] ** 2
    matters = (nearest > 0) & (2 * slack > _NEGLIGIBLE * nearest**2)
    return (hidden & matters).any(axis=1)


def _row_distances(X, Y, indices):
    """Euclidean distances from each row of `X` to the rows `indices` of `Y`, from differences."""
    distances = np.empty(indices.shape)
    # On one thread: the search has just left its own ones spinning, and they would be in the way.
    for block in row_blocks(len(X), 512 * X.shape[1]):
        for j in range(indices.shape[1]):
            gap = Y[indices[block, j]]
            gap -= X[block]
            distances[block, j] = lengths(gap)
    return distances


def lengths(gap):
    """Euclidean lengths along the last axis, above 0 for all that is not 0, however small its squares."""
    found = np.asarray(np.sqrt(np.einsum("...j,...j->...", gap, gap)))
    tiny = found < _TINY
    magnified = gap[tiny] * _MAGNIFIED
    found[tiny] = np.sqrt(np.einsum("ij,ij->i", magnified, magnified)) / _MAGNIFIED
    return found


def _sorted(distances, indices):
    """Both arrays with every row sorted by distance, then by index."""
    order = np.lexsort((indices, distances), axis=-1)
    return np.take_along_axis(distances, order, 1), np.take_along_axis(indices, order, 1)


def nearest_neighbors(
    X_query,
    X_train,
    n_neighbors,
    *,
    metric="euclidean",
    metric_params=None,
    algorithm="auto",
    exclude_self=False,
):
    """Find the `n_neighbors` training rows nearest to each query row.

    In units of the metric; a row-for-row copy is at distance 0 exactly. `NeighborIndex` says
    what else is guaranteed.

    Parameters
    ----------
    X_query : array of shape (n_queries, n_features)
        Query rows.
    X_train : array of shape (n_train, n_features)
        The rows to search.
    n_neighbors : int
        Neighbours per query, at most ``n_train``, less one with `exclude_self`.
    metric : str or callable, default="euclidean"
        A metric of `sklearn.neighbors.NearestNeighbors`.
    metric_params : dict, default=None
        Further arguments of the metric.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How to search.
    exclude_self : bool, default=False
        Query row i is training row i, and not a neighbour of itself; its copies are.

    Returns
    -------
    distances : array of shape (n_queries, n_neighbors), float64
        Distances, ascending.
    indices : array of shape (n_queries, n_neighbors)
        Indices of training rows.
    """
    index = NeighborIndex(X_train, metric=metric, metric_params=metric_params, algorithm=algorithm)
    return index.query(X_query, n_neighbors, np.arange(len(X_query)) if exclude_self else None)


class NeighborGraph:
    """Neighbours read off distances computed before: row i holds those of query i.

    Parameters
    ----------
    distances : array or sparse matrix of shape (n_queries, n_train)
        Distances. In a sparse matrix the stored entries, zeros among them, are the neighbours.
    """

    def __init__(self, distances):
        if issparse(distances):
            # A copy even where sorted: scipy's own methods reorder entries in place.
            distances = sort_graph_by_row_values(
                distances.copy(), copy=True, warn_when_not_sorted=False
            )
        self.distances = distances
        self.n_available = int(self.n_stored().max())

    def n_stored(self):
        """Count the neighbours that each row holds, shape (n_queries,)."""
        if issparse(self.distances):
            return np.diff(self.distances.indptr)
        return np.full(self.distances.shape[0], self.distances.shape[1])

    def query(self, rows, n_neighbors):
        """As `NeighborIndex.query`, for the queries `rows`; infinity stands for no neighbour."""
        if issparse(self.distances):
            return _sorted(*self._stored(rows, n_neighbors))
        distances = self.distances[rows].astype(np.float64)
        indices = np.argpartition(distances, n_neighbors - 1, axis=1)[:, :n_neighbors]
        return _sorted(np.take_along_axis(distances, indices, axis=1), indices)

    def _stored(self, rows, wanted):
        """Take the first `wanted` entries of each sparse row, infinity where they end."""
        graph = self.distances
        place = graph.indptr[rows][:, None] + np.arange(wanted)
        absent = place >= graph.indptr[rows + 1][:, None]
        place[absent] = 0
        distances = graph.data[place].astype(np.float64)
        distances[absent] = np.inf
        return distances, graph.indices[place]


def duplicate_groups(X):
    """Group of exactly equal rows to which each row belongs, in O(n log n).

    Two rows are equal where all their values are (-0.0 equals 0.0); near-copies do not count.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Rows of any numeric dtype.

    Returns
    -------
    labels : array of shape (n_samples,)
        Labels from 0, numbered by first appearance; ``np.bincount(labels)`` are the sizes.
    """
    X = np.ascontiguousarray(X)
    if X.dtype.kind in "fc":
        X = X + 0.0  # turns -0.0 into 0.0: equal values get equal bytes
    rows = X.view(np.dtype((np.void, X.dtype.itemsize * X.shape[1]))).ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]
