"""The summary is plain, the text fits a terminal, and the files can be read back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn import mixture

import skmem
from skmem import MemorizationScorer
from skmem.datasets import Table, load_table, make_gaussian_mixture, make_planted_copies
from skmem.report import audit, format_summary, summarize, write_audit
from skmem.report._summarize import plain as make_plain
from skmem.report._summarize import score_columns


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
    assert make_plain(value) == plain
    assert type(make_plain(value)) is type(plain)


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
    assert "exact with bandwidth held fixed, so no noise between fits" in flat(summary)


@pytest.mark.parametrize(("model", "exact"), [("kde", True), ("knn", True), ("gmm", False)])
def test_leave_one_out_is_called_what_it_is(model, exact):
    X = make_gaussian_mixture(90, n_features=1, n_components=3, separation=20, random_state=0).X
    found = audit(as_table(X, names=["a"]), model=model, method="leave-one-out", random_state=0)
    summary = summarize(found)
    # One EM step from three components is no refit; a program reads the same as a person.
    assert summary["method"]["exact"] is exact
    assert ("exact with" in flat(summary)) is exact
    assert ("an approximation, one EM step" in flat(summary)) is not exact


def test_leave_one_out_by_refits_is_not_called_exact(exact):
    density = mixture.GaussianMixture(2, max_iter=1000)
    scorer = MemorizationScorer(density, method="leave-one-out", random_state=0).fit(X)
    summary = summarize(replace(exact, model="gmm", scorer=scorer))
    # Every fit has a seed of its own: that there is no noise between fits would be false.
    assert summary["method"]["exact"] is False
    assert "one to all rows and one without each, seed 0" in flat(summary)


def test_what_is_not_known_is_a_gap():
    found = audit(as_table(X), method="leave-one-out", random_state=0)
    found.scorer.standard_error_ = np.full(50, np.nan)
    found.scorer.noise_floor_ = {0.95: np.nan, 0.999: np.nan}
    summary = summarize(found, top=1)
    # A scorer that does not know its error is not quoted with one, nor rows counted above nan.
    assert summary["top"][0]["standard_error"] is None
    assert summary["above_noise_floor"] == []
    assert lines_of(summary)[-1].split()[2:4] == ["-", "-"]


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_repeats_are_counted_in_grammar(n_repeats):
    text = flat(summarize(audit(as_table(X), n_repeats=n_repeats, random_state=0)))
    # One is no plural.
    assert (f"x {n_repeats} repeat{'s' * (n_repeats > 1)}, seed 0") in text


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


@pytest.mark.parametrize("n_copies", [2, 12])
def test_copies_are_named_and_counted(n_copies):
    rows = [*range(50), *[7] * n_copies, 9]
    found = audit(as_table(X[rows], [f"r{i}" for i in range(len(rows))]), random_state=0)
    groups = summarize(found)["data"]["largest_groups"]
    ids = ["r7", *(f"r{50 + i}" for i in range(n_copies))]
    # Largest first, by id, and of a long group not all.
    assert groups == [
        {"n_rows": n_copies + 1, "ids": ids[:8]},
        {"n_rows": 2, "ids": ["r9", f"r{50 + n_copies}"]},
    ]
    named = f"the largest: {', '.join(ids[:8])} ({n_copies + 1} rows); r9, r{50 + n_copies}"
    assert named in flat(summarize(found))
    columns = score_columns(found)
    # For every row the number of others that equal it, which stand in its group.
    equal = np.all(X[rows][:, None] == X[rows], axis=2)
    np.testing.assert_array_equal(columns["copies"], equal.sum(axis=1) - 1)
    np.testing.assert_array_equal(columns["group"][:, None] == columns["group"], equal)


def lines_of(summary):
    return format_summary(summary).splitlines()


def flat(summary):
    return " ".join(format_summary(summary).split())


def test_text_says_what_a_reader_needs(found):
    text = format_summary(summarize(found, top=3))
    facts = [
        "50 rows, 2 columns",
        "a note",
        "duplicates  none",
        "standardised",
        "log-Jacobian",
        "is added to every log-density",
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


@pytest.mark.parametrize("standardize", [True, False])
def test_findings_are_listed_unless_cured(standardize):
    copied = np.vstack([X, X[:1]])
    table = as_table(
        np.column_stack([copied * [1.0, 1e6], np.ones(51), copied[:, 0]]), names="abcd"
    )
    summary = summarize(audit(table, standardize=standardize, random_state=0))
    (start,) = (i for i, line in enumerate(lines_of(summary)) if line.startswith("data checks"))
    checks = lines_of(summary)[start : lines_of(summary).index("")]
    listed = ["warning: nearly exact: 1 linear dependency (columns 'a', 'd')"]
    # Standardised, columns of different scale are of one scale: nothing is left to warn of.
    if not standardize:
        listed.insert(0, "warning: standard deviations of columns differ by a factor of")
    # Constant columns and copies have lines of their own.
    for line, what in zip(checks, listed, strict=False):
        assert line[12:].startswith(what)
    assert checks[-1].strip() == "(skmem doctor says what to do about it)"
    assert len(checks) == len(listed) + 1


def test_no_findings_no_heading(found):
    # Where there is nothing to say nothing is said.
    assert "data checks" not in format_summary(summarize(found))


@pytest.mark.parametrize("n_above", [44, 45, 50])
def test_what_it_means_when_nearly_all_rows_are_above_the_floor(found, n_above):
    summary = summarize(found)
    summary["above_noise_floor"][0]["n_rows"] = n_above
    summary["above_noise_floor"][1]["n_rows"] = 3
    # A reader who sees every row flagged needs to know what to do with that, others do not.
    assert ("rank and size tell which rows to look at" in flat(summary)) is (n_above >= 45)


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
