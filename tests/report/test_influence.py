"""Explanations of rows by a table: what is fitted, what is said, what is written."""

import csv
import json
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmem import cli
from skmem.datasets import Table, make_gaussian_mixture
from skmem.influence import leave_one_out_influence
from skmem.report import explain, format_influence, summarize_influence, write_influence

X = make_gaussian_mixture(60, n_features=3, random_state=0).X * [1.0, 50.0, 3.0]
NAMES = ["a", "b", "c"]
IDS = np.array([f"row {i}" for i in range(40)], dtype=object)
TABLE = Table(np.column_stack([X, np.full(60, 7.0)])[:40], [*NAMES, "constant"], IDS, "train.csv")
QUERY = Table(
    np.column_stack([np.full(20, 7.0), X[40:, ::-1]]),
    ["constant", "c", "b", "a"],
    np.arange(20),
    "new.csv",
)


@pytest.mark.parametrize("model", ["kde", "knn", "gmm"])
def test_rows_are_explained_in_the_scale_of_the_table(model):
    found = explain(TABLE, QUERY, model=model, top=3, random_state=0)
    scaled = [(Z - X[:40].mean(axis=0)) / X[:40].std(axis=0) for Z in (X[:40], X[40:])]
    influence = leave_one_out_influence(found.estimator, *scaled)
    best = found.explanations.proponents[:, 0]
    # columns by name in whatever order, constant ones left out, scaled as the training rows were
    values = influence[best, np.arange(20)]
    if model == "gmm" and found.estimator.n_components > 1:
        # to first order
        assert np.corrcoef(values, influence.max(axis=0))[0, 1] > 0.9
    else:
        assert_allclose(values, influence.max(axis=0), atol=1e-9)


@pytest.mark.parametrize("model", ["kde", "gmm"])
def test_generated_rows_are_in_the_units_of_the_table(model):
    found = explain(TABLE, n_generated=200, model=model, random_state=0)
    drawn = found.query.X
    # spread like the table's columns, and constant where that is
    assert_allclose(drawn[:, :3].std(axis=0), X[:40].std(axis=0), rtol=0.5)
    assert_array_equal(drawn[:, 3], 7.0)
    again = explain(TABLE, n_generated=200, model=model, random_state=0)
    # one seed for all
    assert_array_equal(again.query.X, drawn)
    assert_array_equal(again.explanations.proponents, found.explanations.proponents)


def test_vae_is_explained_by_its_gradients():
    pytest.importorskip("skorch", reason="a VAE needs the extra torch")
    found = explain(TABLE, n_generated=5, model="vae", top=2, random_state=0)
    assert found.method.startswith("TracIn over ")
    assert np.isfinite(found.explanations.proponent_influence).all()


def test_summary_names_rows_by_their_ids(tmp_path):
    found = explain(TABLE, QUERY, top=2, random_state=0)
    summary = summarize_influence(found, command="skmem influence ...")
    # strict JSON holds it
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    first = summary["rows"][0]
    best = found.explanations.proponents[0, 0]
    assert (first["id"], first["proponents"][0]["id"]) == (0, f"row {best}")
    text = format_influence(summary)
    # nobody has to guess what a row of the table is
    assert f"row {best}" in text
    assert all(len(line) < 100 for line in text.splitlines())
    assert "positive =" in text
    files = write_influence(summary, tmp_path)
    with open(files[0], newline="") as file:
        lines = list(csv.DictReader(file))
    # one line for each pair
    assert len(lines) == 20 * 2 * 2
    assert (lines[0]["train_id"], int(lines[0]["train_row"])) == (f"row {best}", best)
    assert float(lines[0]["influence"]) == first["proponents"][0]["influence"]
    assert json.loads(files[1].read_text()) == summary


