"""What MemorizationScorer takes and refuses, and what it says then."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.density import KernelDensity

X, y = load_iris(return_X_y=True)
X, y = X[::5], y[::5]
kde = KernelDensity(bandwidth=0.5)


def spoilt(value):
    bad = X.copy()
    bad[3, 1] = value
    return bad


def fit(data, estimator=kde, y=None, groups=None, **params):
    params = {"cv": 3, "n_repeats": 2, "random_state": 0} | params
    return MemorizationScorer(estimator, **params).fit(data, y, groups=groups)


WAYS = {
    "leave-one-out": {},
    "closed form": {"method": "cross-fit"},
    "refit": {"estimator": make_pipeline(kde)},
    "leave-one-out by refits": {"estimator": make_pipeline(kde), "method": "leave-one-out"},
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)

BAD_ROWS = {
    "nan": (spoilt(np.nan), "X contains NaN"),
    "infinity": (spoilt(np.inf), "X contains infinity"),
    "empty": (X[:0], "0 sample|X must have at least 2 rows .* got n_samples=0"),
    "one row": (X[:1], "at least 2 (training )?rows .* got (n_samples=)?1"),
    "no columns": (X[:, :0], "0 feature"),
    "one-dimensional": (X[:, 0], "Expected 2D array"),
    "three-dimensional": (X[None].repeat(9, axis=0), "dim 3|2D array"),
    "sparse": (sparse.csr_array(X), "Sparse data was passed for X"),
    "strings": (np.full(X.shape, "a", dtype=object), "could not convert string to float"),
    "complex": (X + 1j, "Complex data not supported"),
}


@each_way
@pytest.mark.parametrize(("bad", "words"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_refused_in_words(way, bad, words):
    # whichever way the scores are made
    with pytest.raises((ValueError, TypeError), match=words):
        fit(bad, **way)


@each_way
@pytest.mark.parametrize(
    "data",
    [
        X.astype(np.float32),
        (10 * X).astype(int),
        X.tolist(),
        X.astype(object),
        np.asfortranarray(X),
        pd.DataFrame(X),
        pd.DataFrame(X.astype(np.float32), columns=list("abcd")),
    ],
    ids=["float32", "integers", "lists", "objects", "fortran", "frame", "named frame"],
)
def test_any_table_of_numbers_gives_the_scores_of_its_array(way, data):
    scorer = fit(data, **way)
    assert scorer.memorization_.dtype == np.float64
    assert scorer.n_features_in_ == 4
    expected = fit(np.array(data, dtype=np.float64), **way)
    # single precision is worth a thousandth of a nat
    np.testing.assert_allclose(scorer.memorization_, expected.memorization_, atol=1e-3)


@each_way
def test_equal_rows_are_not_memorized(way):
    scorer = fit(np.ones((20, 2)), **way)
    # any other row is as good as the row
    np.testing.assert_allclose(scorer.memorization_, 0, atol=1e-12)
    assert np.all(np.isnan(scorer.p_values_) | (scorer.p_values_ > 0.05))


def test_equal_rows_have_no_bandwidth_to_find():
    with pytest.raises(
        ValueError, match=r"bandwidth='loo' needs rows that differ.* pass a number"
    ):
        fit(np.ones((20, 2)), None)


@each_way
def test_a_constant_column_changes_nothing(way):
    constant = np.c_[X, np.full(len(X), 3.0)]
    # its kernel is the same at every row, so it cancels
    np.testing.assert_allclose(
        fit(constant, **way).memorization_, fit(X, **way).memorization_, atol=1e-9
    )


@each_way
def test_two_rows_are_enough(way):
    way = way if "method" in way and way["method"] == "leave-one-out" else {"cv": 2} | way
    scores = fit(X[[0, 40 % len(X)]], **way).memorization_
    # the smallest data from which a row can be left out: each is all there is of itself
    assert np.all(scores > 0)


@each_way
def test_a_compact_kernel_makes_infinite_scores_never_nan(way):
    tophat = KernelDensity(kernel="tophat", bandwidth=0.5)
    way = dict(way, estimator=make_pipeline(tophat) if "estimator" in way else tophat)
    scorer = fit(X, **way)
    isolated = np.linalg.norm(X[:, None] - X, axis=2)
    isolated = (isolated < 0.5).sum(axis=1) == 1
    # without itself such a row is impossible
    assert isolated.any()
    assert np.all(scorer.memorization_[isolated] == np.inf)
    assert not np.isnan(scorer.memorization_).any()
    assert np.all(scorer.log_density_in_ > -np.inf)


def test_a_pipeline_may_impute():
    gappy = spoilt(np.nan)
    scorer = fit(gappy, make_pipeline(SimpleImputer(), kde))
    # whether rows are fit to use is the estimator's matter
    assert np.isfinite(scorer.memorization_).all()
    np.testing.assert_array_equal(scorer.score_samples(gappy).shape, (30,))


def test_sparse_rows_reach_a_classifier_that_takes_them():
    dense, thin = (fit(data, MultinomialNB(), y) for data in (X, sparse.csr_array(X)))
    np.testing.assert_allclose(dense.memorization_, thin.memorization_, atol=1e-12)


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="X has 3 features, but KernelDensity is expecting 4"):
        fit(X).score_samples(X[:, :3])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"estimator": KernelDensity},
            TypeError,
            "estimator must be an instance, got the class Kern",
        ),
        ({"estimator": "kde"}, ValueError, "'estimator' .* Got 'kde'"),
        (
            {"estimator": StandardScaler(), "y": y},
            TypeError,
            "estimator must have a method score",
        ),
        ({"estimator": LogisticRegression()}, TypeError, "y must be given .* got None"),
        (
            {"response": "predict_proba", "y": y},
            TypeError,
            "predict_proba of a classifier, got KernelDensity",
        ),
        ({"estimator": KernelDensity(bandwidth=-1.0)}, ValueError, "'bandwidth' .* Got -1.0"),
        ({"method": "loo"}, ValueError, "'method' .* Got 'loo'"),
        ({"reduction": "median"}, ValueError, "'reduction' .* Got 'median'"),
        ({"response": "guess"}, ValueError, "'response' .* Got 'guess'"),
        ({"n_repeats": 0}, ValueError, "'n_repeats' .* Got 0"),
        ({"n_repeats": 1.5}, ValueError, "'n_repeats' .* Got 1.5"),
        ({"n_jobs": 1.5}, ValueError, "'n_jobs' .* Got 1.5"),
        ({"tol": -0.1}, ValueError, "'tol' .* Got -0.1"),
        ({"tol": np.nan}, ValueError, "'tol' .* Got nan"),
        ({"refit": "yes"}, ValueError, "'refit' .* Got 'yes'"),
        ({"progress": "yes"}, ValueError, "'progress' .* Got 'yes'"),
        ({"memory": 3}, ValueError, "'memory' .* Got 3"),
        ({"random_state": "a"}, ValueError, "'random_state' .* Got 'a'"),
        ({"cv": 3.0}, ValueError, "'cv' .* Got 3.0"),
        ({"cv": "k-fold"}, ValueError, "cv"),
        ({"cv": 1}, ValueError, "cv must be from 2 to .* 30, got 1"),
        ({"cv": 31}, ValueError, "cv must be from 2 to the number of rows of X, 30, got 31"),
        ({"cv": None, "n_repeats": 1}, ValueError, "cv must be .* got None"),
        (
            {"cv": TimeSeriesSplit(3), "n_repeats": 1},
            ValueError,
            "training rows of at least one fit",
        ),
        (
            {"cv": [(np.arange(20), [])], "n_repeats": 1},
            ValueError,
            "among the training rows of at least one fit",
        ),
        ({"cv": GroupKFold(3), "n_repeats": 1}, ValueError, "groups must be given for cv=Group"),
        (
            {"groups": np.arange(30) // 5, "cv": 7},
            ValueError,
            "most .* number of groups, 6, got 7",
        ),
        ({"groups": np.zeros(30)}, ValueError, "groups must leave a row outside every group"),
        ({"groups": np.arange(29)}, ValueError, "groups must have one entry .* 30 .* got 29"),
        (
            {"groups": np.arange(29), "cv": GroupKFold(3), "n_repeats": 1},
            ValueError,
            "groups must have one entry for each of the 30 rows of X, got 29",
        ),
        ({"y": y[1:]}, ValueError, "y must have one entry for each of the 30 rows of X, got 29"),
        ({"cv": KFold(3), "n_repeats": 4}, ValueError, "n_repeats must be 1 unless cv is an int"),
    ],
)
def test_bad_arguments_are_named(params, error, message):
    with pytest.raises(error, match=message):
        fit(X, **({"method": "cross-fit"} | params))


def test_bad_arguments_are_named_before_the_long_fit_on_all_rows():
    class Slow(KernelDensity):
        def fit(self, X, y=None, sample_weight=None):
            raise AssertionError("fitted")

    # a mistake is told at once, not after the training
    with pytest.raises(ValueError, match="cv must be from 2"):
        fit(X, Slow(), method="cross-fit", cv=31)
    with pytest.raises(ValueError, match="among the training rows of at least one fit"):
        fit(X, make_pipeline(Slow()), cv=TimeSeriesSplit(3), n_repeats=1)


@pytest.mark.parametrize("groups", [None, np.arange(len(X))], ids=["rows", "groups"])
def test_a_closed_form_of_another_length_is_named(groups):
    class Short(KernelDensity):
        def leave_one_out_score_samples(self):
            return super().leave_one_out_score_samples()[1:]

        def leave_one_group_out_score_samples(self, groups):
            return super().leave_one_group_out_score_samples(groups)[1:]

    # the author of a density is told which method of it went wrong, and what was due
    words = r"leave_one_(group_)?out_score_samples of Short must return an array of shape \(30,\), got \(2[89],\)"
    with pytest.raises(ValueError, match=words):
        fit(X, Short(bandwidth=0.5), groups=groups)
