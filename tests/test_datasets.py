"""Laws of the generators (the truth they state is the truth) and of reading tables."""

import sys

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal

from skmem.datasets import (
    BUNDLED,
    TextColumnError,
    load_table,
    make_flipped_labels,
    make_gaussian_mixture,
    make_planted_copies,
    make_planted_outliers,
    make_sparse_region,
)

GENERATORS = [
    make_gaussian_mixture,
    make_planted_outliers,
    make_planted_copies,
    make_flipped_labels,
    make_sparse_region,
]
PLANTING = [
    (make_planted_outliers, "n_outliers"),
    (make_planted_copies, "n_copies"),
    (make_flipped_labels, "n_flipped"),
    (make_sparse_region, "n_sparse"),
]


@pytest.mark.parametrize("make", GENERATORS)
def test_log_density_is_the_mixture_written_out(make):
    data = make(60, n_features=3, n_components=4, random_state=0)
    density = np.mean([multivariate_normal(mean).pdf(data.X) for mean in data.means], axis=0)
    # The stated truth is the mean of the components' densities at the row, planted rows included
    # (compared where scipy's density, which is not in logs, has not underflowed).
    assert (density > 0).sum() > 50
    np.testing.assert_allclose(
        data.log_density[density > 0], np.log(density[density > 0]), rtol=1e-9
    )
    # and what is stated for the rows is what the truth says of any points.
    np.testing.assert_array_equal(data.log_density, data.score_samples(data.X))


def test_log_density_integrates_to_one():
    data = make_gaussian_mixture(10, n_features=1, n_components=3, random_state=1)
    grid = np.linspace(data.means.min() - 9, data.means.max() + 9, 20001)
    # Over all of the line, a density has mass one.
    mass = np.sum(np.exp(data.score_samples(grid[:, None]))) * (grid[1] - grid[0])
    assert mass == pytest.approx(1.0, abs=1e-9)


def test_rows_are_drawn_from_the_stated_mixture():
    data = make_gaussian_mixture(4000, n_features=1, n_components=2, random_state=2)
    residual = (data.X - data.means[data.y]).ravel()
    # About its own component's mean each row is standard normal.
    assert kstest(residual, "norm").pvalue > 1e-3
    # Components weigh the same: a count of 4000 fair draws has standard deviation 32.
    assert abs(np.sum(data.y == 0) - 2000) < 4 * 32


def test_separation_is_the_root_mean_square_distance_of_means():
    data = make_gaussian_mixture(
        1, n_features=5, n_components=2000, separation=4.0, random_state=0
    )
    square = np.sum((data.means[::2] - data.means[1::2]) ** 2, axis=1)
    # 1000 independent pairs estimate a mean square of 16 to within a few parts in a hundred.
    assert np.sqrt(square.mean()) == pytest.approx(4.0, rel=0.06)


@pytest.mark.parametrize("make", GENERATORS)
def test_same_seed_same_data(make):
    one, two, other = (make(40, random_state=seed) for seed in (3, 3, 4))
    # A seed fixes rows, labels and what is planted; another seed gives other rows.
    np.testing.assert_array_equal(one.X, two.X)
    np.testing.assert_array_equal(one.y, two.y)
    np.testing.assert_array_equal(one.planted, two.planted)
    assert not np.array_equal(one.X, other.X)


@pytest.mark.parametrize(("make", "name"), PLANTING)
@pytest.mark.parametrize("count", [0, 1, 39])
def test_as_many_are_planted_as_asked(make, name, count):
    data = make(40, random_state=0, **{name: count})
    # n_samples counts the planted rows, and each is listed once, in order.
    assert data.X.shape == (40, 2)
    assert data.planted.size == count
    np.testing.assert_array_equal(data.planted, np.unique(data.planted))


