"""Laws of the copying tests: they are their definitions, and move as copying does."""

import json
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control, hypergeom, mannwhitneyu, rankdata
from sklearn.metrics import roc_auc_score

from skmem.copying import (
    authenticity,
    coverage,
    data_copying_test,
    distance_to_closest_record,
    membership_inference,
    nearest_neighbor_distance_ratio,
)
from skmem.copying._statistics import (
    ADJUSTMENTS,
    mann_whitney_p_value,
    precedence_p_value,
    share_of_votes,
    votes,
    wilson_interval,
)
from skmem.copying._tables import read_tables
from skmem.density import KernelDensity
from tests import oracles

TESTS = {
    "distance ratio": nearest_neighbor_distance_ratio,
    "data copying": data_copying_test,
    "authenticity": authenticity,
    "closest record": distance_to_closest_record,
    "membership": membership_inference,
    "coverage": coverage,
}
SEEDED = {"distance ratio", "data copying", "closest record", "coverage"}
each_test = pytest.mark.parametrize("name", TESTS)


def tables(seed=0, sizes=(60, 50, 70), d=9):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for n in sizes]


def run(name, *args, **options):
    seed = {"random_state": 0} if name in SEEDED else {}
    return TESTS[name](*args, **seed, **options)


@pytest.mark.parametrize("d", [1, 3, 9, 64])
@pytest.mark.parametrize("n_generated", [20, 150])
def test_authenticity_is_its_definition(d, n_generated):
    X_train, X_holdout, X_generated = tables(sizes=(60, 50, n_generated), d=d)
    X_generated[:10] = X_train[:10]
    result = authenticity(X_train, X_holdout, X_generated)
    # row by row, for fewer and for more generated than training rows
    np.testing.assert_array_equal(result.authentic, oracles.authentic_rows(X_train, X_generated))
    assert result.floor == oracles.authentic_rows(X_train, X_holdout).mean()
    n_authentic = result.authentic.sum(), round(result.floor * 50)
    expected = hypergeom.cdf(n_authentic[0], n_generated + 50, sum(n_authentic), n_generated)
    assert result.p_value == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("d", [2, 9])
def test_coverage_is_its_definition(k, d):
    X_train, X_holdout, X_generated = tables(sizes=(60, 50, 50), d=d)
    X_generated[:10] = X_train[:10]
    X_train[40:45] = X_train[:5]
    result = coverage(X_train, X_holdout, X_generated, n_neighbors=k)
    figures = result.precision, result.recall, result.density, result.coverage
    # also where training rows have copies among themselves and among the generated ones
    expected = oracles.precision_recall_density_coverage(X_train, X_generated, k)
    np.testing.assert_allclose(figures, expected, rtol=1e-12)
    floor = oracles.precision_recall_density_coverage(X_train, X_holdout, k)
    np.testing.assert_allclose(list(result.floor.values()), floor, rtol=1e-12)


def test_recall_and_coverage_compare_tables_of_one_size():
    X_train, X_holdout, X_generated = tables(sizes=(200, 50, 400))
    result = coverage(X_train, X_holdout, X_generated, random_state=0)
    # Eight times as many rows would cover more; precision and density do not care.
    assert result.n_compared == 50
    assert abs(result.coverage - result.floor["coverage"]) < 0.15
    everything = oracles.precision_recall_density_coverage(X_train, X_generated, 5)
    assert everything[3] - result.floor["coverage"] > 0.2
    assert (result.precision, result.density) == pytest.approx((everything[0], everything[2]))


@pytest.mark.parametrize("step", [0.25, 2.0**-40])
def test_z_of_a_cell_is_its_definition(step):
    given = tables(sizes=(10, 40, 50), d=1)
    X_train, X_holdout, X_generated = (np.round(X / step) * step for X in given)
    result = data_copying_test(X_train, X_holdout, X_generated, n_cells=1, random_state=0)
    L = [np.abs(X - X_train.T).min(axis=1) for X in (X_holdout, X_generated)]
    # with ties as without
    assert result.statistic == pytest.approx(oracles.mann_whitney_z(*L))


def test_p_value_of_a_cell_is_mann_and_whitneys():
    X_train, X_holdout, X_generated = tables(sizes=(50, 60, 60), d=2)
    result = data_copying_test(
        X_train, X_holdout, 0.9 * X_generated, n_cells=1, n_permutations=9999, random_state=0
    )
    L = [
        np.linalg.norm(X[:, None] - X_train, axis=2).min(axis=1)
        for X in (X_holdout, 0.9 * X_generated)
    ]
    exact = mannwhitneyu(L[1], L[0], alternative="less").pvalue
    # permuted labels have the law of U under the null hypothesis: 0.02 is 4 standard errors
    assert result.p_value == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("repeated", [False, True])
