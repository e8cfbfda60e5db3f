"""Planted copies are found, and nothing else; without copying, p-values are uniform."""

import numpy as np
import pytest
from scipy.stats import binom, kstest

from skmem.copying import (
    audit_copying,
    authenticity,
    data_copying_test,
    distance_to_closest_record,
    membership_inference,
    nearest_neighbor_distance_ratio,
)

EVIDENCE = ["exact copies", "close rows", "nearer to training rows", "membership inference"]


def tables(seed=0, n=200, d=8):
    return np.random.default_rng(seed).normal(size=(3, n, d))


def suspects(audit):
    return dict(
        zip(audit.suspects["generated"].tolist(), audit.suspects["train"].tolist(), strict=True)
    )


@pytest.mark.parametrize("d", [2, 8, 64])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F", "shuffled", "strided"])
def test_row_for_row_copies_are_at_distance_zero(d, dtype, order):
    X_train, X_holdout, _ = (1e3 + tables(d=d)).astype(dtype)
    rows = np.arange(200)
    if order == "shuffled":
        rows = np.random.default_rng(1).permutation(200)
    X_generated = X_train[rows]
    if order == "F":
        X_generated = np.asfortranarray(X_generated)
    if order == "strided":
        X_generated = np.repeat(X_generated, 2, axis=0)[::2]
    audit = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    # every row, with the row it copies
    assert suspects(audit) == dict(enumerate(rows.tolist()))
    assert audit.suspects["copy"].all()
    assert (audit.suspects["distance"] == 0).all()
    assert audit.copying
    assert audit.verdict.startswith("The generated data copy the training data: 200 of 200")


@pytest.mark.parametrize(
    "types", [(float, np.float32, float), (float, float, np.float32), (np.float32, float, float)]
)
def test_a_copy_in_single_precision_is_a_copy(types):
    X_train, X_holdout, _ = tables()
    given = [X.astype(t) for X, t in zip((X_train, X_holdout, X_train), types, strict=True)]
    # whichever of the tables was rounded, all are
    assert distance_to_closest_record(*given).n_copies == 200


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint8, bool])
def test_integers_and_truth_values(kind):
    rng = np.random.default_rng(0)
    X_train, X_holdout = rng.integers(0, 2, size=(2, 60, 12)).astype(kind)
    result = distance_to_closest_record(X_train, X_holdout, X_train.astype(float))
    assert result.n_copies == 60


@pytest.mark.parametrize("n_copies", [20, 100, 200])
@pytest.mark.parametrize("jitter", [0.0, 1e-9, 1e-3])
def test_jittered_copies_are_found_and_named(n_copies, jitter):
    X_train, X_holdout, X_generated = tables()
    noise = jitter * np.random.default_rng(2).normal(size=(n_copies, 8))
    X_generated[:n_copies] = X_train[:n_copies] + noise
    audit = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    found = suspects(audit)
    # all that were planted, each with its row,
    assert {i: found.get(i) for i in range(n_copies)} == {i: i for i in range(n_copies)}
    # and of the others no more than the false discovery rate of 0.05 lets one expect, threefold
    assert len(found) - n_copies <= 0.15 * n_copies
    assert audit.copying
    assert (audit.suspects["copy"].sum() == n_copies) == (jitter == 0)


def test_all_copied_is_seen_by_every_test():
    X_train, X_holdout, _ = tables()
    noise = 1e-3 * np.random.default_rng(2).normal(size=X_train.shape)
    audit = audit_copying(X_train, X_holdout, X_train + noise, random_state=0)
    tests = (
        audit.data_copying,
        audit.distance_ratios,
        audit.authenticity,
        audit.membership_inference,
        audit.closest_records,
    )
    for test in tests:
        assert test.p_value <= 0.001, type(test).__name__
    assert audit.authenticity.share == 0
    assert audit.membership_inference.auc == 1
    assert audit.data_copying.statistic < audit.data_copying.floor[0]
    # quality is perfect, which is why it says nothing about copying
    assert audit.coverage.coverage == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("d", [2, 8])
def test_none_copied(seed, d):
    audit = audit_copying(*tables(seed, d=d), random_state=0, n_permutations=199)
    # 16 audits at level 0.05; these have no false alarm
    assert not audit.copying
    assert not len(audit.suspects["generated"])
    assert audit.verdict.startswith("No copying was shown: 0 of 200")


