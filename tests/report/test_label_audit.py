"""The audit of labels: what is planted is found, what cannot be audited is refused in words."""

import csv
import json

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from skmem import MemorizationScorer, cli
from skmem.datasets import BUNDLED, Table, load_labelled_table
from skmem.memorization import find_label_issues
from skmem.report import audit_labels, format_labels, summarize_labels, write_labels

WINE, CULTIVAR = load_wine(return_X_y=True)
PLANTED = [0, 70, 140]
WRONG = np.array(["red", "white", "green"])[CULTIVAR]
WRONG[PLANTED] = ["green", "red", "white"]
QUICK = {"n_repeats": 2, "random_state": 0}


def as_table(X, name="wines.csv"):
    return Table(X, [f"c{j}" for j in range(X.shape[1])], np.arange(len(X)) + 1000, name)


@pytest.fixture(scope="module")
def found():
    return audit_labels(as_table(WINE), WRONG, label="colour", model="linear", **QUICK)


@pytest.fixture(scope="module")
def regression():
    X, y = load_diabetes(return_X_y=True)
    y = y.copy()
    y[17] += 1500
    return audit_labels(as_table(X), y, model="linear", **QUICK)


def run(capsys, *argv):
    status = cli.main(list(map(str, argv)))
    return status, *capsys.readouterr()


def flat(text):
    return " ".join(text.split())


def test_planted_labels_are_found_and_named_by_their_ids(found):
    summary = summarize_labels(found, top=5)
    rows = summary["top"]["mislabelled"]
    # wrong labels come first, each with the one that it had
    assert {row["id"] for row in rows[:3]} == {1000, 1070, 1140}
    assert {row["id"]: row["suggested_label"] for row in rows[:3]} == {
        1000: "red",
        1070: "white",
        1140: "green",
    }
    text = format_labels(summary)
    # one page says what was taken for what, and for why
    assert "column 'colour', classes: 3 different texts" in text
    assert "logistic regression on standardised columns" in text
    assert f"{summary['counts']['mislabelled']} mislabelled" in text
    assert max(map(len, text.splitlines())) < 100


def test_the_audit_is_find_label_issues(found):
    # the choice and the page come with it, the verdicts are the library's
    assert set(np.unique(found.issues.kind)) <= {"mislabelled", "ambiguous", "atypical", "typical"}
    again = find_label_issues(found.estimator, WINE, WRONG, n_repeats=2, random_state=1)
    assert np.mean(again.kind == found.issues.kind) > 0.95
    assert sum(summarize_labels(found)["counts"].values()) == len(WINE)


def test_a_wrong_number_is_found(regression):
    summary = summarize_labels(regression, top=3)
    first = summary["top"]["memorized"][0]
    # the planted number, and what rows like it suggest, which is in the range of all others
    assert first["id"] == 1017
    assert first["label"] > 1500
    assert 25 <= first["predicted"] <= 346
    text = format_labels(summary)
    assert "numbers to predict" in text
    assert "ridge regression" in text
    # an audit of numbers is a scorer by the likelihood of residuals
    assert isinstance(regression.scorer, MemorizationScorer)
    assert regression.scorer.response_ == "predict"


