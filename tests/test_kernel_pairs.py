"""Sums of kernels at several bandwidths, of which pairs too far to count are left out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skmem._kernel_pairs import farthest_nearest, negligible_nats, pairs_within
from skmem._kernel_sums import PairwiseDistances, Weighting, log_kernel_sums
from skmem._kernels import KERNELS
from tests.oracles import dense_log_kernel_sums

each_kernel = pytest.mark.parametrize("kernel", sorted(KERNELS))
# From one at which only copies count to one at which all rows are alike.
BANDWIDTHS = np.geomspace(1e-3, 1e4, 15)


def table(seed=0):
    """Clusters of unequal width, an isolated row, and rows twice."""
    rng = np.random.default_rng(seed)
    X = np.concatenate([s * rng.normal(size=(50, 3)) + 20 * s for s in (0.01, 1.0, 5.0)])
    return np.concatenate([X, X[::10], [[500.0, 0.0, 0.0]]])


def some_weights(n, kind):
    rng = np.random.default_rng(1)
    weights = (rng.uniform(size=(9, n)) < 0.7).astype(float)
    return weights * rng.uniform(1e-3, 10, size=n) if kind == "unequal" else weights


@each_kernel
@pytest.mark.parametrize("kind", ["masks", "unequal"])
@pytest.mark.parametrize("leave_own", [False, True])
def test_sums_at_many_bandwidths_equal_the_dense_log_sum_exp(kernel, kind, leave_own):
    X = table()
    weights, own = some_weights(len(X), kind), np.arange(len(X)) if leave_own else None
    distances = PairwiseDistances(X)
    weighting = Weighting(weights, np.repeat(BANDWIDTHS, len(weights)))
    found = log_kernel_sums(distances, X, KERNELS[kernel], weighting, own=own)
    expected = dense_log_kernel_sums(X, X, KERNELS[kernel], weights, BANDWIDTHS, own)
    # What is left out of a sum is less than its rounding.
    assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_sums_do_not_depend_on_the_other_bandwidths():
    X, weights = table(), some_weights(166, "masks")
    distances = PairwiseDistances(X)
    together = log_kernel_sums(
        distances, X, KERNELS["gaussian"], Weighting(weights, np.repeat([0.1, 3.0], 9))
    )
    for h, part in zip([0.1, 3.0], np.split(together, 2, axis=1), strict=True):
        alone = log_kernel_sums(
            distances, X, KERNELS["gaussian"], Weighting(weights, np.full(9, h))
        )
        assert_allclose(part, alone, rtol=1e-13, atol=1e-13)


def test_every_fit_has_a_row_within_the_farthest_nearest():
    rng = np.random.default_rng(0)
    squared, has = rng.uniform(size=(40, 30)), rng.uniform(size=(30, 12)) < 0.3
    expected = [max(row[has[:, k]].min() for k in range(12)) for row in squared]
    # By definition: the worst-served fit's nearest row.
    assert_array_equal(farthest_nearest(squared, has), expected)
    # A fit without rows is served by none.
    has[:, 3] = False
    assert np.isinf(farthest_nearest(squared, has)).all()


def test_the_search_for_rows_of_every_fit_ends_where_one_lacks_a_cluster():
    rng = np.random.default_rng(0)
    squared, has = rng.uniform(size=(6, 500)), np.ones((500, 2), dtype=bool)
    order = squared.argsort(axis=1)
    has[order[0, :400], 1] = False
    expected = np.array([row[has[:, 1]].min() for row in squared])
    found = farthest_nearest(squared, has)
    # No bound on what matters leaves nothing out: it is given up rather than looked for row by row of the cluster.
    assert np.isinf(found[0])
    lacked = [np.argmax(has[row, 1]) for row in order]
    # Where some rows only are lacking, the bound is there.
    few = np.array(lacked) < 30
    assert few.any()
    assert_array_equal(found[few], expected[few])


def test_sums_of_fits_that_lack_a_whole_cluster_equal_the_dense_log_sum_exp():
    X = table()
    cluster = np.repeat([0, 1, 2, 0, 1, 2, 0], [50, 50, 50, 5, 5, 5, 1])
    weights = np.array([cluster != k for k in range(3)], dtype=float)
    weighting = Weighting(weights, np.repeat(BANDWIDTHS, 3))
    found = log_kernel_sums(PairwiseDistances(X), X, KERNELS["gaussian"], weighting)
    expected = dense_log_kernel_sums(X, X, KERNELS["gaussian"], weights, BANDWIDTHS, None)
    # Rows of the lacking cluster get their sums from far rows alone.
    assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@each_kernel
def test_kernels_beyond_the_reach_leave_a_sum_as_it_is(kernel):
    weights = np.array([[1e-3, 1.0, 0.0, 7.0]])
    nats, near, h = negligible_nats(weights), 0.3, 0.8
    u = np.array([near, KERNELS[kernel].reach(np.array([near]), h, nats)[0] * (1 + 1e-9)]) / h**2
    own, other = np.exp(KERNELS[kernel].log_profile(u))
    # The lightest row at the nearest distance; all others as heavy as any, and just beyond the reach.
    assert 4 * 7.0 * other <= np.finfo(float).eps * 1e-3 * own * (1 + 1e-6)


def test_pairs_become_a_sparse_array_that_is_filtered_on():
    squared = np.random.default_rng(0).uniform(size=(20, 50))
    limit = np.linspace(0, 0.2, 20)
    few = pairs_within(squared, limit)
    fewer = pairs_within(few, limit / 2)
    for pairs, bound in ((few, limit), (fewer, limit / 2)):
        assert isinstance(pairs, csr_array)
        assert_array_equal(pairs.toarray(), np.where(squared <= bound[:, None], squared, 0.0))
    # Many pairs are left dense, untouched.
    assert pairs_within(squared, np.full(20, 0.9)) is squared
