"""Laws that every estimator keeps, scikit-learn's and our own."""

import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter

from tests import estimators as est
from tests.estimators import promise, refit_scores, two_clusters

every_density = est.parametrized(est.DENSITIES)

X_TRAIN = two_clusters()
X_NEW = two_clusters(10, seed=1)


def those_with(capability):
    """Parametrise over the densities that have a method, or take a parameter in `fit`."""
    found = {
        name: density
        for name, density in est.DENSITIES.items()
        if hasattr(density, capability) or has_fit_parameter(density, capability)
    }
    return est.parametrized(found)


@parametrize_with_checks(est.ESTIMATORS, expected_failed_checks=est.expected_failed_checks)
def test_scikit_learn_conventions(estimator, check):
    # expected failures are strict and have a reason each
    check(estimator)


@every_density
def test_scores_are_one_float_a_row(density):
    scores = clone(density).fit(X_TRAIN).score_samples(X_NEW)
    # nats are added and subtracted: double precision whatever the input
    assert scores.shape == (len(X_NEW),)
    assert scores.dtype == np.float64


@every_density
def test_scores_do_not_depend_on_the_company_of_a_row(density):
    fitted = clone(density).fit(X_TRAIN)
    together = fitted.score_samples(X_NEW)
    order = np.random.default_rng(0).permutation(len(X_NEW))
    # a density is a function of a point: neither its position nor the rest of the batch matters
    assert_allclose(fitted.score_samples(X_NEW[order]), together[order], rtol=1e-10)
    alone = np.concatenate([fitted.score_samples(row[None]) for row in X_NEW])
    assert_allclose(alone, together, rtol=1e-10)


@every_density
def test_score_is_the_mean_or_the_documented_total(density):
    fitted = clone(density).fit(X_TRAIN)
    reduce = np.sum if type(density).__name__ in est.TOTAL_SCORE else np.mean
    # the score of each row is the primitive
    assert_allclose(fitted.score(X_NEW), reduce(fitted.score_samples(X_NEW)))


@every_density
def test_fit_leaves_its_arguments_alone(density):
    X, kwargs = X_TRAIN.copy(), {}
    if has_fit_parameter(density, "sample_weight"):
        kwargs["sample_weight"] = np.ones(len(X))
    for array in (X, *kwargs.values()):
        array.flags.writeable = False
    # read-only memory, as joblib maps it into workers, is enough
    clone(density).fit(X, **kwargs).score_samples(X)
    assert_array_equal(X, X_TRAIN)


def state(obj):
    """Identity and content of every attribute of `obj`, nested ones included.

    Not the inside of compiled objects: scikit-learn's trees count how often they were called.
    """
    if isinstance(obj, np.ndarray | np.generic | str | int | float | list | tuple):
        return joblib.hash(obj)
    if hasattr(obj, "detach"):  # tensors
        return joblib.hash(obj.detach().numpy())
    if isinstance(obj, dict):
        return [(joblib.hash(key), id(value), state(value)) for key, value in obj.items()]
    return {
        name: (id(value), state(value)) for name, value in getattr(obj, "__dict__", {}).items()
    }


@every_density
def test_queries_write_nothing(density):
    fitted = clone(density).fit(X_TRAIN)
    before = state(fitted)
    fitted.score_samples(X_NEW)
    fitted.score(X_NEW)
    if hasattr(fitted, "leave_one_out_score_samples"):
        fitted.leave_one_out_score_samples()
    if hasattr(fitted, "cross_fit_score_samples"):
        fitted.cross_fit_score_samples(X_NEW, np.ones((2, len(X_NEW)), dtype=bool))
    # so that one fitted estimator can be shared by threads
    assert state(fitted) == before


@every_density
def test_copies_score_equally(density):
    fitted = clone(density).fit(X_TRAIN)
    scores = fitted.score_samples(X_NEW)
    # everything a fit learnt travels with it
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).score_samples(X_NEW), scores)
    # and everything it was told is in its parameters; with a fixed seed nothing else plays a part
    assert_array_equal(refit_scores(fitted, X_TRAIN, X_NEW), scores)


@every_density
def test_a_fit_forgets_the_one_before(density):
    siblings = [d for d in est.DENSITIES.values() if type(d) is type(density)]
    worn = clone(density).fit(X_NEW).set_params(**clone(siblings[-1]).get_params())
    worn.fit(X_TRAIN)
    # new parameters and new rows: as if freshly made
    assert_array_equal(worn.score_samples(X_NEW), refit_scores(siblings[-1], X_TRAIN, X_NEW))


@every_density
def test_single_precision_costs_less_than_a_thousandth_nat(density):
    X_train, X = X_TRAIN.astype(np.float32), X_NEW.astype(np.float32)
    exact = refit_scores(density, X_train.astype(np.float64), X.astype(np.float64))
    # both see the same numbers, so only the arithmetic differs
    assert_allclose(refit_scores(density, X_train, X), exact, rtol=0, atol=1e-3)