@pytest.mark.parametrize("fixture", ["found", "regression"])
def test_files_hold_what_the_page_says(request, tmp_path, fixture):
    audit = request.getfixturevalue(fixture)
    summary = summarize_labels(audit, command="skmem audit x")
    files = write_labels(audit, summary, tmp_path)
    assert [file.name for file in files] == ["labels.csv", "summary.json"]
    # strict JSON, and a line for each row
    assert json.loads(files[1].read_text()) == summary
    with open(files[0], newline="") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["id"]) for line in lines] == audit.table.ids.tolist()
    top = next(rows for rows in summary["top"].values() if rows)[0]
    line = lines[top["row"]]
    assert float(line["memorization"]) == pytest.approx(top["memorization"])
    assert line["label"] == str(top["label"])


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (np.array(["a", "b"] * 100), "auto", "classes: 2 different texts"),
        (np.arange(200) % 20, "auto", "classes: 20 different whole numbers"),
        (np.arange(200) % 30, "auto", "numbers to predict: 30 different whole numbers"),
        (np.arange(200) % 30, "classification", "classes: 30 different whole numbers"),
        (np.arange(200) % 3, "regression", "numbers to predict: 3 different whole numbers"),
        (np.arange(200) / 7, "auto", "numbers to predict: numbers not all whole"),
        (np.arange(200) % 3 / 1.0, "auto", "classes: 3 different whole numbers"),
        (np.arange(200) % 3 - 1.0, "auto", "classes: 3 different whole numbers"),
        (np.arange(200) % 2 == 0, "auto", "classes: 2 different whole numbers"),
        (np.arange(200) * 1e16, "auto", "numbers to predict: 200 different whole numbers"),
        ((np.arange(200) % 3).astype(object), "auto", "classes: 3 different whole numbers"),
        ((np.arange(200) / 7).astype(object), "auto", "numbers to predict: numbers not all whole"),
    ],
)
def test_what_labels_are_taken_for(y, task, words):
    X = np.random.default_rng(0).normal(size=(200, 2))
    found = audit_labels(as_table(X), y, task=task, model="linear", cv=2, n_repeats=1)
    # said in so many words, and acted on
    assert found.task == words
    assert (found.scorer is None) == words.startswith("classes")


def test_zero_is_one_class_whatever_its_sign():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.resize([0.0, -0.0, 0.5], 60)
    found = audit_labels(as_table(X), y, task="classification", model="linear", **QUICK)
    # equal numbers are equal labels
    assert found.issues.classes.tolist() == ["0.0", "0.5"]


@pytest.mark.parametrize(
    "missing", [None, np.nan, np.datetime64("NaT")], ids=["None", "nan", "NaT"]
)
def test_a_missing_label_is_no_class(missing):
    y = WRONG.astype(object)
    y[[3, 7]] = missing
    with pytest.raises(ValueError, match=r"no missing label, got 2 \(row 3 is the first\)"):
        audit_labels(as_table(WINE), y)
    # text that reads like one is a label like others
    named = np.where(WRONG == "red", "None", WRONG).astype(object)
    found = audit_labels(as_table(WINE), named, model="linear", **QUICK)
    assert found.issues.classes.tolist() == ["None", "green", "white"]


def test_a_class_of_copies_is_refused():
    X, y = np.vstack([WINE, WINE[[0] * 6] + 1]), np.append(WRONG, ["blue"] * 6)
    # no fit without them knows of blue, so that all would be mislabelled for certain
    with pytest.raises(ValueError, match=r"classes of copies of one row: blue \(6\) .*out$"):
        audit_labels(as_table(X), y, model="linear")


def test_no_number_of_rows_is_above_a_floor_that_is_not_known():
    X, y = load_diabetes(return_X_y=True)
    found = audit_labels(as_table(X), y, model="linear", cv=2, n_repeats=1, random_state=0)
    # there is nothing to exchange in one repeat of two folds
    assert np.isnan(found.scorer.noise_floor_[0.95])
    summary = summarize_labels(found, top=1)
    assert summary["counts"] == {}
    assert "a single repeat of 2 folds says nothing of noise" in format_labels(summary)


def test_auto_takes_a_forest_only_where_it_predicts_better():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    linear, circle = X.sum(axis=1) > 0, np.sum(X[:, :2] ** 2, axis=1) > 1.4
    models = [
        audit_labels(
            as_table(X), np.array(["in", "out"])[y.astype(int)], n_repeats=1, random_state=0
        ).model
        for y in (linear, circle)
    ]
    # a plane across all columns takes many steps along them, and no plane is the rim of a disc
    assert models[0].startswith("logistic regression")
    assert models[1].startswith("random forest")


