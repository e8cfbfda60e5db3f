"""Tables of numbers and categories, of any library; and what is refused, by name."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from skmem.copying import (
    audit_copying,
    authenticity,
    coverage,
    data_copying_test,
    distance_to_closest_record,
    membership_inference,
    nearest_neighbor_distance_ratio,
)
from skmem.density import GaussianMixture, KernelDensity
from tests.oracles import gower_distances

NAMES = ["age", "town", "bmi", "smoker"]
LIBRARIES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "dict": dict,
}


def columns(seed, n):
    """Two columns of numbers and two of categories."""
    rng = np.random.default_rng(seed)
    return {
        "age": rng.integers(18, 90, size=n),
        "town": rng.choice(["Ghent", "Oslo", "Turin", "Brno"], size=n).astype(object),
        "bmi": rng.normal(25, 4, size=n),
        "smoker": rng.choice(["yes", "no"], size=n).astype(object),
    }


def objects(table):
    """The columns as one array of objects, numbers first."""
    return np.column_stack([np.asarray(table[n]).astype(object) for n in NAMES])


@pytest.mark.parametrize("make", LIBRARIES.values(), ids=LIBRARIES)
def test_gower_is_its_definition_in_every_library(make):
    given = [columns(seed, n) for seed, n in ((0, 40), (1, 30), (2, 50))]
    for name in given[2]:
        given[2][name][:10] = given[0][name][:10]
    result = distance_to_closest_record(*map(make, given), random_state=0)
    X_train, _, X_generated = map(objects, given)
    expected = gower_distances(X_generated, X_train, X_train, {1, 3})
    np.testing.assert_allclose(result.distances, expected.min(axis=1), rtol=1e-12)
    # a copy is at distance 0, not near it
    assert (result.distances[:10] == 0).all()
    assert result.copies[:10].all()


def test_an_array_of_objects_is_a_mixed_table():
    given = [columns(seed, 40) for seed in range(3)]
    by_frame = distance_to_closest_record(*map(pd.DataFrame, given))
    by_array = distance_to_closest_record(*map(objects, given))
    np.testing.assert_array_equal(by_frame.distances, by_array.distances)


@pytest.mark.parametrize("marks", [["town"], [1], [False, True, False]], ids=str)
def test_numbers_may_be_named_categories(marks):
    frames = [
        pd.DataFrame({"a": [0.0, 4.0], "town": [7, 9], "b": [0.0, 1.0]}),
        None,
        pd.DataFrame({"a": [0.0], "town": [8], "b": [0.0]}),
    ]
    result = distance_to_closest_record(*frames, categorical_features=marks)
    # 7 and 8 are two towns, not neighbours: one mismatch of three columns
    assert result.distances[0] == pytest.approx(1 / 3)


@pytest.mark.parametrize("dtype", ["category", "object", "string"])
def test_dtypes_of_categories(dtype):
    frames = [
        pd.DataFrame({"a": ["x", "y"], "b": [1.0, 3.0]}).astype({"a": dtype}) for _ in range(2)
    ]
    frames[1]["b"] = [1.5, 3.0]
    result = distance_to_closest_record(frames[0], None, frames[1])
    np.testing.assert_allclose(result.distances, [0.125, 0])


def test_integer_categories_are_categories():
    frame = pd.DataFrame({"a": pd.Categorical([3, 9]), "b": [1.0, 2.0]})
    result = distance_to_closest_record(frame, None, frame[::-1])
    # their numbers are names
    np.testing.assert_array_equal(result.distances, 0)
    np.testing.assert_array_equal(result.nearest_train, [1, 0])


def test_a_missing_category_is_a_category():
    make = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
    for frame in make.values():
        train = frame({"a": ["x", None, "y"], "b": [1.0, 1.0, 2.0]})
        result = distance_to_closest_record(
            train, None, frame({"a": [None, "x"], "b": [1.0, 1.0]})
        )
        # missing in both is a match, missing in one is not
        np.testing.assert_array_equal(result.nearest_train, [1, 0])
        np.testing.assert_array_equal(result.distances, 0)


def test_scaling_is_fitted_on_training_rows():
    X_train = np.array([[0.0, 0.0], [1.0, 10.0]])
    far = np.array([[0.5, 0.0], [100.0, 1e6]])
    for metric, expected in (("gower", 0.25), ("seuclidean", 1.0), ("euclidean", 0.5)):
        result = distance_to_closest_record(X_train, far, far[:1], metric=metric)
        # ranges 1 and 10, standard deviations 0.5 and 5; held-out rows do not count
        assert result.distances[0] == pytest.approx(expected), metric


@pytest.mark.parametrize(
    "test",
    [
        nearest_neighbor_distance_ratio,
        data_copying_test,
        authenticity,
        membership_inference,
        coverage,
    ],
)
def test_every_test_takes_mixed_tables(test):
    given = [pd.DataFrame(columns(seed, 80)) for seed in range(2)]
    copier, other = test(*given, given[0]), test(*given, pd.DataFrame(columns(2, 80)))
    if test is coverage:
        assert copier.coverage == 1
    else:
        # a copier is told from a real sample
        assert copier.p_value < 0.05 < other.p_value


def test_columns_are_matched_by_name():
    given = [pd.DataFrame(columns(seed, 30)) for seed in range(2)]
    result = distance_to_closest_record(*given, given[0][NAMES[::-1]])
    assert result.n_copies == 30


def test_frames_come_back_in_the_library_of_the_generated_rows():
    given = [pl.DataFrame(columns(seed, 30)) for seed in range(2)]
    audit = audit_copying(*given, given[0], random_state=0)
    frame = audit.to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == [
        *("generated", "train", "distance", "ratio", "p_value", "adjusted_p_value", "copy")
    ]
    assert frame["train"].to_list() == frame["generated"].to_list() == list(range(30))
    result = nearest_neighbor_distance_ratio(*given, given[0]).to_frame()
    assert isinstance(result, pl.DataFrame)
    assert len(result) == 30


X = np.random.default_rng(0).normal(size=(20, 3))


def with_value(value):
    changed = X.copy()
    changed[4, 1] = value
    return changed


FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
REFUSED = {
    "missing": (
        (X, X, with_value(np.nan)),
        {},
        "X_generated: numbers must be finite .* column 1 has nan in row 4",
    ),
    "missing in a frame": ((FRAME, FRAME, FRAME.where(FRAME > -2.2)), {}, "column '.' has nan"),
    "infinite": ((with_value(np.inf), X, X), {}, "X_train: numbers must be finite"),
    "too large": ((X, with_value(1e200), X), {}, "X_holdout: .* below 1e\\+150 in size"),
    "empty": ((X, X, X[:0]), {}, "X_generated|minimum of 1"),
    "empty frame": ((FRAME, FRAME, FRAME[:0]), {}, "X_generated must have at least one row"),
    "one dimension": ((X, X, X[0]), {}, "Expected 2D array"),
    "other width": ((X, X[:, :2], X), {}, "X_holdout must have the 3 columns of X_train; got 2"),
    "other names": (
        (FRAME, FRAME, FRAME.rename(columns={"b": "d"})),
        {},
        r"in one alone: \['b', 'd'\]",
    ),
    "sparse": ((csr_array(X), X, X), {}, "[Ss]parse"),
    "complex": ((X + 1j, X, X), {}, "[Cc]omplex"),
    "categories": (
        (X.astype(str).astype(object), X, X),
        {},
        "categories in X_train and numbers elsewhere",
    ),
    "metric": ((X, X, X), {"metric": "cosine"}, "metric"),
    "euclidean categories": (
        (FRAME, FRAME, FRAME),
        {"metric": "euclidean", "categorical_features": ["a"]},
        "metric='euclidean' needs columns of numbers, 1 hold categories",
    ),
    "unknown category": (
        (FRAME, FRAME, FRAME),
        {"categorical_features": ["z"]},
        "categorical_features must be",
    ),
    "dates": (
        (pd.DataFrame({"t": pd.date_range("2000", periods=9)}),) * 3,
        {},
        "column 't' must hold numbers or categories; got Datetime",
    ),
}


@pytest.mark.parametrize(("given", "options", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "test", [audit_copying, distance_to_closest_record, authenticity, membership_inference]
)
def test_bad_tables_are_refused_by_name(test, given, options, message):
    with (
        pytest.raises(ValueError, match=message)
        if message != "[Ss]parse"
        else pytest.raises(TypeError, match=message)
    ):
        test(*given, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: authenticity(X[:1], X, X), "X_train must have at least 2 rows.*got 1"),
        (
            lambda: coverage(X, X, X[:5]),
            "X_generated must have at least 6 rows, .*n_neighbors=5; got 5",
        ),
        (
            lambda: membership_inference(X, X, None),
            "X_generated must be given unless a density is",
        ),
        (
            lambda: membership_inference(X, X, X, fpr=[0.0]),
            "fpr must hold rates above 0 and below 1",
        ),
        (lambda: audit_copying(X, X, X, alpha=1.5), "alpha"),
        (
            lambda: audit_copying(X, X, X, density=KernelDensity().fit(X[:9])),
            "of 20 rows; it was fitted to 9",
        ),
        (lambda: data_copying_test(X, X, X, n_cells=0), "n_cells"),
    ],
)
def test_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_input_is_left_as_it_was():
    given = [X.copy() for _ in range(3)]
    audit_copying(*given, metric="seuclidean", random_state=0)
    for array in given:
        np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize(
    "density", [KernelDensity(bandwidth=0.5), GaussianMixture(random_state=0)]
)
def test_a_density_adds_the_memorization_of_the_rows_copied(density):
    rng = np.random.default_rng(0)
    X_train, X_holdout, X_generated = rng.normal(size=(3, 150, 3))
    X_generated[:40] = X_train[:40]
    density.fit(X_train)
    audit = audit_copying(X_train, X_holdout, X_generated, density=density, random_state=0)
    scores = density.score_samples(X_train) - density.leave_one_out_score_samples()
    # leave-one-out, in nats, of the training row that each suspect copies
    np.testing.assert_allclose(audit.suspects["memorization"], scores[audit.suspects["train"]])
    copied = np.isin(np.arange(150), audit.suspects["train"])
    assert audit.memorization["copied"] == pytest.approx(np.median(scores[copied]))
    assert audit.memorization["others"] == pytest.approx(np.median(scores[~copied]))
    assert "median" in str(audit)
    assert -1 <= audit.memorization["spearman"] <= 1


@pytest.mark.parametrize(("n_copied", "said"), [(60, "copied"), (0, "the others")])
def test_memorization_that_is_not_known_is_not_printed(n_copied, said):
    X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 60, 3))
    X_generated[:n_copied] = X_train[:n_copied]
    density = KernelDensity(bandwidth=0.5).fit(X_train)
    audit = audit_copying(X_train, X_holdout, X_generated, density=density, random_state=0)
    (line,) = [line for line in str(audit).splitlines() if line.startswith("memorization")]
    # there are no rows of the other kind to have a median, and nan would say nothing
    assert "nan" not in line
    assert line.count("nats of") == 1
    assert said in line


def test_html_is_escaped_and_text_is_narrow():
    given = [
        pd.DataFrame({"<b>": x[:, 0], "c": x[:, 1]})
        for x in np.random.default_rng(0).normal(size=(3, 60, 2))
    ]
    given[2].iloc[:30] = given[0].iloc[:30]
    audit = audit_copying(*given, random_state=0)
    html = audit._repr_html_()
    # a table and nothing that a browser would run or fetch
    assert html.startswith("<table>")
    assert "<b>" not in html
    assert "http" not in html
    # the numbers and the verdict are those of the text
    assert audit.verdict.replace("'", "&#x27;") in html
    assert max(map(len, str(audit).splitlines())) < 100


def test_categories_alone():
    rng = np.random.default_rng(0)
    given = [rng.choice(list("abcde"), size=(200, 9)).astype(object) for _ in range(2)]
    audit = audit_copying(*given, given[0], random_state=0)
    # no numbers, no scale; copies all the same
    assert audit.metric == "gower"
    assert audit.copying
    assert audit.data_copying.statistic < audit.data_copying.floor[0]


@pytest.mark.parametrize("which", [(0, 1, 2), (0,), (2,)])
def test_categories_by_type_that_are_integers_are_compared_as_categories(which):
    pytest.importorskip("narwhals")
    frames = [pd.DataFrame({"code": codes}) for codes in ([1, 2, 9], [1, 9], [3, 9])]
    for i in which:
        frames[i]["code"] = frames[i]["code"].astype("category")
    result = distance_to_closest_record(*frames, statistic="distance", random_state=0)
    # 3 is another category than 2, as 1 is, and not one eighth of the range away from it.
    np.testing.assert_array_equal(result.distances, [1.0, 0.0])


def test_a_table_that_is_needed_and_is_none_is_refused():
    X = np.eye(3)
    # None must not shift another table into its place.
    for test in (audit_copying, distance_to_closest_record, authenticity, coverage):
        with pytest.raises(ValueError, match="X_generated must be a table of rows; got None"):
            test(X, X, None)
        with pytest.raises(ValueError, match="X_train must be a table of rows; got None"):
            test(None, X, X)
    # Without control rows these tests have no meaning.
    for test in (nearest_neighbor_distance_ratio, data_copying_test, membership_inference):
        with pytest.raises(ValueError, match="X_holdout must be a table of rows; got None"):
            test(X, None, X)
