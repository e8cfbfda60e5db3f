"""Groups of copies, exact and near, against all pairs of rows."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from skmem import MemorizationScorer
from skmem.copying import _near_pairs, find_duplicates
from skmem.datasets import make_planted_copies, make_planted_outliers
from skmem.density import KernelDensity
from tests.oracles import chained_groups

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))


def as_sets(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def gower(numbers, categories):
    """Gower's distance between all rows, column by column."""
    columns = [np.abs(c[:, None] - c) / np.ptp(c) for c in numbers]
    columns += [(np.asarray(c)[:, None] != np.asarray(c)).astype(float) for c in categories]
    return np.mean(columns, axis=0)


# Against all pairs


@pytest.mark.parametrize("threshold", [0.0, 1e-3, 0.1, 0.3, 0.6, 100.0])
@pytest.mark.parametrize("n_columns", [1, 3, 30])
def test_groups_are_chains_of_near_pairs(threshold, n_columns):
    rows = np.random.default_rng(1).normal(size=(300, n_columns))
    rows[:20] = rows[100:120] + 1e-4
    rows[20:25] = rows[30]
    found = find_duplicates(rows, threshold)
    # rows within the threshold share a group, so do those that share a neighbour, and no others
    assert as_sets(found.labels) == chained_groups(cdist(rows, rows), threshold)


@pytest.mark.parametrize("threshold", [0.05, 0.5, 50.0])
def test_blocks_join_into_the_same_groups(threshold, monkeypatch):
    expected = find_duplicates(X, threshold).labels
    for name, size in {"_ROWS": 16, "_COLUMNS": 32, "_BATCH": 2}.items():
        monkeypatch.setattr(_near_pairs, name, size)
    # the sizes of the blocks are nobody's business, whether few pairs are near or all
    np.testing.assert_array_equal(find_duplicates(X, threshold).labels, expected)


@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.3])
def test_tables_of_numbers_and_categories_have_gowers_distance(threshold):
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    age, bmi = rng.integers(20, 90, size=150).astype(float), rng.normal(25, 4, size=150)
    sex, town = rng.choice(["f", "m"], 150), rng.choice(list("abc"), 150)
    frame = pd.DataFrame({"age": age, "sex": sex, "bmi": bmi, "town": town})
    frame.iloc[:5] = frame.iloc[10:15].to_numpy()
    found = find_duplicates(frame, threshold)
    columns = [frame[c].to_numpy() for c in frame]
    distances = gower([c.astype(float) for c in columns[::2]], columns[1::2])
    assert found.metric == "gower"
    # no distance is so near the threshold that rounding could decide
    assert np.abs(distances - threshold)[distances > 0].min() > 1e-12
    assert as_sets(found.labels) == chained_groups(distances, threshold)
    assert found.n_exact == 10


def test_categories_alone_are_compared_too():
    table = np.array([["a", "x"], ["b", "y"], ["a", "x"], ["a", "y"]], dtype=object)
    np.testing.assert_array_equal(find_duplicates(table).labels, [0, 1, 0, 2])
    # one of two columns differs: half
    np.testing.assert_array_equal(find_duplicates(table, 0.5).labels, [0, 0, 0, 0])


# Planted copies


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_features", [2, 64])
def test_row_for_row_copies_are_found_in_every_order_and_dtype(dtype, n_features):
    data = make_planted_copies(400, 50, n_features=n_features, random_state=0)
    order = np.random.default_rng(2).permutation(400)
    rows = data.X.astype(dtype)
    found = find_duplicates(rows)
    np.testing.assert_array_equal(found.labels[data.planted], found.labels[data.source])
    assert found.n_duplicates == len(np.union1d(data.planted, data.source))
    # all at distance zero, and no other row
    assert (found.distances[data.planted] == 0).all()
    shuffled = find_duplicates(rows[order])
    assert as_sets(shuffled.labels) == {
        frozenset(np.flatnonzero(np.isin(order, list(group))).tolist())
        for group in as_sets(found.labels)
    }


def test_jittered_copies_are_found_within_their_jitter():
    data = make_planted_copies(300, 20, noise=1e-3, n_features=8, random_state=0)
    assert find_duplicates(data.X).n_duplicates == 0
    found = find_duplicates(data.X, 0.02)
    np.testing.assert_array_equal(found.labels[data.planted], found.labels[data.source])
    assert (found.n_exact, found.n_duplicates) == (0, len(np.union1d(data.planted, data.source)))


def test_a_chain_is_one_group_however_long():
    line = np.arange(1000.0)[rng.permutation(1000), None]
    assert find_duplicates(line, 1.0).n_groups == 1
    # neighbours are at distance 1, and 1 is not within a little less
    assert find_duplicates(line, np.nextafter(1.0, 0)).n_groups == 0


