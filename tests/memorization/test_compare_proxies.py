"""Laws of the comparison of proxies with the cross-fitted score, and of its ceiling."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold

from skmem import CrossFit, MemorizationScorer, SubsetSplit, cross_fit
from skmem.cross_fitting._splits import train_masks
from skmem.density import GaussianMixture, KernelDensity
from skmem.memorization import compare_proxies, memorization_score
from tests.oracles import reliability_of_two_repeats

X = load_iris().data[::3]
FITS = cross_fit(GaussianMixture(2, random_state=0), X, cv=SubsetSplit(0.7, 40), random_state=0)


def simulated(n_rows=400, n_repeats=10, noise=0.7, seed=0):
    """True memorization, and a CrossFit of five folds that measures it with noise."""
    rng = np.random.default_rng(seed)
    truth = rng.gamma(2.0, 0.5, n_rows)
    mask = train_masks(5, truth[:, np.newaxis], n_repeats=n_repeats, random_state=seed)
    scores = mask * truth + noise * rng.normal(size=mask.shape)
    return truth, CrossFit(mask, scores, "score_samples", "refit")


def test_correlations_are_spearmans():
    rng = np.random.default_rng(0)
    score = rng.normal(size=60)
    proxies = {f"p{k}": score + k * rng.normal(size=60) for k in (3, 1, 2)}
    proxies["ties"] = np.round(score)
    found = compare_proxies(proxies, score, random_state=0)
    expected = {name: spearmanr(values, score)[0] for name, values in proxies.items()}
    # scipy's, each under its name
    np.testing.assert_allclose(found.correlation, [expected[name] for name in found.names])
    # the best one first
    assert (np.diff(found.correlation) <= 0).all()
    assert (found.low <= found.correlation).all()
    assert (found.correlation <= found.high).all()


def test_what_ranks_alike_is_alike():
    score = np.random.default_rng(0).normal(size=50)
    proxies = {"same": score, "other unit": np.exp(score), "reversed": -score, "none": score * 0}
    comparison = compare_proxies(proxies, score, random_state=0)
    found = dict(zip(comparison.names, comparison.correlation, strict=True))
    # ranks alone count, and what does not vary ranks nothing
    assert found == pytest.approx({"same": 1, "other unit": 1, "reversed": -1, "none": 0})


def test_infinite_scores_are_ranks_like_others():
    score = np.array([0.0, 1.0, 2.0, np.inf])
    found = compare_proxies({"p": [1, 2, 3, np.inf]}, score, random_state=0)
    # above all finite ones
    assert found.correlation[0] == pytest.approx(1.0)


def test_reliability_of_two_repeats_is_by_hand():
    fits = simulated(n_repeats=2)[1]
    found = compare_proxies({"p": np.arange(400)}, fits, random_state=0)
    # there are only two halves
    expected = reliability_of_two_repeats(fits.scores, fits.train_mask, 5)
    assert found.reliability == pytest.approx(expected)
    assert found.ceiling == pytest.approx(np.sqrt(expected))


@pytest.mark.parametrize("n_repeats", [3, 5])
def test_reliability_of_an_odd_number_of_repeats_is_that_of_all(n_repeats):
    truth, fits = simulated(n_rows=3000, n_repeats=n_repeats, noise=0.3)
    noise = 0.3 * np.random.default_rng(1).normal(size=fits.scores.shape)
    again = replace(fits, scores=fits.train_mask * truth + noise)
    one, other = (memorization_score(f.scores, f.train_mask).memorization for f in (fits, again))
    found = compare_proxies({"p": truth}, fits, n_resamples=1, random_state=0)
    # the correlation with as many other repeats; two halves are one repeat fewer, which is 0.03 less of three
    assert found.reliability == pytest.approx(spearmanr(one, other)[0], abs=0.015)
    assert found.ceiling == pytest.approx(found.correlation[0], abs=0.015)


def test_names_may_be_any_keys():
    score = np.arange(5.0)
    found = compare_proxies({("epoch", 1): score, ("epoch", 2): -score}, score, random_state=0)
    # kept as they are, and printed
    assert found.names == (("epoch", 1), ("epoch", 2))
    assert "('epoch', 1)" in str(found)


def test_halves_that_disagree_are_no_more_than_opposite():
    mask = np.array([[True, False], [False, True]] * 2)
    scores = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    found = compare_proxies({"p": [1, 2]}, CrossFit(mask, scores, "score_samples", "refit"))
    # a reliability is a correlation
    assert found.reliability == -1.0
    assert found.ceiling == 0.0


@pytest.mark.parametrize("noise", [0.3, 0.7, 1.5])
def test_the_truth_correlates_by_the_ceiling(noise):
    truth, fits = simulated(noise=noise, n_rows=1000)
    score = memorization_score(fits.scores, fits.train_mask, reduction="mean").memorization
    scorer = MemorizationScorer(reduction="mean")
    scorer.memorization_, scorer.cross_fit_, scorer.method_ = score, fits, "refit"
    found = compare_proxies({"truth": truth}, scorer, random_state=0)
    # attenuation by independent noise: that is what the ceiling is for
    assert found.correlation[0] == pytest.approx(found.ceiling, abs=0.04)


def test_more_fits_are_more_reliable():
    few, many = (
        compare_proxies({"p": np.arange(400)}, simulated(n_repeats=n)[1], random_state=0)
        for n in (2, 20)
    )
    # noise averages out
    assert many.ceiling > few.ceiling
    fits = simulated()[1]
    null = replace(fits, scores=np.random.default_rng(0).normal(size=fits.scores.shape))
    # where nothing is memorized there is nothing to agree on
    assert abs(compare_proxies({"p": np.arange(400)}, null, random_state=0).reliability) < 0.2


def test_random_subsets_have_halves_too():
    found = compare_proxies({"p": np.arange(len(X))}, FITS, random_state=0)
    # a mixture of 50 rows memorizes some of them, and 40 fits see it
    assert 0 < found.reliability < 1


def test_reliability_is_nan_where_it_is_not_known():
    proxies = {"p": np.arange(len(X))}
    one = MemorizationScorer(KernelDensity(bandwidth=0.5), method="cross-fit", n_repeats=1).fit(X)
    refits = MemorizationScorer(
        GaussianMixture(2, random_state=0), method="leave-one-out", random_state=0
    ).fit(X)
    for source in (one, refits, one.memorization_):
        # one repeat has no halves, one step of EM an unknown error, bare scores no history
        found = compare_proxies(proxies, source, random_state=0)
        assert np.isnan(found.reliability)
        assert np.isnan(found.ceiling)


def test_exact_leave_one_out_has_no_noise():
    scorer = MemorizationScorer(KernelDensity(bandwidth=0.5)).fit(X)
    found = compare_proxies({"itself": scorer.memorization_}, scorer, random_state=0)
    # nothing is in the way of a perfect proxy
    assert (found.correlation[0], found.ceiling) == (pytest.approx(1.0), 1.0)


def test_a_fit_and_its_scorer_agree():
    scorer = MemorizationScorer(
        KernelDensity(bandwidth=0.5), method="cross-fit", cv=5, n_repeats=4, random_state=0
    ).fit(X)
    proxies = {"p": scorer.log_density_in_}
    a, b = (compare_proxies(proxies, s, random_state=0) for s in (scorer, scorer.cross_fit_))
    # the matched reduction is the default of both
    assert str(a) == str(b)


def test_intervals_depend_on_the_seed_and_narrow_with_rows():
    truth, fits = simulated()
    found = [compare_proxies({"p": truth}, fits, random_state=0) for _ in range(2)]
    # the same seed, the same bootstrap
    assert str(found[0]) == str(found[1])
    np.testing.assert_array_equal(found[0].low, found[1].low)
    few = compare_proxies({"p": truth[:40]}, truth[:40] + np.sin(np.arange(40)), random_state=0)
    many = compare_proxies({"p": truth}, truth + np.sin(np.arange(400)), random_state=0)
    # ten times the rows, about a third of the width
    assert (many.high - many.low)[0] < 0.6 * (few.high - few.low)[0]
    wide = compare_proxies({"p": truth}, fits, confidence_level=0.99, random_state=0)
    # more confidence takes more room
    assert wide.low[0] < found[0].low[0]


def test_intervals_cover():
    rng, n_covered = np.random.default_rng(0), 0
    expected = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a normal pair with correlation 0.6
    for _ in range(100):
        a, b = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=80).T
        found = compare_proxies({"a": a}, b, n_resamples=200, random_state=0)
        n_covered += found.low[0] <= expected <= found.high[0]
    # 95 % asked for; with ranks kept it is about that
    assert 88 <= n_covered <= 100


def test_the_comparison_is_a_table():
    truth, fits = simulated()
    found = compare_proxies({"good": truth, "none": np.arange(400)}, fits, random_state=0)
    frame = found.to_frame()
    assert list(frame["proxy"]) == ["good", "none"]
    assert list(frame.columns) == ["proxy", "correlation", "low", "high", "ceiling"]
    lines = str(found).splitlines()
    # the ceiling comes before what is below it
    assert lines[0] == f"Spearman's correlation with memorization, ceiling {found.ceiling:.2f}"
    assert lines[1].startswith("good ")


@pytest.mark.parametrize(
    ("proxies", "memorization", "message"),
    [
        ({}, np.arange(3.0), "at least one array, got an empty dict"),
        ({"p": [1, 2]}, np.arange(3.0), r"p must have shape \(3,\), got \(2,\)"),
        ({"p": [1, 2, np.nan]}, np.arange(3.0), "p must not be nan, got 1"),
        ({"p": [1, 2, 3]}, [1, 2, np.nan], "memorization must not be nan"),
        ({"p": [1, 2, 3]}, np.ones((3, 1)), r"memorization must have shape \(3,\)"),
        ([1, 2, 3], np.arange(3.0), "'proxies' parameter"),
        ({"p": [1, 2, 3]}, None, "'memorization' parameter"),
    ],
)
def test_bad_input_is_refused(proxies, memorization, message):
    with pytest.raises(ValueError, match=message):
        compare_proxies(proxies, memorization)


def test_fits_must_tell_of_their_rows():
    density = KernelDensity(bandwidth=0.5)
    elsewhere = cross_fit(density, X, cv=5, X_eval=X[:7], random_state=0)
    with pytest.raises(ValueError, match=r"scored their own rows, got scores of shape \(5, 7\)"):
        compare_proxies({"p": np.arange(7)}, elsewhere)
    once = cross_fit(density, X, cv=[(np.arange(10), np.arange(10, len(X)))])
    # rows that are never held out have no memorization
    with pytest.raises(ValueError, match="at least one fit"):
        compare_proxies({"p": np.arange(len(X))}, once)


def test_scores_must_be_there_and_not_from_a_proxy():
    with pytest.raises(NotFittedError):
        compare_proxies({"p": np.arange(len(X))}, MemorizationScorer())
    circular = MemorizationScorer(KernelDensity(bandwidth=0.5), method="proxy", cv=KFold(3)).fit(X)
    # a proxy agrees with itself whatever it is worth
    with pytest.raises(ValueError, match="must come from refits"):
        compare_proxies({"p": circular.proxy_}, circular)
