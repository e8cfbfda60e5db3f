"""How good an influence is: laws of the scores that say so."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import roc_auc_score

from skmem import CrossFit, SubsetSplit, cross_fit
from skmem._bootstrap import correlations, mean_correlation_draws
from skmem.density import KernelDensity
from skmem.influence import (
    detection_curve,
    leave_one_out_correlation,
    leave_one_out_influence,
    linear_datamodeling_score,
)

rng = np.random.default_rng(0)
N_FITS, N_TRAIN, N_POINTS = 40, 20, 6
MASK = rng.random((N_FITS, N_TRAIN)) < 0.5
TRUTH = rng.normal(size=(N_TRAIN, N_POINTS))
NOISE = rng.normal(size=(N_FITS, N_POINTS))
LOSS = rng.normal(size=N_TRAIN)


def fits(scores):
    return CrossFit(MASK, scores, "score_samples", "refit")


def test_each_point_has_spearmans_correlation():
    influence, scores = rng.normal(size=TRUTH.shape), MASK @ TRUTH + 3 * NOISE
    found = linear_datamodeling_score(influence, fits(scores), LOSS, n_resamples=2)
    slow = [spearmanr(MASK @ influence[:, j], scores[:, j])[0] for j in range(N_POINTS)]
    # by definition, and their mean
    assert_allclose(found.per_point, slow, atol=1e-12)
    assert_allclose(found.score, np.mean(slow))
    by_loss = [spearmanr(MASK @ LOSS, scores[:, j])[0] for j in range(N_POINTS)]
    # the loss ranks subsets the same for all points
    assert_allclose(found.baseline.per_point, by_loss, atol=1e-12)


def test_a_linear_model_is_predicted_to_the_last_rank():
    exact = linear_datamodeling_score(TRUTH, fits(np.exp(MASK @ TRUTH)), LOSS, n_resamples=50)
    # ranks see through any increasing function; nothing is left to vary
    assert_allclose([exact.score, exact.low, exact.high], 1.0)
    against = linear_datamodeling_score(-TRUTH, fits(MASK @ TRUTH), LOSS, n_resamples=50)
    # the wrong sign is as wrong as can be
    assert_allclose(against.score, -1.0)


def test_interval_covers_what_more_fits_would_give():
    covered = 0
    for seed in range(60):
        r = np.random.default_rng(seed)
        mask, noise = r.random((60, 10)) < 0.5, r.normal(size=(60, 40))
        truth = r.normal(size=(10, 40))
        crossed = CrossFit(mask, mask @ truth + 2 * noise, "score_samples", "refit")
        found = linear_datamodeling_score(
            truth, crossed, np.zeros(10), n_resamples=200, random_state=0
        )
        covered += found.low <= 0.580 <= found.high
    # 0.580 is the mean over many such designs; drawing fits and points anew errs on the wide side of 95 %
    assert covered >= 57


def test_what_does_not_vary_predicts_nothing():
    scores = MASK @ TRUTH
    scores[:, 2] = -7.0
    found = linear_datamodeling_score(np.zeros(TRUTH.shape), fits(scores), LOSS, n_resamples=10)
    # a constant prediction has no ranks: no better than chance; a constant truth cannot be predicted
    assert_allclose(found.per_point, [0, 0, np.nan, 0, 0, 0])
    assert found.score == 0.0


def test_seeds_make_results_again():
    args = TRUTH, fits(MASK @ TRUTH + NOISE), LOSS
    one, two = (linear_datamodeling_score(*args, random_state=3) for _ in range(2))
    other = linear_datamodeling_score(*args, random_state=4)
    # chance enters through the bootstrap alone
    assert (one.low, one.high) == (two.low, two.high) != (other.low, other.high)
    assert one.score == other.score


def test_weighted_correlations_are_those_of_repeated_rows():
    a, b = rng.normal(size=(2, 12, 3))
    weights = rng.integers(0, 3, size=(4, 12)).astype(float)
    for w, found in zip(weights, correlations(a, b, weights), strict=True):
        rows = np.repeat(np.arange(12), w.astype(int))
        slow = [pearsonr(a[rows, j], b[rows, j])[0] for j in range(3)]
        # a bootstrap draw without drawing the rows
        assert_allclose(found, slow, atol=1e-12)
    draws = mean_correlation_draws(a, b, 300, np.random.default_rng(0))
    # centred about the estimate, as far as a dozen rows go
    assert abs(draws.mean() - correlations(a, b).mean()) < 2 * draws.std()


def test_influence_of_a_density_predicts_subsets_and_the_loss_does_not():
    X = rng.normal(size=(60, 2))
    density = KernelDensity(bandwidth=0.6)
    influence = leave_one_out_influence(density, X[:40], X[40:])
    crossed = cross_fit(density, X[:40], cv=SubsetSplit(0.5, 60, random_state=0), X_eval=X[40:])
    loss = -density.fit(X[:40]).score_samples(X[:40])
    found = linear_datamodeling_score(influence, crossed, loss, random_state=0)
    # a kernel density is nearly additive in its rows
    assert found.score > 0.95
    assert found.baseline.score < 0.5
    # and the text shows both
    assert str(found).startswith("linear datamodeling score: 0.9")
    assert "loss alone" in str(found)


@pytest.mark.parametrize(("correlation", "slow"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_leave_one_out_is_averaged_over_seeds(correlation, slow):
    refits = TRUTH + rng.normal(size=(8, *TRUTH.shape))
    found = leave_one_out_correlation(TRUTH, refits, LOSS, correlation=correlation, random_state=0)
    expected = [slow(TRUTH[:, j], refits.mean(axis=0)[:, j])[0] for j in range(N_POINTS)]
    # by definition
    assert_allclose(found.per_point, expected, atol=1e-12)
    one = leave_one_out_correlation(TRUTH, refits[0], LOSS, correlation=correlation)
    # one seed is noise on top
    assert one.score < found.score
    assert found.low < found.score < found.high


def scores_and_planted(n=300, share=0.1, ties=False):
    planted = np.arange(n) < share * n
    values = rng.normal(size=n) + planted
    return (np.round(values) if ties else values), planted


@pytest.mark.parametrize("ties", [False, True])
def test_detection_curve_is_the_roc_curve_turned(ties):
    values, planted = scores_and_planted(ties=ties)
    loss = rng.normal(size=len(values))
    curve = detection_curve(values, planted, loss, random_state=0)
    # scikit-learn's number, equal scores by half
    assert_allclose(curve.roc_auc, roc_auc_score(planted, values))
    assert_allclose(curve.baseline.roc_auc, roc_auc_score(planted, loss))
    # the area under the published curve, in terms of it
    assert_allclose(curve.mean_detection_rate, 0.05 + 0.9 * curve.roc_auc)
    assert curve.low < curve.roc_auc < curve.high
    # from nothing found to all
    assert (curve.found[0], curve.found[-1]) == (0.0, 1.0)
    assert (np.diff(curve.found) >= 0).all()


def test_detection_curve_counts_what_is_found():
    curve = detection_curve([5, 4, 3, 2], [True, False, True, False], np.zeros(4))
    # from the highest score down
    assert_allclose(curve.found, [0, 0.5, 0.5, 1, 1])
    # equal losses find at the pace of chance, in whatever order rows stand
    assert_allclose(curve.baseline.found, [0, 0.25, 0.5, 0.75, 1])
    assert curve.baseline.roc_auc == 0.5
    assert "mean detection rate 0.625; loss alone: ROC-AUC 0.500" in str(curve)


CROSSED = fits(MASK @ TRUTH)
BAD = {
    "influence of other rows": (
        lambda: linear_datamodeling_score(TRUTH[1:], CROSSED, LOSS),
        "influence must have shape",
    ),
    "other points": (
        lambda: linear_datamodeling_score(TRUTH[:, 1:], CROSSED, LOSS),
        "influence must have shape",
    ),
    "loss of other rows": (
        lambda: linear_datamodeling_score(TRUTH, CROSSED, LOSS[1:]),
        "baseline must have shape",
    ),
    "nan": (
        lambda: linear_datamodeling_score(TRUTH * np.nan, CROSSED, LOSS),
        "influence must be finite",
    ),
    "inf": (
        lambda: linear_datamodeling_score(TRUTH + np.inf, CROSSED, LOSS),
        "influence must be finite, got 120",
    ),
    "two fits": (
        lambda: linear_datamodeling_score(
            TRUTH, CrossFit(MASK[:2], CROSSED.scores[:2], "score_samples", "refit"), LOSS
        ),
        "at least 3 fits.*got 2",
    ),
    "no refits": (
        lambda: leave_one_out_correlation(TRUTH, TRUTH[0], LOSS),
        "leave_one_out must have shape",
    ),
    "no labels": (lambda: detection_curve(LOSS, LOSS, LOSS), "array of bool"),
    "none planted": (lambda: detection_curve(LOSS, LOSS > 99, LOSS), "got 0 of 20"),
    "scores of others": (
        lambda: detection_curve(LOSS[1:], LOSS > 0, LOSS),
        "scores must have shape",
    ),
    "nan scores": (
        lambda: detection_curve(LOSS * np.nan, LOSS > 0, LOSS),
        "scores must not be nan",
    ),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
