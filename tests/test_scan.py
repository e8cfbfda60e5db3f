"""Laws of searches in whole tables: what blocks of rough distances select is what all pairs give."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn import config_context

from skmem import _scan
from skmem._distances import NeighborIndex
from skmem._pairs import EuclideanPairs, GowerPairs
from skmem._scan import nearest_both_ways, nearest_in_blocks
from tests.oracles import neighbors_by_differences

SHAPES = {
    "less than a group": (5, 3, 8),
    "one block": (50, 37, 20),
    "several blocks of rows": (700, 90, 9),
    "several blocks of columns": (60, 9001, 7),
    "wide": (300, 400, 200),
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def no_fallback(pairs):
    """Fail where rough distances leave a row unsure."""

    def search(*args):
        raise AssertionError("rough distances should have been enough")

    pairs.search, pairs.tree = search, False
    return pairs


@each_shape
def test_neighbors_are_those_of_all_pairs(rng, shape):
    n, m, d = shape
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    found = nearest_in_blocks(no_fallback(EuclideanPairs(X, Y)), 3)
    distances, indices = neighbors_by_differences(X, Y, 3, "euclidean")
    # Selected in float32, but measured in float64.
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12)
    np.testing.assert_array_equal(found.indices, indices)


@each_shape
@pytest.mark.parametrize("space", ["euclidean", "gower"])
def test_a_copy_is_at_distance_zero(rng, shape, space):
    n, m, d = shape
    Y = rng.normal(size=(m, d)).astype(np.float32).astype(np.float64) * 1e3 + 1e4
    X = Y[rng.integers(m, size=n)]
    pairs = EuclideanPairs(X, Y) if space == "euclidean" else GowerPairs(X, Y, d - 2)
    # Exactly, however large the values are beside their spread.
    np.testing.assert_array_equal(nearest_in_blocks(pairs, 1).distances, 0.0)


@pytest.mark.parametrize("scale", [1e-100, 1e-3, 1.0, 1e100])
def test_no_scale_overflows_float32(rng, scale):
    X, Y = rng.normal(size=(2, 100, 9)) * scale
    found = nearest_in_blocks(no_fallback(EuclideanPairs(X, Y)), 2)
    # Rough distances are taken in units of the largest norm.
    np.testing.assert_allclose(found.distances, np.sort(cdist(X, Y), axis=1)[:, :2], rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
def test_what_rounding_hides_is_searched_for_again(rng, offset):
    # Two clusters far apart: float32 cannot see distances within them.
    X = rng.normal(size=(300, 9))
    X[::2] += 1e5
    X += offset
    pairs = EuclideanPairs(X, X)
    pairs.tree = False
    found = nearest_in_blocks(pairs, 2, exclude_self=True)
    distances = cdist(X, X)
    np.fill_diagonal(distances, np.inf)
    # The guarantee holds whatever float32 can tell.
    np.testing.assert_allclose(found.distances, np.sort(distances, axis=1)[:, :2], rtol=1e-10)


@pytest.mark.parametrize("values", [2, 4])
@pytest.mark.parametrize("space", ["euclidean", "gower"])
def test_ties_and_duplicates(rng, values, space):
    X = rng.integers(0, values, size=(400, 8)).astype(float)
    pairs = EuclideanPairs(X, X) if space == "euclidean" else GowerPairs(X, X, 5)
    pairs.tree = False
    found = nearest_in_blocks(pairs, 4, exclude_self=True)
    distances = cdist(X, X)
    if space == "gower":
        distances = cdist(X[:, :5], X[:, :5], "cityblock")
        distances = (distances + (X[:, None, 5:] != X[None, :, 5:]).sum(axis=2)) / 8
    measured = np.take_along_axis(distances, found.indices, axis=1)
    np.fill_diagonal(distances, np.inf)
    # Which of the tied rows are returned is free; their distances are not, nor that a row is not its own.
    np.testing.assert_allclose(found.distances, np.sort(distances, axis=1)[:, :4], rtol=1e-12)
    np.testing.assert_allclose(measured, found.distances, rtol=1e-12)
    assert not (found.indices == np.arange(400)[:, None]).any()


@pytest.mark.parametrize("space", ["euclidean", "gower"])
@pytest.mark.parametrize("columns", [300, 9001])
def test_balls_are_counted_as_all_pairs_say(rng, space, columns):
    X, Y = rng.normal(size=(300, 9)), rng.normal(size=(columns, 9))
    X[:50] = Y[:50]
    pairs = EuclideanPairs(X, Y) if space == "euclidean" else GowerPairs(X, Y, 9)
    distances = cdist(X, Y) if space == "euclidean" else cdist(X, Y, "cityblock") / 9
    radii = np.quantile(distances, 0.02, axis=0)
    # Balls that end exactly at a row, as those to a neighbour that was copied do, hold it.
    radii[:100] = pairs.exact(np.arange(100), np.arange(100)[:, None])[:, 0]
    weights = rng.integers(1, 4, size=columns).astype(float)
    of_columns_balls = nearest_both_ways(pairs, (1, 1), (None, radii))[0]
    of_row_balls = nearest_both_ways(pairs.flipped(), (1, 1), (radii, None), weights)[1]
    exact = pairs.exact(np.arange(300), np.broadcast_to(np.arange(columns), (300, columns)))
    np.testing.assert_array_equal(of_columns_balls.n_balls, (exact <= radii).sum(axis=1))
    # Whichever of the tables they are around, and with weights.
    np.testing.assert_array_equal(of_row_balls.n_balls, (exact <= radii) @ weights)
    np.testing.assert_allclose(exact, distances, rtol=1e-12)


def test_balls_of_equal_rows_hold_each_other():
    X = np.full((100, 9), 0.1)
    found = nearest_both_ways(EuclideanPairs(X, X), (1, 1), (np.zeros(100), np.zeros(100)))
    # A radius of 0 is a ball all the same.
    for side in found:
        np.testing.assert_array_equal(side.n_balls, 100)


def test_few_columns_take_a_tree(rng):
    X, Y = rng.normal(size=(100, 3)), rng.normal(size=(80, 3))
    pairs = EuclideanPairs(X, Y)
    by_tree = nearest_in_blocks(pairs, 2)
    pairs.tree = False
    # It changes the time taken, not the neighbours.
    by_blocks = nearest_in_blocks(pairs, 2)
    np.testing.assert_array_equal(by_tree.distances, by_blocks.distances)
    np.testing.assert_array_equal(by_tree.indices, by_blocks.indices)


@each_shape
@pytest.mark.parametrize("space", ["euclidean", "gower"])
def test_both_ways_are_two_searches(rng, shape, space):
    n, m, d = shape
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    X[: n // 2] = Y[rng.integers(m, size=n // 2)]
    pairs = EuclideanPairs(X, Y) if space == "euclidean" else GowerPairs(X, Y, d - 1)
    found = nearest_both_ways(pairs, (1, 3))
    for side, one_way, k in zip(found, (pairs, pairs.flipped()), (1, 3), strict=True):
        expected = nearest_in_blocks(one_way, k)
        # Each distance is computed once, and serves both of its rows.
        np.testing.assert_array_equal(side.distances, expected.distances)
        measured = one_way.exact(np.arange(len(one_way.X)), side.indices)
        np.testing.assert_array_equal(side.distances, measured)


@pytest.mark.parametrize("algorithm", ["kd_tree", "brute"])
@pytest.mark.parametrize("size", [1e-160, 1e-200, 1e-300])
def test_distances_whose_squares_vanish_are_distances(rng, size, algorithm):
    X, Y = size * rng.normal(size=(2, 60, 3))
    X[:10] = Y[:10]
    magnified = np.sort(cdist(X * 2.0**500, Y * 2.0**500), axis=1)[:, :2]
    distances, _ = NeighborIndex(Y, algorithm=algorithm).query(X, 2)
    pairs = EuclideanPairs(X, Y)
    pairs.tree = algorithm == "kd_tree"
    # Rows are apart if one of their values is; copies are not.
    for found in (distances, nearest_in_blocks(pairs, 2).distances):
        np.testing.assert_allclose(found * 2.0**500, magnified, rtol=1e-10)
    # Also if only one of them is small, beside values that others share.
    far = np.column_stack([np.ones(3), size * np.array([0.0, 1.0, 3.0])])
    found = NeighborIndex(far, algorithm=algorithm).query(far, 1, np.arange(3))[0]
    np.testing.assert_allclose(found / size, [[1], [1], [2]], rtol=1e-10)


def test_blocks_change_nothing(rng, monkeypatch):
    X, Y = rng.normal(size=(300, 9)), rng.normal(size=(500, 9))
    radii = np.full(300, 2.0), np.full(500, 2.0)
    whole = nearest_both_ways(EuclideanPairs(X, Y), (1, 3), radii)
    monkeypatch.setattr(_scan, "_ROWS", 32)
    monkeypatch.setattr(_scan, "_COLUMNS", 48)
    with config_context(working_memory=0.01):
        parts = nearest_both_ways(EuclideanPairs(X, Y), (1, 3), radii)
    # Blocks bound the memory; what is found does not depend on them.
    for side, again in zip(whole, parts, strict=True):
        for a, b in zip(side, again, strict=True):
            np.testing.assert_array_equal(a, b)
