"""What every estimator refuses, and what it says then."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import has_fit_parameter

from tests import estimators as est

X = est.two_clusters()
every_density = est.parametrized(est.DENSITIES)


def spoilt(value):
    """The rows with one bad entry."""
    bad = X.copy()
    bad[3, 1] = value
    return bad


# The argument is named where scikit-learn's own checks do so; else they say what is wrong.
BAD_ROWS = {
    "nan": (spoilt(np.nan), "X contains NaN"),
    "infinity": (spoilt(np.inf), "X contains infinity"),
    "empty": (X[:0], "0 sample"),
    "no columns": (X[:, :0], "0 feature"),
    "one-dimensional": (X[:, 0], "Expected 2D array"),
    "three-dimensional": (X[None], "dim 3|2D array"),
    "sparse": (sparse.csr_array(X), "Sparse data was passed for X"),
    "strings": (np.full(X.shape, "a", dtype=object), "could not convert string to float"),
    "complex": (X + 1j, "Complex data not supported"),
}
BAD_WEIGHTS = {
    "too few": np.ones(len(X) - 1),
    "nan": np.full(len(X), np.nan),
    "infinite": np.full(len(X), np.inf),
    "negative": np.full(len(X), -1.0),
    "all zero": np.zeros(len(X)),
    "a matrix": np.ones((len(X), 2)),
}
BAD_MASKS = {
    "integers": np.ones((2, len(X)), dtype=int),
    "another width": np.ones((2, len(X) - 1), dtype=bool),
    "one fit": np.ones(len(X), dtype=bool),
    "no fits": np.ones((0, len(X)), dtype=bool),
    "a fit without rows": np.repeat([[True], [False]], len(X), axis=1),
}


@every_density
@pytest.mark.parametrize(("bad", "words"), BAD_ROWS.values(), ids=list(BAD_ROWS))
def test_bad_rows_are_refused_in_fit_and_in_queries(density, bad, words):
    # never scored as if they were numbers, never an error from deep inside
    with pytest.raises((ValueError, TypeError), match=words):
        clone(density).fit(bad)
    if bad.shape[1:] != (0,):
        with pytest.raises((ValueError, TypeError), match=words):
            clone(density).fit(X).score_samples(bad)


@every_density
def test_rows_of_another_width_are_refused(density):
    # the message has both widths
    with pytest.raises(ValueError, match=r"X has 2 features, but \w+ is expecting 3 features"):
        clone(density).fit(X).score_samples(X[:, :2])


@every_density
@pytest.mark.parametrize("bad", BAD_WEIGHTS.values(), ids=list(BAD_WEIGHTS))
def test_bad_weights_are_refused_by_name(density, bad):
    if not has_fit_parameter(density, "sample_weight"):
        # what is not supported is refused, not ignored
        with pytest.raises(TypeError, match="sample_weight"):
            clone(density).fit(X, sample_weight=bad)
        return
    # counts of rows: finite, not negative, one a row, and at least one row
    with pytest.raises(ValueError, match=r"[Ss]ample[ _]weight"):
        clone(density).fit(X, sample_weight=bad)


@every_density
@pytest.mark.parametrize("bad", BAD_MASKS.values(), ids=list(BAD_MASKS))
def test_bad_masks_are_refused_by_name(density, bad):
    if not hasattr(density, "cross_fit_score_samples"):
        pytest.skip("no closed form")
    # an integer mask would be taken for indices; an empty fit would score nan
    with pytest.raises(ValueError, match="train_mask"):
        clone(density).cross_fit_score_samples(X, bad)


@every_density
def test_points_of_another_width_are_refused_in_cross_fitting(density):
    if not hasattr(density, "cross_fit_score_samples"):
        pytest.skip("no closed form")
    mask = np.ones((1, len(X)), dtype=bool)
    with pytest.raises(ValueError, match="has 2 features"):
        clone(density).cross_fit_score_samples(X, mask, X[:, :2])


@every_density
def test_queries_need_a_fit(density):
    queries = {"score_samples": (X,), "score": (X,), "leave_one_out_score_samples": ()}
    queries["sample"] = (3,)
    for name, arguments in queries.items():
        if hasattr(density, name):
            # scikit-learn's word for it, with the name of the estimator
            with pytest.raises(NotFittedError, match=re.escape(type(density).__name__)):
                getattr(clone(density), name)(*arguments)


@every_density
def test_one_row_is_scored_or_refused_in_words(density):
    try:
        scores = clone(density).fit(X[:1]).score_samples(X)
    except ValueError as error:
        # the refusal names the number of rows it got
        assert re.search(r"1 sample|n_samples\w* ?= ?1|got 1|1 row", str(error))
    else:
        # a single row is a density of its own, never nan
        assert not np.isnan(scores).any()
