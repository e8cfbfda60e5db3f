"""What the doctor finds, and that it finds nothing where nothing is wrong."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmem.density
from skmem.datasets import make_gaussian_mixture
from skmem.report import Finding, audit, diagnose, diagnose_file, format_findings

SOUND = make_gaussian_mixture(60, n_features=3, random_state=0).X


def spoilt(cells, value):
    X = SOUND.copy()
    X[tuple(zip(*cells, strict=True))] = value
    return X


def with_column(values):
    return np.column_stack([SOUND, values])


def test_sound_data_has_no_findings():
    # A doctor who always finds something is not listened to.
    assert diagnose(SOUND, estimator=skmem.density.KernelDensity()) == []


COUNTING = np.arange(60.0)
RARE = np.r_[3.0, np.zeros(199)]
CASES = {
    "missing": (
        spoilt([(3, 1), (4, 1), (4, 2)], np.nan),
        ("error", "missing values in 2 of 60 rows", "columns 'x1' (2), 'x2' (1)"),
    ),
    "infinite": (
        spoilt([(3, 1)], -np.inf),
        ("error", "infinite values in 1 of 60 rows", "column 'x1' (1)"),
    ),
    "overflowing": (
        spoilt([(3, 1)], 1e200),
        ("error", "values beyond 1e+150 in 1 of 60 rows", "column 'x1' (1)"),
    ),
    "few rows": (SOUND[:9], ("error", "fewer rows (9) than folds (10)", "all rows")),
    "all equal": (np.full((60, 3), 0.1), ("error", "all rows are equal", "all columns")),
    "constant": (
        with_column(np.full(60, 0.1)),
        ("warning", "constant columns (1 of 4)", "column 'x3'"),
    ),
    "duplicates": (
        SOUND[[*range(60), 7, 7, 50]],
        (
            "warning",
            "5 rows are exact duplicates, in 2 groups",
            "the largest group has 3 rows: 7, 60, 61 (counted from 0)",
        ),
    ),
    "wide": (
        SOUND[:12].reshape(3, 12).repeat(4, axis=0) + np.arange(144).reshape(12, 12) ** 1.5,
        ("warning", "no more rows (12) than columns (12)", "all columns"),
    ),
    "scales": (
        SOUND * [1e-3, 1.0, 10.0],
        ("warning", "standard deviations of columns differ by a factor of", "column 'x0'"),
    ),
    "float32": (
        SOUND + np.array([0.0, 1e6, 0.0]),
        ("note", "values so large for their spread that float32", "column 'x1'"),
    ),
    "counter": (with_column(COUNTING), ("warning", "a column counts the rows", "column 'x3'")),
    "collinear": (
        with_column(SOUND[:, 0] - 2 * SOUND[:, 2]),
        ("warning", "nearly exact: 1 linear dependency", "columns 'x0', 'x2', 'x3'"),
    ),
    "nearly constant": (
        np.column_stack([make_gaussian_mixture(200, random_state=0).X, RARE]),
        ("warning", "columns of one value in more than 99% of rows (1)", "column 'x2'"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_found_and_nothing_else(case):
    X, (severity, what, where) = CASES[case]
    findings = diagnose(X)
    found = [f for f in findings if f.what.startswith(what)]
    # The one thing that was spoilt is named, with where it is and a cure,
    assert len(found) == 1, findings
    assert found[0].severity == severity
    assert found[0].where.startswith(where)
    assert found[0].cure
    # and nothing that was left sound is blamed.
    assert len(findings) == 1, findings


def test_duplicates_are_numbered_as_in_the_file():
    X = np.vstack([SOUND, SOUND[7]])
    X[0, 0] = np.nan
    (duplicates,) = [f for f in diagnose(X) if "duplicates" in f.what]
    # Rows that were set aside for a missing value still count.
    assert "7, 60" in duplicates.where


def test_duplicates_and_repeats_are_told_by_id():
    ids = [f"r{i}" for i in range(58)] + ["r3", "r3", "r5"]
    repeats, duplicates = diagnose(np.vstack([SOUND, SOUND[7]]), ids=ids)
    # Names that the owner of the data knows, and no row numbers,
    assert duplicates.where == "the largest group has 2 rows: r7, r5"
    # and names that name several rows are no use in a table of scores.
    assert repeats.what == "ids that name more than one row (2)"
    assert repeats.where == "'r3' (3 rows), 'r5' (2 rows)"
    assert repeats.severity == "warning"


def test_ids_must_fit():
    # One id too few would blame the wrong row.
    with pytest.raises(ValueError, match="ids must name 60 rows; got 2"):
        diagnose(SOUND, ids=["a", "b"])


def test_findings_say_which_check_found_them():
    # Programs go by it; words may change.
    assert [f.check for f in diagnose(CASES["duplicates"][0])] == ["duplicates"]
    assert [f.check for f in diagnose(SOUND[:9])] == ["too_few_rows"]


def test_negative_zero_is_a_copy_of_zero():
    X = np.vstack([SOUND, [0.0, 1.0, 1.0], [-0.0, 1.0, 1.0]])
    # Their values are equal, so no density can tell the rows apart.
    assert "2 rows are exact duplicates" in diagnose(X)[0].what


def test_empty_column_is_one_finding():
    findings = diagnose(with_column(np.full(60, np.nan)))
    # The other columns can still be judged; there are no numbers in this one to say more about.
    assert [f.what for f in findings] == ["missing values in 60 of 60 rows"]


@pytest.mark.parametrize(
    "X", [np.full((5, 2), np.nan), np.full((5, 2), np.inf), np.full((1, 2), 3.0)]
)
def test_hopeless_tables_do_not_crash(X):
    # The doctor is asked precisely when the data are in a bad way.
    assert diagnose(X)[0].severity == "error"


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_any_numeric_type_is_read(dtype):
    X = np.round(SOUND * 1000).astype(dtype)
    # What is found depends on the values, not on how they are stored.
    assert diagnose(X) == diagnose(X.astype(float)) == []


def test_names_come_from_the_frame():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(CASES["missing"][0], columns=["a", "b", "c"])
    # A column is named as its owner names it.
    assert diagnose(frame)[0].where == "columns 'b' (2), 'c' (1)"


def test_errors_come_first():
    X = with_column(np.ones(60))
    X[3, 0] = np.nan
    # What stops a fit is read before what blurs it.
    assert [f.severity for f in diagnose(X)] == ["error", "warning"]


@pytest.mark.parametrize("X", [np.empty((0, 2)), np.empty((3, 0)), np.zeros(3), [["a"]]])
def test_what_is_no_table_is_refused(X):
    # Without rows and columns of numbers there is nothing to diagnose.
    with pytest.raises(ValueError, match=r"array|convert"):
        diagnose(X)


def test_names_must_fit():
    # One name too few would blame the wrong column.
    with pytest.raises(ValueError, match="feature_names must name 3 columns; got 2"):
        diagnose(SOUND, ["a", "b"])


def in_pipeline(density):
    return make_pipeline(StandardScaler(), density)


@pytest.mark.parametrize("wrap", [lambda density: density, in_pipeline])
@pytest.mark.parametrize(("leaf_size", "wrong"), [(40, True), (59, True), (60, False)])
def test_scikit_learns_kernel_density_is_found_out(wrap, leaf_size, wrong):
    findings = diagnose(SOUND, estimator=wrap(KernelDensity(leaf_size=leaf_size)))
    # Its tree stops early on held-out rows, unless one leaf holds them all; so does a pipeline's.
    assert len(findings) == wrong
    # The cure is the class that is exact.
    assert all("skmem.density.KernelDensity" in f.cure for f in findings)


def test_a_regressor_scores_rows_by_their_targets():
    # it has no score_samples, and needs none
    assert diagnose(SOUND, estimator=Ridge()) == []


@pytest.mark.parametrize(
    ("estimator", "what"),
    [
        (KernelDensity, "KernelDensity is a class"),
        (StandardScaler(), "StandardScaler has no score_samples"),
        (object(), "object has no fit and no score_samples"),
        (NearestNeighbors(), "NearestNeighbors has no score_samples"),
    ],
)
def test_what_is_no_density_is_found_out(estimator, what):
    # Before a fit, by name, with what to use instead.
    (finding,) = diagnose(SOUND, estimator=estimator)
    assert (finding.severity, finding.what) == ("error", what)


@pytest.mark.parametrize(
    ("estimator", "most"),
    [
        (lambda k: skmem.density.KNeighborsDensity(n_neighbors=k), 53),
        (lambda k: GaussianMixture(n_components=k), 54),
    ],
)
def test_more_neighbours_or_components_than_a_fold_has_rows(estimator, most):
    # 60 rows in 10 folds leave 54 to train on; k-NN needs one more row than neighbours.
    assert diagnose(SOUND, estimator=estimator(most)) == []
    (finding,) = diagnose(SOUND, estimator=estimator(most + 1))
    assert finding.what.endswith(f"={most + 1} with 54 rows in the smallest training fold")


def test_text_columns_of_a_file_are_a_finding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,x,y\n" + "".join(f"n{i},{i**1.5},{i % 7 * i}\n" for i in range(20)))
    findings, table = diagnose_file(path)
    # The text is named, and the rest is diagnosed without it.
    assert findings[0].what == "text columns (1)"
    assert findings[0].where == "'name' ('n0' on line 2)"
    assert table.feature_names == ["x", "y"]
    # Named as ids, the text is no trouble.
    assert diagnose_file(path, id_column="name")[0] == []


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_text_columns_of_a_frame_are_a_finding(library):
    frames = pytest.importorskip(library)
    numbers = {"x": SOUND[:, 0], "y": SOUND[:, 1]}
    text = {"name": [f"n{i}" for i in range(len(SOUND))], "kind": ["a", None] * (len(SOUND) // 2)}
    (finding,) = diagnose(frames.DataFrame(text | numbers))
    # The text is named, and the rest, which is sound, is diagnosed without it.
    assert (finding.severity, finding.what) == ("error", "text columns (2)")
    assert finding.where == "'name' (such as 'n0'), 'kind' (such as 'a')"
    # With no numbers at all there is still something to say.
    assert [f.what for f in diagnose(frames.DataFrame(text))] == ["text columns (2)"]
    # Rows go with their names, whatever is left out.
    assert (
        diagnose(frames.DataFrame(text | numbers), ids=np.zeros(len(SOUND)))[1].check
        == "repeated_ids"
    )
    gaps = frames.DataFrame(numbers | {"z": [None, 1.0] * (len(SOUND) // 2)})
    # A missing number is no text.
    assert "text_columns" not in [f.check for f in diagnose(gaps)]


@pytest.mark.parametrize("rows", [[0, 1, 2], [0, 1] * 10])
def test_doctor_and_audit_speak_alike(tmp_path, rows):
    path = tmp_path / "a.csv"
    np.savetxt(path, SOUND[rows], delimiter=",", header="a,b,c", comments="")
    findings, table = diagnose_file(path, model="knn", cv=3)
    (error,) = [f for f in findings if f.severity == "error"]
    # Two neighbours need three distinct rows, whichever way they are missing,
    assert error.what == "knn needs 3 distinct rows in every training fold; got 2"
    # the cure is one that the command line offers,
    assert "--model kde" in error.cure
    # and the audit refuses in the same words.
    with pytest.raises(ValueError) as refused:
        audit(table, model="knn", cv=3)
    assert f"{error.what} ({error.where}): {error.cure}" in str(refused.value)
    # The doctor's advice helps.
    assert np.isfinite(audit(table, cv=3).scorer.memorization_).all()


def test_folds_are_cured_by_their_option():
    # A cure that can be typed.
    assert "(--cv 3)" in diagnose(SOUND[:3])[0].cure


def test_file_of_text_alone_is_a_finding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name\nx\ny\n")
    findings, table = diagnose_file(path)
    # With no numbers at all there is no table, but still something to say.
    assert table is None
    assert [f.severity for f in findings] == ["error"]
    assert "text columns" in format_findings(findings, table)


def test_findings_in_words():
    where = ", ".join(f"'column {j}'" for j in range(40))
    text = format_findings([Finding("error", "a thing", where, "mend it")])
    # Severity, fact, place and cure in that order, in lines that fit a terminal.
    order = [text.index(part) for part in ("error", "a thing", "where", "cure", "mend it")]
    assert order == sorted(order)
    assert max(map(len, text.splitlines())) < 100
    # Silence would leave open whether anything was looked at.
    assert format_findings([]) == "Nothing was found that would go wrong."