def test_permuted_shares_have_the_law_of_all_labels(repeated):
    rng = np.random.default_rng(0)
    X, first, second = rng.normal(size=(12, 2)), rng.normal(size=(4, 2)), rng.normal(size=(5, 2))
    if repeated:
        first[1] = first[0]
        second[:2] = first[:2]
    to = [np.linalg.norm(X[:, None] - Y, axis=2) for Y in (first, second)]

    class Found:
        def __init__(self, distances):
            self.indices = distances.argmin(axis=1)[:, None]
            self.distances = distances.min(axis=1)[:, None]

    counts = votes(*map(Found, to), first, second)
    every = oracles.share_over_all_labels(*to)
    found = share_of_votes(*counts, 20_000, rng)
    # equal rows share their votes, whichever table they are in
    assert counts[0].sum() / 12 == pytest.approx(every[0])
    assert found["share"] == pytest.approx(every[0])
    assert found["expected_share"] == 4 / 9 == pytest.approx(np.mean(every))
    # what is as large counts, the share itself among it: 0.02 is 5 standard errors of 20,000 draws
    assert found["p_value"] == pytest.approx(np.mean(np.array(every) >= every[0] - 1e-9), abs=0.02)
    for end, level in zip(found["floor"], (0.05, 0.95), strict=True):
        assert np.mean(np.array(every) < end - 1e-9) <= level + 0.02
        assert np.mean(np.array(every) <= end + 1e-9) >= level - 0.02


@pytest.mark.parametrize("source", ["distances", "density"])
@pytest.mark.parametrize("decimals", [0, 12])
def test_auc_is_that_of_scikit_learn(source, decimals):
    X_train, X_holdout, X_generated = (np.round(X, decimals) for X in tables(d=2))
    options = {}
    if source == "density":
        options["density"] = KernelDensity(bandwidth=1.0).fit(X_train)
    result = membership_inference(X_train, X_holdout, X_generated, **options)
    scores = np.concatenate([result.train_scores, result.holdout_scores])
    # ties count half
    assert result.auc == pytest.approx(roc_auc_score(np.arange(110) < 60, scores))
    # a false positive rate is kept, and the next lower score would break it
    for rate, threshold in zip(result.fpr, result.thresholds, strict=True):
        assert np.mean(result.holdout_scores > threshold) <= rate
        lower = scores[60:][scores[60:] < threshold]
        assert not lower.size or np.mean(result.holdout_scores > lower.max()) > rate


def test_standard_error_of_the_auc_is_that_of_repetition():
    aucs, errors = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        result = membership_inference(
            rng.normal(0, 1, (80, 1)), rng.normal(0, 2, (60, 1)), np.zeros((1, 1))
        )
        aucs.append(result.auc)
        errors.append(result.standard_error)
    # 300 repetitions know a standard deviation to 4 %
    assert np.mean(errors) == pytest.approx(np.std(aucs), rel=0.15)


@pytest.mark.parametrize("n", [5, 50])
def test_wilson_interval_covers(n):
    p = 0.1
    low, high = wilson_interval(np.arange(n + 1), n)
    chance = binom.pmf(np.arange(n + 1), n, p)
    # close to its level, and inside [0, 1]
    assert 0.9 < chance[(low <= p) & (p <= high)].sum() <= 1
    assert low[0] == 0
    assert high[-1] == 1


@pytest.mark.parametrize("sizes", [(1, 6), (6, 1), (3, 5), (5, 3), (4, 4)], ids=str)
@pytest.mark.parametrize("values", [1, 2, 3, 100])
def test_membership_of_few_rows_has_the_law_of_all_labels(sizes, values):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        first, second = (rng.integers(values, size=n).astype(float) for n in sizes)
        ranks = rankdata(np.concatenate([first, second]))
        every = np.array([sum(c) for c in combinations(ranks, sizes[0])])
        expected = np.mean(every >= ranks[: sizes[0]].sum() - 1e-9)
        # ties or none, whichever sample is the smaller
        assert mann_whitney_p_value(first, second) == pytest.approx(expected, rel=1e-9)


