"""The summary is plain, the text fits a terminal, and the files can be read back."""

import json

import numpy as np
import pytest

import skmem
from skmem.datasets import Table, load_table, make_gaussian_mixture, make_planted_copies
from skmem.report import audit, format_summary, summarize, write_audit
from skmem.report._summarize import _plain, score_columns


def as_table(X, ids=None, names=("a", "b")):
    ids = np.arange(len(X)) if ids is None else np.array(ids, dtype=object)
    return Table(X, list(names), ids, "made up", ("a note",))


X = make_gaussian_mixture(50, random_state=0).X


@pytest.fixture(scope="module")
def found():
    return audit(as_table(X), random_state=0)


@pytest.fixture(scope="module")
def exact():
    return audit(as_table(X), method="leave-one-out", random_state=0)


def test_summary_survives_strict_json(found):
    summary = summarize(found, command="skmem audit x")
    # What other programs read is what is printed, to the last digit.
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    # Programs tell by these whether they can read it and what made it.
    assert summary["schema_version"] == 1
    assert summary["versions"]["skmem"] == skmem.__version__
    assert summary["command"] == "skmem audit x"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64("nan"), None),
        (float("inf"), "inf"),
        (-np.inf, "-inf"),
        (np.int64(3), 3),
        (np.True_, True),
        ((1, np.float32(0.5)), [1, 0.5]),
        ({0.95: None}, {"0.95": None}),
        (np.random.RandomState, "<class 'numpy.random.mtrand.RandomState'>"),
    ],
)
def test_values_become_plain(value, plain):
    # JSON has no nan and no infinity, and knows nothing of numpy.
    assert _plain(value) == plain
    assert type(_plain(value)) is type(plain)


def test_quantiles_are_scores_of_rows(found):
    scores = np.sort(found.scorer.memorization_)
    quantiles = {q["level"]: q["memorization"] for q in summarize(found)["quantiles"]}
    # The level-q quantile is the smallest score that a share q of rows does not exceed.
    assert quantiles == {q: scores[int(np.ceil(q * 50)) - 1] for q in quantiles}
    assert list(quantiles) == [0.5, 0.9, 0.95, 0.99, 0.999, 1.0]


def test_noise_floor_stands_beside_its_quantile(found):
    summary = summarize(found)
    floors = {q["level"]: q["noise_floor"] for q in summary["quantiles"] if q["noise_floor"]}
    # Like is compared with like: the scorer's floor at 0.95 beside the quantile at 0.95.
    assert floors == found.scorer.noise_floor_
    for above in summary["above_noise_floor"]:
        # Rows above are counted strictly; noise alone puts a share of 1 - level there.
        expected = np.sum(found.scorer.memorization_ > floors[above["level"]])
        assert above["n_rows"] == expected
        assert above["expected_by_noise"] == pytest.approx(50 * (1 - above["level"]))


def test_exact_scores_have_no_noise_floor(exact):
    summary = summarize(exact)
    # A floor of 0 would read as if all noise had been ruled out.
    assert summary["above_noise_floor"] == []
    assert all(q["noise_floor"] is None for q in summary["quantiles"])
    assert all(row["p_value"] is None for row in summary["top"])
    # The text says why there is none.
    assert "exact, so there is no noise between fits" in format_summary(summary)


@pytest.mark.parametrize("top", [0, 1, 20, 50, 500])
def test_top_rows_are_the_highest_in_order(found, top):
    rows = summarize(found, top=top)["top"]
    order = np.argsort(-found.scorer.memorization_)[:top]
    # As many as asked for, or all there are, highest first.
    assert [row["row"] for row in rows] == order.tolist()
    # Their nearest row is named by its id.
    assert [row["nearest_id"] for row in rows] == found.nearest[order].tolist()


def test_duplicates_are_counted():
    data = make_planted_copies(50, 6, random_state=0)
    data_facts = summarize(audit(as_table(data.X), random_state=0))["data"]
    # Rows in groups of equal rows: every copy, and every row that was copied.
    assert data_facts["n_duplicate_rows"] == 6 + len(set(data.source))
    assert data_facts["n_duplicate_groups"] == len(set(data.source))


