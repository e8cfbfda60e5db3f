"""The k-th nearest training row of every point within every fit, from one neighbour search."""

import warnings

import numpy as np
from scipy.sparse import issparse
from scipy.stats import nbinom

from skmem._blocks import row_blocks
from skmem._distances import NeighborGraph

# Share of the points for which the first search may find too few neighbours.
_SECOND_SEARCH = 0.01


def kth_neighbors(search, n_points, n_available, members, n_neighbors, own=None):
    """Log-distance and rank of the neighbour that sets the density of each point in each fit.

    In log-units of the metric. The neighbour is the k-th nearest one among the rows of the fit
    or, where that is at distance 0, the first one at a positive distance, whose rank exceeds k.

    Parameters
    ----------
    search : callable
        ``search(points, m)`` gives the distances and indices of the m nearest distinct rows of
        each of `points`, two arrays of shape (len(points), m), ascending; infinity is no neighbour.
    n_points : int
        Number of points.
    n_available : int
        Most neighbours that can be asked of `search`.
    members : array of bool or int, shape (n_distinct, n_fits)
        How many times each distinct row is in each fit.
    n_neighbors : int
        k.
    own : array of shape (n_points,), default=None
        The distinct row that each point is a copy of, if it is to be in each fit once less.

    Returns
    -------
    log_radius : array of shape (n_fits, n_points)
        Log-distances; nan where there is no such neighbour.
    rank : array of shape (n_fits, n_points)
        Place of that neighbour among the neighbours in the fit, counted from 1.
    """
    n_fits = members.shape[1]
    log_radius = np.empty((n_points, n_fits))
    rank = np.empty((n_points, n_fits), dtype=np.intp)
    pending = np.arange(n_points)
    n_search = min(first_search(members, n_neighbors) + (own is not None), n_available)
    while pending.size:
        for block in row_blocks(len(pending), (64 + 8 * n_fits) * n_search + 32 * n_fits):
            points = pending[block]
            leave_out = None if own is None else own[points]
            found = kth_members(*search(points, n_search), members, n_neighbors, leave_out)
            log_radius[points], rank[points] = found
        if n_search == n_available:
            break
        pending = pending[np.isnan(log_radius[pending]).any(axis=1)]
        n_search = min(2 * n_search, n_available)
    return log_radius.T, rank.T


def first_search(members, n_neighbors):
    """How many neighbours hold k members of every fit, for all but 1 in 100 points.

    Outsiders met before the k-th member of a fit follow a negative binomial law.
    """
    share = (members > 0).mean(axis=0).min()
    n_fits = members.shape[1]
    return n_neighbors + int(nbinom.isf(_SECOND_SEARCH / n_fits, n_neighbors, share))


def kth_members(distances, indices, members, n_neighbors, own=None):
    """`kth_neighbors` of one block, transposed."""
    small = np.min_scalar_type(max(n_neighbors, indices.shape[1] * int(members.max())) + 1)
    members = members.astype(small, copy=False)
    rank = np.full((len(indices), members.shape[1]), n_neighbors, dtype=small)
    place, count = np.zeros_like(rank), np.zeros_like(rank)
    for j in np.flatnonzero((distances == 0).any(axis=0)):
        n_copies = _n_members(members, indices, j, own) * (distances[:, j, np.newaxis] == 0)
        count += n_copies.astype(small)
    np.maximum(rank, count + small.type(1), out=rank, where=count >= n_neighbors)
    count[:] = 0
    for j in range(indices.shape[1]):
        count += _n_members(members, indices, j, own)
        place += count < rank
    usable = (distances > 0) & np.isfinite(distances)
    log_distances = np.full((len(indices), indices.shape[1] + 1), np.nan)
    np.log(distances, where=usable, out=log_distances[:, :-1])
    return np.take_along_axis(log_distances, place.astype(np.intp), axis=1), rank


def _n_members(members, indices, j, own):
    """How many times the j-th neighbour of each point is in each fit, (n_points, n_fits)."""
    n_members = members[indices[:, j]]
    if own is not None:
        n_members -= (indices[:, j] == own)[:, np.newaxis]
    return n_members


def count_members(train_mask, group):
    """How many times each group of equal rows is in each fit, (n_groups, n_fits)."""
    if group[-1] == len(group) - 1:  # labels in order of appearance: no two rows are equal
        return np.ascontiguousarray(train_mask.T)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.add.reduceat(train_mask.T[order], starts, axis=0, dtype=np.int32)


def neighbor_graph(X, n_neighbors):
    """Distances `X` as a `NeighborGraph`, in which every row has `n_neighbors` neighbours."""
    graph = NeighborGraph(X)
    stored = graph.n_stored()
    few = np.flatnonzero(stored < n_neighbors)
    if few.size:
        raise ValueError(
            f"A sparse X must store at least n_neighbors={n_neighbors} neighbours in every row "
            f"when metric='precomputed'; row {few[0]} stores {stored[few[0]]}. Enlarge the graph."
        )
    return graph


def check_format(X):
    """Refuse sparse formats that make up zeros, or drop those that were stored."""
    if issparse(X) and X.format not in ("csr", "csc", "coo", "lil"):
        raise TypeError(
            "Sparse X must be in csr, csc, coo or lil format, in which stored zeros are kept, "
            f"got {X.format}."
        )


def check_pairwise(X, n_dims):
    """Refuse distances between training rows that cannot make a density."""
    if n_dims is None:
        raise ValueError("n_dims must be given when metric='precomputed', got n_dims=None.")
    if X.shape[0] != X.shape[1]:
        raise ValueError(f"X must be square when metric='precomputed', got shape {X.shape}.")
    # scipy's `max` would reorder the entries of a sparse matrix in place.
    if not (X.data if issparse(X) else X).any():
        raise ValueError("X must hold a positive distance, got zeros only: all rows are equal.")


def check_n_neighbors(n_neighbors, n_samples, where=""):
    """Refuse fewer training rows than the k-th neighbour of a row and the row itself."""
    if n_neighbors >= n_samples:
        raise ValueError(
            f"n_neighbors must be smaller than the number of training rows{where}, "
            f"got n_neighbors={n_neighbors} and n_samples={n_samples}."
        )


def check_distinct(group, train_mask, where=""):
    """Refuse fits whose training rows are all equal, that is of one `group`."""
    first = group[train_mask.argmax(axis=1)]
    for fit, members in enumerate(train_mask):
        if (group[members] == first[fit]).all():
            raise ValueError(
                "The training rows must not all be equal"
                f"{where.format(fit=fit)}, got {members.sum()} copies of one row."
            )


def check_found(log_radius, rank, n_neighbors):
    """Refuse points without such a neighbour; warn of those whose copies raised k."""
    missing = np.isnan(log_radius)
    if missing.any():
        fit, point = np.argwhere(missing)[0]
        raise ValueError(
            f"Row {point} must have n_neighbors={n_neighbors} neighbours among the training rows, "
            f"one at a positive and finite distance, but has not in fit {fit}. If X is a "
            "neighbour graph, enlarge it."
        )
    n_copies = np.count_nonzero((rank > n_neighbors).any(axis=0))
    if n_copies:
        warnings.warn(
            f"{n_copies} of {rank.shape[1]} rows are at distance 0 from n_neighbors={n_neighbors} "
            "training rows or more (a training row counts itself); k is raised there to the "
            "first neighbour at a positive distance.",
            stacklevel=4,
        )
