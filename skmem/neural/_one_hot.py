"""One-hot groups, found in the rows."""

import numpy as np


def one_hot_groups(X):
    """Sizes of the groups of one-hot columns that `X` begins with."""
    sizes = []
    while size := one_hot_group_size(X[:, sum(sizes) :]):
        sizes.append(size)
    return tuple(sizes)


def one_hot_group_size(X):
    """Number of leading columns in which every row has exactly one 1, or 0; columns of zeros belong to it.

    A category that no row has can stand last in its group, but not first.
    """
    ones = np.cumsum(X, axis=1)
    complete = (ones == 1).all(axis=0)
    if not complete.any():
        return 0
    first = int(np.argmax(complete))
    if not np.isin(X[:, : first + 1], (0, 1)).all():
        return 0
    longer = complete[first:]
    return first + (len(longer) if longer.all() else int(np.argmin(longer)))
