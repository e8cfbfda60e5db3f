"""Which pairs of rows matter to sums of kernels at several bandwidths: ever fewer as these get narrower."""

import numpy as np
from scipy.sparse import csr_array

# From this share of the pairs on, a matrix product of all of them is faster.
_FEW = 0.15
# Random training sets seldom all lack so many nearest rows. Where a fit lacks a whole cluster, looking on would take
# as many turns as the cluster has rows.
_MAX_TURNS = 32


def negligible_nats(weights):
    """How many nats a kernel must be below another for all such to leave a sum that has the other as it is.

    A sum over n rows with weights from w to W (n_fits, n_rows) that has a kernel K is at least w K. Kernels below
    K exp(-nats) add at most n W K exp(-nats) to it. That is less than a rounding error, eps w K, for

        nats = log(n W / (w eps)).
    """
    least = np.where(weights > 0, weights, np.inf).min()
    spread = np.log(float(weights.max())) - np.log(float(least))
    return np.log(weights.shape[1]) + spread - np.log(np.finfo(np.float64).eps)


def farthest_nearest(squared, has):
    """For each row a squared distance within which every fit has a training row, inf where none was found.

    `squared` is (n_rows, n_train), `has` says which training rows each fit has, (n_train, n_fits). Few fits lack the
    nearest row, and hardly any the next ones too: each in turn is looked for in the rows that still need it.
    """
    index = squared.argmin(axis=1)
    farthest = np.take_along_axis(squared, index[:, None], axis=1)[:, 0]
    lacking = ~has[index]
    needy = np.flatnonzero(lacking.any(axis=1) & np.isfinite(farthest))
    rest, index, lacking = squared[needy], index[needy], lacking[needy]
    for _ in range(_MAX_TURNS):
        row = np.arange(needy.size)
        rest[row, index] = np.inf
        index = rest.argmin(axis=1)
        farthest[needy] = rest[row, index]
        lacking &= ~has[index]
        on = lacking.any(axis=1) & np.isfinite(farthest[needy])
        if not on.all():
            needy, rest, index, lacking = needy[on], rest[on], index[on], lacking[on]
        if not needy.size:
            break
    farthest[needy] = np.inf
    return farthest


def pairs_within(pairs, limit):
    """Those of the pairs with a squared distance up to the `limit` of their row, (n_rows,).

    Pairs are an array of squared distances; or a sparse one, once they are few.
    """
    if isinstance(pairs, csr_array):
        kept = pairs.data <= np.repeat(limit, np.diff(pairs.indptr))
        pointer = np.append(0, np.cumsum(kept))[pairs.indptr]
        return csr_array((pairs.data[kept], pairs.indices[kept], pointer), shape=pairs.shape)
    kept = pairs <= limit[:, None]
    if np.count_nonzero(kept) > _FEW * kept.size:
        return pairs
    counts, position = np.sum(kept, axis=1), np.flatnonzero(kept)
    pointer = np.append(0, np.cumsum(counts))
    columns = position - np.repeat(np.arange(len(pairs)) * pairs.shape[1], counts)
    return csr_array((pairs.ravel()[position], columns, pointer), shape=pairs.shape)
