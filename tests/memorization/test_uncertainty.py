"""Laws of p-values, noise floor and standard errors: what they promise, held against simulations."""

import numpy as np
import pytest
from scipy import stats

from skmem.cross_fitting import SubsetSplit
from skmem.cross_fitting._splits import train_masks
from skmem.memorization import memorization_score

REDUCTIONS = ["matched", "pooled", "mean"]
each_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
N_ROWS = 3000


def design(name, n_rows=N_ROWS):
    """Train mask of "KxL" repeated folds, or of "share/number" subsets."""
    X = np.zeros((n_rows, 1))
    if "/" in name:
        share, number = name.split("/")
        return train_masks(SubsetSplit(float(share), int(number), random_state=0), X)
    n_folds, n_repeats = map(int, name.split("x"))
    return train_masks(n_folds, X, n_repeats=n_repeats, random_state=0)


def simulate(mask, sd, memorization=0.0, common=0.0, seed=0):
    """Scores with known memorization, noise of each fit and row, and noise of each fit."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=mask.shape[1]) + memorization * mask
    return scores + sd * rng.normal(size=mask.shape) + common * rng.normal(size=(len(mask), 1))


def smallest_p(name):
    """The least p-value of a design: one of all choices, or of all draws."""
    if "/" in name:
        return 1 / 200
    n_folds, n_repeats = map(int, name.split("x"))
    n_choices = n_folds**n_repeats
    return 1 / n_choices if n_choices < 1000 else 1 / 1000


# p-values


@pytest.mark.parametrize("name", ["10x10", "3x2", "2x5", "5x1", "0.7/100", "0.5/20"])
@each_reduction
def test_p_values_are_valid_without_memorization(name, reduction):
    mask = design(name)
    # noise of log-densities as large as it comes, and skewed, so that nothing is Gaussian
    scores = -np.random.default_rng(0).exponential(4.0, size=mask.shape)
    p = memorization_score(scores, mask, reduction=reduction, random_state=0).p_values
    for alpha in (0.01, 0.05, 0.1, 0.2, 0.5):
        share, error = np.mean(p <= alpha), np.sqrt(alpha * (1 - alpha) / N_ROWS)
        # no more false alarms than promised
        assert share <= alpha + 4 * error
        # and, where p-values are fine enough, no fewer either
        if name in ("10x10", "0.7/100") and alpha >= 0.05:
            assert share >= alpha - 0.01 - 4 * error


@pytest.mark.parametrize("name", ["3x2", "2x5", "5x1"])
def test_enumerated_p_values_are_uniform_over_the_choices(name):
    mask, step = design(name), smallest_p(name)
    p = memorization_score(simulate(mask, 1.0), mask, random_state=0).p_values
    # every rank of the actual choice among all is equally likely
    counts = np.bincount(np.round(p / step).astype(int), minlength=round(1 / step) + 1)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-4


@pytest.mark.parametrize("name", ["10x10", "3x2", "2x5", "5x1", "0.7/100", "0.5/20"])
@pytest.mark.parametrize("memorization", [20.0, np.inf])
def test_strongly_memorized_rows_have_the_least_p_value(name, memorization):
    mask = design(name, 50)
    scores = simulate(mask, 0.5)
    scores[~mask] -= memorization
    p = memorization_score(scores, mask, random_state=0).p_values
    # no choice but the actual one is so low; a draw may repeat it
    assert np.all(p >= smallest_p(name) * (1 - 1e-12))
    assert np.median(p) <= smallest_p(name) * (1 + 1e-12)
    assert p.max() <= 2.1 * smallest_p(name)


def test_negative_memorization_is_no_evidence_of_memorization():
    mask = design("10x10", 50)
    p = memorization_score(simulate(mask, 0.5, -5.0), mask, random_state=0).p_values
    # one-sided: fits without the row score it highest
    assert p.min() > 0.9


# Noise floor


@pytest.mark.parametrize("name", ["10x10", "5x5", "3x4", "2x5", "0.7/100", "0.5/60"])
@pytest.mark.parametrize("reduction", ["matched", "mean"])
def test_one_row_in_twenty_exceeds_the_lower_noise_floor(name, reduction):
    mask = design(name)
    scores = simulate(mask, 1.0)
    result = memorization_score(scores, mask, reduction=reduction, random_state=0)
    # by its definition as a quantile without memorization
    assert 0.035 < np.mean(result.memorization > result.noise_floor[0.95]) < 0.065
    assert np.mean(result.memorization > result.noise_floor[0.999]) < 0.004


def test_the_floor_holds_the_bias_of_the_pooled_reduction():
    mask = design("10x10")
    result = memorization_score(simulate(mask, 5.0), mask, reduction="pooled", random_state=0)
    # 2.7 nats of bias are in the score and in the floor, so as many rows exceed it
    assert result.memorization.mean() > 2
    assert 0.035 < np.mean(result.memorization > result.noise_floor[0.95]) < 0.065


@pytest.mark.parametrize("name", ["10x10", "3x4", "2x6", "0.7/40"])
def test_memorized_rows_do_not_raise_the_floor(name):
    mask = design(name)
    scores = simulate(mask, 1.0)
    planted = 15.0 * mask * (np.arange(N_ROWS) % 10 == 0)
    null, with_planted = (
        memorization_score(s, mask, random_state=0).noise_floor for s in (scores, scores + planted)
    )
    # the fits without the row take no part, or lose their mean, so the rows to be found do not hide themselves
    np.testing.assert_allclose(list(with_planted.values()), list(null.values()), rtol=1e-9)


# Standard errors


def coverage(name, sd, reduction, common=0.0):
    """Share of rows whose 95 % interval holds the expected score of the design."""
    mask = design(name, 1500)
    n_parts = 10 if "/" in name else int(name.split("x")[1])
    t = stats.t.ppf(0.975, n_parts - 1)
    options = {"reduction": reduction, "random_state": 0}
    large = [memorization_score(simulate(mask, sd, 2.0, seed=s), mask, **options) for s in (1, 2)]
    truth = np.mean([result.memorization for result in large])
    # a common effect shifts rows of one fold together: average over several cross-fits
    covered = []
    for seed in range(3, 9 if common else 5):
        result = memorization_score(simulate(mask, sd, 2.0, common, seed), mask, **options)
        error = np.abs(result.memorization - truth)
        covered.append(np.mean(error <= t * result.standard_error))
    return np.mean(covered)


@pytest.mark.parametrize(
    ("name", "sd"), [("10x10", 0.3), ("10x10", 1.0), ("10x5", 0.3), ("5x5", 0.6), ("0.7/50", 0.3)]
)
@each_reduction
def test_intervals_cover_where_noise_is_moderate(name, sd, reduction):
    # the jackknife is exact for means and near it for a log-mean-exp of near values
    assert 0.90 < coverage(name, sd, reduction) < 0.98


def test_intervals_cover_under_noise_common_to_all_rows_of_a_fit():
    # repeats are independent whatever the fits within them share
    assert 0.88 < coverage("10x10", 0.3, "matched", common=0.5) < 0.99


@pytest.mark.parametrize(("name", "low", "high"), [("10x10", 0.83, 0.91), ("10x5", 0.84, 0.92)])
def test_intervals_are_too_short_where_few_fits_make_up_the_mean(name, low, high):
    # as the docstring of standard_error_ says: at 3 nats a log-mean-exp is nearly a maximum
    assert low < coverage(name, 3.0, "matched") < high
    # a mean of log-densities has no such trouble
    assert 0.93 < coverage(name, 3.0, "mean") < 0.97


def test_one_repeat_has_no_standard_error():
    mask = design("5x1", 30)
    # nothing to compare with: not zero, which would be certainty
    assert np.isnan(memorization_score(simulate(mask, 1.0), mask).standard_error).all()


def test_too_few_subsets_have_no_standard_error():
    for n_subsets, known in ((9, 0.0), (60, 1.0)):
        mask = design(f"0.5/{n_subsets}", 200)
        mask = mask[:, mask.any(axis=0) & ~mask.all(axis=0)]
        error = memorization_score(simulate(mask, 1.0), mask, random_state=0).standard_error
        # ten groups of fits, each of which may be left out
        assert np.mean(np.isfinite(error)) == known


def test_a_row_with_one_fit_on_a_side_has_no_standard_error():
    mask = np.ones((20, 3), dtype=bool)
    mask[3, 0] = mask[[3, 4], 1] = mask[[3, 13], 2] = False
    error = memorization_score(simulate(mask, 1.0), mask, random_state=0).standard_error
    # without fit 3 nothing is left of row 0, nor without its group, 3 and 13, of row 2
    np.testing.assert_array_equal(np.isnan(error), [True, False, True])


@pytest.mark.parametrize("name", ["10x10", "0.7/50"])
def test_mean_has_the_textbook_standard_error(name):
    mask = design(name, 500)
    result = memorization_score(simulate(mask, 1.0), mask, reduction="mean", random_state=0)
    n_in, n_out = mask.sum(axis=0), (~mask).sum(axis=0)
    # of a difference of two means with unit variance
    expected = np.sqrt(np.mean(1 / n_in + 1 / n_out))
    observed = np.sqrt(np.mean(result.standard_error**2))
    np.testing.assert_allclose(observed, expected, rtol=0.05)
