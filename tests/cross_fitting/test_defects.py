"""Laws of the warning about scikit-learn's KernelDensity."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skmem.cross_fitting import cross_fit
from skmem.cross_fitting._defects import density_step

X = load_digits().data[:600]
cv = [(np.arange(500), np.arange(500, 600))]


def report(estimator, data=X):
    """Warn, and return the numbers of the warning: wrong rows, rows, largest error in nats."""
    with pytest.warns(UserWarning, match=r"#7492, #25799, #27186") as caught:
        cross_fit(estimator, data, cv=cv)
    assert len(caught) == 1
    # the warning points at the caller
    assert caught[0].filename == __file__
    text = str(caught[0].message)
    assert "skmem.density.KernelDensity (same arguments), or leaf_size >= n_samples" in text
    found = re.search(
        r"(\d+) of (\d+) held-out rows wrong by .* 0.001 nats, up to (\S+) nats", text
    )
    return [float(number) for number in found.groups()]


def test_the_warning_measures_the_error_on_this_data():
    n_wrong, n_rows, largest = report(KernelDensity())
    exact = KernelDensity(leaf_size=500).fit(X[:500]).score_samples(X[500:])
    errors = np.abs(KernelDensity().fit(X[:500]).score_samples(X[500:]) - exact)
    assert n_rows == 100
    assert n_wrong == np.count_nonzero(errors > 1e-3)
    assert largest == pytest.approx(errors.max(), rel=0.01)
    # the defect is no trifle on digits
    assert n_wrong > 0.3 * n_rows


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(PCA(30), KernelDensity(bandwidth=2.0)),
        make_pipeline(MinMaxScaler((0, 16)), make_pipeline(PCA(30), KernelDensity())),
        GridSearchCV(KernelDensity(), {"bandwidth": [0.5, 1.0]}, cv=2),
        GridSearchCV(make_pipeline(PCA(30), KernelDensity()), {"pca__n_components": [30]}, cv=2),
        make_pipeline(PCA(30), GridSearchCV(KernelDensity(), {"bandwidth": [1.0]}, cv=2)),
        KernelDensity(bandwidth="silverman"),
    ],
    ids=["pipeline", "nested", "search", "search of pipeline", "pipeline of search", "silverman"],
)
def test_the_density_is_found_wherever_it_is(estimator):
    n_wrong, n_rows, largest = report(estimator)
    assert 0 < n_wrong <= n_rows
    assert largest > 1e-3


def test_at_most_200_rows_are_measured():
    with pytest.warns(UserWarning, match="of 200 held-out rows"):
        cross_fit(KernelDensity(), X, cv=[(np.arange(300), [])])


class ExactKernelDensity(KernelDensity):
    """A subclass may have mended it."""


@pytest.mark.parametrize(
    "estimator",
    [
        KernelDensity(leaf_size=500),
        make_pipeline(PCA(30), KernelDensity(leaf_size=10**6)),
        GridSearchCV(KernelDensity(), {"leaf_size": [500]}, cv=2),
        ExactKernelDensity(),
        GaussianMixture(random_state=0),
    ],
    ids=["leaf", "pipeline", "search", "subclass", "mixture"],
)
def test_no_warning_where_there_is_no_defect(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_fit(estimator, X, cv=cv)


def test_no_warning_where_the_tree_is_right():
    # a kernel as wide as the data leaves the tree nothing to stop early at
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_fit(KernelDensity(bandwidth=100.0), X, cv=cv)


def test_no_warning_where_nothing_is_held_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_fit(KernelDensity(), X, cv=[(np.arange(600), [])])


def test_the_density_step_is_the_last_and_best():
    inner = KernelDensity()
    assert density_step(inner) is inner
    assert density_step(make_pipeline(PCA(), make_pipeline(PCA(), inner))) is inner
    search = GridSearchCV(make_pipeline(inner), {"kerneldensity__bandwidth": [3.0]}, cv=2)
    assert density_step(search) is inner
    # once it is fitted, the one that scores
    assert density_step(search.fit(X[:20])).bandwidth == 3.0
