"""Sums of kernels over any weighting of the training rows, in log space, one pass over blocks of distances."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.metrics import DistanceMetric
from sklearn.utils.extmath import row_norms

from skmem._blocks import map_blocks, row_blocks
from skmem._kernel_pairs import farthest_nearest, negligible_nats, pairs_within

# What rounding of |x|^2 + |y|^2 - 2 x.y may cost, in nats, before a more exact way is taken.
_NATS_LOST = {np.dtype(np.float32): 1e-3, np.dtype(np.float64): 1e-9}
# Blocks so small that two of them stay in a core's cache, and all cores have an equal share of them.
_BLOCK_BYTES = 2**21


class PairwiseDistances:
    """Squared distances from any rows to the training rows.

    Calling it with a block of rows (and which training rows, by default all) gives a new array (n_rows, n_train).
    Differences of rows are exact; one matrix product is many times faster, but rounds with the squared norms.
    `resolution` is the squared distance that must
    still be told from zero (the squared bandwidth): the product is used where its rounding costs less than 1e-9 nat,
    and in float32 where that costs less than 1e-3 nat. Without a `resolution`, differences are always taken.
    """

    def __init__(self, X_train, metric="euclidean", metric_params=None, resolution=None):
        self.X_train = X_train
        self.n_features = X_train.shape[1]
        self._rows = self._metric = None
        if metric == "euclidean":
            self._prepare_product(resolution)
        else:
            params = {} if metric_params is None else metric_params
            self._metric = DistanceMetric.get_metric(metric, **params)
        self._by_product = self._rows is not None
        if not self._by_product:
            self._rows = np.asarray(X_train, dtype=np.float64)

    @property
    def dtype(self):
        """Floating-point type of the blocks."""
        return self._rows.dtype

    def __call__(self, X, columns=slice(None)):
        measure = self._product if self._by_product else self._difference
        return measure(X, self._rows[columns])

    def _prepare_product(self, resolution):
        if resolution is None:
            return
        # Distances do not change when all rows move; rounding is least around the mean.
        self._center = self.X_train.mean(axis=0, dtype=np.float64)
        for dtype in (self.X_train.dtype, np.dtype(np.float64)):
            centered = (self.X_train - self._center).astype(dtype, copy=False)
            norms = row_norms(centered, squared=True)
            # Squares below the smallest number are lost whole.
            lost = 4.0 * np.finfo(dtype).eps * norms.max() + self.n_features * np.finfo(dtype).tiny
            if lost < _NATS_LOST[dtype] * resolution:
                self._rows = np.empty((len(norms), centered.shape[1] + 2), dtype=dtype)
                np.multiply(centered, -2.0, out=self._rows[:, :-2])
                self._rows[:, -2], self._rows[:, -1] = 1.0, norms
                return

    def _product(self, X, rows):
        centered = (X - self._center).astype(self._rows.dtype, copy=False)
        norms = row_norms(centered, squared=True)
        left = np.column_stack((centered, norms, np.ones_like(norms)))
        squared = left @ rows.T
        return np.maximum(squared, 0.0, out=squared)

    def _difference(self, X, rows):
        X = np.asarray(X, dtype=np.float64)
        if self._metric is None:
            return cdist(X, rows, "sqeuclidean")
        return self._metric.pairwise(X, rows) ** 2


@dataclass(frozen=True)
class Weighting:
    """What to sum: weights of the training rows and a bandwidth for every fit.

    weights : (n_weightings, n_train), non-negative; bandwidth : (n_fits,), positive. Fit k has row k of the weights,
    which are gone through again and again where there are more fits: the same training sets at several bandwidths.
    """

    weights: np.ndarray
    bandwidth: np.ndarray

    def groups(self):
        """Triples of a bandwidth, the fits that share it and their rows of the weights; the widest first."""
        values, inverse = np.unique(-self.bandwidth, return_inverse=True)
        fits = [np.flatnonzero(inverse == i) for i in range(values.size)]
        return [(-h, k, k % len(self.weights)) for h, k in zip(values, fits, strict=True)]


def log_kernel_sums(distances, X, kernel, weighting, *, own=None, plan=None):
    """Log of the weighted sums ``sum_i w[k, i] K(|x_j - x_i| / h_k)``, as an array (n_rows, n_fits).

    `own` names the training row that each row of X is, or is None; that row's own term is left out of the sums.
    `plan` is a list of pairs (rows, function that gives columns) that says which training rows matter to which rows;
    by default all do.
    Stable however small the kernels are: a sum that would underflow beside a larger kernel is taken again by itself.
    """
    n_rows = X.shape[0]
    if plan is None:
        row_bytes = weighting.weights.shape[1] * distances.dtype.itemsize
        blocks = row_blocks(n_rows, row_bytes, _BLOCK_BYTES)
        plan = [(np.arange(n_rows)[rows], partial(slice, None)) for rows in blocks]
    sums = _Sums(distances, X, kernel, weighting, own)
    # Each fit's sums side by side in memory.
    out = np.empty((weighting.bandwidth.size, n_rows)).T

    def fill(pair):
        rows, columns = pair
        out[rows] = sums.of_block(rows, columns())

    map_blocks(fill, plan)
    return out


class _Sums:
    """Sums of one block of rows over some columns, the training rows."""

    def __init__(self, distances, X, kernel, weighting, own):
        self.distances, self.X, self.kernel, self.own = distances, X, kernel, own
        self.exact_weights = weighting.weights
        self.weights = np.ascontiguousarray(weighting.weights.T, dtype=distances.dtype)
        self.groups, self.n_fits = weighting.groups(), weighting.bandwidth.size
        # For one bandwidth the search for pairs costs as much as it saves.
        self.nats = negligible_nats(weighting.weights) if len(self.groups) > 1 else None

    def of_block(self, rows, columns):
        """Log sums (n_rows, n_fits)."""
        out = np.empty((rows.size, self.n_fits))
        squared = pairs = self._squared_distances(rows, columns)
        nearest, weights = squared.min(axis=1), self.weights[columns]
        # A single bandwidth may overwrite the distances: fresh memory costs more than what is done in it.
        buffer, reached = squared, None
        if len(self.groups) > 1:
            buffer, reached = np.empty_like(squared), farthest_nearest(squared, weights > 0)
        for h, fits, which in self.groups:
            if reached is not None:
                pairs = pairs_within(pairs, self.kernel.reach(reached, h, self.nats))
            top = self.kernel.log_profile(nearest / h**2)
            top[np.isneginf(top)] = 0.0
            w = weights if which.size == weights.shape[1] else weights[:, which]
            sums, lost = self._log_sums(self._scaled_kernel(pairs, h, top, buffer), w, top)
            for j in np.flatnonzero(lost.any(axis=1)):
                again = self._one_by_one(rows[[j]], columns, h, which[lost[j]])
                sums[j, lost[j]] = again
            out[:, fits] = sums
        return out

    def _log_sums(self, kernel, weights, top):
        """Log sums (n_rows, n_fits) of kernels over the largest of their row, and which of them underflowed.

        A sum is wrong only if it is so small that kernels below the smallest number would count in it.
        """
        sums = (kernel @ weights).astype(np.float64, copy=False)
        info = np.finfo(kernel.dtype)
        lost = (sums < kernel.shape[1] * info.tiny / info.eps) & (not self.kernel.compact)
        with np.errstate(divide="ignore"):
            return np.log(sums, out=sums) + top[:, None], lost

    def _scaled_kernel(self, pairs, h, top, buffer):
        """Kernel of each pair over that of the nearest in its row, the log of which is `top`."""
        if isinstance(pairs, csr_array):
            log_kernel = self.kernel.log_profile(pairs.data / h**2)
            log_kernel -= np.repeat(top, np.diff(pairs.indptr))
            parts = np.exp(log_kernel, out=log_kernel), pairs.indices, pairs.indptr
            return csr_array(parts, shape=pairs.shape)
        log_kernel = self.kernel.log_profile(np.multiply(pairs, 1.0 / h**2, out=buffer))
        return np.exp(np.subtract(log_kernel, top[:, None], out=log_kernel), out=log_kernel)

    def _squared_distances(self, rows, columns):
        """Squared distances (n_rows, n_columns), infinite from a row to itself."""
        squared = self.distances(self.X[rows], columns)
        if self.own is not None:
            row, column = np.arange(rows.size), self.own[rows]
            if not isinstance(columns, slice):
                position = np.minimum(np.searchsorted(columns, column), columns.size - 1)
                is_there = columns[position] == column
                row, column = row[is_there], position[is_there]
            squared[row, column] = np.inf
        return squared

    def _one_by_one(self, row, columns, h, which):
        """Log-sum-exp of one row for some rows of the weights, each with a scale of its own."""
        u = self._squared_distances(row, columns)[0].astype(np.float64) / h**2
        log_kernel = self.kernel.log_profile(u)
        out = np.empty(which.size)
        for block in row_blocks(which.size, 3 * log_kernel.nbytes):
            with np.errstate(divide="ignore"):
                log_weights = np.log(self.exact_weights[which[block]][:, columns])
            out[block] = logsumexp(log_kernel + log_weights, axis=1)
        return out
