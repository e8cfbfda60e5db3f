"""What influence functions refuse, what they say then, and scikit-learn's conventions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge
from sklearn.neighbors import KernelDensity
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmem.density import GaussianMixture
from skmem.influence import InfluenceFunction
from skmem.neural import VAE
from tests.influence.influence_models import IRIS, SPECIES, clusters, tight

X = clusters(60)


class Fits(InfluenceFunction):
    """Fits its estimator first.

    scikit-learn's checks clone what they are given, so that a fit made before is lost, and bring rows of their own.
    """

    def fit(self, X, y=None):
        fitted = clone(self.estimator).fit(X, y)
        done = InfluenceFunction(fitted, solver=self.solver, damping=self.damping).fit(X, y)
        vars(self).update({k: v for k, v in vars(done).items() if k not in self.get_params()})
        return self


@parametrize_with_checks(
    [
        Fits(GaussianMixture(random_state=0)),
        Fits(GaussianMixture(random_state=0), solver="cg", damping=0.1),
        Fits(Ridge(), solver="identity"),
    ]
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_tags_are_those_of_the_estimator():
    required = {
        type(e): InfluenceFunction(e).__sklearn_tags__().target_tags.required
        for e in (Ridge(), LogisticRegression(), GaussianMixture(), VAE())
    }
    # pipelines and searches ask
    assert list(required.values()) == [True, True, False, False]


def spoilt(value):
    bad = X.copy()
    bad[3, 1] = value
    return bad


BAD_ROWS = {
    "nan": (spoilt(np.nan), "X contains NaN"),
    "infinity": (spoilt(np.inf), "X contains infinity"),
    "empty": (X[:0], "0 sample"),
    "one-dimensional": (X[:, 0], "Expected 2D array"),
    "sparse": (sparse.csr_array(X), "Sparse data was passed for X"),
    "strings": (np.full(X.shape, "a", dtype=object), "could not convert string to float"),
}


@pytest.mark.parametrize("solver", ["exact", "cg", "identity"])
@pytest.mark.parametrize(("bad", "words"), BAD_ROWS.values(), ids=list(BAD_ROWS))
def test_bad_rows_are_refused_in_fit_and_in_queries(solver, bad, words):
    function = InfluenceFunction(tight().fit(X), solver=solver)
    for ask in (function.fit, function.fit(X).influence, function.top):
        # never an error from deep inside
        with pytest.raises((ValueError, TypeError), match=words):
            ask(bad)


def test_rows_of_another_width_are_refused():
    function = InfluenceFunction(tight().fit(X))
    with pytest.raises(
        ValueError, match="the 2 features that GaussianMixture was fitted to, got 1"
    ):
        function.fit(X[:, :1])
    with pytest.raises(ValueError, match="X has 1 features, but InfluenceFunction is expecting 2"):
        function.fit(X).influence(X[:, :1])


@pytest.mark.parametrize(
    "unfitted", [GaussianMixture(), Ridge(), LogisticRegression(), FrozenEstimator(Ridge()), VAE()]
)
def test_unfitted_estimators_are_refused(unfitted):
    # it is never fitted here: the influence asked for is that on an existing model
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        InfluenceFunction(unfitted).fit(X, X[:, 0])
    function = InfluenceFunction(tight().fit(X))
    for ask in (lambda: function.influence(X), function.self_influence, lambda: function.top(X)):
        with pytest.raises(NotFittedError, match="InfluenceFunction"):
            ask()


@pytest.mark.parametrize("estimator", [KernelDensity(), KMeans(), LogisticRegressionCV()])
def test_other_estimators_are_refused_with_a_list(estimator):
    # the message names all that are supported
    with pytest.raises(TypeError, match=r"GaussianMixture .*Ridge.*VAE.*NeuralNet, got \w+\("):
        InfluenceFunction(estimator).fit(X)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(class_weight="balanced"), "class_weight"),
        (LogisticRegression(solver="liblinear"), "solver"),
        (LogisticRegression(l1_ratio=0.5, solver="saga", max_iter=10_000), "l1_ratio"),
        (Ridge(positive=True), "positive"),
    ],
)
def test_other_losses_are_refused_by_the_name_of_their_parameter(estimator, name):
    y = (X[:, 0] > 1).astype(int)
    if name == "l1_ratio" and LogisticRegression().get_params()["penalty"] == "l2":
        estimator.set_params(penalty="elasticnet")
        name = "penalty"
    # their optimum has another Hessian, or none
    with pytest.raises(ValueError, match=f"{name} of the {type(estimator).__name__} must be"):
        InfluenceFunction(estimator.fit(X, y)).fit(X, y)


def test_targets_are_checked():
    classifier = LogisticRegression(max_iter=1000).fit(IRIS, SPECIES)
    ridge = Ridge().fit(IRIS[:, :2], IRIS[:, 2:])
    function = InfluenceFunction(classifier)
    with pytest.raises(ValueError, match="y must be given for LogisticRegression"):
        function.fit(IRIS)
    with pytest.raises(
        ValueError, match=r"classes of the LogisticRegression, \[0, 1, 2\]; got .*7"
    ):
        function.fit(IRIS, SPECIES + 7)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        function.fit(IRIS, SPECIES).influence(IRIS, SPECIES[:3])
    with pytest.raises(ValueError, match="y must be given"):
        function.top(IRIS)
    with pytest.raises(ValueError, match=r"the 2 target\(s\) that Ridge was fitted to, got 1"):
        InfluenceFunction(ridge).fit(IRIS[:, :2], IRIS[:, 2])
    with pytest.raises(ValueError, match="y contains NaN"):
        InfluenceFunction(ridge).fit(IRIS[:, :2], np.full((150, 2), np.nan))
    perfect = Ridge(alpha=0).fit(X, X @ [1.0, 2.0])
    # a likelihood needs a variance
    with pytest.raises(ValueError, match="must leave residuals in y"):
        InfluenceFunction(perfect).fit(X, X @ [1.0, 2.0])


@pytest.mark.parametrize("k", [0, -1, 61, 2.0, None])
def test_k_is_a_number_of_training_rows(k):
    with pytest.raises(ValueError, match=r"k must be an int from 1 to n_train=60, got"):
        InfluenceFunction(tight().fit(X)).fit(X).top(X, k)


def test_all_training_rows_can_be_listed():
    function = InfluenceFunction(tight().fit(X)).fit(X)
    indices, values = function.top(X[:3], 60)
    # then it is an order of all of them, which opponents reverse
    assert (np.sort(indices, axis=1) == np.arange(60)).all()
    assert (values == function.top(X[:3], 60, opponents=True)[1][:, ::-1]).all()


@pytest.mark.parametrize("params", [{"damping": -1.0}, {"damping": "much"}, {"solver": "lissa"}])
def test_parameters_are_checked(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        InfluenceFunction(tight().fit(X), **params).fit(X)


def collinear():
    """A ridge without penalty on columns of which one repeats another."""
    rows = np.column_stack([X, X[:, 0]])
    y = X[:, 1] + np.random.default_rng(1).normal(size=60)
    return Ridge(alpha=0.0, solver="lsqr", tol=1e-12).fit(rows, y), rows, y


def test_a_singular_hessian_is_damped_or_refused():
    ridge, rows, y = collinear()
    automatic = InfluenceFunction(ridge).fit(rows, y)
    # a thousandth of the mean eigenvalue, of columns with variance 1 and the intercept
    variance = np.mean((y - ridge.predict(rows)) ** 2)
    assert automatic.damping_ == pytest.approx(1e-3 / variance)
    with pytest.raises(ValueError, match=r"singular with damping=0: .* Set damping > 0"):
        InfluenceFunction(ridge, damping=0.0).fit(rows, y)
    single = Ridge(alpha=0.0).fit(rows[:, :2], y)
    expected = InfluenceFunction(single).fit(rows[:, :2], y).influence(rows[:, :2], y)
    slight = InfluenceFunction(ridge, damping=1e-6).fit(rows, y).influence(rows, y)
    # no gradient has a part in the direction that the copy adds: the influence is that without the copy
    assert_allclose(slight, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_a_saddle_is_told_from_a_maximum():
    middle = X.mean(axis=0)
    start = {
        "means_init": middle + np.array([[-0.01, 0.01], [0.01, -0.01]]),
        "weights_init": [0.5, 0.5],
    }
    with pytest.warns(ConvergenceWarning):
        early = tight(max_iter=2, precisions_init=[np.linalg.inv(np.cov(X.T))] * 2, **start).fit(X)
    # two equal components are a stationary point of EM, but the likelihood rises when they part
    for solver in ("exact", "cg"):
        with pytest.raises(
            ValueError, match=r"eigenvalue of at most -.* set damping > .*solver='ekfac' for a net"
        ):
            InfluenceFunction(early, solver=solver).fit(X)
    with pytest.raises(ValueError, match="not at a minimum of its loss on X_train"):
        InfluenceFunction(early, damping=1e-3).fit(X)


def test_conjugate_gradients_that_do_not_converge_are_an_error():
    function = InfluenceFunction(tight("full").fit(IRIS), solver="cg", tol=1e-12, max_iter=2)
    # the residual that was reached, and what to change
    with pytest.raises(ValueError, match=r"in max_iter=2 iterations: relative residual .* > tol"):
        function.fit(IRIS)


def test_other_rows_than_those_of_the_fit_are_noticed():
    with pytest.warns(ConvergenceWarning, match="X_train must be the rows that it was fitted to"):
        function = InfluenceFunction(tight().fit(X)).fit(clusters(60, seed=5) + 0.5)
    # on average the log-likelihood of other rows of the same distribution is one nat for each parameter lower
    assert function.optimality_gap_ > 1


def test_too_many_parameters_for_a_dense_matrix_are_refused():
    wide = np.random.default_rng(0).normal(size=(120, 100))
    fitted = GaussianMixture(1).fit(wide)
    # 100 means and 100 * 101 / 2 covariances
    with pytest.raises(ValueError, match=r"at most 5000 parameters, got 5150.*solver='cg'"):
        InfluenceFunction(fitted).fit(wide)
    assert InfluenceFunction(fitted, solver="cg").fit(wide).n_parameters_ == 5150


def test_a_failed_fit_leaves_the_one_before():
    function = InfluenceFunction(tight().fit(X)).fit(X)
    before = function.influence(X)
    with pytest.raises(ValueError, match="NaN"):
        function.fit(spoilt(np.nan))
    assert (function.influence(X) == before).all()


def test_mixtures_and_linear_models_have_no_layers():
    with pytest.raises(ValueError, match="solver='ekfac' is for the layers of nets"):
        InfluenceFunction(tight().fit(X), solver="ekfac").fit(X)


@pytest.mark.parametrize("n", [1, 2])
def test_few_rows(n):
    fitted = GaussianMixture(1, reg_covar=0.1).fit(X[:2])
    rows = X[:2][:n]
    influence = InfluenceFunction(fitted).fit(rows).influence(X)
    # a number for each, however little it says
    assert influence.shape == (n, 60)
    assert np.isfinite(influence).all()
