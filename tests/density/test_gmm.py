"""GaussianMixture against scikit-learn's own fit, real refits, and the M-step written as its definition."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import mixture
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import KFold
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skmem.density import GaussianMixture
from skmem.density._em import precision_cholesky
from skmem.density._squares import Squares
from tests import oracles

COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"]
INIT_PARAMS = ["kmeans", "k-means++", "random", "random_from_data"]
every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


@pytest.fixture(scope="module")
def iris():
    return load_iris().data


@pytest.fixture(scope="module")
def blobs():
    """Three clusters far apart: every row belongs to one component to rounding."""
    centers = 40.0 * np.eye(3)
    return make_blobs([20, 30, 40], 3, centers=centers, random_state=0)[0]


def fold_masks(n_samples, n_splits):
    masks = np.ones((n_splits, n_samples), dtype=bool)
    folds = KFold(n_splits, shuffle=True, random_state=0).split(np.zeros(n_samples))
    for mask, (_, held_out) in zip(masks, folds, strict=True):
        mask[held_out] = False
    return masks


def start(density):
    """Parameters of a fit as the start of another."""
    return {
        "weights_init": density.weights_,
        "means_init": density.means_,
        "precisions_init": density.precisions_,
    }


# no exclusions: every check of scikit-learn's holds
@parametrize_with_checks([GaussianMixture(), GaussianMixture(cross_fit_start="cold")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# --- the weighted fit


@every_type
@pytest.mark.parametrize("init_params", INIT_PARAMS)
@pytest.mark.parametrize("weight", [None, 1.0, 0.25])
def test_equal_weights_are_scikit_learns_fit(iris, covariance_type, init_params, weight):
    params = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "init_params": init_params,
        "reg_covar": 1e-3,  # starts at single rows have this variance and no other: 1e-6 shows rounding
        "random_state": 0,
    }
    theirs = mixture.GaussianMixture(**params).fit(iris)
    sample_weight = None if weight is None else np.full(len(iris), weight)
    ours = GaussianMixture(**params).fit(iris, sample_weight=sample_weight)
    # equal weights say nothing, so the same seed walks the same path to rounding
    np.testing.assert_allclose(ours.score_samples(iris), theirs.score_samples(iris), atol=1e-8)
    assert (
        ours.lower_bound_ == ours.lower_bounds_[-1] == pytest.approx(theirs.lower_bound_, abs=1e-9)
    )
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    np.testing.assert_allclose(ours.precisions_, theirs.precisions_, rtol=1e-6, atol=1e-8)
    assert ours.bic(iris) == pytest.approx(theirs.bic(iris), abs=1e-5)
    # what is drawn later comes from the same generator
    np.testing.assert_allclose(ours.sample(5)[0], theirs.sample(5)[0], atol=1e-6)


def test_the_best_of_several_starts_is_kept(iris):
    params = {
        "n_components": 5,
        "init_params": "random_from_data",
        "random_state": 0,
        "max_iter": 300,
    }
    bounds = []
    for n_init in (1, 2, 4, 8):
        theirs = mixture.GaussianMixture(n_init=n_init, **params).fit(iris)
        bounds.append(GaussianMixture(n_init=n_init, **params).fit(iris).lower_bound_)
        # the same starts in the same order
        assert bounds[-1] == pytest.approx(theirs.lower_bound_, abs=1e-7)
    # more starts contain fewer
    assert np.diff(bounds).min() >= 0 and np.ptp(bounds) > 0


@every_type
def test_given_starts_are_scikit_learns(iris, covariance_type):
    first = GaussianMixture(3, covariance_type=covariance_type, random_state=1).fit(iris)
    for names in (["means_init"], ["weights_init", "precisions_init"], list(start(first))):
        given = {name: start(first)[name].tolist() for name in names}
        params = dict(covariance_type=covariance_type, random_state=0, **given)
        theirs = mixture.GaussianMixture(3, **params).fit(iris)
        ours = GaussianMixture(3, **params).fit(iris)
        # a partly given start leaves the rest to init_params, as there
        np.testing.assert_allclose(ours.score_samples(iris), theirs.score_samples(iris), atol=1e-8)
        # fitting leaves the parameters as they were given
        assert all(getattr(ours, name) is given[name] for name in names)


@every_type
def test_float32_is_scikit_learns(iris, covariance_type):
    X = iris.astype(np.float32)
    params = {"n_components": 2, "covariance_type": covariance_type, "random_state": 0}
    theirs, ours = mixture.GaussianMixture(**params).fit(X), GaussianMixture(**params).fit(X)
    # parameters in the precision of the rows
    assert ours.means_.dtype == ours.covariances_.dtype == np.float32
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), atol=2e-3)
    # the closed form computes in double precision from single-precision statistics
    double = GaussianMixture(**params).fit(iris).leave_one_out_score_samples()
    np.testing.assert_allclose(ours.leave_one_out_score_samples(), double, atol=5e-3)


@every_type
@pytest.mark.parametrize("init_params", INIT_PARAMS)
def test_weight_zero_is_absence(iris, covariance_type, init_params):
    weight = np.random.default_rng(0).integers(0, 3, len(iris)).astype(float)
    params = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "init_params": init_params,
        "random_state": 0,
    }
    weighted = GaussianMixture(**params).fit(iris, sample_weight=weight)
    absent = GaussianMixture(**params).fit(iris[weight > 0], sample_weight=weight[weight > 0])
    # rows of weight zero are gone before anything is drawn: not a bit differs
    np.testing.assert_array_equal(weighted.score_samples(iris), absent.score_samples(iris))
    # removing a row that is not there changes nothing
    loo = weighted.leave_one_out_score_samples()
    np.testing.assert_allclose(loo[weight == 0], weighted.score_samples(iris)[weight == 0])
    np.testing.assert_allclose(loo[weight > 0], absent.leave_one_out_score_samples(), rtol=1e-12)


@every_type
def test_integer_weights_are_repeated_rows(iris, covariance_type):
    weight = np.random.default_rng(1).integers(0, 4, len(iris))
    first = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(iris)
    density = GaussianMixture(3, covariance_type=covariance_type, **start(first))
    weighted = clone(density).fit(iris, sample_weight=weight)
    repeated = mixture.GaussianMixture(3, covariance_type=covariance_type, **start(first))
    repeated.fit(np.repeat(iris, weight, axis=0))
    # a weight of three is three equal rows, in scikit-learn's unweighted fit
    np.testing.assert_allclose(
        weighted.score_samples(iris), repeated.score_samples(iris), atol=1e-8
    )
    assert weighted.lower_bound_ == pytest.approx(repeated.lower_bound_, abs=1e-9)
    # only ratios of weights mean anything; reg_covar is in the units of the columns, not of the weights
    scaled = clone(density).fit(iris, sample_weight=1e-3 * weight)
    np.testing.assert_allclose(scaled.score_samples(iris), weighted.score_samples(iris), atol=1e-9)


@pytest.mark.parametrize("init_params", INIT_PARAMS)
def test_starts_are_weighted(init_params):
    X = np.array([[0.0], [0.1], [10.0], [10.1]])
    weight = np.array([1.0, 1.0, 1e6, 1e6])
    density = GaussianMixture(1, init_params=init_params, max_iter=0, random_state=0)
    seen = [
        clone(density).set_params(random_state=s).fit(X, sample_weight=weight).means_
        for s in range(9)
    ]
    # unweighted, nine starts would not all lie beyond 9: there the mean is 5, and half the single rows are near 0
    heavy = np.min(seen) > 9
    # random responsibilities of a single component are all one, so that start is weighted as well
    assert heavy


def test_lower_bound_is_the_weighted_mean(iris):
    weight = np.random.default_rng(2).uniform(0.1, 3, len(iris))
    density = GaussianMixture(3, tol=1e-12, max_iter=2000, random_state=0).fit(
        iris, sample_weight=weight
    )
    # at convergence the last E-step saw the final parameters
    expected = np.average(density.score_samples(iris), weights=weight)
    assert density.lower_bound_ == pytest.approx(expected, abs=1e-8)
    # EM never lowers it (reg_covar is too small to show)
    assert np.diff(density.lower_bounds_).min() > -1e-9


@every_type
def test_one_component_is_closed_form(iris, covariance_type):
    weight = np.random.default_rng(3).uniform(0.1, 3, len(iris))
    density = GaussianMixture(covariance_type=covariance_type, reg_covar=0.01)
    density.fit(iris, sample_weight=weight)
    parameters = oracles.gmm_parameters(iris, weight[:, None], covariance_type, 0.01)
    # responsibilities are one, so EM is done after its first M-step, the weighted moments
    expected = oracles.gmm_log_density(iris, *parameters)
    np.testing.assert_allclose(density.score_samples(iris), expected, rtol=1e-11)


def test_warm_start_goes_on(iris):
    params = {"n_components": 3, "random_state": 0, "max_iter": 3, "warm_start": True}
    ours, theirs = GaussianMixture(**params), mixture.GaussianMixture(**params)
    for _ in range(3):
        for density in (ours, theirs):
            with pytest.warns(ConvergenceWarning, match="did not converge"):
                density.fit(iris)
        # each call goes on where the last one ended, as in scikit-learn
        assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, abs=1e-10)


def test_verbose_prints_what_scikit_learn_prints(iris, capsys):
    params = {
        "n_components": 3,
        "random_state": 0,
        "verbose": 1,
        "verbose_interval": 2,
        "n_init": 2,
    }
    mixture.GaussianMixture(**params).fit(iris)
    theirs = capsys.readouterr().out
    GaussianMixture(**params).fit(iris)
    # the messages are the parent's, at the parent's moments
    assert capsys.readouterr().out == theirs != ""


# --- leave-one-out


@every_type
@pytest.mark.parametrize("reg_covar", [1e-6, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_is_the_m_step_of_the_others(iris, covariance_type, reg_covar, weighted):
    weight = (
        np.random.default_rng(4).uniform(0.2, 3, len(iris)) if weighted else np.ones(len(iris))
    )
    density = GaussianMixture(
        3, covariance_type=covariance_type, reg_covar=reg_covar, random_state=0
    )
    density.fit(iris, sample_weight=weight)
    expected = oracles.gmm_leave_one_out(iris, density._fit_mass, covariance_type, reg_covar)
    # rank-one (tied: one for each component) downdates are algebra, not an approximation
    np.testing.assert_allclose(density.leave_one_out_score_samples(), expected, rtol=1e-9)


@every_type
@pytest.mark.parametrize("reg_covar", [1e-6, 0.3])
def test_leave_one_out_of_one_component_is_the_refit(iris, covariance_type, reg_covar):
    iris = iris[::4]
    density = GaussianMixture(covariance_type=covariance_type, reg_covar=reg_covar)
    masks = ~np.eye(len(iris), dtype=bool)
    refits = oracles.refits(density, iris, masks, iris)
    # nothing is held: responsibilities are one with the row and without
    expected = np.diag(refits)
    np.testing.assert_allclose(
        density.fit(iris).leave_one_out_score_samples(), expected, atol=1e-10
    )


@every_type
def test_leave_one_out_is_the_refit_where_clusters_are_apart(blobs, covariance_type):
    density = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(blobs)
    masks = ~np.eye(len(blobs), dtype=bool)
    refit = np.diag(oracles.gmm_warm_refits(density, blobs, masks, blobs))
    # responsibilities are 0 or 1 whoever leaves
    np.testing.assert_allclose(density.leave_one_out_score_samples(), refit, atol=1e-8)


@every_type
def test_leave_one_out_follows_the_refit_where_they_overlap(iris, covariance_type):
    iris = iris[::2]
    density = GaussianMixture(
        2, covariance_type=covariance_type, random_state=0, tol=1e-8, max_iter=500
    )
    density.fit(iris)
    masks = ~np.eye(len(iris), dtype=bool)
    full = density.score_samples(iris)
    refit = full - np.diag(oracles.gmm_warm_refits(density, iris, masks, iris))
    one_step = full - density.leave_one_out_score_samples()
    # one step of EM towards the refit goes nearly all the way
    slope = np.polyfit(one_step, refit, 1)[0]
    assert np.corrcoef(one_step, refit)[0, 1] > 0.99
    assert 0.9 < slope < 1.15


def test_memorization_of_isotropic_clusters():
    n_cluster, n_features = 2000, 3
    rng = np.random.default_rng(5)
    X = rng.normal(size=(2 * n_cluster, n_features))
    X[n_cluster:] += 100
    density = GaussianMixture(2, covariance_type="spherical", reg_covar=0, random_state=0).fit(X)
    label = density.predict(X)
    variance = density.covariances_[label]
    squared = np.sum((X - density.means_[label]) ** 2, axis=1)
    # self-influence of a row in an isotropic cluster of size N_k, to O(N_k^-2)
    expected = (n_features + 2) / (2 * n_cluster) + squared**2 / (
        2 * n_cluster * n_features * variance**2
    )
    expected -= 1 / len(X)
    actual = density.score_samples(X) - density.leave_one_out_score_samples()
    # the next order is at most the squared leverage
    leverage = (1 + squared / variance) / n_cluster
    assert np.all(np.abs(actual - expected) < 2 * leverage**2)


@every_type
def test_a_component_of_one_row_is_dropped(blobs, covariance_type):
    X = np.vstack([blobs, [[1e3, 1e3, 1e3]]])
    means = np.vstack([blobs[:20].mean(0), X[-1]])
    density = GaussianMixture(2, covariance_type=covariance_type, means_init=means, random_state=0)
    density.fit(X)
    rest = GaussianMixture(1, covariance_type=covariance_type).fit(blobs)
    # without the row nothing is left of its component: the others, made of the other rows, score it
    actual, expected = density.leave_one_out_score_samples()[-1], rest.score_samples(X[-1:])[0]
    assert actual == pytest.approx(expected, rel=1e-9)


@every_type
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_degenerate_rows_stay_finite(covariance_type, n_components):
    rng = np.random.default_rng(6)
    constant_column = np.c_[rng.normal(size=8), np.full(8, 5.0)]
    pairs = np.repeat([[0.0, 0.0], [9.0, 9.0], [-9.0, 9.0]], 2, axis=0)
    for X in (np.zeros((5, 2)), np.full((5, 2), 3.0), constant_column, pairs, pairs[[0, 2, 4]]):
        density = GaussianMixture(
            n_components, covariance_type=covariance_type, random_state=0
        ).fit(X)
        # reg_covar gives every direction a variance, with a row and without it
        assert np.isfinite(density.score_samples(X)).all()
        assert np.isfinite(density.leave_one_out_score_samples()).all()


def test_leave_one_out_without_iterations(iris):
    start_only = GaussianMixture(max_iter=0).fit(iris)
    fitted = GaussianMixture().fit(iris)
    # with one component the start is the fit
    expected = fitted.leave_one_out_score_samples()
    np.testing.assert_allclose(start_only.leave_one_out_score_samples(), expected, rtol=1e-12)


# --- cross-fitting


@every_type
def test_warm_fits_are_scikit_learns_from_the_full_fit(iris, covariance_type):
    density = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    masks = fold_masks(len(iris), 5)
    X_eval = iris[::7] + 0.1
    full = clone(density).fit(iris)
    expected = oracles.gmm_warm_refits(full, iris, masks, X_eval)
    # a mask row of zeros and ones is a fit to the rows it selects
    np.testing.assert_allclose(
        density.cross_fit_score_samples(iris, masks, X_eval), expected, atol=1e-8
    )
    expected = oracles.gmm_warm_refits(full, iris, masks, iris)
    np.testing.assert_allclose(density.cross_fit_score_samples(iris, masks), expected, atol=1e-8)


@every_type
def test_warm_fits_equal_cold_ones_where_clusters_are_apart(blobs, covariance_type):
    density = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    masks = fold_masks(len(blobs), 6)
    # one optimum, reached from everywhere
    expected = oracles.refits(density, blobs, masks, blobs)
    np.testing.assert_allclose(density.cross_fit_score_samples(blobs, masks), expected, atol=1e-8)


@every_type
def test_one_component_forgets_held_out_rows(iris, covariance_type):
    density = GaussianMixture(covariance_type=covariance_type)
    masks = np.random.default_rng(7).uniform(size=(20, len(iris))) < 0.6
    # the first M-step does not know where it came from
    expected = oracles.refits(density, iris, masks, iris)
    np.testing.assert_allclose(density.cross_fit_score_samples(iris, masks), expected, atol=1e-10)


def test_a_component_without_training_rows_scores_nothing(blobs):
    far = np.zeros((20, 3)) + np.random.default_rng(8).normal(scale=0.1, size=(20, 3)) - 1e3
    X = np.vstack([blobs, far])
    mask = np.arange(len(X))[None] < len(blobs)
    density = GaussianMixture(4, random_state=0)
    scores = density.cross_fit_score_samples(X, mask, np.vstack([X, np.zeros((1, 3))]))[0]
    three = GaussianMixture(3, random_state=0).fit(blobs)
    # the component of the held-out cluster is empty: training rows, and the origin, are scored as if it were absent
    np.testing.assert_allclose(scores[: len(blobs)], three.score_samples(blobs), atol=1e-6)
    assert scores[-1] == pytest.approx(three.score_samples(np.zeros((1, 3)))[0], abs=1e-3)
    assert np.isfinite(scores).all()


@every_type
@pytest.mark.parametrize(("dtype", "far"), [("f8", 1e6), ("f4", 1e4)])
def test_a_row_held_out_costs_no_digits(iris, covariance_type, dtype, far):
    X = np.vstack([iris, np.full((1, 4), far)]).astype(dtype)
    mask = np.arange(len(X))[None] < len(iris)
    density = GaussianMixture(covariance_type=covariance_type)
    expected = clone(density).fit(X[:-1]).score_samples(X[:-1])
    # moments are taken around the mean of the training rows: one of all rows would be far from them
    scores = density.cross_fit_score_samples(X, mask)[0, :-1]
    np.testing.assert_allclose(scores, expected, atol=1e-10 if dtype == "f8" else 1e-4)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_a_component_of_one_row_has_the_least_variance(iris, covariance_type):
    X = np.vstack([iris, np.full((1, 4), 1e4)])
    density = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    alone = density.covariances_[density.means_[:, 0].argmax()]
    # no mass of rows 1e4 away, however little, gets into it
    expected = 1e-6 * np.eye(4) if covariance_type == "full" else 1e-6
    np.testing.assert_allclose(alone, expected, atol=1e-12)
    mask = np.arange(len(X)) >= 75
    refit = clone(density).set_params(**start(density)).fit(X[mask])
    # and a warm fit is the refit from there, to rounding
    scores = density.cross_fit_score_samples(X, mask[None])[0]
    np.testing.assert_allclose(scores[mask], refit.score_samples(X[mask]), atol=1e-8)


def test_scores_do_not_depend_on_the_number_of_threads(iris):
    density = GaussianMixture(3, random_state=0)
    masks = fold_masks(len(iris), 7)
    scores = []
    for n_threads in (1, 4):
        with threadpool_limits(n_threads):
            scores.append(density.cross_fit_score_samples(iris, masks))
    # a fit runs on one thread, whichever it is
    np.testing.assert_array_equal(*scores)


def test_cross_fitting_leaves_the_estimator_alone(iris):
    generator = np.random.RandomState(0)
    density = GaussianMixture(3, random_state=generator)
    before, state = dict(vars(density)), generator.get_state()[1].copy()
    density.cross_fit_score_samples(iris, fold_masks(len(iris), 3))
    # it has parameters, and is asked for no more
    assert vars(density) == before
    np.testing.assert_array_equal(generator.get_state()[1], state)


@pytest.mark.parametrize("params", [{"cross_fit_start": "cold"}, {"max_iter": 0}])
def test_cold_fits_have_no_method(params):
    # absence tells the engine to refit
    assert hasattr(GaussianMixture(), "cross_fit_score_samples")
    assert not hasattr(GaussianMixture(**params), "cross_fit_score_samples")


def test_cross_fitting_takes_what_fit_takes(iris):
    masks = fold_masks(len(iris), 3)
    density = GaussianMixture(2, random_state=0)
    expected = density.cross_fit_score_samples(iris, masks)
    frame = pd.DataFrame(iris, columns=list("abcd"))
    # a frame is its values
    for scores in (
        density.cross_fit_score_samples(frame, masks),
        density.cross_fit_score_samples(frame, masks, frame),
    ):
        np.testing.assert_allclose(scores, expected, rtol=1e-10)
    single = density.cross_fit_score_samples(iris.astype(np.float32), masks)
    # float32 stays so, as in score_samples
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=5e-3)


def test_fits_that_do_not_converge_are_counted(iris):
    density = GaussianMixture(3, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning) as record:
        density.cross_fit_score_samples(iris, fold_masks(len(iris), 4))
    # one warning for the full fit, one for all others together
    assert [str(w.message).split(" did")[0] for w in record] == [
        "Best performing initialization",
        "4 of 4 fits",
    ]


# --- bad input


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1, 1, -1, 1], "[Nn]egative"),
        ([1, 1, 1], r"sample_weight.shape == \(3,\), expected \(4,\)"),
        ([0, 0, 0, 0], "non-zero|positive weight"),
        ([1, 0, 0, 0], "n_samples >= 2 .* n_samples = 1"),
        ([1, 1, np.nan, 1], "NaN"),
        ([1, 1, np.inf, 1], "infinity"),
        ([[1], [1], [1], [1]], "1D"),
    ],
)
def test_bad_weights(sample_weight, message):
    X = np.arange(8.0).reshape(4, 2)
    with pytest.raises(ValueError, match=message):
        GaussianMixture().fit(X, sample_weight=sample_weight)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.empty((0, 2)), "0 sample"),
        (np.ones((1, 2)), "minimum of 2"),
        (np.array([[np.nan], [1.0]]), "NaN"),
        (np.array([[np.inf], [1.0]]), "infinity"),
        (np.arange(3.0), "Expected 2D"),
        (np.array([["a"], ["b"]], dtype=object), "convert"),
    ],
)
def test_bad_rows(X, message):
    masks = np.ones((1, len(X)), dtype=bool)
    for call in (
        GaussianMixture().fit,
        lambda X: GaussianMixture().cross_fit_score_samples(X, masks),
    ):
        with pytest.raises(ValueError, match=message):
            call(X)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        GaussianMixture().fit(sparse.csr_array(np.eye(3)))


def test_more_components_than_rows():
    X = np.random.default_rng(9).normal(size=(6, 2))
    with pytest.raises(ValueError, match="n_components = 7, n_samples = 6"):
        GaussianMixture(7).fit(X)
    # rows of weight zero do not count
    with pytest.raises(ValueError, match="n_components = 4, n_samples = 3"):
        GaussianMixture(4).fit(X, sample_weight=[0, 1, 0, 1, 0, 1])
    masks = np.array([[1] * 6, [1, 1, 1, 0, 0, 0]], dtype=bool)
    with pytest.raises(
        ValueError, match=r"fit 1 of train_mask .* n_components = 4, n_samples = 3"
    ):
        GaussianMixture(4).cross_fit_score_samples(X, masks)


def test_singular_covariance_without_regularisation():
    X = np.c_[np.arange(5.0), np.zeros(5)]
    for covariance_type in COVARIANCE_TYPES[:3]:
        with pytest.raises(ValueError, match="ill-defined empirical covariance"):
            GaussianMixture(covariance_type=covariance_type, reg_covar=0).fit(X)


def test_bad_calls(iris):
    masks = fold_masks(len(iris), 3)
    with pytest.raises(ValueError, match="dtype bool"):
        GaussianMixture().cross_fit_score_samples(iris, masks.astype(int))
    with pytest.raises(ValueError, match="4 features"):
        GaussianMixture().cross_fit_score_samples(iris, masks, iris[:, :3])
    with pytest.raises(ValueError, match="cross_fit_start"):
        GaussianMixture(cross_fit_start="tepid").fit(iris)
    with pytest.raises(ValueError, match="weights"):
        GaussianMixture(2, weights_init=[0.5, 0.6]).fit(iris)
    with pytest.raises(NotFittedError):
        GaussianMixture().leave_one_out_score_samples()


@every_type
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
def test_whole_numbers_score_as_floats(covariance_type, dtype):
    X = np.random.default_rng(0).integers(0, 60, size=(60, 3)).astype(dtype)
    density = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    as_floats = X.astype(np.float64)
    # scikit-learn 1.9 rounds log-densities of integers down to integers; the type of the rows must not matter.
    scores = density.score_samples(X)
    np.testing.assert_allclose(scores, density.score_samples(as_floats), rtol=1e-12)
    np.testing.assert_array_equal(density.predict(X), density.predict(as_floats))
    assert density.score(X) == pytest.approx(density.score(as_floats), rel=1e-12)


@every_type
@pytest.mark.parametrize(("dtype", "offset", "atol"), [("f4", 1e3, 2e-3), ("f8", 1e6, 1e-7)])
def test_an_offset_changes_no_score(covariance_type, dtype, offset, atol, blobs):
    # A density moves with its rows. Second moments around 0 would lose twice the digits that the offset takes.
    near = (blobs.astype(dtype) + np.dtype(dtype).type(offset)) - np.dtype(dtype).type(offset)
    density = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    expected = clone(density).fit(near.astype("f8"))
    moved = clone(density).fit(near + np.dtype(dtype).type(offset))
    scores = moved.score_samples(near + np.dtype(dtype).type(offset))
    np.testing.assert_allclose(scores, expected.score_samples(near.astype("f8")), atol=atol)
    left_out = moved.leave_one_out_score_samples()
    np.testing.assert_allclose(left_out, expected.leave_one_out_score_samples(), atol=10 * atol)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_squares_give_moments_and_distances_of_components(scale, offset):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) * scale + offset
    mass = rng.dirichlet(np.ones(4), size=200)
    squares = Squares(X)
    means, covariances = squares.moments(mass, mass.sum(axis=0))
    for k in range(4):
        # the textbook's weighted mean and covariance, one component at a time
        np.testing.assert_allclose(means[k], np.average(X, axis=0, weights=mass[:, k]), rtol=1e-12)
        expected = np.cov(X.T, aweights=mass[:, k], ddof=0)
        np.testing.assert_allclose(covariances[k], expected, rtol=1e-9, atol=1e-12 * scale**2)
    factors = precision_cholesky(covariances, "full")
    assert squares.resolve(factors)
    distances = squares.distances(means, factors)
    for k in range(4):
        # the squared Mahalanobis distance, from differences
        gap = X - means[k]
        expected = np.einsum("ij,ij->i", gap @ np.linalg.inv(covariances[k]), gap)
        np.testing.assert_allclose(distances[:, k], expected, rtol=1e-8, atol=1e-9)


def test_squares_say_where_they_would_lose_digits():
    rng = np.random.default_rng(0)
    X = np.concatenate([np.zeros((50, 2)), np.full((50, 2), 1e3)])
    X += rng.normal(size=X.shape) * 1e-4
    narrow = np.tile(1e4 * np.eye(2), (2, 1, 1))
    # two clusters ten million of their own widths apart
    assert not Squares(X).resolve(narrow)
    # and the fit is right all the same
    mixture = GaussianMixture(2, random_state=0, reg_covar=1e-14).fit(X)
    np.testing.assert_allclose(np.sqrt(mixture.covariances_[:, 0, 0]), 1e-4, rtol=0.3)