def test_a_generator_that_crowds_dense_regions_copies_nothing():
    X_train, X_holdout, X_generated = tables(n=400)
    audit = audit_copying(X_train, X_holdout, 0.3 * X_generated, random_state=0)
    # C_T and authenticity are fooled, as they compare with rows of another distribution;
    assert audit.data_copying.p_value <= 0.01
    # what compares training with held-out rows is not, nor are the ratios,
    assert not audit.copying
    assert min(audit.evidence.values()) > 0.05
    # and the verdict says which of the two it is
    assert "they crowd dense regions" in audit.verdict
    by_distance = distance_to_closest_record(
        X_train, X_holdout, 0.3 * X_generated, statistic="distance", random_state=0
    )
    assert by_distance.p_values.mean() < 0.35 < audit.closest_records.p_values.mean()


def test_a_generator_that_copies_the_holdout_does_not_copy_the_training_rows():
    X_train, X_holdout, _ = tables()
    audit = audit_copying(X_train, X_holdout, X_holdout, random_state=0)
    assert audit.membership_inference.auc == 0
    assert not audit.copying


def test_duplicates_in_training_hide_nothing():
    X_train, X_holdout, X_generated = tables()
    X_train[100:] = X_train[:100]
    noise = 1e-6 * np.random.default_rng(2).normal(size=(40, 8))
    X_generated[:40] = X_train[100:140] + noise
    X_generated[40:60] = X_train[140:160]
    found = suspects(audit_copying(X_train, X_holdout, X_generated, random_state=0))
    # the first of equal rows is named; its twin is no second-closest record
    assert {i: found.get(i) for i in range(60)} == {i: i for i in range(60)}


def test_values_that_real_rows_share_are_no_copies():
    rng = np.random.default_rng(0)
    X_train, X_holdout, X_generated = rng.integers(0, 3, size=(3, 300, 3)).astype(float)
    audit = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    # 27 possible rows: every generated row is a copy, and so is every held-out one
    assert audit.closest_records.n_copies == 300
    assert audit.closest_records.n_suspects == 0
    assert not audit.copying
    assert "chance may explain as much" in audit.verdict
    # ties are ties
    assert audit.membership_inference.auc == 0.5
    assert audit.data_copying.statistic == 0


@pytest.mark.parametrize(
    ("n_seen", "is_said"), [(0, False), (40, False), (100, True), (200, True)]
)
def test_a_holdout_of_training_rows_is_called_so(n_seen, is_said):
    X_train, X_holdout, _ = tables()
    X_holdout[:n_seen] = X_train[:n_seen]
    audit = audit_copying(X_train, X_holdout, X_train, random_state=0)
    # what the generator has seen is no ruler: by it all of the rows may be copied, and nothing be shown
    assert (
        any("held-out rows are exact copies of training rows" in n for n in audit.notes) == is_said
    )
    assert audit.copying == (n_seen < 200)


def test_no_holdout_is_not_called_one_of_training_rows():
    X_train, _, X_generated = tables()
    audit = audit_copying(X_train, None, X_generated, random_state=0)
    # of no rows none are copies
    assert not any("copies of training rows" in note for note in audit.notes)


@pytest.mark.parametrize("which", ["train", "holdout", "generated", "all"])
def test_one_row(which):
    given = dict(zip(("train", "holdout", "generated"), tables(n=30), strict=True))
    given["generated"][0] = given["train"][0]
    for name in given:
        if which in (name, "all"):
            given[name] = given[name][:1]
    audit = audit_copying(*given.values(), random_state=0)
    # the copy is found, and what cannot be said is said
    assert suspects(audit)[0] == 0
    assert audit.suspects["copy"][0]
    assert any("Coverage is left out" in note for note in audit.notes)
    few = any("few held-out rows (1)" in note for note in audit.notes)
    assert few == (which in ("holdout", "all"))
    assert (audit.authenticity is None) == (which in ("train", "all"))
    str(audit)


def test_constant_columns_and_equal_rows():
    X_train, X_holdout, X_generated = tables()
    X_generated[:20] = X_train[:20]
    plain = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    wide = [np.column_stack([X, np.full(200, 7.0)]) for X in (X_train, X_holdout, X_generated)]
    for metric in ("euclidean", "seuclidean", "gower"):
        audit = audit_copying(*wide, metric=metric, random_state=0)
        assert audit.suspects["copy"].sum() == 20
    # a constant is no distance
    np.testing.assert_array_equal(audit.suspects["train"][:20], plain.suspects["train"][:20])
    equal = audit_copying(*np.ones((3, 50, 4)), random_state=0)
    assert not equal.copying
    assert equal.closest_records.n_copies == equal.closest_records.n_holdout_copies == 50