@pytest.mark.parametrize(("make", "name"), PLANTING)
@pytest.mark.parametrize("count", [40, 41])
def test_planting_everything_is_refused_by_name(make, name, count):
    # With no ordinary row left there is nothing to stand out from: say which argument.
    with pytest.raises(ValueError, match=f"{name} must be smaller than n_samples=40.*got {count}"):
        make(40, **{name: count})


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (make_gaussian_mixture, {"n_samples": 0}),
        (make_gaussian_mixture, {"n_features": 1.5}),
        (make_gaussian_mixture, {"separation": -1.0}),
        (make_planted_outliers, {"distance": -1.0}),
        (make_planted_copies, {"noise": -0.1}),
        (make_flipped_labels, {"n_components": 1}),
    ],
)
def test_bad_argument_is_named(make, arguments):
    (name,) = arguments
    # An error names the argument, whoever made it.
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        make(**arguments)


def test_outliers_are_as_far_out_as_asked():
    data = make_planted_outliers(100, 8, distance=12.0, n_features=4, random_state=0)
    gaps = np.linalg.norm(data.X[data.planted, None] - data.means, axis=2)
    # No component mean is nearer than the distance asked for,
    assert gaps.min() >= 12.0 - 1e-9
    # so the planted rows are the least likely rows of the sample.
    np.testing.assert_array_equal(np.sort(np.argsort(data.log_density)[:8]), data.planted)


def test_copies_equal_their_source():
    data = make_planted_copies(100, 30, random_state=0)
    # Without noise a copy is its source to the last bit, label included,
    np.testing.assert_array_equal(data.X[data.planted], data.X[data.source])
    np.testing.assert_array_equal(data.y[data.planted], data.y[data.source])
    # a source is an original,
    assert not np.intersect1d(data.planted, data.source).size
    # and nothing else occurs twice.
    assert len(np.unique(data.X, axis=0)) == 70


def test_noisy_copies_lie_at_the_stated_distance():
    data = make_planted_copies(2000, 1000, noise=0.1, n_features=4, random_state=0)
    gap = data.X[data.planted] - data.X[data.source]
    # 4000 coordinates estimate the standard deviation to about one part in a hundred.
    assert gap.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("n_components", [2, 5])
def test_flipped_labels_are_wrong_and_the_others_right(n_components):
    data = make_flipped_labels(100, 30, n_components=n_components, random_state=0)
    # Planted is exactly where the label differs from the component the row came from,
    np.testing.assert_array_equal(np.flatnonzero(data.y != data.y_true), data.planted)
    # and a wrong label is still a label.
    assert set(data.y) <= set(range(n_components))


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_data_loads(name):
    table = load_table(name)
    # Every name on offer can be had, with one name a column and rows numbered from 0.
    assert table.X.shape == (len(table.ids), len(table.feature_names))
    assert table.X.dtype == np.float64
    np.testing.assert_array_equal(table.ids, np.arange(len(table.X)))
    assert table.name == name


def test_csv_speaks_the_dialects_of_people(tmp_path):
    text = (
        '\ufeff"weight, kg",height,ok,left\r\n1.5,2,true,NA\r\n\r\n" 3 ",,False,nan\r\n-1e3,inf,1,'
    )
    table = load_table(write(tmp_path / "a.csv", text))
    # A byte-order mark is no part of the first name, a quoted comma no end of field, a blank line
    # no row, and a last line without newline is a row.
    assert table.feature_names == ["weight, kg", "height", "ok", "left"]
    nan, inf = np.nan, np.inf
    expected = [[1.5, 2, 1, nan], [3, nan, 0, nan], [-1000, inf, 1, nan]]
    np.testing.assert_array_equal(table.X, expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "a,b\n1,2\n3,4\n"),
        ("a.csv", "a;b\n1;2\n3;4\n"),
        ("a.tsv", "a\tb\n1\t2\n3\t4\n"),
        ("A.CSV", "a,b\n1,2\n3,4\n"),
    ],
)
def test_delimiters(tmp_path, name, text):
    # The same table, however its fields are separated.
    table = load_table(write(tmp_path / name, text))
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert table.feature_names == ["a", "b"]


