"""The grid's sums against all pairs, and its word on where they can be trusted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

import skmem._gauss_grid
from skmem._gauss_grid import gauss_grid_log_sums
from skmem._kernel_sums import Weighting
from skmem.density import KernelDensity


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(skmem._gauss_grid, "_MIN_PAIRS", 0)
    monkeypatch.setattr(skmem._gauss_grid, "_PAIRS_PER_NODE", 0)


def clusters(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.normal(size=(n // 2, d)), 5 + 0.3 * rng.normal(size=(n - n // 2, d))])
    X[-3:] = [[12.0] * d, [12.05] * d, [-9.0] * d]  # isolated rows
    return X


def all_pairs(X, X_train, weighting, own=None):
    squared = cdist(X, X_train, "sqeuclidean")
    if own is not None:
        squared[np.arange(len(X)), own] = np.inf
    with np.errstate(divide="ignore"):
        return np.stack(
            [
                logsumexp(-0.5 * squared / h**2 + np.log(w), axis=1)
                for w, h in zip(weighting.weights, weighting.bandwidth, strict=True)
            ],
            axis=1,
        )


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("h", [0.15, 0.5, 3.0, 100.0])
@pytest.mark.parametrize("leave_one_out", [False, True])
def test_sums_are_those_of_all_pairs_where_sure(d, h, leave_one_out):
    X_train = clusters(2000, d) + 1e3
    X = X_train if leave_one_out else clusters(700, d, seed=1) + 1e3
    own = np.arange(len(X)) if leave_one_out else None
    weights = np.stack([np.ones(2000), np.random.default_rng(2).random(2000) < 0.7]).astype(float)
    weights[1] *= np.linspace(0.1, 1.0, 2000)
    weighting = Weighting(weights, np.array([h, 2 * h]))
    log_sums = gauss_grid_log_sums(X, X_train, weighting, own)
    sure = ~np.isnan(log_sums)
    # The promise is 1e-8 nat; a grid that is never sure would keep it too, so most rows have to be.
    assert_allclose(log_sums[sure], all_pairs(X, X_train, weighting, own)[sure], atol=1e-8, rtol=0)
    assert sure.mean() > 0.9


def test_isolated_rows_are_not_sure():
    X = clusters(2000, 2)
    weighting = Weighting(np.ones((1, 2000)), np.array([0.3]))
    log_sums = gauss_grid_log_sums(X, X, weighting, np.arange(2000))
    # exp(-r^2 / 2) of their nearest rows is far below the error of the others' sums.
    assert np.isnan(log_sums[-1]).all()
    # So are rows outside the box of the training rows.
    assert np.isnan(gauss_grid_log_sums(np.array([[1e3, 0.0]]), X, weighting)).all()


@pytest.mark.parametrize("h", [1e-6, 1e-20])
def test_a_grid_too_large_is_not_made(h):
    X = clusters(300, 2)
    weighting = Weighting(np.ones((1, 300)), np.array([h]))
    # 10^13 cells would not fit any memory, and 10^41 not even the integers that count them.
    assert np.isnan(gauss_grid_log_sums(X, X, weighting)).all()


@pytest.mark.parametrize("d", [1, 2])
def test_kernel_density_is_the_same_with_and_without_a_grid(d, monkeypatch):
    X, X_test = clusters(1500, d), clusters(400, d, seed=3) * 1.5
    mask = np.random.default_rng(0).random((7, 1500)) < 0.8
    kde = KernelDensity(bandwidth=0.3).fit(X)
    with_grid, without = [], []
    for results, min_pairs in ((with_grid, 0), (without, np.inf)):
        monkeypatch.setattr(skmem._gauss_grid, "_MIN_PAIRS", min_pairs)
        results += [
            kde.score_samples(X_test),
            kde.leave_one_out_score_samples(),
            kde.cross_fit_score_samples(X, mask),
            kde.cross_fit_score_samples(X, mask, X_test),
        ]
    for a, b in zip(with_grid, without, strict=True):
        # Rows that the grid is not sure of are summed pair by pair, so all are right.
        assert_allclose(a, b, atol=1e-8, rtol=1e-12)
        assert not np.array_equal(a, b)


def test_one_row_far_away_is_not_paid_for_with_a_grid_as_wide(monkeypatch):
    monkeypatch.undo()
    X = np.random.default_rng(0).normal(size=(4200, 2))
    weighting = Weighting(np.ones((1, 4200)), np.array([1.0]))
    assert np.isfinite(gauss_grid_log_sums(X, X, weighting)).mean() > 0.9
    X[0] = 60.0
    # Nearly a million nodes for a few thousand rows: pairs are cheaper.
    assert np.isnan(gauss_grid_log_sums(X, X, weighting)).all()