def test_near_copies_of_large_values_in_float32():
    X_train, X_holdout, X_generated = (tables(d=64) + 100).astype(np.float32)
    step = np.spacing(np.float32(100))
    X_generated[:50] = X_train[:50]
    X_generated[:50, 0] += step
    result = distance_to_closest_record(X_train, X_holdout, X_generated)
    # |x|^2 is 640,000 here: no inner product could tell such a distance from 0
    np.testing.assert_allclose(result.distances[:50], step, rtol=1e-2)
    assert result.n_copies == 0
    assert result.suspect[:50].all()


P_VALUES = {
    "distance ratio": lambda *X, s: (
        nearest_neighbor_distance_ratio(*X, n_permutations=99, random_state=s).p_value
    ),
    "data copying": lambda *X, s: data_copying_test(*X, n_permutations=99, random_state=s).p_value,
    "authenticity": lambda *X, s: authenticity(*X).p_value,
    "nearer to training": lambda *X, s: (
        distance_to_closest_record(*X, n_permutations=99, random_state=s).p_value
    ),
    "a row by ratio": lambda *X, s: distance_to_closest_record(*X, n_permutations=1).p_values[0],
    "a row by distance": lambda *X, s: distance_to_closest_record(
        *X, n_permutations=1, statistic="distance"
    ).p_values[0],
    "membership": lambda *X, s: membership_inference(*X).p_value,
}
# Of counts of rows: there are ties, for which a p-value errs to the safe side.
COUNTS = {"distance ratio", "authenticity", "nearer to training"}


@pytest.mark.parametrize("sizes", [(60, 60, 60), (90, 40, 70)], ids=str)
@pytest.mark.parametrize("name", P_VALUES)
def test_p_values_are_uniform_without_copying(name, sizes):
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        given = [rng.normal(size=(n, 2)) for n in sizes]
        p_values.append(P_VALUES[name](*given, s=seed))
    # level 0.001, seeds fixed; against too small p-values only where there are ties
    alternative = "greater" if name in COUNTS else "two-sided"
    assert kstest(p_values, "uniform", alternative=alternative).pvalue > 0.001
    # and no test is so safe that it says nothing
    assert np.mean(p_values) < 0.62


@pytest.mark.parametrize("name", P_VALUES)
@pytest.mark.parametrize("sizes", [(40, 80, 40), (80, 40, 40)], ids=str)
def test_p_values_are_not_too_small_with_ties(name, sizes):
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        given = [rng.integers(0, 3, size=(n, 3)).astype(float) for n in sizes]
        p_values.append(P_VALUES[name](*given, s=seed))
    # 27 possible rows, tables of unequal size: ties must not pass for closeness
    assert kstest(p_values, "uniform", alternative="greater").pvalue > 0.001


@pytest.mark.parametrize("name", P_VALUES)
@pytest.mark.parametrize("sizes", [(40, 1, 40), (2, 9, 9)], ids=str)
def test_p_values_of_few_rows_keep_their_levels(name, sizes):
    p_values = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        given = [rng.integers(0, 3, size=(n, 2)).astype(float) for n in sizes]
        p_values.append(P_VALUES[name](*given, s=seed))
    # a single held-out row, and ties with it, are no excuse: counts at level 0.001, seeds fixed
    for level in (0.01, 0.05, 0.2):
        n_below = np.count_nonzero(np.array(p_values) <= level + 1e-9)
        assert binom.sf(n_below - 1, 100, level) > 0.001, level


@pytest.mark.parametrize("name", ["nearer to training", "membership"])
def test_a_bad_generator_is_no_copier(name):
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X_train, X_holdout, X_generated = rng.normal(size=(3, 60, 2))
        p_values.append(P_VALUES[name](X_train, X_holdout, 0.2 * X_generated + 1, s=seed))
    # the null hypothesis is that training and held-out rows are alike to it, nothing else
    alternative = "greater" if name in COUNTS else "two-sided"
    assert kstest(p_values, "uniform", alternative=alternative).pvalue > 0.001