def test_counted_header_is_a_header(tmp_path):
    # Writers of plain arrays count the columns from 0; that line is a header, not data.
    assert load_table(write(tmp_path / "a.csv", "0,1\n5,6\n7,8\n")).X.shape == (2, 2)
    # A nameless column, as an index is written, gets a name by which it can be dropped.
    table = load_table(write(tmp_path / "b.csv", ",a\n0,6\n1,8\n"), drop=["column_0"])
    assert table.feature_names == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a header row"),
        ("1.5,2\n3,4\n", "its first line holds numbers"),
        ("a,b\n1,2\n3\n", r"line 3: a row must have 2 fields.*got 1"),
        ("a,b\n1,2\n3,4,5\n", r"line 3: a row must have 2 fields.*got 3"),
        ('a,b\n"1\n",2\n3\n', r"line 4: a row must have 2 fields"),
        ("a,a\n1,2\n", "column names must be unique; 'a'"),
        ("a,b\n", "no rows"),
        ('a,b\n"1"x,2\n', "line 2"),
    ],
)
def test_unreadable_csv_says_where(tmp_path, text, message):
    # What is wrong with a file is told by line or by column, for whoever must mend it.
    with pytest.raises(ValueError, match=message):
        load_table(write(tmp_path / "a.csv", text))


def test_other_encodings_are_refused(tmp_path):
    # Guessing an encoding would corrupt names and ids in silence.
    with pytest.raises(ValueError, match=r"must be UTF-8 text, byte 2 is not.*iconv -f LATIN1"):
        load_table(write(tmp_path / "a.csv", "größe\n1\n", "latin-1"))


@pytest.mark.parametrize("number", ["1,5", " -0,25", ",5", "1,5e-3"])
def test_decimal_commas_are_called_so(tmp_path, number):
    # The spreadsheet is set up so; its user sees a number, not text.
    with pytest.raises(TextColumnError, match="on line 2, a decimal comma must be a point"):
        load_table(write(tmp_path / "a.csv", f"a;b\n{number};2\n"))
    # Where commas separate fields they make too many of them.
    with pytest.raises(ValueError, match=r"must have 2 fields.*decimal comma"):
        load_table(write(tmp_path / "b.csv", f"a,b\n{number},2\n"))


@pytest.mark.parametrize("text", ["1,2,3", "a,5", "1,", ","])
def test_other_commas_are_not(tmp_path, text):
    # A wrong guess sends the user the wrong way.
    with pytest.raises(TextColumnError) as caught:
        load_table(write(tmp_path / "a.csv", f"a;b\n{text};2\n"))
    assert "decimal comma" not in str(caught.value)


def test_a_table_is_shown_in_a_line():
    # thousands of ids say less than their number
    assert repr(load_table("wine")) == "Table('wine', 178 rows, 13 columns)"


TEXT = "id,city,x,y\n007,Oslo,1,2\n12345678901234567890,Rome,3,?\n"


def test_text_columns_are_refused_by_name(tmp_path):
    path = write(tmp_path / "a.csv", TEXT)
    # All of them at once, each with an example, and what to do about it,
    with pytest.raises(
        TextColumnError, match=r"'city' \('Oslo' on line 2\); 'y' \('\?' on line 3\).*--drop"
    ) as caught:
        load_table(path)
    # an option for the shell that leaves out all of them,
    assert "--drop city y (in Python drop=) or name rows by one with --id-column city" in str(
        caught.value
    )
    # and in a form that a program can act on.
    assert list(caught.value.columns) == ["city", "y"]
    assert load_table(path, drop=caught.value.columns).feature_names == ["id", "x"]


def test_ids_stand_as_they_are_written(tmp_path):
    path = write(tmp_path / "a.csv", TEXT)
    # As a float 007 would become 7, and twenty digits would lose four.
    table = load_table(path, id_column="id", drop=["city", "y"])
    assert list(table.ids) == ["007", "12345678901234567890"]
    assert table.feature_names == ["x"]
    # A text column names rows as well as a numeric one.
    assert list(load_table(path, id_column="city", drop="y").ids) == ["Oslo", "Rome"]


