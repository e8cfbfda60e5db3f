"""Neighbours against all row differences, copies at distance zero, groups of equal rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsTransformer

from skmem import _distances
from skmem._distances import NeighborGraph, NeighborIndex, duplicate_groups, nearest_neighbors
from tests.oracles import duplicate_labels, neighbors_by_differences

ALGORITHMS = ("auto", "ball_tree", "kd_tree", "brute")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "minkowski"])
@pytest.mark.parametrize("n_features", [1, 3, 40])
def test_equal_to_all_row_differences(rng, algorithm, metric, n_features):
    X, Z = rng.normal(size=(80, n_features)), rng.normal(size=(30, n_features))
    distances, indices = nearest_neighbors(Z, X, 7, metric=metric, algorithm=algorithm)
    expected, places = neighbors_by_differences(Z, X, 7, metric)
    # How neighbours are searched changes the time it takes, not what is found.
    np.testing.assert_allclose(distances, expected, rtol=1e-13)
    np.testing.assert_array_equal(indices, places)


def test_metric_params_reach_the_metric(rng):
    X = rng.normal(size=(50, 4))
    distances, _ = nearest_neighbors(X, X, 5, metric="minkowski", metric_params={"p": 3})
    # The metric is the one asked for, p included; scikit-learn would warn of p given twice.
    np.testing.assert_allclose(
        distances, np.sort(cdist(X, X, "minkowski", p=3))[:, :5], rtol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("metric", "algorithm"),
    [
        *((metric, how) for metric in ("euclidean", "manhattan") for how in ALGORITHMS),
        ("cosine", "brute"),
        ("sqeuclidean", "brute"),
    ],
)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_copies_are_at_distance_zero(rng, dtype, algorithm, metric, offset):
    X = (rng.normal(size=(200, 64)) + offset).astype(dtype)
    distances, indices = nearest_neighbors(X[:50].copy(), X, 1, metric=metric, algorithm=algorithm)
    # d(x, x) = 0 and nothing can be nearer.
    np.testing.assert_array_equal(distances, 0.0)
    if metric != "cosine" or not offset:  # far from 0 all rows have the same direction
        np.testing.assert_array_equal(indices[:, 0], np.arange(50))


@pytest.mark.parametrize("n_features", [2, 64])
def test_large_offset_does_not_change_the_neighbours(rng, n_features):
    X = rng.integers(-512, 512, size=(300, n_features)) / 256
    near = nearest_neighbors(X, X, 6, algorithm="brute")
    far = nearest_neighbors(X + 1e6, X + 1e6, 6, algorithm="brute")
    # The shifted values are exact in float64, so distances are those of the unshifted rows.
    np.testing.assert_array_equal(far[0], near[0])


@pytest.mark.parametrize("scale", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_near_copies_hidden_by_rounding_are_found(rng, scale, offset):
    # Ten knots of 30 near-copies: within a knot, brute force sees nothing but its rounding errors.
    knots = rng.normal(size=(10, 1, 64)) + offset
    X = (knots + scale * rng.normal(size=(10, 30, 64))).reshape(300, 64)
    distances, indices = nearest_neighbors(X, X, 5, algorithm="brute")
    expected, places = neighbors_by_differences(X, X, 5, "euclidean")
    # Rows that rounding may have hidden are compared with all training rows.
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    np.testing.assert_array_equal(indices, places)


def test_comparison_with_all_rows_is_needed_and_seldom(rng, monkeypatch):
    compared = []

    def count(self, X, n_found, compare=NeighborIndex._compare_all):
        compared.append(len(X))
        return compare(self, X, n_found)

    monkeypatch.setattr(_distances.NeighborIndex, "_compare_all", count)
    digits = load_digits().data
    nearest_neighbors(digits, digits, 5, algorithm="brute")
    # On ordinary data rounding errors are far below the distances.
    assert compared == []
    knot = 1.0 + 1e-9 * rng.normal(size=(50, 64))
    nearest_neighbors(knot, np.r_[knot, -knot], 5, algorithm="brute")
    # On near-copies they are not, and scikit-learn's candidates alone would not do.
    assert sum(compared) > 0


def test_more_copies_than_neighbours(rng):
    X = np.repeat(rng.normal(size=(5, 30)), 20, axis=0)
    distances, indices = nearest_neighbors(X, X, 10, algorithm="brute")
    # Every row has 20 copies, itself among them; any ten of them will do.
    np.testing.assert_array_equal(distances, 0.0)
    np.testing.assert_array_equal(
        indices // 20, np.repeat(np.arange(5), 20)[:, None] + 0 * indices
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n_features", [2, 40])
def test_exclude_self_keeps_copies(rng, algorithm, n_features):
    X = rng.normal(size=(60, n_features))
    X[10:20] = X[0]
    distances, indices = nearest_neighbors(X, X, 4, algorithm=algorithm, exclude_self=True)
    gaps = cdist(X, X)
    np.fill_diagonal(gaps, np.inf)
    # The row itself is gone, even from among more copies than neighbours asked for ...
    assert not (indices == np.arange(60)[:, None]).any()
    # ... and all other rows, copies included, remain.
    np.testing.assert_allclose(distances, np.sort(gaps)[:, :4], rtol=1e-13)


def test_exclude_self_down_to_the_last_neighbour(rng):
    X = rng.normal(size=(12, 20))
    indices = nearest_neighbors(X, X, 11, exclude_self=True)[1]
    # Each row has n - 1 others, each once.
    np.testing.assert_array_equal(
        np.sort(np.c_[np.arange(12), indices], axis=1), np.tile(np.arange(12), (12, 1))
    )


def test_sorted_by_distance_then_index():
    X = np.array([[1.0], [-1.0], [2.0], [0.0], [-2.0]])
    distances, indices = nearest_neighbors([[0.0]], X, 5)
    # Equal distances come in the order of the training rows.
    np.testing.assert_array_equal(indices, [[3, 0, 1, 2, 4]])
    np.testing.assert_array_equal(distances, [[0, 1, 1, 2, 2]])


def test_query_of_a_training_index_is_reusable(rng):
    X = rng.normal(size=(40, 20))
    index = NeighborIndex(X)
    whole = index.query(X, 5)
    part = index.query(X[7:9], 5)
    # A query depends on its own row alone.
    np.testing.assert_array_equal(part[0], whole[0][7:9])


@pytest.mark.parametrize("make", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_graph_of_all_distances_equals_search(rng, make):
    X = rng.normal(size=(30, 3))
    gaps = cdist(X, X) + 1.0  # keeps the diagonal stored in the sparse matrix
    graph = NeighborGraph(make(gaps))
    rows = np.arange(5, 15)
    distances, indices = graph.query(rows, 6)
    # Reading off all distances is searching.
    np.testing.assert_array_equal(distances, np.sort(gaps)[rows, :6])
    np.testing.assert_array_equal(indices, np.argsort(gaps)[rows, :6])


def test_graph_rows_that_end_early_are_padded_with_infinity():
    graph = NeighborGraph(csr_array([[0.0, 2.0, 1.0], [0.0, 3.0, 0.0]]))
    distances, _ = graph.query(np.arange(2), 3)
    # Absent entries are no neighbours.
    np.testing.assert_array_equal(distances, [[1, 2, np.inf], [3, np.inf, np.inf]])
    np.testing.assert_array_equal(graph.n_stored(), [2, 1])


def test_graph_keeps_stored_zeros(rng):
    X = rng.normal(size=(20, 3))
    graph = KNeighborsTransformer(mode="distance", n_neighbors=4).fit_transform(X)
    distances, indices = NeighborGraph(graph).query(np.arange(20), 1)
    # scikit-learn stores the row itself as a zero.
    np.testing.assert_array_equal(indices[:, 0], np.arange(20))
    np.testing.assert_array_equal(distances, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.int64, np.uint8, bool])
def test_duplicate_groups(rng, dtype):
    X = rng.integers(0, 2, size=(50, 4)).astype(dtype)
    # Labels count groups in the order in which they appear.
    np.testing.assert_array_equal(duplicate_groups(X), duplicate_labels(X))


def test_duplicate_groups_follow_equality_not_bytes():
    tiny = np.nextafter(0.0, 1.0)
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [tiny, 1.0], [0.0, 1.0]])
    # -0.0 == 0.0, while the smallest float is not zero.
    np.testing.assert_array_equal(duplicate_groups(X), [0, 0, 1, 0])


def test_duplicate_groups_of_a_view_and_of_fortran_order(rng):
    X = np.asfortranarray(rng.integers(0, 3, size=(40, 6)).astype(float))[::2, 1:3]
    # The layout in memory is no part of a row.
    np.testing.assert_array_equal(duplicate_groups(X), duplicate_labels(X))