def test_text_is_short_and_signs_go_with_roles():
    many = Table(np.tile(QUERY.X, (3, 1)), QUERY.feature_names, np.arange(60), "many")
    summary = summarize_influence(explain(TABLE, many, top=40, random_state=0))
    for row in summary["rows"]:
        # by definition, however many were asked for
        assert all(other["influence"] > 0 for other in row["proponents"])
        assert all(other["influence"] < 0 for other in row["opponents"])
    # nobody reads thousands of lines in a terminal
    assert format_influence(summary).endswith("and 40 rows more, which --out writes")
    for row in summary["rows"]:
        row["proponents"] = row["opponents"] = []
    # a row that nothing speaks for or against keeps its line
    assert re.search(r"^ *19 +[0-9]+ %", format_influence(summary), re.MULTILINE)


def test_rows_drawn_are_counted_once():
    summary = summarize_influence(explain(TABLE, n_generated=3, random_state=0))
    assert "explained   3 rows drawn from the model\n" in format_influence(summary)


def test_a_copy_is_marked():
    copy = Table(TABLE.X[[4]] + 1e-9, TABLE.feature_names, np.array(["copy"]), "copy")
    lone = TABLE.X.copy()
    lone[4] = [900.0, 900.0, 900.0, 7.0]
    copy.X[:] = lone[4]
    found = explain(Table(lone, TABLE.feature_names, IDS, "train"), copy, random_state=0)
    # the star and its reason
    text = format_influence(summarize_influence(found))
    assert "100 %*" in text
    assert "*: dominated by one training row" in text


def test_bad_requests_are_refused_in_words():
    with pytest.raises(ValueError, match="just one of query and n_generated"):
        explain(TABLE)
    with pytest.raises(ValueError, match="just one of query and n_generated"):
        explain(TABLE, QUERY, n_generated=3)
    with pytest.raises(ValueError, match="knn is not; give rows to explain"):
        explain(TABLE, n_generated=3, model="knn")
    other = Table(QUERY.X[:, :3], QUERY.feature_names[:3], QUERY.ids, "other.csv")
    with pytest.raises(ValueError, match=r"other.csv must have the columns .* lacks 'a'"):
        explain(TABLE, other)
    with pytest.raises(ValueError, match="top must be at most the number of training rows, 40"):
        explain(TABLE, QUERY, top=41)
    missing = Table(np.where(X[:40] > 0, np.nan, 1.0), NAMES, IDS, "missing")
    with pytest.raises(ValueError, match="missing values"):
        explain(missing, QUERY)


def run(capsys, *argv):
    status = cli.main(list(map(str, argv)))
    return status, *capsys.readouterr()


def write(path, X, ids=None):
    names = [*(["id"] if ids else []), *NAMES]
    rows = [[*([f"n{i}"] if ids else []), *map(repr, row)] for i, row in enumerate(X.tolist())]
    path.write_text("\n".join(map(",".join, [names, *rows])) + "\n")
    return path


def test_command_line(capsys, tmp_path):
    data, new = write(tmp_path / "a.csv", X[:40], ids=True), write(tmp_path / "b.csv", X[40:44])
    argv = [data, "--id-column", "id", "--query", new, "--top", 2, "--out", tmp_path / "out"]
    status, out, err = run(capsys, "influence", *argv)
    # a page on stdout, rows by their names, and where the rest is
    assert (status, err) == (0, "")
    assert "b.csv (4 rows)" in out
    assert " n" in out.splitlines()[-3]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "influence.csv",
        "summary.json",
    ]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["command"].startswith("skmem influence ")
    assert run(capsys, "influence", "iris", "--generate", 2, "--top", 1)[0] == 0
    ids = ["--query", data, "--query-id-column", "id"]
    # rows to explain may have names too
    assert "n3" in run(capsys, "influence", data, "--id-column", "id", *ids)[1]


@pytest.mark.parametrize(
    "argv",
    [
        ["influence", "iris"],
        ["influence", "iris", "--query", "iris", "--generate", "2"],
        ["influence", "iris", "--generate", "0"],
        ["influence", "iris", "--generate", "2", "--top", "0"],
    ],
)
def test_bad_arguments_are_one_line_and_status_2(capsys, argv):
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    # as of the other commands
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_bad_input_is_one_line_and_status_2(capsys, tmp_path):
    status, out, err = run(capsys, "influence", "iris", "--model", "knn", "--generate", 2)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert run(capsys, "influence", "iris", "--query", "wine")[0] == 2
