"""Laws of cross_fit: the data it takes and the arguments it refuses."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import LeaveOneOut
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem.cross_fitting import SubsetSplit, cross_fit
from tests.oracles import cross_fit_by_loop

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]
X_eval = X[:7] + 0.1
kde = KernelDensity(leaf_size=10**6)
scaled_kde = make_pipeline(StandardScaler(), kde)


class Answer(BaseEstimator):
    """Scores rows by the answer it is given, or raises it."""

    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, X):
        return self

    def score_samples(self, X):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class ClosedAnswer(Answer):
    """Scores the rows of all fits by the answer."""

    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        return self.answer


# Data


def _strings(a):
    return pd.DataFrame(a, columns=list("abcd"), index=[f"row {i}" for i in range(len(a))])


@pytest.mark.parametrize(
    "convert",
    [
        _strings,
        lambda a: pl.DataFrame(a, schema=list("abcd")),
        lambda a: a.tolist(),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a.astype(object),
    ],
    ids=["pandas", "polars", "lists", "fortran", "strided", "object"],
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_any_table_gives_the_scores_of_its_array(convert, n_jobs):
    expected = cross_fit(scaled_kde, X, cv=3, X_eval=X_eval, random_state=0)
    result = cross_fit(
        scaled_kde, convert(X), cv=3, X_eval=convert(X_eval), random_state=0, n_jobs=n_jobs
    )
    # memory order may change the order of sums, not the mathematics
    np.testing.assert_allclose(result.scores, expected.scores, rtol=1e-12)


@pytest.mark.parametrize("convert", [pd.Series, lambda a: pl.Series(list(a)), list])
def test_labels_may_be_a_series(convert):
    labels = np.array(["a", "b", "c"])[y]
    expected = cross_fit(GaussianNB(), X, labels, cv=3, random_state=0)
    result = cross_fit(GaussianNB(), X, convert(labels), cv=3, random_state=0)
    assert np.array_equal(result.scores, expected.scores)


@pytest.mark.parametrize("convert", [sparse.csr_array, sparse.coo_array, sparse.csc_matrix])
def test_sparse_data_gives_the_scores_of_dense(convert):
    expected = cross_fit(MultinomialNB(), X, y, cv=3, random_state=0)
    result = cross_fit(MultinomialNB(), convert(X), y, cv=3, random_state=0)
    np.testing.assert_allclose(result.scores, expected.scores, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_scores_are_float64(dtype):
    assert cross_fit(kde, X.astype(dtype), cv=3).scores.dtype == np.float64


@pytest.mark.parametrize(
    "data", [np.ones((10, 2)), np.c_[np.arange(10.0), np.ones(10)]], ids=["equal rows", "constant"]
)
def test_degenerate_data_is_the_estimators_matter(data):
    assert np.isfinite(cross_fit(kde, data, cv=5).scores).all()


def test_a_pipeline_may_impute():
    gappy = X.copy()
    gappy[::7, 1] = np.nan
    pipeline = make_pipeline(SimpleImputer(), kde)
    result = cross_fit(pipeline, gappy, cv=3, random_state=0)
    expected = cross_fit_by_loop(pipeline, gappy, result.train_mask, np.zeros(3, int))
    assert np.array_equal(result.scores, expected)


# What is refused


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_estimators_own_error_arrives_with_the_fit(n_jobs):
    gappy = X.copy()
    gappy[0, 0] = np.nan
    cv = [(np.arange(1, 9), []), (np.arange(9), [])]
    estimator = make_pipeline(StandardScaler(), kde)
    with pytest.raises(ValueError, match="contains NaN") as caught:
        cross_fit(estimator, gappy, cv=cv, X_eval=X_eval, n_jobs=n_jobs)
    # row 0 is in fit 1 alone
    assert any("Pipeline in fit 1 " in note for note in caught.value.__notes__)


def test_points_of_other_width_are_refused_by_the_estimator():
    with pytest.raises(ValueError, match="4 features") as caught:
        cross_fit(scaled_kde, X, cv=3, X_eval=X[:, :3])
    assert "in fit 0" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full(50, np.nan), r"score_samples of Answer in fit 0 .* got 50 others, the first nan"),
        (np.r_[np.zeros(49), np.inf], r"Answer in fit 0 .* got 1 others, the first inf .*\(49,\)"),
        (np.zeros(3), r"of Answer in fit 0 must return .* shape \(50,\), got \(3,\)"),
        (np.zeros((50, 1)), r"of Answer in fit 0 must return .* shape \(50,\), got \(50, 1\)"),
        (1.0, r"of Answer in fit 0 must return .* shape \(50,\), got \(\)"),
    ],
)
def test_a_score_that_is_none_is_refused(answer, message):
    with pytest.raises(ValueError, match=message):
        cross_fit(Answer(answer), X, cv=3)


def test_a_closed_form_that_is_no_score_is_refused():
    with pytest.raises(ValueError, match=r"cross_fit_score_samples of ClosedAnswer .* first nan"):
        cross_fit(ClosedAnswer(np.full((3, 50), np.nan)), X, cv=3)
    with pytest.raises(ValueError, match=r"of ClosedAnswer must .* \(3, 50\), got \(50, 3\)"):
        cross_fit(ClosedAnswer(np.zeros((50, 3))), X, cv=3)


def test_any_exception_keeps_its_type():
    with pytest.raises(ZeroDivisionError) as caught:
        cross_fit(Answer(ZeroDivisionError()), X, cv=3)
    assert caught.value.__notes__ == ["Raised by Answer in fit 0 (row 0 of train_mask)."]


@pytest.mark.parametrize(
    ("estimator", "options", "error", "message"),
    [
        (KernelDensity, {}, TypeError, "estimator must be an instance, got the class Kernel"),
        ("kde", {}, ValueError, "'estimator' .* Got 'kde'"),
        (StandardScaler(), {"y": y}, TypeError, "estimator must have .* got StandardScaler"),
        (StandardScaler(), {}, TypeError, "estimator must have a method score_samples, or the"),
        (GaussianNB(), {}, TypeError, "y must be given .* got None"),
        (GaussianNB(), {"y": np.c_[y, y]}, ValueError, "y must be 1-d .* got 2 dim"),
        (GaussianNB(), {"y": y, "X_eval": X_eval}, ValueError, "X_eval must be None .* ndarray"),
        (
            GaussianNB(),
            {"y": y, "response": "score_samples"},
            TypeError,
            "estimator must have a method score_samples, got GaussianNB",
        ),
        (
            GaussianMixture(),
            {"y": y, "response": "predict_proba"},
            TypeError,
            "predict_proba of a classifier, got GaussianMixture",
        ),
        (kde, {"y": y[1:]}, ValueError, "y must have one entry .* got 49"),
        (kde, {"response": "guess"}, ValueError, "'response' .* Got 'guess'"),
        (kde, {"n_jobs": 1.5}, ValueError, "'n_jobs' .* Got 1.5"),
        (kde, {"memory": 3}, ValueError, "'memory' .* Got 3"),
        (kde, {"progress": "yes"}, ValueError, "'progress' .* Got 'yes'"),
        (kde, {"random_state": "a"}, ValueError, "'random_state' .* Got 'a'"),
        (kde, {"cv": 51}, ValueError, "cv must be from 2 to .* 50, got 51"),
        (KernelDensity(bandwidth=-1.0), {}, ValueError, "'bandwidth' .* Got -1.0"),
    ],
)
def test_bad_arguments_are_named(estimator, options, error, message):
    with pytest.raises(error, match=message):
        cross_fit(estimator, X, **({"cv": 3} | options))


@pytest.mark.parametrize("data", [X[:0], X[:1]], ids=["empty", "one row"])
def test_there_must_be_a_row_to_leave_out(data):
    with pytest.raises(ValueError, match="X must have at least 2 rows"):
        cross_fit(kde, data, cv=LeaveOneOut())


def test_data_without_rows_is_refused():
    with pytest.raises(TypeError):
        cross_fit(kde, 3.0, cv=2)


def test_one_dimensional_data_is_refused_by_the_estimator():
    with pytest.raises(ValueError, match="Expected 2D array"):
        cross_fit(kde, X[:, 0], cv=2)


# Documentation


def test_documented_defaults_are_the_signature():
    for function in (cross_fit, SubsetSplit):
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.default is inspect.Parameter.empty:
                continue
            line = next(
                ln for ln in function.__doc__.splitlines() if ln.strip().startswith(f"{name} :")
            )
            default = parameter.default
            stated = f'default="{default}"' if isinstance(default, str) else f"default={default}"
            # None may also be named among the types
            assert stated in line or (default is None and "or None" in line), line