@pytest.mark.parametrize("arguments", [{"drop": ["z"]}, {"id_column": "z"}])
def test_missing_column_lists_those_there_are(arguments):
    # A misspelt name is mended fastest beside the right ones.
    with pytest.raises(ValueError, match="no column 'z'; the columns are 'sepal length"):
        load_table("iris", **arguments)


def test_dropping_everything_is_refused():
    # Rows without columns cannot be scored.
    with pytest.raises(ValueError, match="no column is left"):
        load_table("iris", drop=load_table("iris").feature_names)


def test_arrays(tmp_path):
    X = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.save(tmp_path / "a.npy", X)
    table = load_table(tmp_path / "a.npy", id_column="x0", drop=["x2"])
    # An array's columns are named as scikit-learn names them, so they can be dropped too.
    assert table.feature_names == ["x1", "x3"]
    np.testing.assert_array_equal(table.X, X[:, [1, 3]])
    np.testing.assert_array_equal(table.ids, [0, 4, 8])
    assert table.notes == ()


@pytest.mark.parametrize("shape", [(5,), (5, 2, 3), (5, 2, 3, 1)])
def test_stacks_are_flattened_and_it_is_said(tmp_path, shape):
    stack = np.arange(np.prod(shape)).reshape(shape)
    np.save(tmp_path / "a.npy", stack)
    table = load_table(tmp_path / "a.npy")
    # One row an entry of the first dimension, and the reader is told.
    np.testing.assert_array_equal(table.X, stack.reshape(5, -1))
    assert "flattened" in table.notes[0]


def test_npz_takes_x_or_the_first_table(tmp_path):
    images, X = np.ones((4, 2, 2)), np.zeros((3, 2))
    np.savez(tmp_path / "a.npz", y=np.arange(4), names=np.array([["a"]]), images=images, Z=X)
    np.savez(tmp_path / "b.npz", images=images, X=X)
    first, named = load_table(tmp_path / "a.npz"), load_table(tmp_path / "b.npz")
    # Labels (one dimension) and text are passed over; an array named X goes before all others.
    assert first.X.shape == (4, 4)
    assert named.X.shape == (3, 2)
    # Which array it was is said, where there was a choice.
    assert "'images'" in first.notes[0]


@pytest.mark.parametrize(
    "array", [np.array(["a", "b"]), np.ones(3, dtype=complex), np.array(3.0), np.empty((0, 3))]
)
def test_arrays_that_are_no_table_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    # Text, complex numbers, a single number and no rows at all cannot be audited.
    with pytest.raises(ValueError, match=r"must be a numeric array|no rows"):
        load_table(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet"])
def test_broken_files_are_one_line_errors(tmp_path, suffix):
    # Neither a foreign exception nor a pickle is let through.
    with pytest.raises(ValueError, match="cannot be read as"):
        load_table(write(tmp_path / f"a.{suffix}", "no such format"))


def test_pickled_arrays_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    # Unpickling a stranger's file runs the stranger's code.
    with pytest.raises(ValueError, match="cannot be read as a numeric array"):
        load_table(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", a=np.array([[{}]], dtype=object))
    with pytest.raises(ValueError, match="must hold a numeric array"):
        load_table(tmp_path / "a.npz")


@pytest.mark.parametrize("source", ["nothing", "a.xlsx", "digits.txt"])
def test_unknown_sources_list_the_known(source):
    # The message is the documentation of what can be read.
    with pytest.raises(ValueError, match=r"\.parquet.*breast_cancer.*got '" + source):
        load_table(source)


@pytest.mark.parametrize(("source", "name"), [("WINE", "wine"), ("breastcancer", "breast_cancer")])
def test_near_misses_are_guessed(source, name):
    # Names of data are easily misspelt.
    with pytest.raises(ValueError, match=f"did you mean {name}"):
        load_table(source)


def test_missing_file_is_an_os_error(tmp_path):
    # The operating system's own words name the file.
    with pytest.raises(FileNotFoundError, match=r"a\.csv"):
        load_table(tmp_path / "a.csv")


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    columns = {
        "id": pa.array([2**60 + 1, 2, 3]),
        "whole": pa.array([1, None, 3]),
        "half": pa.array([0.5, 1.5, float("nan")], pa.float32()),
        "flag": pa.array([True, None, False]),
        "word": pa.array(["1", "2", "3"]),
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = load_table(tmp_path / "a.parquet", id_column="id", drop=["word"])
    # Nulls of any type are missing values, booleans count, long ids keep their last digit.
    np.testing.assert_array_equal(table.X, [[1, 0.5, 1], [np.nan, 1.5, np.nan], [3, np.nan, 0]])
    assert list(table.ids) == [2**60 + 1, 2, 3]
    # A column declared as text is text, whatever it holds.
    with pytest.raises(TextColumnError, match=r"'word' \(of type string\)"):
        load_table(tmp_path / "a.parquet")


@pytest.mark.parametrize(("id_column", "town"), [("id", "Rome"), (None, "Oslo")])
def test_only_a_column_that_can_name_the_rows_is_offered_for_it(tmp_path, id_column, town):
    # Rows have a name already, or the text is the same in several of them.
    path = write(tmp_path / "a.csv", f"id,city,x\n1,Oslo,1\n2,{town},2\n")
    with pytest.raises(TextColumnError, match=r"--drop city \(in Python drop=\)$"):
        load_table(path, id_column=id_column)


def parquet(path, index):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1.0, 5.0, 2.0]}, index=index(pd))
    frame.to_parquet(path)
    return path


