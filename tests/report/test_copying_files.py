"""`skmem copying`: three files in, a page and two files out."""

import csv
import json

import numpy as np
import pytest

from skmem import cli

NAMES = ["id", "age", "town", "bmi"]


def rows(seed, n=60):
    rng = np.random.default_rng(seed)
    towns = rng.choice(["Ghent", "Oslo", "NA"], size=n)
    return [
        [f"{seed}-{i}", int(rng.integers(18, 90)), town, round(float(rng.normal(25, 4)), 3)]
        for i, town in enumerate(towns)
    ]


def write(path, table, names=NAMES):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([names, *table])
    return str(path)


@pytest.fixture
def files(tmp_path):
    train, holdout, generated = map(rows, range(3))
    generated[:20] = [["new", *row[1:]] for row in train[:20]]
    tables = {"train": train, "holdout": holdout, "generated": generated}
    return {name: write(tmp_path / f"{name}.csv", table) for name, table in tables.items()}


def run(capsys, files, *argv):
    given = [word for name, path in files.items() for word in (f"--{name}", path)]
    status = cli.main(["copying", *given, *map(str, argv)])
    return status, *capsys.readouterr()


def test_copies_are_printed_and_are_a_status(capsys, files):
    status, out, err = run(capsys, files, "--id-column", "id")
    # 1 stops a pipeline that is about to release the data
    assert (status, err) == (1, "")
    assert out.startswith("The generated data copy the training data: 20 of 60 generated rows")
    # text is compared as categories
    assert "gower distance" in out
    assert max(map(len, out.splitlines())) < 100


def test_files_name_the_rows_and_the_command(capsys, files, tmp_path):
    _, out, _ = run(capsys, files, "--id-column", "id", "--out", tmp_path / "new")
    assert out.endswith(
        f"written: {tmp_path / 'new/suspects.csv'}, {tmp_path / 'new/copying.json'}\n"
    )
    with open(tmp_path / "new" / "suspects.csv", newline="") as file:
        suspects = list(csv.DictReader(file))
    # by the id column of each file
    assert [s["train"] for s in suspects[:20]] == [f"0-{i}" for i in range(20)]
    assert {s["generated"] for s in suspects[:20]} == {"new"}
    assert {s["distance"] for s in suspects[:20]} == {"0.0"}
    found = json.loads((tmp_path / "new" / "copying.json").read_text())
    assert found["copying"] is True
    assert found["closest_records"]["n_copies"] == 20
    # and the command that is recorded finds the same again
    words = found["command"].split()
    assert words[:2] == ["skmem", "copying"]
    first = (tmp_path / "new" / "copying.json").read_text()
    cli.main(words[1:])
    assert (tmp_path / "new" / "copying.json").read_text() == first


def test_without_a_holdout_nothing_is_concluded(capsys, files):
    del files["holdout"]
    status, out, _ = run(capsys, files, "--drop", "id")
    assert status == 0
    assert out.startswith(
        "20 of 60 generated rows are exact copies of training rows; whether that"
    )
    assert "cannot be concluded" in out


def test_numbers_are_standardised_unless_raw(capsys, tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for name in ("train", "holdout", "generated"):
        table = rng.normal(size=(40, 2)) * [1, 1e6]
        files[name] = write(tmp_path / f"{name}.csv", table.tolist(), ["a", "b"])
    # columns of a million and of one are alike, or not
    assert "seuclidean distance" in run(capsys, files)[1]
    assert "; euclidean distance" in run(capsys, files, "--raw")[1]
    assert "gower distance" in run(capsys, files, "--categorical", "a")[1]


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_single_precision_survives_the_file(capsys, tmp_path, kind):
    X_train, X_holdout = np.random.default_rng(0).normal(size=(2, 40, 3))
    files = {}
    for name, X in (
        ("train", X_train),
        ("holdout", X_holdout),
        ("generated", X_train.astype("f4")),
    ):
        files[name] = str(tmp_path / f"{name}.{kind}")
        if kind == "npy":
            np.save(files[name], X)
        else:
            pq = pytest.importorskip("pyarrow.parquet", reason="comes with the extra frames")
            pa = pytest.importorskip("pyarrow", reason="comes with the extra frames")
            pq.write_table(pa.table({f"x{j}": X[:, j] for j in range(3)}), files[name])
    # a generator that writes float32 copies all the same
    assert "40 of 40 generated rows are exact copies" in run(capsys, files)[1]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--drop", "height"], "no file has a column 'height'"),
        (["--alpha", "2"], "must be above 0 and below 1"),
        (["--drop", "id", "age", "town", "bmi"], "no column is left as a feature"),
    ],
)
def test_bad_arguments_are_one_line(capsys, files, argv, message):
    try:
        status, _, err = run(capsys, files, *argv)
    except SystemExit as end:
        status, err = end.code, capsys.readouterr().err
    assert status == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_rows_are_printed_by_their_names(capsys, files):
    _, out, _ = run(capsys, files, "--id-column", "id")
    # positions would be of no use to whoever has names
    assert out.splitlines()[-1].split()[:2] == ["new", "0-9"]


@pytest.mark.filterwarnings("always::UserWarning")
def test_a_column_of_names_is_warned_of(capsys, files):
    _, _, err = run(capsys, files)
    # another text in each row is no category; the cures are named
    assert "Column 'id' holds another text in each row" in err
    assert "--id-column id or leave it out with --drop id" in err
    assert run(capsys, files, "--drop", "id")[2] == ""


def test_a_missing_number_is_refused_by_name(capsys, files, tmp_path):
    files["generated"] = write(tmp_path / "c.csv", [["x", 4, "Oslo", 3.0], ["y", "", "Oslo", 3.0]])
    status, _, err = run(capsys, files, "--id-column", "id")
    assert status == 2
    # the file, the column, the row by its name, and what to do
    assert "c.csv (--generated): column 'age' has no number in row y (1 such rows)" in err
    assert "--drop age" in err
