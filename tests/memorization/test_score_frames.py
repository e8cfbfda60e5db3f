"""Laws of frames: rows come back with the labels and in the library that they came with."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.density import KernelDensity

X = load_iris().data[::5]
NAMES = ["a", "b", "c", "d"]
COLUMNS = ["memorization", "standard_error", "p_value", "log_density_in", "log_density_out"]
LIBRARIES = {
    "pandas": (lambda a: pd.DataFrame(a, columns=NAMES), pd.DataFrame),
    "polars": (lambda a: pl.DataFrame(a, schema=NAMES), pl.DataFrame),
    "pyarrow": (lambda a: pa.table(dict(zip(NAMES, a.T, strict=True))), pa.Table),
}
each_library = pytest.mark.parametrize(("make", "kind"), LIBRARIES.values(), ids=LIBRARIES)
ESTIMATORS = {
    "leave-one-out": {"estimator": KernelDensity(bandwidth=0.5)},
    "closed form": {"estimator": KernelDensity(bandwidth=0.5), "method": "cross-fit"},
    "refit": {"estimator": make_pipeline(StandardScaler(), KernelDensity(bandwidth=0.5))},
}


class Subclass(pd.DataFrame):
    """A frame of another module, as geopandas has them."""


def fit(data, **params):
    params = {"cv": 3, "n_repeats": 2, "random_state": 0, **ESTIMATORS["leave-one-out"]} | params
    return MemorizationScorer(**params).fit(data)


@each_library
@pytest.mark.parametrize("params", ESTIMATORS.values(), ids=ESTIMATORS)
def test_the_library_of_the_rows_is_that_of_the_scores(make, kind, params):
    scorer = fit(make(X), **params)
    frame = scorer.to_frame()
    assert isinstance(frame, kind)
    columns = frame.column_names if kind is pa.Table else list(frame.columns)
    assert columns == COLUMNS
    for name, values in (
        ("memorization", scorer.memorization_),
        ("standard_error", scorer.standard_error_),
        ("p_value", scorer.p_values_),
        ("log_density_in", scorer.log_density_in_),
        ("log_density_out", scorer.log_density_out_),
    ):
        # in the order of the rows
        np.testing.assert_array_equal(np.asarray(frame[name]), values)
    # and the numbers are those of the array
    np.testing.assert_allclose(scorer.memorization_, fit(X, **params).memorization_, rtol=1e-12)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([f"row {i}" for i in range(30)], name="id"),
        pd.MultiIndex.from_product([["x", "y"], range(15)], names=["side", "number"]),
        pd.Index(range(100, 130)),
        pd.date_range("2000-01-01", periods=30),
        pd.Index([0] * 30),
    ],
    ids=["strings", "multi", "numbers", "dates", "repeated"],
)
@pytest.mark.parametrize("cls", [pd.DataFrame, Subclass])
def test_an_index_is_kept(index, cls):
    frame = fit(cls(X, columns=NAMES, index=index)).to_frame()
    # so that a score can be looked up by the name of its row
    pd.testing.assert_index_equal(frame.index, index)


@pytest.mark.parametrize("data", [X, X.tolist(), X.astype(np.float32)])
def test_rows_without_labels_are_numbered(data):
    frame = fit(data).to_frame()
    assert isinstance(frame, pd.DataFrame)
    pd.testing.assert_index_equal(frame.index, pd.RangeIndex(30), exact="equiv")


def test_sorting_the_frame_leaves_the_scorer_alone():
    scorer = fit(pd.DataFrame(X, columns=NAMES))
    before = scorer.memorization_.copy()
    frame = scorer.to_frame()
    frame.loc[:, "memorization"] = 0.0
    # a frame is a copy
    np.testing.assert_array_equal(scorer.memorization_, before)
    assert scorer.to_frame()["memorization"].ne(0).any()


def test_the_index_is_that_of_the_last_fit():
    scorer = fit(pd.DataFrame(X, columns=NAMES, index=np.arange(30) + 5))
    frame = scorer.fit(X[:20]).to_frame()
    pd.testing.assert_index_equal(frame.index, pd.RangeIndex(20), exact="equiv")


def test_what_is_missing_is_named_with_the_cure(monkeypatch):
    scorer = fit(pl.DataFrame(X, schema=NAMES))
    monkeypatch.setitem(sys.modules, "narwhals", None)
    # the scores themselves need neither
    with pytest.raises(
        ImportError, match=r'needs narwhals and polars: pip install "skmem\[frames'
    ):
        scorer.to_frame()


# Names of columns


@each_library
def test_names_of_columns_are_kept_and_checked(make, kind):
    scorer = fit(make(X), estimator=KernelDensity(bandwidth=0.5))
    assert scorer.n_features_in_ == 4
    # older versions of scikit-learn do not know those of polars
    if hasattr(scorer.estimator_, "feature_names_in_"):
        np.testing.assert_array_equal(scorer.feature_names_in_, NAMES)
    np.testing.assert_array_equal(scorer.score_samples(make(X)), scorer.log_density_in_)


def test_a_column_of_another_name_is_refused():
    scorer = fit(pd.DataFrame(X, columns=NAMES))
    # it is another quantity
    with pytest.raises(ValueError, match="feature names should match"):
        scorer.score_samples(pd.DataFrame(X, columns=["a", "b", "c", "e"]))


def test_arrays_have_no_names():
    scorer = fit(pd.DataFrame(X, columns=NAMES))
    scorer.fit(X)
    # nor does a second fit remember those of the first
    assert not hasattr(scorer, "feature_names_in_")