INDICES = {
    "unnamed": (lambda pd: [7, 9, 2**60 + 1], [7, 9, 2**60 + 1]),
    "named": (lambda pd: pd.Index(["p", "q", "r"], name="patient"), ["p", "q", "r"]),
    "range": (lambda pd: None, [0, 1, 2]),
    "several": (lambda pd: [["u", "u", "v"], [1, 2, 1]], [0, 1, 2]),
}


@pytest.mark.parametrize("case", INDICES)
def test_index_of_a_parquet_file_names_the_rows(tmp_path, case):
    index, ids = INDICES[case]
    table = load_table(parquet(tmp_path / "a.parquet", index))
    # An index beside the data is no feature: it would be scored like one, in silence.
    assert table.feature_names == ["a", "b"]
    # One column of it names the rows; of several none does alone.
    assert list(table.ids) == ids
    # What is left out is said.
    assert table.notes == (
        ("index of the data frame left out: '__index_level_0__', '__index_level_1__'",)
        if case == "several"
        else ()
    )


def test_index_stays_out_whoever_names_the_rows(tmp_path):
    path = parquet(tmp_path / "a.parquet", INDICES["named"][0])
    table = load_table(path, id_column="b")
    # A named id column goes before the index,
    assert (table.feature_names, list(table.ids)) == (["a"], [1.0, 5.0, 2.0])
    # the index itself can be asked for,
    assert list(load_table(path, id_column="patient").ids) == ["p", "q", "r"]
    # or dropped.
    dropped = load_table(path, drop="patient")
    assert (dropped.feature_names, list(dropped.ids)) == (["a", "b"], [0, 1, 2])


def test_unnamed_index_is_known_without_metadata(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    columns = {"a": [1.0, 2.0], "__index_level_0__": [5, 6]}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = load_table(tmp_path / "a.parquet")
    # A file that passed through another program keeps the name but not the metadata.
    assert (table.feature_names, list(table.ids)) == (["a"], [5, 6])


def test_parquet_without_pyarrow_names_the_cure(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    # What to type is in the message.
    with pytest.raises(ImportError, match=r'pip install "skmem\[frames\]"'):
        load_table(write(tmp_path / "a.parquet", ""))


@pytest.mark.parametrize("text", ["0,1\n5,6\n7,8\n", "1\n2\n3\n"])
def test_a_header_that_counts_the_columns_is_said_to_be_one(text, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text)
    # It may as well be the first row of data, so it must not go in silence.
    assert load_table(path).notes == (
        "the first line is taken for a header: it counts the columns",
    )
    path.write_text("a,b\n5,6\n")
    assert load_table(path).notes == ()
