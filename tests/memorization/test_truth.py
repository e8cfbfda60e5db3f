"""Memorization held against formulas and against data whose truth is known."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.neighbors import KNeighborsClassifier

from skmem import MemorizationScorer
from skmem.datasets import make_flipped_labels, make_planted_copies, make_planted_outliers
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity

X = np.random.default_rng(0).normal(size=(40, 3)) * [1.0, 2.0, 0.5]


def memorization(estimator, data=X, **params):
    return MemorizationScorer(estimator, random_state=0, **params).fit(data).memorization_


# Formulas


@pytest.mark.parametrize("bandwidth", [0.2, 1.0, 5.0])
def test_kernel_density_has_its_closed_formula(bandwidth):
    n = len(X)
    kernel = np.exp([multivariate_normal(x, bandwidth**2).logpdf(X) for x in X])
    density, own = kernel.mean(axis=1), kernel[0, 0] / n
    # log((N-1)/N) + log(p / (p - K(0)/N)): leave the row's own kernel out
    expected = np.log((n - 1) / n) + np.log(density / (density - own))
    np.testing.assert_allclose(
        memorization(KernelDensity(bandwidth=bandwidth)), expected, rtol=1e-8
    )


@pytest.mark.parametrize("k", [1, 3, 10])
def test_nearest_neighbours_have_their_closed_formula(k):
    n, d = X.shape
    distances = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)[:, 1:]
    expected = memorization(KNeighborsDensity(n_neighbors=k + 1))
    # with itself the row's (k+1)-th neighbour is its k-th other one: it gains a neighbour for free
    formula = np.log((n - 1) / n) + d * np.log(distances[:, k] / distances[:, k - 1])
    np.testing.assert_allclose(expected, formula, rtol=1e-9, atol=1e-9)


def test_a_gaussian_has_its_closed_formula():
    n, d = X.shape
    mean, covariance = X.mean(axis=0), np.cov(X.T, ddof=0)
    square = np.einsum("ij,ij->i", X - mean, np.linalg.solve(covariance, (X - mean).T).T)
    # without row i: mean' = mean - (x - mean)/(n-1), covariance' = n/(n-1) (S - (x-mean)(x-mean)'/(n-1))
    gap = 1 - square / (n - 1)
    log_det = d * np.log(n / (n - 1)) + np.log(gap)
    square_out = (n / (n - 1)) ** 2 * (n - 1) / n * square / gap
    expected = 0.5 * (log_det + square_out - square)
    scores = memorization(GaussianMixture(reg_covar=0))
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-12)
    # so the farthest row in the Mahalanobis distance is memorized most
    assert np.argmax(scores) == np.argmax(square)


def test_one_row_in_a_well_separated_cluster_follows_the_expansion():
    rng = np.random.default_rng(0)
    d, n_k, far = 3, 400, 100.0
    data = np.concatenate([rng.normal(size=(n_k, d)), far + rng.normal(size=(n_k, d))])
    mixture = GaussianMixture(2, covariance_type="spherical", reg_covar=0)
    scores = memorization(mixture, data, method="leave-one-out")
    rows = data[:n_k]
    mu = rows.mean(axis=0)
    s2 = np.mean((rows - mu) ** 2)
    r2 = np.sum((rows - mu) ** 2, axis=1) / s2
    # (d+2)/(2 N_k) + |z-mu|^2 |x-mu|^2 / (2 d s^4 N_k) - 1/N with z = x, to second order
    expected = (d + 2) / (2 * n_k) + r2**2 / (2 * d * n_k) - 1 / (2 * n_k)
    near = r2 < 5
    np.testing.assert_allclose(scores[:n_k][near], expected[near], atol=2e-4)
    # all of it is far above the noise of rounding
    assert expected.min() > 1e-3


# Known truth

DENSITIES = {"kde": KernelDensity(bandwidth="loo"), "gaussian": GaussianMixture()}


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
@pytest.mark.parametrize("method", ["auto", "cross-fit"])
def test_isolated_outliers_are_memorized_most(density, method):
    data = make_planted_outliers(200, 4, distance=12.0, random_state=1)
    params = {"cv": 20, "n_repeats": 3, "random_state": 0, "method": method}
    scorer = MemorizationScorer(density, **params).fit(data.X)
    # nothing but the row itself makes it likely, or moves the fit as far
    assert set(scorer.top(4)[0]) == set(data.planted)
    assert scorer.memorization_[data.planted].min() > 4 * np.median(np.abs(scorer.memorization_))
    if scorer.method_ != "leave-one-out":
        assert scorer.p_values_[data.planted].max() < 0.01
        assert scorer.memorization_[data.planted].min() > scorer.noise_floor_[0.95]


def test_nearest_neighbours_do_not_memorize_outliers():
    data = make_planted_outliers(200, 4, distance=12.0, random_state=1)
    scores = memorization(KNeighborsDensity(n_neighbors=5), data.X)
    # seen from far away the fifth neighbour and the sixth are equally far: d log(R_6 / R_5) is near 0
    assert scores[data.planted].max() < np.quantile(scores, 0.75)


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov"])
def test_copies_hide_one_another(kernel):
    density = KernelDensity(bandwidth=0.7, kernel=kernel)
    data = make_planted_copies(120, 6, random_state=0)
    pairs = [
        p for p, s in zip(data.planted, data.source, strict=True) if (data.source == s).sum() == 1
    ]
    source = data.source[np.isin(data.planted, pairs)]
    kept = np.delete(np.arange(120), pairs)
    with_copies = memorization(density, data.X)
    alone = dict(zip(kept, memorization(density, data.X[kept]), strict=True))
    # without one the other is still there
    assert np.all(with_copies[pairs] < [alone[s] for s in source])
    # equal rows are equal
    np.testing.assert_allclose(with_copies[pairs], with_copies[source], rtol=1e-9)


def test_copies_raise_the_density_while_they_lower_the_score():
    data = np.concatenate([X, X[:1], X[:1]])
    copied = MemorizationScorer(KernelDensity(bandwidth=0.5)).fit(data)
    single = MemorizationScorer(KernelDensity(bandwidth=0.5)).fit(X)
    assert copied.log_density_in_[0] > single.log_density_in_[0]
    assert copied.memorization_[0] < single.memorization_[0]


def test_flipped_labels_are_memorized_by_a_nearest_neighbour():
    data = make_flipped_labels(200, 10, separation=12.0, random_state=0)
    scorer = MemorizationScorer(KNeighborsClassifier(1), cv=5, n_repeats=4, random_state=0)
    scorer.fit(data.X, data.y)
    # their neighbours contradict them: certain with the row, wrong without it
    assert np.median(scorer.memorization_[data.planted]) == 1
    assert scorer.memorization_[data.planted].mean() > 0.8
    assert np.delete(scorer.memorization_, data.planted).mean() < 0.15


def test_a_wider_kernel_memorizes_less():
    means = [memorization(KernelDensity(bandwidth=h)).mean() for h in (0.1, 0.3, 1.0, 3.0)]
    # the more rows make up the density of one, the less hangs on any
    assert np.all(np.diff(means) < 0)
    assert means[-1] > 0


def test_leave_one_out_and_many_folds_agree():
    scorer = MemorizationScorer(
        KernelDensity(bandwidth=0.7), method="cross-fit", cv=40, n_repeats=1, random_state=0
    ).fit(X)
    exact = memorization(KernelDensity(bandwidth=0.7))
    # n folds are leave-one-out, but that "in" fits lack some other row: an effect of order 1/n
    np.testing.assert_allclose(scorer.memorization_, exact, atol=0.05)
    assert np.corrcoef(scorer.memorization_, exact)[0, 1] > 0.999
