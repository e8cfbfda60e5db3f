"""The k-th nearest training row of every point within every fit, from one neighbour search."""

import numpy as np
from scipy.stats import nbinom

from skmem._blocks import row_blocks

# Share of the points for which the first search may find too few neighbours.
_SECOND_SEARCH = 0.01


def kth_neighbors(search, n_points, n_available, train_mask, n_neighbors):
    """Log-distance and rank of the neighbour that sets the density of each point in each fit.

    In log-units of the metric. The neighbour is the k-th nearest one among the rows of the fit
    or, where that is at distance 0, the first one at a positive distance, whose rank exceeds k.

    Parameters
    ----------
    search : callable
        ``search(points, m)`` gives the distances and indices of the m nearest rows of each of
        `points`, two arrays of shape (len(points), m), ascending; infinity is no neighbour.
    n_points : int
        Number of points.
    n_available : int
        Most neighbours that can be asked of `search`.
    train_mask : array of bool, shape (n_fits, n_train)
        Rows of each fit.
    n_neighbors : int
        k.

    Returns
    -------
    log_radius : array of shape (n_fits, n_points)
        Log-distances; nan where there is no such neighbour.
    rank : array of shape (n_fits, n_points)
        Place of that neighbour among the neighbours in the fit, counted from 1.
    """
    n_fits = len(train_mask)
    members = np.ascontiguousarray(train_mask.T)
    log_radius = np.empty((n_points, n_fits))
    rank = np.empty((n_points, n_fits), dtype=np.intp)
    pending = np.arange(n_points)
    n_search = min(first_search(train_mask, n_neighbors), n_available)
    while pending.size:
        for block in row_blocks(len(pending), (64 + n_fits) * n_search + 32 * n_fits):
            points = pending[block]
            found = kth_members(*search(points, n_search), members, n_neighbors)
            log_radius[points], rank[points] = found
        if n_search == n_available:
            break
        pending = pending[np.isnan(log_radius[pending]).any(axis=1)]
        n_search = min(2 * n_search, n_available)
    return log_radius.T, rank.T


def first_search(train_mask, n_neighbors):
    """How many neighbours hold k members of every fit, for all but 1 in 100 points.

    Outsiders met before the k-th member of a fit follow a negative binomial law.
    """
    share = train_mask.mean(axis=1).min()
    return n_neighbors + int(nbinom.isf(_SECOND_SEARCH / len(train_mask), n_neighbors, share))


def kth_members(distances, indices, members, n_neighbors):
    """`kth_neighbors` of one block, transposed, with ``members = train_mask.T``."""
    copy = distances == 0
    small = np.min_scalar_type(max(n_neighbors, indices.shape[1]) + 1)
    rank = np.full((len(indices), members.shape[1]), n_neighbors, dtype=small)
    copied = copy[:, n_neighbors - 1]
    n_copies = (members[indices[copied]] & copy[copied, :, None]).sum(axis=1, dtype=small)
    rank[copied] = np.maximum(rank[copied], n_copies + 1)
    place, count = np.zeros_like(rank), np.zeros_like(rank)
    for j in range(indices.shape[1]):
        count += members[indices[:, j]]
        place += count < rank
    usable = (distances > 0) & np.isfinite(distances)
    log_distances = np.full((len(indices), indices.shape[1] + 1), np.nan)
    np.log(distances, where=usable, out=log_distances[:, :-1])
    return np.take_along_axis(log_distances, place.astype(np.intp), axis=1), rank


def fits_on_copies(X, train_mask):
    """Fits whose rows of `X` are all equal, as indices; no neighbour there is of any use."""
    first = train_mask.argmax(axis=1)
    last = len(X) - 1 - train_mask[:, ::-1].argmax(axis=1)
    suspects = np.flatnonzero((X[first] == X[last]).all(axis=1))
    return [k for k in suspects if (X[train_mask[k]] == X[first[k]]).all()]
