"""Regions of memorized rows: found where they were planted, and ranked by what more rows there do."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from skmem import MemorizationScorer
from skmem._distances import nearest_neighbors
from skmem.datasets import make_gaussian_mixture, make_sparse_region
from skmem.density import KernelDensity
from skmem.memorization import MemorizedRegions
from skmem.memorization._rules import find_rule
from skmem.memorization._support import Support, intrinsic_dimension


class Fitted(BaseEstimator):
    """A fitted scorer with scores, errors and p-values of our choice."""

    def __init__(self, scores, errors=0.0, p_values=np.nan, floor=0.0, n_repeats=1):
        self.memorization_ = np.asarray(scores)
        self.standard_error_ = np.broadcast_to(errors, self.memorization_.shape)
        self.p_values_ = np.broadcast_to(p_values, self.memorization_.shape)
        self.noise_floor_, self.n_repeats_ = {0.95: floor}, n_repeats

    def fit(self, X):
        raise AssertionError("fitted again")


def planted(seed, n_sparse=12):
    """Data short of rows in component 0, their exact scores, and the bandwidth these have."""
    data = make_sparse_region(300, n_sparse, random_state=seed)
    scorer = MemorizationScorer().fit(data.X)
    return data, scorer


def drawn_there(data, region, rng, n_rows=10):
    """Rows of the true density next to the rows that support a region."""
    _, neighbors = nearest_neighbors(data.X, data.X, 5, exclude_self=True)
    support = np.union1d(region.rows, neighbors[region.rows])
    rows = np.empty((0, 2))
    while len(rows) < n_rows:
        component = rng.integers(len(data.means), size=2000)
        new = data.means[component] + rng.normal(size=(2000, 2))
        nearest = nearest_neighbors(new, data.X, 1)[1][:, 0]
        rows = np.concatenate([rows, new[np.isin(nearest, support)]])
    return rows[:n_rows]


def fall_of_scores(data, scorer, new):
    """What new rows take off the score of each row, the bandwidth held."""
    density = KernelDensity(bandwidth=scorer.estimator_.bandwidth_)
    after = MemorizationScorer(density).fit(np.concatenate([data.X, new]))
    return scorer.memorization_ - after.memorization_[: len(data.X)]


# A planted sparse region


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_rows_added_to_the_sparse_region_help_more_than_anywhere_else(seed):
    data, scorer = planted(seed)
    found = MemorizedRegions().fit(data.X, scorer)
    first = found.regions_[0]
    # the highest gain is expected where rows are short
    assert np.isin(first.rows, data.planted).all()
    assert first.size >= 10
    rng = np.random.default_rng(seed)
    falls = [
        np.mean([fall_of_scores(data, scorer, drawn_there(data, r, rng)).sum() for _ in range(3)])
        for r in found.regions_
    ]
    # and as many rows of the true density take more off the scores of all rows there than in any other region,
    assert len(falls) > 1
    assert falls[0] > max(falls[1:])
    # in any other component as a whole,
    others = [data.means[c] + rng.normal(size=(10, 2)) for c in (1, 2)]
    assert falls[0] > 1.3 * max(fall_of_scores(data, scorer, new).sum() for new in others)
    # or drawn from everywhere
    everywhere = make_gaussian_mixture(10, separation=12.0, random_state=seed)
    new = data.means[everywhere.y] + rng.normal(size=(10, 2))
    assert falls[0] > fall_of_scores(data, scorer, new).sum()


@pytest.mark.parametrize("seed", [1, 3, 7])
def test_the_gain_and_the_rows_needed_are_of_the_right_size(seed):
    data, scorer = planted(seed)
    found = MemorizedRegions().fit(data.X, scorer)
    region, rng = found.regions_[0], np.random.default_rng(seed)
    falls = [
        fall_of_scores(data, scorer, drawn_there(data, region, rng))[region.rows].sum()
        for _ in range(5)
    ]
    # an estimate from one sample, without another fit
    assert 0.4 < region.gain / np.mean(falls) < 2.5
    fall = fall_of_scores(data, scorer, drawn_there(data, region, rng, region.n_needed))
    after = np.median((scorer.memorization_ - fall)[region.rows])
    # half of its rows are no longer memorized then
    assert after == pytest.approx(found.threshold_, abs=0.12)
    assert np.median(scorer.memorization_[region.rows]) > found.threshold_ + 0.2


def test_a_region_is_described_in_the_columns_own_names_and_units():
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    data, scorer = planted(1)
    frame = pd.DataFrame(data.X * [10, 0.1] + [50, 25], columns=["age", "bmi"])
    found = MemorizedRegions().fit(frame, scorer)
    region = found.regions_[0]
    conditions = region.rule.split(" and ")
    assert all(condition.split()[0] in ("age", "bmi") for condition in conditions)
    # the rule is one that pandas understands, and its figures are true
    matched = frame.query(region.rule).index
    assert region.precision == np.isin(matched, region.rows).mean()
    assert region.recall == np.isin(region.rows, matched).mean()
    assert region.recall > 0.9
    row = frame.iloc[region.typical_row]
    assert region.typical_values == {"age": row["age"], "bmi": row["bmi"]}
    assert region.typical_row in region.rows
    # units do not decide what is near
    plain = MemorizedRegions().fit(data.X, scorer)
    np.testing.assert_array_equal(found.labels_, plain.labels_)
    assert plain.regions_[0].rule.startswith("x")


def test_isolated_rows_are_listed_with_what_to_do():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[:12] = 100.0 * np.arange(12)[:, None] ** 2
    found = MemorizedRegions(quantile=0.9).fit(X, (np.arange(200) < 12) * 1.0)
    lines = str(found).splitlines()
    # each region is a line, and where rows are in none the last line says which and what that means
    assert len(lines) == 1 + len(found.regions_) + (len(found.isolated_) > 0)
    assert len(found.isolated_)
    assert ", ".join(map(str, found.isolated_[:10])) in lines[-1]
    assert "Look at them one by one" in lines[-1]


def test_regions_stand_in_a_text_and_in_a_frame():
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    data, scorer = planted(1)
    found = MemorizedRegions()
    assert str(found) == "MemorizedRegions()"
    found.fit(pd.DataFrame(data.X, columns=["a", "b"]), scorer)
    text = str(found).splitlines()
    assert text[0].startswith("30 of 300 rows are memorized")
    assert len(text) == 1 + len(found.regions_)
    first = found.regions_[0]
    assert first.rule in text[1]
    assert f"about {first.n_needed} more rows needed" in text[1]
    frame = found.to_frame()
    assert list(frame["size"]) == [r.size for r in found.regions_]
    assert list(frame["rule"]) == [r.rule for r in found.regions_]
    assert list(frame["a"]) == list(data.X[frame["typical_row"], 0])
    assert frame["gain"].is_monotonic_decreasing


def test_frames_come_back_in_the_library_they_came_in():
    pl = pytest.importorskip("polars", reason="polars comes with the test extra")
    data, scorer = planted(1)
    found = MemorizedRegions().fit(pl.DataFrame(data.X, schema=["a", "b"]), scorer)
    assert isinstance(found.to_frame(), pl.DataFrame)
    # also where there is nothing to tell
    none = MemorizedRegions(quantile=0.999).fit(pl.DataFrame(data.X, schema=["a", "b"]), scorer)
    assert none.to_frame().height == 0


# Which rows count as memorized


def test_labels_rows_and_isolated_rows_are_one_partition():
    data, scorer = planted(0)
    found = MemorizedRegions().fit(data.X, scorer)
    for label, region in enumerate(found.regions_):
        np.testing.assert_array_equal(np.flatnonzero(found.labels_ == label), region.rows)
    memorized = np.concatenate([found.isolated_, *(r.rows for r in found.regions_)])
    np.testing.assert_array_equal(np.sort(memorized), np.flatnonzero(found.is_memorized_))
    # rows to look at by hand come with the highest score first
    assert len(found.isolated_)
    assert (np.diff(scorer.memorization_[found.isolated_]) <= 0).all()
    gains = [region.gain for region in found.regions_]
    assert gains == sorted(gains, reverse=True)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95])
def test_of_exact_scores_the_quantile_decides(quantile):
    data, scorer = planted(1)
    found = MemorizedRegions(quantile=quantile).fit(data.X, scorer)
    assert found.is_memorized_.sum() == round(300 * (1 - quantile))
    # and of bare scores too
    bare = MemorizedRegions(quantile=quantile).fit(data.X, scorer.memorization_)
    np.testing.assert_array_equal(found.is_memorized_, bare.is_memorized_)


X = np.random.default_rng(0).normal(size=(100, 2))


def test_scores_within_the_noise_do_not_count():
    scores = np.linspace(-1, 1, 100)
    by_floor = MemorizedRegions().fit(X, Fitted(scores, floor=0.9))
    assert (by_floor.threshold_, by_floor.is_memorized_.sum()) == (0.9, 5)
    # ten times as many standard errors as any chance, or a tenth of one
    sure, unsure = (Fitted(scores, errors, n_repeats=10) for errors in (0.01, 10.0))
    assert MemorizedRegions().fit(X, sure).is_memorized_.sum() == 10
    assert not MemorizedRegions().fit(X, unsure).is_memorized_.any()
    # where there is no standard error the scorer's own p-values count
    p_values = np.where(scores > 0.9, 1e-4, 0.5)
    by_p = MemorizedRegions().fit(X, Fitted(scores, np.nan, p_values))
    np.testing.assert_array_equal(by_p.is_memorized_, scores > 0.9)
    # and where nothing is known of the noise, it is no reason against a row
    assert MemorizedRegions().fit(X, Fitted(scores, np.nan)).is_memorized_.sum() == 10


def test_under_the_null_few_rows_are_called_memorized():
    rng = np.random.default_rng(0)
    errors = np.sqrt(rng.chisquare(9, size=1000) / 9)
    noise = Fitted(rng.normal(size=1000), errors, n_repeats=10)
    rows = rng.normal(size=(1000, 2))
    # Student's t and Benjamini-Hochberg: no discovery at all in 95 % of such samples
    assert MemorizedRegions().fit(rows, noise).is_memorized_.sum() <= 1


def test_scores_of_noisy_fits_tell_the_sparse_region_too():
    data = make_sparse_region(200, 8, random_state=3)
    params = {"method": "cross-fit", "cv": 5, "n_repeats": 5, "random_state": 0}
    scorer = MemorizationScorer(KernelDensity(bandwidth=0.5), **params).fit(data.X)
    found = MemorizedRegions().fit(data.X, scorer)
    np.testing.assert_array_equal(found.regions_[0].rows, data.planted)
    # all of them far above what the fits vary by
    assert scorer.memorization_[found.is_memorized_].min() > scorer.noise_floor_[0.999]


def test_infinite_scores_make_a_region_that_no_row_is_known_to_help():
    data = make_sparse_region(200, 8, random_state=3)
    scorer = MemorizationScorer(KernelDensity(kernel="tophat", bandwidth=0.05)).fit(data.X)
    assert np.isinf(scorer.memorization_).sum() > 20
    found = MemorizedRegions(quantile=0.5).fit(data.X, scorer)
    # more than half of the rows have no neighbour: nothing stands out of infinity
    assert found.threshold_ == np.inf
    assert found.regions_ == ()
    few = np.where(np.arange(100) < 8, np.inf, np.linspace(0, 1, 100))
    near = np.where(np.arange(100)[:, None] < 8, 20.0, 0.0) + X
    region = MemorizedRegions(quantile=0.9).fit(near, Fitted(few)).regions_[0]
    assert (region.mean_score, region.n_needed, region.gain) == (np.inf, None, 0.0)
    assert "no number of rows needed" in str(region)


# The parts


def test_a_rule_is_the_path_to_the_best_leaf():
    grid = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2)
    box = (grid[:, 0] > 3) & (grid[:, 0] <= 6) & (grid[:, 1] > 7)
    rule = find_rule(grid.astype(float), box, ["age", "bmi"], max_depth=3)
    # bounds of one feature are one condition, halfway between rows
    assert rule.text == "3.5 < age <= 6.5 and bmi > 7.5"
    assert (rule.recall, rule.precision) == (1.0, 1.0)
    one = find_rule(grid.astype(float), box, ["age", "bmi"], max_depth=1)
    assert (one.text, one.recall, one.precision) == ("bmi > 7.5", 1.0, 0.3)


def test_no_rule_tells_equal_rows_apart():
    rule = find_rule(np.zeros((6, 1)), np.arange(6) < 2, ["age"], max_depth=3)
    assert (rule.text, rule.recall, rule.precision) == ("any row", 1.0, pytest.approx(1 / 3))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_intrinsic_dimension_is_that_of_the_sheet_the_rows_lie_on(d):
    rng = np.random.default_rng(0)
    rows = rng.uniform(size=(2000, d)) @ np.linalg.qr(rng.normal(size=(6, d)))[0].T
    distances, _ = nearest_neighbors(rows, rows, 5, exclude_self=True)
    # six columns, d of them independent; boundaries take a little off
    assert intrinsic_dimension(distances) == pytest.approx(d, rel=0.12)


def test_the_exponent_of_a_kernel_density_is_near_one():
    rows = np.random.default_rng(0).uniform(size=(500, 2)) ** 2
    scorer = MemorizationScorer(KernelDensity(bandwidth=0.05)).fit(rows)
    # exp(M) - 1 is one over the sum of the other rows' kernels, which is proportional to the density
    assert Support(rows, scorer.memorization_, 10).exponent == pytest.approx(1.0, abs=0.25)


def test_predictions_follow_the_stated_law():
    support = Support(X, np.linspace(-1, 3, 100), 5)
    rows = np.arange(90, 100)
    factor = (1 + 7 / support.n_support(rows)) ** support.exponent
    expected = np.log1p(np.expm1(support.scores[rows]) / factor)
    np.testing.assert_allclose(support.predict(rows, 7), expected)
    # nothing new, nothing changed; a row that is not memorized has nothing to lose
    np.testing.assert_allclose(support.predict(np.arange(100), 0), support.scores)
    np.testing.assert_array_equal(support.predict(np.arange(5), 50), support.scores[:5])
    support.exponent = 1.0
    needed = support.n_needed(rows, 1.0)
    # the fewest
    assert np.median(support.predict(rows, needed)) <= 1.0
    assert np.median(support.predict(rows, needed - 1)) > 1.0
    support.exponent = 0.0
    assert support.n_needed(rows, 1.0) is None


def test_copies_do_not_spoil_the_local_density():
    rows = np.repeat(X[:20], 10, axis=0)
    scores = np.linspace(0, 1, 200)
    # distances to the nearest rows are zero
    assert np.isfinite(Support(rows, scores, 5).predict(np.arange(5), 10)).all()
    assert MemorizedRegions().fit(np.ones((30, 2)), scores[:30]).is_memorized_.sum() == 3


# Input


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_rows_of_any_numeric_dtype_give_the_same_regions(dtype):
    data, scorer = planted(1)
    rows = np.round(100 * data.X)
    expected = MemorizedRegions().fit(rows, scorer).labels_
    np.testing.assert_array_equal(
        MemorizedRegions().fit(rows.astype(dtype), scorer).labels_, expected
    )


def test_a_constant_column_changes_nothing():
    data, scorer = planted(1)
    wider = np.column_stack([data.X, np.full(300, 7.0)])
    found, plain = (MemorizedRegions().fit(rows, scorer) for rows in (wider, data.X))
    np.testing.assert_array_equal(found.labels_, plain.labels_)
    assert found.regions_[0].rule == plain.regions_[0].rule


@pytest.mark.parametrize(
    ("rows", "y", "error", "message"),
    [
        (X, None, ValueError, "requires y to be passed"),
        (X, np.zeros(99), ValueError, "inconsistent numbers of samples"),
        (X, Fitted(np.zeros(99)), ValueError, "inconsistent numbers of samples"),
        (X, np.full(100, np.nan), ValueError, "y contains NaN"),
        (X, np.full(100, np.inf), ValueError, "y contains infinity"),
        (X, np.zeros((100, 2)), ValueError, "1d array"),
        (X, MemorizationScorer(), NotFittedError, "not fitted"),
        (X[:4], np.zeros(4), ValueError, "minimum of 5 is required"),
        (X[:0], np.zeros(0), ValueError, "0 sample"),
        (np.where(X > 2, np.nan, X), np.zeros(100), ValueError, "X contains NaN"),
        (np.where(X > 2, np.inf, X), np.zeros(100), ValueError, "X contains infinity"),
        (np.full((100, 1), "a", dtype=object), np.zeros(100), ValueError, "string to float"),
    ],
)
def test_bad_input_is_named(rows, y, error, message):
    with pytest.raises(error, match=message):
        MemorizedRegions().fit(rows, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"quantile": 1.0}, "'quantile' .* Got 1.0"),
        ({"alpha": 0.0}, "'alpha' .* Got 0.0"),
        ({"min_cluster_size": 1}, "'min_cluster_size' .* Got 1"),
        ({"max_depth": 0}, "'max_depth' .* Got 0"),
        ({"n_neighbors": 2}, "'n_neighbors' .* Got 2"),
        ({"n_new": 0}, "'n_new' .* Got 0"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        MemorizedRegions(**params).fit(X, np.zeros(100))


@pytest.mark.parametrize("gap", [0.25, 1.0])
def test_the_text_of_a_rule_holds_for_the_rows_that_the_rule_was_counted_on(gap):
    # Four digits of the threshold 2019.5, or of one among 30000.125, would be past the next row.
    for least in (2000.0, 30000.0, -2020.0):
        x = least + gap * np.arange(40)
        for cut in range(1, 40):
            rule = find_rule(x[:, None], x >= x[cut], ["x"], 1)
            name, sign, bound = rule.text.split()
            assert (name, sign) == ("x", ">")
            np.testing.assert_array_equal(x > float(bound), x >= x[cut])