@every_density
def test_translation_changes_nothing(density):
    by = np.array([100.0, -3.0, 20.0])
    moved = refit_scores(density, X_TRAIN + by, X_NEW + by)
    # a density knows distances, not where the origin is
    assert_allclose(moved, refit_scores(density, X_TRAIN, X_NEW), rtol=0, atol=1e-6)


@every_density
def test_a_change_of_unit_costs_the_log_of_its_volume(density):
    has_a_length = promise(est.HAS_A_LENGTH, density, lambda params: False)
    if has_a_length(density.get_params()):
        pytest.skip("a parameter of this density is a length and would have to change too")
    factor, d = 3.7, X_TRAIN.shape[1]
    scaled = refit_scores(density, factor * X_TRAIN, factor * X_NEW)
    # p(c x) c^d = p(x)
    expected = refit_scores(density, X_TRAIN, X_NEW) - d * np.log(factor)
    assert_allclose(scaled, expected, rtol=0, atol=1e-6)


@every_density
def test_densities_integrate_to_one(density):
    if type(density).__name__ in est.NOT_NORMALISED:
        pytest.skip("not normalised, as its documentation says")
    X = two_clusters(n_features=1)
    grid = np.linspace(-60.0, 70.0, 13001)[:, None]
    total = np.trapezoid(np.exp(refit_scores(density, X, grid)), grid[:, 0])
    # nats of differing normalisation could not be compared
    assert_allclose(total, 1.0, rtol=promise(est.INTEGRAL_TOLERANCE, density, 1e-3))


@those_with("leave_one_out_score_samples")
def test_leave_one_out_is_a_refit_without_the_row(density):
    fitted = clone(density).fit(X_TRAIN)
    kept = promise(est.KEPT_WITHOUT_A_ROW, density, lambda fitted: {})(fitted)
    slow = [
        refit_scores(density, np.delete(X_TRAIN, i, axis=0), X_TRAIN[[i]], **kept)[0]
        for i in range(len(X_TRAIN))
    ]
    # by definition; the table says where an update stands for the refit
    atol = promise(est.LEAVE_ONE_OUT_TOLERANCE, density, est.TOLERANCE)
    assert_allclose(fitted.leave_one_out_score_samples(), slow, rtol=0, atol=atol)


@those_with("cross_fit_score_samples")
@pytest.mark.parametrize("X_eval", [None, X_NEW], ids=["own rows", "other rows"])
def test_cross_fitting_is_one_refit_a_mask(density, X_eval):
    if type(density).__name__ in est.CROSS_FITS_BY_SEEDS:
        pytest.skip("fits have seeds of their own")
    folds = KFold(4, shuffle=True, random_state=0).split(X_TRAIN)
    train_mask = np.ones((4, len(X_TRAIN)), dtype=bool)
    for mask, (_, held_out) in zip(train_mask, folds, strict=True):
        mask[held_out] = False
    points = X_TRAIN if X_eval is None else X_eval
    slow = [refit_scores(density, X_TRAIN[mask], points) for mask in train_mask]
    fast = clone(density).cross_fit_score_samples(X_TRAIN, train_mask, X_eval)
    # by definition, for rows that a fit saw, that it did not see, and new ones
    atol = promise(est.CROSS_FIT_TOLERANCE, density, est.TOLERANCE)
    assert_allclose(fast, slow, rtol=0, atol=atol)


@those_with("sample_weight")
def test_weight_zero_leaves_a_row_out(density):
    weight = np.arange(len(X_TRAIN)) % 3 > 0
    weighted = clone(density).fit(X_TRAIN, sample_weight=weight).score_samples(X_NEW)
    # nothing of the row remains, not even its part in the parameters found
    assert_allclose(weighted, refit_scores(density, X_TRAIN[weight], X_NEW), rtol=0, atol=1e-6)


@those_with("sample_weight")
def test_weights_count_rows(density):
    counts_rows = promise(est.WEIGHTS_COUNT_ROWS, density, lambda params: True)
    if not counts_rows(density.get_params()):
        pytest.skip("this density finds parameters from the weights themselves")
    weight = np.arange(len(X_TRAIN)) % 3
    weighted = clone(density).fit(X_TRAIN, sample_weight=weight).score_samples(X_NEW)
    repeated = refit_scores(density, np.repeat(X_TRAIN, weight, axis=0), X_NEW)
    # weight 2 is the row twice, weight 0 is the row left out
    assert_allclose(weighted, repeated, rtol=0, atol=1e-6)


@those_with("sample")
def test_samples_are_likely_rows(density):
    fitted = clone(density).fit(X_TRAIN)
    drawn = fitted.sample(50)
    # scikit-learn's mixtures give the component of each row as well
    rows = drawn[0] if isinstance(drawn, tuple) else drawn
    assert rows.shape == (50, X_TRAIN.shape[1])
    # a density cannot draw what it calls impossible
    assert np.isfinite(fitted.score_samples(rows)).all()