def test_equal_rows_of_another_sign_of_zero_or_kind_are_equal():
    np.testing.assert_array_equal(find_duplicates([[0.0, 1], [-0.0, 1], [0, 2]]).labels, [0, 0, 1])
    whole = np.array([[1, 2], [3, 4], [1, 2]])
    for table in (whole, whole.astype(object), whole.astype(np.int8), whole.tolist()):
        np.testing.assert_array_equal(find_duplicates(table).labels, [0, 1, 0])


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_extreme_tables(threshold):
    alone = find_duplicates([[1.0, 2.0]], threshold)
    assert (alone.n_groups, alone.labels.tolist()) == (0, [0])
    equal = find_duplicates(np.ones((50, 3)), threshold)
    assert (equal.n_groups, equal.n_duplicates, len(equal.groups[0])) == (1, 50, 50)
    constant = find_duplicates(np.column_stack([X, np.full(300, 7.0)]), threshold)
    np.testing.assert_array_equal(constant.labels, find_duplicates(X, threshold).labels)


@pytest.mark.parametrize("scale", [1e-100, 1e-8, 1e8, 1e100])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_units_change_nothing(scale, offset):
    rows = np.concatenate([X, X[:10] + 0.01])
    expected = find_duplicates(rows, 0.05).labels
    moved = (rows + offset) * scale
    np.testing.assert_array_equal(find_duplicates(moved, 0.05 * scale).labels, expected)
    # in units of the columns' own spread, not even those of one column do
    moved = moved * [1.0, 1e3, 1e-3]
    scaled = find_duplicates(moved, 0.05, metric="seuclidean").labels
    spread = rows / rows.std(axis=0)
    np.testing.assert_array_equal(scaled, find_duplicates(spread, 0.05).labels)


# The result


def test_groups_labels_and_frame_say_the_same():
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    rows = np.array([[0.0], [5.0], [0.0], [9.0], [5.2], [0.0], [5.5]])
    found = find_duplicates(pd.DataFrame(rows, columns=["a"]), 0.3)
    # the largest group first, ties by their first rows
    assert [group.tolist() for group in found.groups] == [[0, 2, 5], [1, 4, 6]]
    np.testing.assert_array_equal(found.labels, [0, 1, 0, 2, 1, 0, 1])
    frame = found.to_frame()
    assert frame["row"].tolist() == [0, 2, 5, 1, 4, 6]
    assert frame["group"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frame["size"].tolist() == [3] * 6
    np.testing.assert_allclose(frame["distance"], [0, 0, 0, 0.2, 0.2, 0.3])
    assert frame["nearest"].tolist()[3:] == [4, 1, 4]
    # a row without a copy has no nearest one
    assert (found.nearest[3], np.isnan(found.distances[3])) == (-1, True)
    assert str(found) == (
        "6 of 7 rows are within 0.3 of another row (3 equal to one); groups: 2, "
        "rows in the largest: 3."
    )
    figures = found.to_dict()
    assert (figures["n_duplicates"], figures["n_exact"], figures["threshold"]) == (6, 3, 0.3)


def test_frames_come_back_in_the_library_they_came_in():
    pl = pytest.importorskip("polars", reason="polars comes with the test extra")
    found = find_duplicates(pl.DataFrame({"a": [1.0, 2.0, 1.0], "b": ["x", "y", "x"]}))
    assert isinstance(found.to_frame(), pl.DataFrame)
    # also where there are none
    none = find_duplicates(pl.DataFrame({"a": [1.0, 2.0]}))
    assert none.to_frame().height == 0
    assert str(none) == "none of 2 rows is equal to another row."


def test_labels_are_groups_of_the_scorer():
    data = make_planted_outliers(100, 3, distance=12.0, random_state=1)
    twins = np.append(data.planted[0], 100)
    rows = np.concatenate([data.X, data.X[twins[:1]] + 1e-9])
    groups = find_duplicates(rows, 1e-6).labels
    scorer = MemorizationScorer(KernelDensity(bandwidth=0.7)).fit(rows, groups=groups)
    # a near twin hides a memorized row until both leave together
    assert scorer.row_memorization_[twins].max() < 1
    assert scorer.memorization_[twins].min() > 10


# Input


@pytest.mark.parametrize(
    ("table", "params", "message"),
    [
        (X, {"threshold": -0.1}, "'threshold' .* Got -0.1"),
        (X, {"threshold": np.nan}, "'threshold' .* Got nan"),
        (X, {"threshold": "near"}, "'threshold' .* Got 'near'"),
        (X, {"metric": "cosine"}, "'metric' .* Got 'cosine'"),
        (X, {"categorical_features": ["town"]}, "categorical_features must be names or positions"),
        (X, {"categorical_features": [7]}, "categorical_features must be names or positions"),
        (X[:0], {}, "0 sample"),
        (X[:, :0], {}, "0 feature"),
        (X[:, 0], {}, "Expected 2D array"),
        (np.where(X > 2, np.nan, X), {}, "X: numbers must be finite"),
        (np.where(X > 2, np.inf, X), {}, "X: numbers must be finite"),
        ([["a"], ["b"]], {"metric": "euclidean"}, "metric='euclidean' needs columns of numbers"),
    ],
)
def test_bad_input_is_named(table, params, message):
    with pytest.raises(ValueError, match=message):
        find_duplicates(table, **params)