def test_equal_rows_of_other_labels_are_named_and_leave_together():
    X, y = np.vstack([WINE, WINE[[5, 6]]]), np.append(WRONG, ["green", WRONG[6]])
    audit = audit_labels(as_table(X), y, model="linear", **QUICK)
    data = summarize_labels(audit)["data"]
    # two pairs of equal rows, of which one is of two labels
    assert (data["n_duplicate_rows"], data["contradicting"]) == (4, [1005, 1178])
    assert "2 of them equal a row of another label: 1005, 1178" in format_labels(
        summarize_labels(audit)
    )
    # neither row of a pair is in a fit that the other is held out of, so what is said of both is the same
    out = audit.issues.probability_out
    np.testing.assert_array_equal(out[[5, 6]], out[[178, 179]])


def test_seed_decides_all():
    one, two, other = (
        audit_labels(
            as_table(WINE), WRONG, model="forest", cv=2, n_repeats=1, **how
        ).issues.log_odds
        for how in ({"random_state": 1}, {"random_state": 1, "n_jobs": 2}, {"random_state": 2})
    )
    # and the number of processes nothing
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("data", BUNDLED)
def test_bundled_data_have_a_target(data):
    table, y = load_labelled_table(data, "target")
    # the target is no feature
    assert len(y) == len(table.X)
    assert "target" not in table.feature_names
    # names where scikit-learn has them
    assert y.dtype.kind == {"digits": "i", "diabetes": "i"}.get(data, "U")


def test_the_command_prints_a_page_and_writes_files(capsys, tmp_path):
    options = ["--label", "target", "--model", "linear", "--repeats", 1, "--top", 2, "--jobs", 1]
    status, out, err = run(capsys, "audit", "iris", *options, "--out", tmp_path)
    assert (status, err) == (0, "")
    assert "iris: 150 rows, 4 columns" in out
    # that is 5 folds unless others are asked for
    assert "cross-fit: 5 folds x 1 repeat, seed 0" in out
    assert out.endswith(f"\nwritten: {tmp_path / 'labels.csv'}, {tmp_path / 'summary.json'}\n")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert len(summary["top"]["ambiguous"]) == 2
    first = (tmp_path / "labels.csv").read_text()
    # the command that is recorded gives the same again
    run(capsys, *summary["command"].split()[1:])
    assert (tmp_path / "labels.csv").read_text() == first


def test_labels_of_a_file_may_be_text_and_ids_too(capsys, tmp_path):
    path = tmp_path / "a.csv"
    lines = [
        f"{w[0]!r},{w[1]!r},{w[6]!r},wine {i},{c}"
        for i, (w, c) in enumerate(zip(WINE, WRONG, strict=True))
    ]
    path.write_text("\n".join(["a,b,c,name,colour", *lines]).replace("np.float64", "") + "\n")
    path.write_text(path.read_text().replace("(", "").replace(")", ""))
    options = ["--label", "colour", "--id-column", "name", "--model", "linear", "--repeats", 1]
    status, out, _ = run(capsys, "audit", path, *options)
    # columns of text are at home here, each in its place
    assert status == 0
    assert "wine 70" in out


@pytest.mark.parametrize("others", [[], ["batch"]], ids=["the index", "one of two"])
def test_labels_may_be_the_index_of_a_frame(tmp_path, others):
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    pytest.importorskip("pyarrow", reason="parquet comes with the frames extra")
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0], "y": [1, -1, 1]})
    frame["batch"] = ["p", "q", "r"]
    frame.set_index(["y", *others])[["a", "b"]].to_parquet(tmp_path / "a.parquet")
    table, y = load_labelled_table(tmp_path / "a.parquet", "y")
    # numbers as they are in a column, and rows named by what is left: nothing, or what is asked for
    assert y.tolist() == [1, -1, 1]
    assert y.dtype.kind == "i"
    assert (table.feature_names, table.ids.tolist()) == (["a", "b"], [0, 1, 2])
    if others:
        named = load_labelled_table(tmp_path / "a.parquet", "y", id_column="batch")[0]
        assert named.ids.tolist() == ["p", "q", "r"]


