"""Leave-one-out influence: closed forms against refits, and refits of everything else."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context, mixture, neighbors
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from skmem.influence import explain_samples, leave_one_out_influence
from tests.oracles import kde_score_samples, leave_one_out_influence_by_refits

rng = np.random.default_rng(0)
X_TRAIN = rng.normal(size=(24, 3))
X_TRAIN[7] = X_TRAIN[2]  # copies
X_NEW = np.vstack([rng.normal(size=(7, 3)), X_TRAIN[:4], [[9.0, 0.0, 0.0]]])
WEIGHT = rng.uniform(0.1, 3.0, 24)
WEIGHT[3] = 0.0
KERNELS = ["gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"]
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])


@weighted
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_densities_equal_refits(kernel, metric, weight):
    density = KernelDensity(bandwidth=1.3, kernel=kernel, metric=metric)
    fast = leave_one_out_influence(density, X_TRAIN, X_NEW, sample_weight=weight)
    # by definition; also inf and 0 outside the supports of compact kernels
    slow = leave_one_out_influence_by_refits(density, X_TRAIN, X_NEW, weight)
    assert_allclose(fast, slow, rtol=0, atol=1e-10)


@pytest.mark.parametrize("digits", [9, 0], ids=["few copies", "many copies"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_neighbor_densities_equal_refits(k, metric, digits):
    X, density = np.round(X_TRAIN, digits), KNeighborsDensity(k, metric=metric)
    points = np.vstack([X_NEW, X[:9]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* are at distance 0")
        fast = leave_one_out_influence(density, X, points)
        slow = leave_one_out_influence_by_refits(density, X, points)
    # by definition; among copies k is raised with the row and without it
    assert_allclose(fast, slow, rtol=0, atol=1e-10)


@pytest.mark.parametrize("as_graph", [False, True])
def test_precomputed_distances_give_the_same(as_graph):
    X = X_TRAIN[8:]
    by_rows = leave_one_out_influence(KNeighborsDensity(3), X, X_NEW)
    distances = neighbors.NearestNeighbors(n_neighbors=len(X)).fit(X)
    square, points = (distances.kneighbors_graph(a, mode="distance") for a in (X, X_NEW))
    if not as_graph:
        square, points = square.toarray(), points.toarray()
    density = KNeighborsDensity(3, metric="precomputed", n_dims=3).fit(square)
    # the rows enter through their distances alone
    assert_allclose(density.leave_one_out_influence(points), by_rows, rtol=0, atol=1e-10)


@weighted
@pytest.mark.parametrize("reg_covar", [0, 1e-6, 0.3])
@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_one_gaussian_equals_refits(kind, reg_covar, weight):
    density = GaussianMixture(covariance_type=kind, reg_covar=reg_covar)
    fast = leave_one_out_influence(density, X_TRAIN, X_NEW, sample_weight=weight)
    # by definition, at all points, however far
    slow = leave_one_out_influence_by_refits(density, X_TRAIN, X_NEW, weight)
    assert_allclose(fast, slow, rtol=0, atol=1e-10)


DENSITIES = {
    "kernels": KernelDensity(bandwidth=0.8),
    "found bandwidth": KernelDensity(bandwidth="loo"),
    "neighbours": KNeighborsDensity(3),
    "one Gaussian": GaussianMixture(),
}


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_self_influence_is_memorization(density):
    scorer = MemorizationScorer(density, random_state=0).fit(X_TRAIN)
    influence = leave_one_out_influence(density, X_TRAIN, X_TRAIN)
    # both compare the fit with the row and the one without it
    assert_allclose(np.diag(influence), scorer.memorization_, rtol=0, atol=1e-9)
    # the scorer hands on the same closed form
    assert_allclose(scorer.influence(), influence, rtol=0, atol=1e-9)
    assert_allclose(
        scorer.influence(X_NEW), leave_one_out_influence(density, X_TRAIN, X_NEW), atol=1e-9
    )


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_blocks_and_single_precision_change_next_to_nothing(density):
    whole = leave_one_out_influence(density, X_TRAIN, X_NEW)
    with config_context(working_memory=1e-3):
        # a block of one point or a few
        assert_allclose(leave_one_out_influence(density, X_TRAIN, X_NEW), whole, atol=1e-12)
    single = [X.astype(np.float32) for X in (X_TRAIN, X_NEW)]
    influence = leave_one_out_influence(density, *single)
    # results are nats in double precision whatever the input
    assert influence.dtype == np.float64
    double = leave_one_out_influence(density, *(X.astype(np.float64) for X in single))
    assert_allclose(influence, double, rtol=1e-3, atol=1e-3)


def test_rows_of_weight_zero_have_no_influence():
    for density in (KernelDensity(), GaussianMixture()):
        influence = leave_one_out_influence(density, X_TRAIN, X_NEW, sample_weight=WEIGHT)
        # they were not there to begin with
        assert_allclose(influence[3], 0.0, atol=1e-12)


def test_a_row_that_makes_up_nearly_all_keeps_its_digits():
    X = np.array([[0.0], [20.0], [21.0]])
    influence = KernelDensity().fit(X).leave_one_out_influence([[0.0]])
    without = kde_score_samples(X[1:], np.zeros((1, 1)), 1.0)[0]
    with_it = kde_score_samples(X, np.zeros((1, 1)), 1.0)[0]
    # 1 - t is zero to rounding; the 200 nats are there all the same
    assert_allclose(influence[0, 0], with_it - without, rtol=1e-12)
    heavy = KernelDensity().fit(X, sample_weight=[1.0, 1e-20, 1e-20])
    # nor does a row of nearly all the weight take the others' with it
    assert_allclose(heavy.leave_one_out_influence([[20.5]])[1, 0], np.log(2), rtol=1e-6)
    assert_allclose(heavy.leave_one_out_influence([[20.5]])[0, 0], np.log(2e-20), rtol=1e-9)


def test_outside_all_supports_no_row_matters():
    density = KernelDensity(bandwidth=1.0, kernel="tophat")
    influence = leave_one_out_influence(density, np.array([[0.0], [5.0], [5.5]]), [[0.1], [9.0]])
    # the one row near the first point makes its density; nothing makes that of the second
    assert_array_equal(influence[0], [np.inf, 0.0])
    # leaving out another row raises the first one's
    assert_allclose(influence[1:, 0], np.log(2 / 3))


class Refitted(BaseEstimator):
    """A Gaussian without a closed form of influence, which counts how it was called."""

    def fit(self, X, y=None):
        self.model_ = GaussianMixture().fit(X)
        return self

    def score_samples(self, X):
        return self.model_.score_samples(X)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_anything_else_is_refitted(n_jobs):
    influence = leave_one_out_influence(Refitted(), X_TRAIN, X_NEW, n_jobs=n_jobs)
    # the slow way gives what the closed form does
    assert_allclose(
        influence, leave_one_out_influence(GaussianMixture(), X_TRAIN, X_NEW), atol=1e-9
    )
    with config_context(working_memory=1e-3):
        # a few rows at a time, to the last bit
        assert_array_equal(leave_one_out_influence(Refitted(), X_TRAIN, X_NEW), influence)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), KernelDensity()),
        GaussianMixture(2, random_state=0),
        mixture.GaussianMixture(2),
        neighbors.KernelDensity(leaf_size=1000),
    ],
    ids=["pipeline", "two components", "scikit-learn's mixture", "scikit-learn's kernels"],
)
def test_estimators_of_any_kind(estimator):
    influence = leave_one_out_influence(estimator, X_TRAIN, X_NEW, random_state=3)
    # shape and sign: a training row among the points is its own proponent
    assert influence.shape == (24, len(X_NEW))
    assert (influence[np.arange(4), np.arange(7, 11)] > 0).mean() > 0.7
    again = leave_one_out_influence(estimator, X_TRAIN, X_NEW, random_state=3)
    # one seed for all fits
    assert_array_equal(again, influence)


def test_sample_weights_reach_refits():
    weighted = leave_one_out_influence(
        GaussianMixture(2, random_state=0),
        X_TRAIN,
        X_NEW,
        sample_weight=WEIGHT,
        random_state=0,
    )
    # a row of weight zero is not missed
    assert_allclose(weighted[3], 0.0, atol=1e-12)
    assert np.abs(weighted[2]).max() > 1e-3


def test_classifiers_by_the_probability_of_the_label():
    X, y = load_iris(return_X_y=True)
    X, y = X[::6], y[::6]
    classifier = LogisticRegression()
    influence = leave_one_out_influence(classifier, X, X[:5] + 0.1, y_train=y, y=y[:5])
    slow = []
    for i in range(len(X)):
        rest = np.arange(len(X)) != i
        with_it, without = (
            classifier.fit(*a).predict_proba(X[:5] + 0.1) for a in ((X, y), (X[rest], y[rest]))
        )
        slow.append((with_it - without)[np.arange(5), y[:5]])
    # probability of the true label with the row minus without it
    assert_allclose(influence, slow, atol=1e-8)


def test_estimators_are_left_as_they_are():
    fitted = KernelDensity(bandwidth="loo").fit(X_TRAIN[:10])
    before = fitted.bandwidth_
    influence = leave_one_out_influence(fitted, X_TRAIN, X_NEW)
    # fitted or not, a clone is fitted to X_train
    assert fitted.bandwidth_ == before
    assert_array_equal(
        influence, leave_one_out_influence(KernelDensity(bandwidth="loo"), X_TRAIN, X_NEW)
    )


WAYS = [KernelDensity(), KNeighborsDensity(3), GaussianMixture(), Refitted()]
BAD = {
    "other width": (X_NEW[:, :2], "features"),
    "nan": (np.full((2, 3), np.nan), "NaN"),
    "infinity": (np.full((2, 3), np.inf), "infinity"),
    "sparse": (sparse.csr_array(X_NEW), "[Ss]parse"),
    "one-dimensional": (X_NEW[0], "2D array|2-d"),
    "empty": (X_NEW[:0], "0 sample"),
}


@pytest.mark.parametrize("estimator", WAYS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(("X", "words"), BAD.values(), ids=BAD)
def test_bad_points_are_refused_in_words(estimator, X, words):
    # whichever way it is computed
    with pytest.raises((ValueError, TypeError), match=words):
        leave_one_out_influence(estimator, X_TRAIN, X)


@pytest.mark.parametrize(
    ("density", "X", "words"),
    [
        (KernelDensity(), X_TRAIN[:1], "X_train must have at least 2 rows"),
        (KNeighborsDensity(5), X_TRAIN[:6], "n_neighbors must be smaller"),
        (GaussianMixture(), X_TRAIN[:2], "at least 3 rows of positive weight"),
        (KernelDensity(), sparse.csr_array(X_TRAIN), "[Ss]parse"),
        (KNeighborsDensity(1), np.array([[0.0], [0.0], [1.0]]), "neighbour"),
    ],
)
def test_too_few_training_rows_are_refused(density, X, words):
    points = np.zeros((1, X.shape[1]))
    # what is left must still be a density
    with warnings.catch_warnings(), pytest.raises((ValueError, TypeError), match=words):
        warnings.filterwarnings("ignore", message=".* are at distance 0")
        leave_one_out_influence(density, X, points)


def test_estimators_without_scores_are_refused():
    # before anything is fitted
    with pytest.raises(TypeError, match="score_samples, or the method predict_proba"):
        leave_one_out_influence(StandardScaler(), X_TRAIN, X_NEW)
    # labels of points cannot be guessed
    with pytest.raises(TypeError, match="y must be given"):
        leave_one_out_influence(LogisticRegression(), X_TRAIN, X_NEW, y_train=np.arange(24) % 2)


class Careless(KernelDensity):
    def leave_one_out_influence(self, X):
        return np.zeros((1, 1)) if self.leaf_size == 1 else np.full((24, len(X)), np.nan)


@pytest.mark.parametrize(("leaf_size", "words"), [(1, "must have shape"), (2, "must not be nan")])
def test_what_an_estimator_offers_is_checked(leaf_size, words):
    # the error names the class that is to blame
    with pytest.raises(ValueError, match=f"Influence of Careless {words}"):
        leave_one_out_influence(Careless(leaf_size=leaf_size), X_TRAIN, X_NEW)


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_memory_beside_the_result_is_bounded(density):
    X = rng.normal(size=(3000, 4))
    held = {"bandwidth": 0.5} if isinstance(density, KernelDensity) else {}
    fitted = clone(density).set_params(**held).fit(X)
    fitted.leave_one_out_influence(X[:9])  # what is imported on the way is no memory of ours
    with config_context(working_memory=2):
        tracemalloc.start()
        influence = fitted.leave_one_out_influence(X[:1000])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        explain_samples(fitted, X, X[:1000])
        explained = tracemalloc.get_traced_memory()[1] - influence.nbytes
        tracemalloc.stop()
    # blocks of it, not another matrix
    assert peak - influence.nbytes < 6e6 < influence.nbytes / 3
    # explanations of as many points never hold it
    assert explained < 6e6


def test_rows_of_other_kinds_give_the_same():
    whole = np.round(3 * X_TRAIN)
    influence = leave_one_out_influence(KernelDensity(), whole, whole[:5])
    frame = pd.DataFrame(whole, columns=list("abc"))
    # numbers are numbers
    for train in (whole.astype(int), whole.astype(object), frame, whole.tolist()):
        points = train.iloc[:5] if train is frame else train[:5]
        found = leave_one_out_influence(KernelDensity(), train, points)
        assert_allclose(found, influence, atol=1e-12)
    by_refits = leave_one_out_influence(make_pipeline(KernelDensity()), frame, frame[:5])
    assert_allclose(by_refits, influence, atol=1e-9)


def test_equal_rows_and_constant_columns():
    same = np.zeros((5, 2))
    # each of five copies is a fifth, and without it each of the other four a quarter
    assert_allclose(leave_one_out_influence(KernelDensity(), same, same[:1]), 0.0, atol=1e-12)
    flat = np.column_stack([X_TRAIN, np.ones(24)])
    points = np.column_stack([X_NEW, np.ones(len(X_NEW))])
    # a column that tells rows apart nowhere changes nothing
    assert_allclose(
        leave_one_out_influence(KernelDensity(), flat, points),
        leave_one_out_influence(KernelDensity(), X_TRAIN, X_NEW),
        atol=1e-9,
    )


def test_sparse_rows_reach_estimators_that_take_them():
    X, y = load_iris(return_X_y=True)
    X, y = X[40:60], y[40:60]
    dense = leave_one_out_influence(LogisticRegression(), X, X, y_train=y)
    found = leave_one_out_influence(
        LogisticRegression(), sparse.csr_array(X), sparse.csr_array(X), y_train=y, y=y
    )
    # refits see rows as they are; labels of the training rows are theirs as points too
    assert_allclose(found, dense, atol=1e-3)


def test_memory_resumes(tmp_path):
    params = {"random_state": 0, "memory": str(tmp_path)}
    first = leave_one_out_influence(Refitted(), X_TRAIN, X_NEW, **params)
    n_files = len(list(tmp_path.rglob("output.pkl")))
    # one fit to all rows and one without each
    assert n_files == 25
    assert_array_equal(leave_one_out_influence(Refitted(), X_TRAIN, X_NEW, **params), first)
    assert len(list(tmp_path.rglob("output.pkl"))) == n_files
    leave_one_out_influence(Refitted(), X_TRAIN, X_NEW[:2], **params)
    # other points are other scores
    assert len(list(tmp_path.rglob("output.pkl"))) == 2 * n_files
    with pytest.warns(UserWarning, match="memory needs a fixed random_state"):
        leave_one_out_influence(Refitted(), X_TRAIN, X_NEW, memory=str(tmp_path))
