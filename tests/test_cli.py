"""The command line: what it prints where, and the status it leaves."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import skmem
from skmem import _commands, cli
from skmem.datasets import make_gaussian_mixture

ROOT = Path(__file__).resolve().parents[1]
QUICK = ["--repeats", "2", "--cv", "3"]


def write_csv(path, X, names="abc"):
    lines = [",".join(names), *(",".join(map(repr, row)) for row in X.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def csv(tmp_path):
    X = make_gaussian_mixture(40, n_features=3, random_state=0).X
    return write_csv(tmp_path / "a.csv", X)


def run(capsys, *argv):
    status = cli.main(list(map(str, argv)))
    return status, *capsys.readouterr()


@pytest.mark.parametrize("model", ["kde", "knn", "gmm"])
def test_audit_prints_a_page_and_nothing_else(capsys, csv, model):
    status, out, err = run(capsys, "audit", csv, "--model", model, *QUICK, "--top", 4)
    # The page on stdout for people and pipes; stderr stays empty where it is no terminal.
    assert (status, err) == (0, "")
    assert "a.csv: 40 rows, 3 columns" in out
    assert "4 rows of the highest memorization" in out


def test_audit_writes_what_it_found_and_how_to_find_it_again(capsys, csv, tmp_path):
    folder = tmp_path / "new" / "folder"
    argv = ["audit", csv, *QUICK, "--out", str(folder), "--seed", "7"]
    status, out, _ = run(capsys, *argv)
    assert status == 0
    # The last line says what was written and where.
    assert out.endswith(f"\nwritten: {folder / 'scores.csv'}, {folder / 'summary.json'}\n")
    assert sorted(path.name for path in folder.iterdir()) == ["scores.csv", "summary.json"]
    first = (folder / "scores.csv").read_text()
    summary = json.loads((folder / "summary.json").read_text())
    # One line a row under a header,
    assert len(first.splitlines()) == 41
    # and the command that is recorded gives the same scores again.
    words = summary["command"].split()
    assert words[0] == "skmem"
    run(capsys, *words[1:])
    assert (folder / "scores.csv").read_text() == first


def test_arguments_reach_the_audit(capsys, csv, tmp_path):
    argv = ["audit", csv, "--drop", "c", "--id-column", "a", "--raw", "--cv", "4", "--top", "0"]
    argv += ["--method", "leave-one-out", "--seed", "3", "--out", str(tmp_path)]
    assert run(capsys, *argv)[0] == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    # Nothing that is asked for is ignored.
    assert summary["data"]["n_columns"] == 1
    assert summary["data"]["standardized"] is False
    assert summary["method"]["used"] == "leave-one-out"
    assert (summary["method"]["cv"], summary["method"]["random_state"]) == (4, 3)
    assert summary["top"] == []


@pytest.mark.parametrize("drop", [["--drop", "a", "b"], ["--drop", "a", "--drop", "b"]])
def test_several_columns_can_be_dropped(capsys, csv, drop):
    # Both ways that people write lists of options.
    assert "40 rows, 1 column\n" in run(capsys, "audit", csv, *QUICK, *drop)[1]


BAD_ARGUMENTS = [
    [],
    ["audit"],
    ["frobnicate", "iris"],
    ["audit", "iris", "--cv", "1"],
    ["audit", "iris", "--cv", "many"],
    ["audit", "iris", "--repeats", "0"],
    ["audit", "iris", "--seed", "-1"],
    ["audit", "iris", "--model", "flow"],
    ["audit", "iris", "--frob"],
    ["audit", "iris", "--jobs", "0"],
    ["audit", "iris", "--jobs", "many"],
    ["audit", "iris", "--out", ""],
]


@pytest.mark.parametrize("argv", BAD_ARGUMENTS)
def test_bad_arguments_are_one_line_and_status_2(capsys, argv):
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    out, err = capsys.readouterr()
    # One line that begins with the program's name, so that logs can be searched for it.
    assert (caught.value.code, out) == (2, "")
    assert err.startswith("skmem: error: ")
    assert err.count("\n") == 1


def test_columns_to_drop_swallow_no_data_unnoticed(capsys):
    with pytest.raises(SystemExit):
        cli.main(["audit", "--drop", "a", "iris"])
    # DATA is there for all to see, so the error says where it went.
    assert "DATA; it comes before --drop" in capsys.readouterr().err


BAD_INPUT = {
    "no such file": ("", ["missing.csv"], "No such file"),
    "unknown kind": ("", ["a.xlsx"], "got 'a.xlsx'"),
    "text": ("a,b\n1,x\n2,y\n", ["a.csv"], "'b' ('x' on line 2)"),
    "ragged": ("a,b\n1,2\n3\n", ["a.csv"], "line 3"),
    "missing value": ("a,b\n1,2\n3,\n", ["a.csv", "--cv", "2"], "column 'b' (1)"),
    "few rows": ("a,b\n1,2\n3,4\n", ["a.csv"], "fewer rows (2) than folds (10)"),
    "no column": ("a,b\n1,2\n", ["a.csv", "--drop", "z"], "no column 'z'"),
    "out is a file": (
        "a,b\n1,2\n",
        ["iris", "--out", "a.csv"],
        "--out must be a folder; 'a.csv' is a file",
    ),
    "too few for a fold": ("a,b\n1,2\n3,4\n", ["a.csv"], "ask for at most 2 folds (--cv 2)"),
    "too few for k-NN": (
        "a,b\n1,2\n3,4\n",
        ["a.csv", "--cv", "2", "--model", "knn"],
        "knn needs 3 distinct rows in every training fold; got 1 (all rows): collect more rows, "
        "or fit another density (--model kde)",
    ),
    "another case": ("", ["WINE"], "did you mean wine?"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, monkeypatch, case):
    text, argv, message = BAD_INPUT[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(text)
    status, out, err = run(capsys, "audit", *argv)
    # No traceback: the user has made no programming error. The line says what to mend.
    assert (status, out) == (2, "")
    assert err.startswith("skmem: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_defect_of_our_own_is_not_hidden(monkeypatch):
    def broken(*args, **kwargs):
        raise TypeError("a bug")

    monkeypatch.setattr(_commands, "audit", broken)
    # A traceback is what a bug report needs.
    with pytest.raises(TypeError, match="a bug"):
        cli.main(["audit", "iris"])


def test_interrupt_has_the_shells_status(capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(_commands, "audit", interrupted)
    # 128 + SIGINT, and no traceback.
    assert run(capsys, "audit", "iris") == (130, "", "")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_for_terminals(capsys, monkeypatch, is_terminal):
    asked = {}

    def recorder(*args, **kwargs):
        asked.update(kwargs)
        raise ValueError("stop here")

    monkeypatch.setattr(_commands, "audit", recorder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    run(capsys, "audit", "iris")
    # A log file full of progress bars helps nobody.
    assert asked["progress"] is is_terminal


def test_warnings_are_one_line_each_and_said_once(capsys, monkeypatch):
    def warner(*args, **kwargs):
        for _ in range(3):
            warnings.warn("mind\nthe gap", UserWarning, stacklevel=1)
        raise ValueError("stop here")

    monkeypatch.setattr(_commands, "audit", warner)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _, _, err = run(capsys, "audit", "iris")
    # A hundred fits that warn alike have one thing to say, without a line of source code.
    assert err == "skmem: warning: mind the gap\nskmem: error: stop here\n"


DOCTOR = {
    "sound": (lambda X: X, 0, "Nothing was found"),
    "warning": (lambda X: X * np.array([1, 1, 1e4]), 0, "warning     standard deviations"),
    "error": (lambda X: np.where(np.arange(40)[:, None] == 3, np.nan, X), 1, "error  "),
}


@pytest.mark.parametrize("case", DOCTOR)
def test_doctor_tells_errors_by_its_status(capsys, tmp_path, case):
    spoil, expected, words = DOCTOR[case]
    X = make_gaussian_mixture(40, n_features=3, random_state=0).X
    status, out, err = run(capsys, "doctor", write_csv(tmp_path / "a.csv", spoil(X)))
    # Scripts go by the status: a warning lets them pass, an error does not.
    assert (status, err) == (expected, "")
    assert words in out


def test_doctor_takes_text_for_a_finding(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("n,x\n" + "".join(f"n{i},{i**1.5}\n" for i in range(20)))
    # The audit refuses this file; the doctor is there to say so.
    status, out, _ = run(capsys, "doctor", tmp_path / "a.csv")
    assert (status, "text columns (1)" in out) == (1, True)
    # The file has two columns; those that were looked at are called what they are.
    assert "20 rows, 1 numeric column\n" in out
    assert run(capsys, "doctor", tmp_path / "a.csv", "--id-column", "n")[0] == 0


def test_doctor_names_rows_by_their_ids(capsys, tmp_path):
    rows = [
        f"{name},{i % 19 * 1.5},{i % 19 % 4}\n" for i, name in enumerate("abcdefghijklmnopqrsa")
    ]
    (tmp_path / "a.csv").write_text("n,x,y\n" + "".join(rows))
    status, out, _ = run(capsys, "doctor", tmp_path / "a.csv", "--id-column", "n")
    # Copies by the names they have,
    assert (status, "the largest group has 2 rows: a, a\n" in out) == (0, True)
    # and a name that two rows share is worth a warning.
    assert "ids that name more than one row (1)" in out


def test_doctor_cannot_diagnose_what_it_cannot_read(capsys):
    # Bad input is told from bad data.
    status, out, err = run(capsys, "doctor", "nothing.csv")
    assert (status, out) == (2, "")
    assert err.startswith("skmem: error: ")


FACTS = ["header row", "UTF-8", "missing values", "standardises", "Exit status: 0", "1, doctor"]
HELP = {
    "--help": ["audit", "influence", "doctor", *FACTS],
    "influence -h": ["--query FILE", "--generate N", "--top K", *FACTS],
    "audit -h": [
        "skmem audit DATA [options]",
        "--id-column",
        "without a noise floor",
        "leave-one-out where it is exact",
        *FACTS,
    ],
    "doctor -h": ["--drop", *FACTS],
}


@pytest.mark.parametrize("line", HELP)
def test_help(capsys, line):
    with pytest.raises(SystemExit) as caught:
        cli.main(line.split())
    # Help that was asked for is output, not an error.
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    # What a file must look like, what is done to it, and how scripts can tell: without a manual.
    assert [fact for fact in HELP[line] if fact not in text] == []


def process(*argv, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-m", "skmem", *argv],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def test_module_runs_as_a_program():
    out, err = process("--version").communicate()
    # python -m skmem is the console script.
    assert (out, err) == (f"skmem {skmem.__version__}\n", "")


def test_a_reader_that_has_gone_is_no_disaster():
    program = process("doctor", "iris")
    program.stdout.close()
    error = program.stderr.read()
    program.stderr.close()
    # As under ``| head``: no traceback, neither of the print nor of the flush at exit.
    assert error == ""
    # 128 + SIGPIPE, as of any program that writes into a closed pipe.
    assert program.wait() == 141