def test_columns_of_lists_can_be_left_out(tmp_path):
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    pytest.importorskip("pyarrow", reason="parquet comes with the frames extra")
    frame = pd.DataFrame({"a": [1.0, 2.0], "tags": [["x", "y"], ["z", "x"]], "y": ["u", "v"]})
    frame.to_parquet(tmp_path / "a.parquet")
    # named for what they are, and no reason not to read the others
    with pytest.raises(ValueError, match=r"'tags' \(of type list"):
        load_labelled_table(tmp_path / "a.parquet", "y")
    table, y = load_labelled_table(tmp_path / "a.parquet", "y", drop="tags")
    assert (table.feature_names, y.tolist()) == (["a"], ["u", "v"])


TABLE = "a,b,c,name,label\n" + "".join(
    f"{i},{i * i % 7},{i % 5},n{i},{'xyz'[i % 2]}\n" for i in range(20)
)
BAD = {
    "no column": (
        TABLE,
        ["--label", "lable"],
        "no column 'lable'; the columns are 'a', 'b', 'c', 'label'",
    ),
    "dropped": (
        TABLE,
        ["--label", "a", "--drop", "a"],
        "label must name a column of its own, got 'a'",
    ),
    "rare": (
        TABLE.replace("n0,x", "n0,q"),
        ["--label", "label"],
        "classes with fewer rows than folds (5): q (1)",
    ),
    "rare, two": (
        TABLE.replace("n0,x", "n0,q").replace("n1,y", "n1,q"),
        ["--label", "label"],
        "ask for at most 2 folds (--cv 2), merge them",
    ),
    "missing": (
        TABLE.replace("n3,y", "n3,"),
        ["--label", "label"],
        "of column 'label' 1 of 20 are (rows n3)",
    ),
    "missing number": (
        TABLE.replace("\n3,", "\n,"),
        ["--label", "a", "--drop", "label"],
        "of column 'a' 1 of 20 are (rows n3)",
    ),
    "one label": (TABLE.replace(",y", ",x"), ["--label", "label"], "all rows have the label x"),
    "missing feature": (
        TABLE.replace("\n3,", "\n,"),
        ["--label", "label"],
        "missing values in 1 of 20 rows",
    ),
    "words to predict": (
        TABLE,
        ["--label", "label", "--task", "regression"],
        "labels must be numbers for task='regression' (--task), got 'x'",
    ),
    "density": (
        TABLE,
        ["--label", "label", "--model", "kde"],
        "auto, linear, forest for labels; got kde",
    ),
    "no density": (TABLE, ["--model", "forest"], "kde, knn, gmm, vae for densities"),
    "method": (
        TABLE,
        ["--label", "label", "--method", "leave-one-out"],
        "--method must be cross-fit",
    ),
    "task alone": (TABLE, ["--task", "regression"], "--task is about labels"),
    "few rows": (TABLE, ["--label", "label", "--cv", "30"], "fewer rows (20) than folds (30)"),
    "no feature": (
        "name,label\nn0,x\nn1,y\n",
        ["--label", "label"],
        "no column is left as a feature",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, case):
    text, argv, message = BAD[case]
    (tmp_path / "a.csv").write_text(text)
    status, out, err = run(capsys, "audit", tmp_path / "a.csv", *argv, "--id-column", "name")
    # the line says what to mend
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert message in flat(err)
    # and sends for more to the doctor only where it is not about labels, which the doctor does not see
    assert ("skmem doctor" in err) == (case in ("missing feature", "few rows"))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"'model' .* Got 'svm'"):
        audit_labels(as_table(WINE), WRONG, model="svm")
    with pytest.raises(ValueError, match=r"'table' parameter .*Table'"):
        audit_labels(WINE, WRONG)
    with pytest.raises(ValueError, match="y must have one label for each of 178 rows"):
        audit_labels(as_table(WINE), WRONG[:-1])
