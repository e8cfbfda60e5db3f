"""Laws of the reductions: what the two arrays of a cross-fit say of each row."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from skmem._math import difference, logmeanexp
from skmem.cross_fitting import SubsetSplit
from skmem.cross_fitting._sides import find_repeats
from skmem.cross_fitting._splits import train_masks
from skmem.memorization import memorization_score
from skmem.memorization._folds import rotate
from skmem.memorization._subsets import average_sides
from tests.oracles import (
    matched_by_all_subsets,
    matched_memorization,
    pooled_memorization,
)

REDUCTIONS = ["matched", "pooled", "mean"]
each_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


def masks(splitter, n_rows=30, groups=None, y=None):
    return train_masks(splitter, np.zeros((n_rows, 1)), y, groups)


def repeated_folds(n_rows=30, n_folds=10, n_repeats=10):
    return masks(RepeatedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=0), n_rows)


DESIGNS = {
    "10x10": repeated_folds(),
    "2x3": repeated_folds(n_folds=2, n_repeats=3),
    "unequal folds": repeated_folds(31, 4, 3),
    "one repeat": masks(KFold(5)),
    "leave-one-out": masks(LeaveOneOut(), 12),
    "subsets": masks(SubsetSplit(0.7, 40, random_state=0)),
    "shuffle": masks(ShuffleSplit(20, test_size=0.3, random_state=1)),
}
each_design = pytest.mark.parametrize("mask", DESIGNS.values(), ids=list(DESIGNS))


def noise(shape, sd=1.0, seed=0):
    return sd * np.random.default_rng(seed).standard_normal(shape)


@each_design
@pytest.mark.parametrize("sd", [1.0, 50.0])
def test_pooled_is_the_published_estimator(mask, sd):
    scores = noise(mask.shape, sd) - 700
    result = memorization_score(scores, mask, reduction="pooled")
    # Algorithm 1, row by row, whatever the masks are
    expected = pooled_memorization(scores, mask)
    np.testing.assert_allclose(result.memorization, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("n_rows", "n_folds", "n_repeats"), [(30, 10, 10), (31, 4, 3), (20, 2, 5), (7, 7, 1)]
)
def test_matched_is_its_definition(n_rows, n_folds, n_repeats):
    mask = repeated_folds(n_rows, n_folds, n_repeats)
    scores = noise(mask.shape, 5.0) - 700
    result = memorization_score(scores, mask)
    # rotated folds, row by row and repeat by repeat
    expected = matched_memorization(scores, mask, n_folds)
    np.testing.assert_allclose(result.memorization, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("fraction", [0.7, 0.3, 0.5])
def test_matched_subsets_near_the_mean_over_all_of_them(fraction):
    mask = masks(SubsetSplit(fraction, 10, random_state=3), 8)
    mask = mask[:, mask.any(axis=0) & ~mask.all(axis=0)]
    scores = noise(mask.shape, 2.0)
    sides = mask, ~mask
    rng = np.random.RandomState(0)
    drawn = difference(*average_sides(scores, sides, logmeanexp, True, rng, n_draws=4000))
    # twenty random subsets of either side stand for all: many more come as near as they are many
    np.testing.assert_allclose(drawn, matched_by_all_subsets(scores, mask), atol=0.08)
    few = memorization_score(scores, mask, random_state=0).memorization
    np.testing.assert_allclose(few, drawn, atol=1.0)


@each_design
def test_mean_is_a_difference_of_means(mask):
    scores = noise(mask.shape, 5.0)
    result = memorization_score(scores, mask, reduction="mean")
    rows = range(mask.shape[1])
    expected = [scores[mask[:, i], i].mean() - scores[~mask[:, i], i].mean() for i in rows]
    # of log-densities, not of densities
    np.testing.assert_allclose(result.memorization, expected, rtol=1e-12, atol=1e-12)


@each_design
@each_reduction
@pytest.mark.parametrize("response", ["score_samples", "predict_proba"])
def test_without_noise_every_reduction_is_exact(mask, reduction, response):
    # multiples of 1/64, so that sums are exact
    inside = np.linspace(0, 1, mask.shape[1]).round(1) / 4
    scores = np.where(mask, inside, inside - np.arange(mask.shape[1]) / 64)
    result = memorization_score(scores, mask, reduction=reduction, response=response)
    # scores that depend on in and out alone leave nothing to average
    np.testing.assert_allclose(result.memorization, np.arange(mask.shape[1]) / 64, atol=1e-14)
    np.testing.assert_allclose(result.log_density_in, inside, atol=1e-14)
    # and nothing is uncertain
    error = result.standard_error[~np.isnan(result.standard_error)]
    np.testing.assert_allclose(error, 0.0, atol=1e-12)
    np.testing.assert_allclose(list(result.noise_floor.values()), 0.0, atol=1e-14)


@each_design
@each_reduction
def test_the_score_is_in_minus_out(mask, reduction):
    scores = noise(mask.shape, 4.0)
    result = memorization_score(scores, mask, reduction=reduction)
    # one sign: positive where fits with the row give it more
    np.testing.assert_array_equal(
        result.memorization, result.log_density_in - result.log_density_out
    )


@each_reduction
@pytest.mark.parametrize("design", ["10x10", "subsets"])
def test_a_constant_shifts_both_sides(design, reduction):
    mask = DESIGNS[design]
    scores = noise(mask.shape, 4.0)
    shift = np.linspace(-1e3, 1e3, mask.shape[1])
    ours, shifted = (
        memorization_score(s, mask, reduction=reduction, random_state=0)
        for s in (scores, scores + shift)
    )
    # another unit of the data moves every log-density of a row and no score
    np.testing.assert_allclose(shifted.memorization, ours.memorization, atol=1e-9)
    np.testing.assert_allclose(shifted.log_density_in, ours.log_density_in + shift, atol=1e-9)
    np.testing.assert_array_equal(shifted.p_values, ours.p_values)


@each_design
@pytest.mark.parametrize("reduction", ["matched", "pooled"])
def test_probabilities_are_averaged_as_they_are(mask, reduction):
    scores = np.random.default_rng(0).uniform(size=mask.shape)
    options = {"reduction": reduction, "response": "predict_proba", "random_state": 0}
    result = memorization_score(scores, mask, **options)
    means = memorization_score(scores, mask, reduction="mean")
    # a mean of probabilities is a probability; of equal fits per fold, matched is the mean too
    np.testing.assert_allclose(result.log_density_out, means.log_density_out, atol=1e-12)
    if reduction == "pooled" or find_repeats(mask):
        np.testing.assert_allclose(result.memorization, means.memorization, atol=1e-12)
    assert np.all(np.abs(result.memorization) <= 1)


@pytest.mark.parametrize("design", ["10x10", "2x3", "subsets"])
@pytest.mark.parametrize("sd", [3.0, 5.0, 8.0])
def test_matched_has_mean_zero_without_memorization(design, sd):
    mask = np.repeat(DESIGNS[design], 200, axis=1)
    scores = memorization_score(noise(mask.shape, sd), mask, random_state=0).memorization
    # equal numbers on both sides: what a log-mean-exp gains by noise cancels (rows of one fold
    # pattern have noise of their own, so all are independent)
    assert abs(scores.mean()) < 4 * scores.std() / np.sqrt(len(scores))


@pytest.mark.parametrize(
    ("sd", "bias", "high"), [(3.0, 1.1, 3.9), (5.0, 2.7, 8.1), (8.0, 5.3, 14.4)]
)
def test_pooled_is_biased_by_noise_as_measured(sd, bias, high):
    mask = np.repeat(DESIGNS["10x10"], 200, axis=1)
    scores = memorization_score(noise(mask.shape, sd), mask, reduction="pooled").memorization
    # the published estimator compares 90 fits with 10: why "matched" is the default
    np.testing.assert_allclose(scores.mean(), bias, rtol=0.06, atol=0.05)
    np.testing.assert_allclose(np.quantile(scores, 0.95), high, rtol=0.06)


# Probability zero


@each_design
@each_reduction
def test_minus_infinity_never_makes_nan(mask, reduction):
    scores = noise(mask.shape)
    rows = np.arange(mask.shape[1])
    scores[~mask & (rows % 4 == 0)] = -np.inf
    scores[:, rows % 4 == 1] = -np.inf
    scores[np.arange(len(mask)) % 3 == 0, 2] = -np.inf
    result = memorization_score(scores, mask, reduction=reduction, random_state=0)
    assert not np.isnan(result.memorization).any()
    # impossible without the row, possible with it
    assert np.all(result.memorization[rows % 4 == 0] == np.inf)
    # impossible with it and without it: it does not help
    assert np.all(result.memorization[rows % 4 == 1] == 0)
    # an infinite score has no standard error
    assert np.isnan(result.standard_error[rows % 4 == 0]).all()
    # p-values are probabilities, and none is zero
    assert np.all((result.p_values > 0) & (result.p_values <= 1))
    # scores of rows that all fits score alike cannot tell in from out
    assert np.all(result.p_values[rows % 4 == 1] == 1)


# Repeats


@pytest.mark.parametrize(
    ("mask", "n_folds"),
    [
        (repeated_folds(30, 10, 10), 10),
        (repeated_folds(31, 4, 3), 4),
        (repeated_folds(8, 2, 5), 2),
        (masks(KFold(3)), 3),
        (masks(LeaveOneOut(), 9), 9),
        (masks(GroupKFold(4), groups=np.arange(30) // 3), 4),
        (masks(StratifiedKFold(5), y=np.arange(30) % 3), 5),
        (masks(KFold(5))[[3, 1, 4, 0, 2]], 5),
        (masks(KFold(2))[::-1], 2),
    ],
    ids=[
        "10x10",
        "unequal",
        "2x5",
        "k-fold",
        "loo",
        "groups",
        "stratified",
        "permuted",
        "reversed",
    ],
)
def test_repeats_are_recognised(mask, n_folds):
    # held-out folds that partition the rows, again and again, in any order within a repeat
    assert find_repeats(mask) == n_folds


@pytest.mark.parametrize(
    "mask",
    [
        masks(ShuffleSplit(10, test_size=0.1, random_state=0)),
        masks(SubsetSplit(0.7, 20, random_state=0)),
        masks(KFold(5))[:4],
        np.delete(repeated_folds(30, 5, 2), 7, axis=0),
        masks(TimeSeriesSplit(4)),
        np.ones((3, 5), dtype=bool),
        np.zeros((3, 5), dtype=bool),
        np.concatenate([masks(KFold(5)), masks(KFold(3))]),
        repeated_folds(30, 5, 2)[[0, 5, 1, 6, 2, 7, 3, 8, 4, 9]],
    ],
    ids=[
        "shuffle",
        "subsets",
        "missing",
        "missing-second",
        "time",
        "all-in",
        "all-out",
        "5-and-3",
        "interleaved",
    ],
)
def test_what_is_no_repeat_is_not_taken_for_one(mask):
    # comparing folds by position would compare the wrong fits
    assert find_repeats(mask) is None


def test_rotation_begins_with_the_fit_without_the_row():
    mask = repeated_folds(13, 4, 3)
    fits = np.broadcast_to(np.arange(12.0)[:, None], mask.shape)
    rotated = rotate(fits, mask, 4)
    # entry 0 is the fit without the row, every other one a fit with it
    for shift in range(4):
        inside = np.take_along_axis(mask, rotated[shift].astype(int), axis=0)
        assert np.all(inside == (shift > 0))
    # every fit appears once
    np.testing.assert_array_equal(np.sort(rotated.reshape(12, 13), axis=0), fits)


@each_reduction
def test_the_order_of_folds_is_no_matter(reduction):
    mask = repeated_folds(30, 5, 1)
    scores = noise(mask.shape, 2.0)
    order = [3, 1, 4, 0, 2]
    ours, permuted = (
        memorization_score(s, m, reduction=reduction).memorization
        for s, m in ((scores, mask), (scores[order], mask[order]))
    )
    # with one repeat a rotation is just another fit with the row
    np.testing.assert_allclose(permuted, ours, atol=1e-12)


def test_subsets_are_seeded():
    mask = DESIGNS["subsets"]
    scores = noise(mask.shape, 3.0)
    first, again, other = (
        memorization_score(scores, mask, random_state=seed).memorization for seed in (0, 0, 1)
    )
    # random subsets of equal size: the same seed draws the same ones
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


# What is refused


@pytest.mark.parametrize(
    ("scores", "mask", "options", "message"),
    [
        (np.zeros((2, 3)), np.eye(2, 3), {}, "train_mask must be of dtype bool, got float64"),
        (np.zeros((2, 3)), np.eye(2, 4) > 0, {}, r"same shape .* got \(2, 3\) and \(2, 4\)"),
        (np.zeros(3), np.ones(3, bool), {}, r"same shape \(n_fits, n_samples\), got \(3,\)"),
        (np.full((2, 2), np.nan), np.eye(2) > 0, {}, "scores must be finite or -inf, got 4 that"),
        (np.full((2, 2), np.inf), np.eye(2) > 0, {}, "scores must be finite or -inf, got 4 that"),
        (
            np.zeros((2, 3)),
            np.array([[1, 1, 0], [0, 1, 1]]) > 0,
            {},
            r"held out of at least one fit, but 1 rows are not \(row 1 is the first\)",
        ),
        (
            np.zeros((2, 3)),
            np.array([[1, 0, 0], [0, 0, 1]]) > 0,
            {},
            r"training rows of at least one fit, but 1 rows are not \(row 1 is the first\)",
        ),
        (np.zeros((2, 2)), np.eye(2) > 0, {"reduction": "median"}, "'reduction' .* Got 'median'"),
        (np.zeros((2, 2)), np.eye(2) > 0, {"response": "auto"}, "'response' .* Got 'auto'"),
        (np.zeros((2, 2)), np.eye(2) > 0, {"random_state": "a"}, "'random_state' .* Got 'a'"),
    ],
)
def test_bad_arguments_are_named(scores, mask, options, message):
    with pytest.raises(ValueError, match=message):
        memorization_score(scores, mask, **options)


def test_lists_and_integers_will_do():
    result = memorization_score([[3, 1], [2, 4]], [[True, False], [False, True]])
    # nats are floats whatever came in
    np.testing.assert_array_equal(result.memorization, [1.0, 3.0])