def lines_of(summary):
    return format_summary(summary).splitlines()


def test_text_says_what_a_reader_needs(found):
    text = format_summary(summarize(found, top=3))
    facts = [
        "50 rows, 2 columns",
        "a note",
        "duplicates  none",
        "standardised",
        "original units",
        "KernelDensity(bandwidth=",
        "leave-one-out likelihood",
        "held fixed",
        "100 fits, 10 folds x 10 repeats, seed 0",
        "nats; positive = training on the row raises its own density; 0 = no effect",
        "noise floor",
        "nearest id",
    ]
    # Data, copies, unit, model, choice, method, sign, noise and neighbours: all in one page.
    assert [fact for fact in facts if fact not in " ".join(text.split("\n"))] == []


HOSTILE = ["x" * 200, "two words " * 30, "\x1b[31mred\x1b[0m\n", "=1+1", "ü" * 60]


def test_text_fits_a_terminal_whatever_the_names_are():
    ids = [HOSTILE[i % len(HOSTILE)] + str(i) for i in range(50)]
    table = as_table(np.column_stack([X, np.ones((50, 5))]), ids, ["a", "b", *HOSTILE])
    summary = summarize(audit(table, random_state=0))
    # Under 100 columns, so that nothing wraps,
    assert max(map(len, lines_of(summary))) < 100
    # and no control character of a name or an id reaches the terminal.
    assert format_summary(summary).replace("\n", "").isprintable()
    # Constant columns are named, the first few of them at least.
    assert "constant columns: 'xxx" in format_summary(summary)


def test_text_is_made_of_the_dict_alone(found):
    summary = json.loads(json.dumps(summarize(found)))
    summary["quantiles"][0]["memorization"] = "-inf"
    summary["top"][0]["memorization"] = "inf"
    summary["top"][0]["standard_error"] = None
    # A summary read back from its file prints the same, infinities and gaps included.
    row = next(line for line in lines_of(summary) if "inf" in line and "-inf" not in line)
    assert row.split()[1:3] == ["inf", "-"]
    assert any(line.split()[:2] == ["0.5", "-inf"] for line in lines_of(summary))


def test_findings_are_pointed_at():
    summary = summarize(audit(as_table(X * [1.0, 1e6]), random_state=0))
    # What blurs the scores is said where the scores are read.
    assert "data checks 1 warning: see skmem doctor" in lines_of(summary)


IDS = ['say "so"', "a,b", "two\nlines", "=cmd()", "007"] + [f"r{i}" for i in range(45)]


def test_files_read_back_as_they_were(tmp_path):
    found = audit(as_table(X, IDS), random_state=0)
    summary = summarize(found)
    write_audit(found, summary, tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == summary
    # Every row, in the order of the data, whatever its id holds, each score to the last bit.
    scores = load_table(tmp_path / "scores.csv", id_column="id", drop=["nearest_id"])
    assert scores.ids.tolist() == IDS
    columns = score_columns(found)
    for name, values in zip(scores.feature_names, scores.X.T, strict=True):
        np.testing.assert_array_equal(values, columns[name])
    nearest = load_table(tmp_path / "scores.csv", id_column="nearest_id", drop=["id"])
    assert nearest.ids.tolist() == [IDS[i] for i in found.nearest]


def test_missing_p_values_read_back_as_missing(exact, tmp_path):
    write_audit(exact, summarize(exact), tmp_path)
    scores = load_table(tmp_path / "scores.csv", id_column="id")
    # nan is no number, and no text either.
    assert np.isnan(scores.X[:, scores.feature_names.index("p_value")]).all()


def test_memorization_is_the_difference_of_the_log_densities(found):
    columns = score_columns(found)
    # In any unit: the Jacobian is in both.
    difference = columns["log_density_in"] - columns["log_density_out"]
    np.testing.assert_allclose(columns["memorization"], difference, atol=1e-9)
