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
        # stable: of equal ones those found before, which stand first
        best = np.argsort(-all_values, axis=1, kind="stable")[:, :k]
        indices[points] = np.take_along_axis(both, best, axis=1)
        values[points] = np.take_along_axis(all_values, best, axis=1)
    return indices, sign * values