def test_membership_of_many_rows_is_mann_and_whitneys():
    rng = np.random.default_rng(0)
    for sizes, method in (((40, 30), "exact"), ((300, 200), "asymptotic")):
        first, second = (rng.normal(size=n) for n in sizes)
        expected = mannwhitneyu(first, second, alternative="greater", method=method).pvalue
        assert mann_whitney_p_value(first, second) == pytest.approx(expected, rel=1e-6)
    # 5 copies in 300 rows, none in 300 others: the normal law would say 0.012
    few = np.arange(300) < 5
    expected = hypergeom.sf(4, 600, 5, 300)
    assert mann_whitney_p_value(few, np.zeros(300)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("few_first", [True, False])
def test_membership_of_few_rows_beside_many_tied_ones_errs_no_more_than_it_should(few_first):
    rng = np.random.default_rng(0)
    values = np.where(rng.uniform(size=5020) < 0.05, rng.uniform(1, 2, size=5020), 0.0)
    p_values = []
    for _ in range(30):
        rng.shuffle(values)
        parts = (values[:20], values[20:]) if few_first else (-values[20:], -values[:20])
        p_values.append(mann_whitney_p_value(*parts))
    values.sort()
    tied, others = np.flatnonzero(values == 0), np.flatnonzero(values > 0)
    for k in (3, 4, 5):
        rows = np.r_[tied[: 20 - k], rng.choice(others, k, replace=False)]
        rest = np.delete(values, rows)
        parts = (values[rows], rest) if few_first else (-rest, -values[rows])
        law = hypergeom(5020, len(others), 20)
        # So many that are not tied, and which: the normal law has a tenth and less of the chance of 4.
        assert law.sf(k) < mann_whitney_p_value(*parts) < law.sf(k - 1)
    # Of random labels a p-value is as small as its size says.
    assert np.mean(np.array(p_values) <= 0.3) < 0.3 + 3 * np.sqrt(0.3 * 0.7 / 30)


@pytest.mark.parametrize("n_wrong", [1, 3])
def test_scores_that_are_no_numbers_are_refused(n_wrong):
    X = np.arange(6.0).reshape(-1, 1)

    class Density:
        def score_samples(self, X):
            return np.where(X[:, 0] < n_wrong, np.nan, X[:, 0])

    with pytest.raises(ValueError, match=f"one number for each row.* {n_wrong} nan in X_train"):
        membership_inference(X, X[n_wrong:], None, density=Density())
    Density.score_samples = lambda self, X: X
    with pytest.raises(
        ValueError, match=r"one number for each row, got shape \(6, 1\) for X_train"
    ):
        membership_inference(X, X, None, density=Density())
    Density.score_samples = lambda self, X: np.log(X[:, 0] > 1)
    with np.errstate(divide="ignore"):
        # Outside of a support scores are -inf, and tied.
        assert membership_inference(X, X, None, density=Density()).auc == 0.5


@pytest.mark.parametrize(("m", "n"), [(1, 3), (4, 6), (9, 5)])
def test_precedence_is_that_of_all_orders(m, n):
    def p_value(below):  # of calibration values, for each value
        return precedence_p_value((np.array(below) + 1) / (m + 1), m)

    every = [
        p_value([np.searchsorted(chosen, i) for i in range(m + n) if i not in chosen])
        for chosen in combinations(range(m + n), m)
    ]
    # over all orders of both kinds, all equally likely, no level is exceeded
    for level in np.unique(every):
        assert np.mean(np.array(every) <= level) <= level + 1e-12
    # the least possible one is that of all values below all calibration values
    n_tests = int(np.log2(m)) + 1
    assert min(every) == pytest.approx(n_tests / comb(m + n, m))


def test_adjusted_p_values():
    p_values = np.random.default_rng(0).uniform(size=40) ** 3
    expected = false_discovery_control(p_values)
    np.testing.assert_allclose(ADJUSTMENTS["benjamini-hochberg"](p_values), expected)
    # Holm: 0.01 * 4, 0.02 * 3, 0.02 * 2 raised to the one before, 0.5
    adjusted = ADJUSTMENTS["holm"]([0.02, 0.01, 0.5, 0.02])
    np.testing.assert_allclose(adjusted, [0.06, 0.04, 0.5, 0.06])


@each_test
def test_the_order_of_rows_says_nothing(name):
    X_train, X_holdout, X_generated = tables()
    X_generated[:20] = X_train[:20]
    rng = np.random.default_rng(1)
    shuffled = [rng.permutation(X) for X in (X_train, X_holdout, X_generated[:50])]
    result = run(name, X_train, X_holdout, X_generated[:50])
    again = run(name, *shuffled)
    for key, value in result.to_dict().items():
        # cells are found by k-means and permutations drawn, in the order of the rows
        if isinstance(value, float) and key not in ("p_value", "statistic"):
            assert value == pytest.approx(again.to_dict()[key], rel=1e-9), key


@each_test
@pytest.mark.parametrize("d", [2, 9])
def test_distances_scale_and_shift_with_the_rows(name, d):
    given = tables(d=d)
    result = run(name, *given)
    moved = run(name, *(4.0 * X + 64.0 for X in given))
    # no test depends on units common to all columns, nor on where zero is
    for key in ("share", "statistic", "auc", "coverage", "p_value"):
        if hasattr(result, key):
            assert getattr(moved, key) == pytest.approx(getattr(result, key)), key


@each_test
def test_results_are_frozen_and_repeatable(name):
    first, second = (run(name, *tables()) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert str(first) == str(second)
    with pytest.raises(AttributeError):
        first.p_value = 0.0


@each_test
def test_results_are_sentences_and_plain_values(name):
    result = run(name, *tables())
    assert str(result).endswith(".")
    # strict JSON holds every figure
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", ["authenticity", "closest record", "coverage"])
def test_no_holdout_is_no_floor(name):
    X_train, _, X_generated = tables()
    result = run(name, X_train, None, X_generated)
    # the figures of the generated rows are there, what to compare them with is not
    assert "without held-out rows" in str(result)
    if name != "coverage":
        assert np.isnan(result.p_value)


def test_the_space_is_that_of_the_training_rows():
    given = tables(d=3)
    scale = given[0].std(axis=0)
    read = read_tables(*given, "seuclidean")
    # held-out and generated rows have no say in how columns are scaled
    np.testing.assert_allclose(read.generated, given[2] / scale)
