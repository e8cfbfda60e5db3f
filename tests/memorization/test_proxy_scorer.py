"""Laws of MemorizationScorer(method="proxy"): ranks by one fit, nats by a few."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold

from skmem import MemorizationScorer
from skmem.density import GaussianMixture, KernelDensity
from skmem.memorization import MemorizationFilter, MemorizedRegions, memorization_proxies
from skmem.memorization._calibration import calibrate
from tests.oracles import isotonic_by_min_max
from tests.staged import FITTED, Annealed

X, y = load_iris(return_X_y=True)
MIXTURE = GaussianMixture(2, random_state=0)


class Plain(BaseEstimator):
    """It offers nothing but a log-density, and counts its fits."""

    fits = []

    def fit(self, X, y=None):
        self.fits.append(len(X))
        self.mean_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        return -np.sum((X - self.mean_) ** 2, axis=1)


def scored(estimator=MIXTURE, data=X, *, labels=None, groups=None, **params):
    params = {"cv": 5, "random_state": 0} | params
    return MemorizationScorer(estimator, method="proxy", **params).fit(data, labels, groups=groups)


def test_one_repeat_of_folds_and_one_fit():
    Plain.fits.clear()
    scorer = scored(Plain(), cv=4)
    # the fit that ranks, and the few that say how many nats
    assert sorted(Plain.fits) == [112, 112, 113, 113, 150]
    assert (scorer.n_fits_, scorer.n_repeats_, scorer.method_) == (5, 1, "proxy")


@pytest.mark.parametrize("splitter", [KFold(3), RepeatedKFold(n_splits=3, n_repeats=2)])
def test_a_splitter_is_used_as_it_stands(splitter):
    # its own folds and repeats, and one fit more
    assert scored(cv=splitter).n_fits_ == 1 + splitter.get_n_splits(X)


def test_scores_rise_with_the_proxy():
    scorer = scored()
    order = np.argsort(scorer.proxy_)
    # the ranks are those of one fit, whatever the others say
    assert (np.diff(scorer.memorization_[order]) >= 0).all()
    expected = memorization_proxies(scorer.estimator_, X)["leave_one_out"]
    np.testing.assert_array_equal(scorer.proxy_, expected)


def test_top_rows_are_those_of_highest_proxy():
    rows, nats = scored().top(20)
    scorer = scored()
    # also where the scores are equal, as those of the highest few are
    np.testing.assert_array_equal(rows, np.argsort(-scorer.proxy_)[:20])
    assert nats[0] == nats[1]
    assert list(scorer.to_frame()["proxy"]) == list(scorer.proxy_)


def test_scores_are_in_minus_out():
    scorer = scored()
    np.testing.assert_array_equal(scorer.log_density_in_, scorer.estimator_.score_samples(X))
    # the one fit, and what is expected of fits without the row
    np.testing.assert_allclose(
        scorer.memorization_, scorer.log_density_in_ - scorer.log_density_out_, atol=1e-12
    )


def test_noise_is_not_known():
    scorer = scored()
    # means over rows say nothing of the error in one row; nan as for other leave-one-out
    assert np.isnan(scorer.standard_error_).all()
    assert np.isnan(scorer.p_values_).all()
    assert np.isnan(list(scorer.noise_floor_.values())).all()


def test_the_mean_is_that_of_the_fits():
    scorer = scored(cv=10)
    fits = MemorizationScorer(MIXTURE, method="cross-fit", n_repeats=1, random_state=0).fit(X)
    # calibrated: what the fits find, dealt out by rank
    assert scorer.memorization_.mean() == pytest.approx(fits.memorization_.mean(), rel=0.05)


def test_nearer_to_the_truth_than_the_fits_alone():
    rng = np.random.default_rng(0)
    truth = np.sort(rng.gamma(1.0, 1.0, 500))
    measured = truth + rng.normal(size=500)
    found = calibrate(np.exp(truth), measured)
    # noise averages out over rows of about the same rank
    assert np.std(found - truth) < 0.5 * np.std(measured - truth)
    # a proxy that says nothing gives every row the mean
    nothing = calibrate(np.zeros(500), measured)
    np.testing.assert_allclose(nothing, measured.mean())


def test_a_curve_that_rises_is_kept():
    proxy = np.arange(100.0)
    found = calibrate(proxy, 0.1 * proxy)
    # between the middles of the outermost groups
    np.testing.assert_allclose(found[5:95], 0.1 * proxy[5:95])
    # beyond them the mean of ten rows is all that is known
    np.testing.assert_allclose(found[:5], 0.45)
    np.testing.assert_allclose(found[95:], 9.45)


def test_the_curve_is_isotonic_regression_of_groups():
    rng = np.random.default_rng(1)
    proxy = rng.permutation(99)
    measured = 0.02 * proxy + rng.normal(size=99)
    order = np.argsort(proxy)
    # nine groups of eleven rows, with a row at the middle of each: the max-min formula holds there
    expected = isotonic_by_min_max(measured[order].reshape(9, 11).mean(axis=1), np.ones(9))
    found = calibrate(proxy, measured)[order].reshape(9, 11)[:, 5]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_no_row_decides_its_own_score():
    rng = np.random.default_rng(0)
    proxy, measured = rng.normal(size=(2, 200))
    row = int(np.argmax(proxy))
    higher = measured.copy()
    higher[row] += 100.0
    # a tenth at most
    assert calibrate(proxy, higher)[row] - calibrate(proxy, measured)[row] <= 10.0 + 3.0
    # ranks alone count
    np.testing.assert_array_equal(calibrate(proxy, measured), calibrate(np.exp(proxy), measured))


def test_infinite_scores_take_no_part():
    proxy, measured = np.arange(30.0), np.arange(30.0)
    measured[[3, 29]] = np.inf
    # the mean of others is finite
    assert np.isfinite(calibrate(proxy, measured)).all()
    # and of none not known
    assert np.isnan(calibrate(proxy, np.full(30, np.inf))).all()
    proxy[-1] = np.inf
    assert np.isfinite(calibrate(proxy, measured)).all()


def test_the_order_of_rows_of_equal_proxy_does_not_matter():
    rng = np.random.default_rng(0)
    proxy = np.repeat(np.arange(4.0), 25)
    memorization = proxy + rng.normal(size=100)
    order = rng.permutation(100)
    shuffled = calibrate(proxy[order], memorization[order])
    # groups of ten cut through rows that the proxy does not tell apart, and must not cut by where they stand
    np.testing.assert_allclose(shuffled, calibrate(proxy, memorization)[order], atol=1e-12)


def test_few_rows():
    # fewer than a group: their mean
    np.testing.assert_allclose(calibrate([1.0, 2.0, 3.0], np.array([1.0, 2.0, 6.0])), 3.0)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (Plain(), "negative_log_density"),
        (Annealed(random_state=0), "accumulated_loss"),
        (KernelDensity(bandwidth=0.5), "leave_one_out"),
    ],
)
def test_the_proxy_is_the_nearest_to_refits_that_there_is(estimator, name):
    scorer = scored(estimator)
    expected = memorization_proxies(scorer.estimator_, X)
    # in the documented order
    np.testing.assert_array_equal(scorer.proxy_, expected[name])


def test_a_proxy_of_your_own():
    scorer = scored(proxy=lambda fitted, data: -fitted.score_samples(data))
    # a function of the fit and its rows
    np.testing.assert_array_equal(scorer.proxy_, -scorer.log_density_in_)


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (lambda fitted, data: np.zeros(3), r"what proxy returns must have shape \(150,\)"),
        (lambda fitted, data: np.full(150, np.nan), "what proxy returns must not be nan"),
        ("elbo", "'proxy' parameter"),
    ],
)
def test_a_proxy_that_is_none_is_refused(proxy, message):
    with pytest.raises(ValueError, match=message):
        scored(proxy=proxy)


def test_stages_are_scored_for_the_proxy_alone():
    class Counted(Annealed):
        n_staged = 0

        def staged_score_samples(self, X):
            Counted.n_staged += 1
            yield from super().staged_score_samples(X)

    FITTED.clear()
    scorer = scored(Counted(random_state=0))
    # stages may cost more than fits: the curve does without them
    assert (len(FITTED), Counted.n_staged) == (6, 1)
    assert scorer.cross_fit_.stages is None
    assert not hasattr(scorer, "memorization_path_")


def test_a_cache_keeps_fits_with_and_without_stages_apart(tmp_path):
    kept = {"memory": str(tmp_path), "cv": 3, "n_repeats": 1, "random_state": 0}
    scored(Annealed(random_state=0), **kept)
    scorer = MemorizationScorer(Annealed(random_state=0), method="cross-fit", **kept).fit(X)
    # the same fits, but what is asked of them differs
    assert scorer.memorization_path_.shape == (3, len(X))


def test_classifiers_are_ranked_by_the_probability_of_the_label():
    model = LogisticRegression(max_iter=500)
    scorer = scored(model, labels=y, response="predict_proba")
    own = scorer.estimator_.predict_proba(X)[np.arange(len(X)), y]
    # in their own unit
    np.testing.assert_allclose(scorer.proxy_, -own)
    np.testing.assert_allclose(scorer.log_density_in_, own)


@pytest.mark.parametrize("response", ["predict", "neg_squared_error"])
def test_regressors_are_ranked_by_their_residuals(response):
    scorer = scored(Ridge(), X[:, :3], labels=X[:, 3], response=response)
    residuals = np.abs(X[:, 3] - scorer.estimator_.predict(X[:, :3]))
    # minus the score of the row, which falls with its residual
    assert (np.diff(scorer.proxy_[np.argsort(residuals)]) >= -1e-12).all()
    np.testing.assert_array_equal(scorer.log_density_in_, -scorer.proxy_)


def test_results_do_not_depend_on_n_jobs():
    one, two = (scored(Annealed(), n_jobs=n) for n in (1, 2))
    # seeds are drawn before
    for name in ("memorization_", "proxy_", "log_density_out_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_what_a_proxy_leaves_is_forgotten_by_the_next_fit():
    scorer = scored().set_params(method="auto", estimator=KernelDensity(bandwidth=0.5)).fit(X)
    # an attribute of another method would be taken for one of this
    assert not hasattr(scorer, "proxy_")
    assert not hasattr(scored(refit=False).set_params(method="cross-fit").fit(X), "proxy_")


def test_rows_that_leave_in_groups_have_no_proxy():
    groups = np.arange(len(X)) // 2
    with pytest.raises(ValueError, match=r"groups must be None .* got 75 groups"):
        scored(groups=groups)
    # a splitter may need them to keep rows together
    assert scored(cv=GroupKFold(3), groups=groups).n_fits_ == 4


def test_influence_is_refused():
    with pytest.raises(ValueError, match="method='cross-fit'"):
        scored().influence()


def test_what_takes_scores_takes_these():
    scorer = scored(KernelDensity(bandwidth=0.5))
    regions = MemorizedRegions(quantile=0.8).fit(X, scorer)
    # whatever is asked of scores of unknown noise
    assert all(region.size > 1 for region in regions.regions_)
    kept = MemorizationFilter(MemorizationScorer(method="proxy", cv=3, random_state=0)).fit(X)
    assert len(kept.sample_indices_) < len(X)
