"""The training rows of greatest influence, found while blocks of the matrix pass by."""

import numpy as np


def top_rows(blocks, n_points, k, opponents=False):
    """The `k` training rows of greatest influence on each point, or of least, in order.

    In nats; positive for proponents; 0 is no effect.

    Parameters
    ----------
    blocks : iterable of (slice, slice, ndarray)
        Training rows, points, and their influence (n_rows, n_points); together every pair once.
    n_points : int
        Number of points.
    k : int
        No more than the training rows.
    opponents : bool, default=False
        Whether to look for the least.

    Returns
    -------
    indices : ndarray of shape (n_points, k)
        Training rows, greatest (least) first, equal ones in their order.
    values : ndarray of shape (n_points, k)
        Their influence.
    """
    sign = -1.0 if opponents else 1.0
    indices, values = np.zeros((n_points, k), dtype=np.intp), np.full((n_points, k), -np.inf)
    for rows, points, influence in blocks:
        new = np.broadcast_to(np.arange(rows.start, rows.stop), influence.T.shape)
        both = np.concatenate([indices[points], new], axis=1)
        all_values = np.concatenate([values[points], sign * influence.T], axis=1)
        best = _largest(all_values, k)
        indices[points] = np.take_along_axis(both, best, axis=1)
        values[points] = np.take_along_axis(all_values, best, axis=1)
    return indices, sign * values


def _largest(values, k):
    """Positions of the `k` largest values of each row, largest first, of equal ones the first.

    What a stable sort of all would give, at the price of a partition.
    """
    last = -np.partition(-values, k - 1, axis=1)[:, k - 1 : k]
    chosen = values > last
    ties = values == last
    chosen |= ties & (np.cumsum(ties, axis=1) <= k - chosen.sum(axis=1, keepdims=True))
    positions = np.nonzero(chosen)[1].reshape(len(values), k)
    order = np.argsort(-np.take_along_axis(values, positions, axis=1), axis=1, kind="stable")
    return np.take_along_axis(positions, order, axis=1)
