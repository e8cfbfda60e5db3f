"""The k-nearest-neighbour density against its definition, refits, and known densities."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import bsr_array, csc_array, csr_array, lil_array
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skmem._distances import NeighborIndex
from skmem._math import log_unit_ball_volume
from skmem.density import KNeighborsDensity
from tests.oracles import (
    knn_log_density,
    refit_cross_fit,
    refit_leave_one_out,
    refit_score_samples,
)

METRICS = ("euclidean", "manhattan", "chebyshev")
COPIES = "ignore:.* rows are at distance 0:UserWarning"


@parametrize_with_checks(
    [
        KNeighborsDensity(),
        KNeighborsDensity(n_neighbors=2, algorithm="brute"),
        KNeighborsDensity(metric="precomputed", n_dims=2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def one_thread():
    # Refits are hundreds of tiny searches, which threads slow down.
    with threadpool_limits(1):
        yield


def kfold_masks(n_samples, n_folds, n_repeats):
    mask = np.ones((n_repeats * n_folds, n_samples), dtype=bool)
    for repeat in range(n_repeats):
        folds = KFold(n_folds, shuffle=True, random_state=repeat).split(mask.T)
        for fold, (_, held_out) in enumerate(folds):
            mask[repeat * n_folds + fold, held_out] = False
    return mask


def leave_one_out_masks(n_samples):
    return ~np.eye(n_samples, dtype=bool)


# The definition


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("algorithm", ["auto", "brute", "ball_tree"])
@pytest.mark.parametrize("n_features", [1, 3, 30])
@pytest.mark.parametrize("k", [2, 7])
def test_score_samples_is_its_definition(rng, metric, algorithm, n_features, k):
    X, Z = rng.normal(size=(60, n_features)), rng.normal(size=(20, n_features))
    density = KNeighborsDensity(k, metric=metric, algorithm=algorithm).fit(X)
    volume = log_unit_ball_volume(n_features)
    for points in (X, Z):
        expected = [knn_log_density(x, X, k, volume, metric) for x in points]
        # p(x) = k / (N V_d R_k^d) with the Euclidean V_d for any metric; a row counts itself.
        np.testing.assert_allclose(density.score_samples(points), expected, rtol=1e-12)


def test_hand_computed():
    X = np.array([[0.0], [1.0], [3.0]])
    density = KNeighborsDensity(2).fit(X)
    # New point 2: R_2 = 1, so 2 / (3 * 2 * 1). Row 0: itself, then R_2 = 1. Row 3: R_2 = 2.
    np.testing.assert_allclose(
        np.exp(density.score_samples([[2.0], [0.0], [3.0]])), [1 / 3, 1 / 3, 1 / 6]
    )
    # Without itself, two others remain: row 0 has R_2 = 3, row 1 R_2 = 2, row 3 R_2 = 3.
    np.testing.assert_allclose(
        np.exp(density.leave_one_out_score_samples()), [1 / 6, 1 / 4, 1 / 6]
    )


@pytest.mark.parametrize("d", [1, 2])
def test_uniform_density_is_recovered(rng, d):
    errors = []
    for n in (100, 1000, 10000):
        density = KNeighborsDensity(round(np.sqrt(n))).fit(rng.uniform(size=(n, d)) * 2)
        centre = rng.uniform(0.7, 1.3, size=(200, d))
        errors.append(np.sqrt(np.mean((density.score_samples(centre) + d * np.log(2)) ** 2)))
    # Away from the edges log p = -d log 2; the error is of order 1 / sqrt(k).
    assert errors[-1] < 0.15
    assert errors[-1] < errors[1] < errors[0]


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_scaling_the_data_shifts_the_scores(rng, scale):
    X, Z = rng.normal(size=(50, 4)), rng.normal(size=(10, 4))
    scores = KNeighborsDensity().fit(X).score_samples(Z)
    scaled = KNeighborsDensity().fit(scale * X).score_samples(scale * Z)
    # A density per unit of volume: log p loses d log(scale).
    np.testing.assert_allclose(scaled, scores - 4 * np.log(scale), rtol=1e-10)


def test_score_is_the_mean(rng):
    X = rng.normal(size=(30, 2))
    density = KNeighborsDensity().fit(X)
    # One value per row in nats; the mean comes second.
    assert density.score(X) == np.mean(density.score_samples(X))


def test_n_dims_is_the_d_of_the_formula(rng):
    line = np.c_[rng.uniform(size=200), np.zeros((200, 2))]
    flat = KNeighborsDensity(n_dims=1).fit(line).score_samples(line)
    # A line in three dimensions has a density per unit of length.
    np.testing.assert_allclose(
        flat, KNeighborsDensity().fit(line[:, :1]).score_samples(line[:, :1])
    )


# Copies


@pytest.mark.parametrize("n_features", [2, 30])
@pytest.mark.parametrize("n_copies", [3, 4, 5, 12])
def test_copies_raise_k_to_the_first_positive_distance(rng, n_features, n_copies):
    X = rng.normal(size=(40, n_features))
    X[:n_copies] = X[0]
    density = KNeighborsDensity(4).fit(X)
    volume = log_unit_ball_volume(n_features)
    points = np.r_[X, rng.normal(size=(5, n_features))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scores = density.score_samples(points)
    expected = [knn_log_density(x, X, 4, volume) for x in points]
    # p(x) = m / (N V_d R_m^d) with the first m >= k at which R_m > 0, so a finite score.
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    # One warning a call counts the rows, and none comes where k is left alone.
    assert len(caught) == (n_copies >= 4)
    assert all(str(w.message).startswith(f"{n_copies} of 45 rows") for w in caught)
    assert all(w.filename == __file__ for w in caught)


def test_one_neighbour_is_the_row_itself(rng):
    X = rng.normal(size=(10, 2))
    with pytest.warns(UserWarning, match="10 of 10 rows are at distance 0 from n_neighbors=1"):
        scores = KNeighborsDensity(1).fit(X).score_samples(X)
    # With k = 1 a training row falls back on its nearest other row, m = 2.
    np.testing.assert_allclose(scores, KNeighborsDensity(2).fit(X).score_samples(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_are_recognised_under_brute_force(rng, dtype):
    X = np.repeat(rng.normal(size=(20, 64)) + 10, 5, axis=0).astype(dtype)
    with pytest.warns(UserWarning, match="100 of 100 rows"):
        scores = KNeighborsDensity(3, algorithm="brute").fit(X).score_samples(X)
    with pytest.warns(UserWarning, match="100 of 100 rows"):
        tree = KNeighborsDensity(3, algorithm="kd_tree").fit(X).score_samples(X)
    # Rounding does not make a tiny radius, hence a huge density, out of a copy.
    np.testing.assert_allclose(scores, tree, rtol=1e-12)


# Leave-one-out


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_features", [2, 20])
@pytest.mark.filterwarnings(COPIES)
def test_leave_one_out_equals_refits(rng, metric, n_features):
    X = rng.normal(size=(40, n_features))
    X[:6] = X[0]
    density = KNeighborsDensity(4, metric=metric).fit(X)
    refits = refit_score_samples(density, X, leave_one_out_masks(40), X)
    # Leaving a row out is a refit without it.
    np.testing.assert_allclose(density.leave_one_out_score_samples(), np.diag(refits), rtol=1e-12)


@pytest.mark.parametrize("k", [2, 5])
def test_memorization_has_its_closed_form(rng, k):
    n, d = 50, 3
    X = rng.normal(size=(n, d))
    density = KNeighborsDensity(k).fit(X)
    R = np.sort(cdist(X, X), axis=1)  # R[:, k - 1] is R_k, the row itself the first neighbour
    # A row is among its own k neighbours: without it R_k becomes R_{k+1}, N becomes N - 1.
    np.testing.assert_allclose(
        density.score_samples(X) - density.leave_one_out_score_samples(),
        np.log((n - 1) / n) + d * np.log(R[:, k] / R[:, k - 1]),
        rtol=1e-10,
    )


def test_influence_has_its_closed_form(rng):
    n, d, k = 40, 2, 3
    X, Z = rng.normal(size=(n, d)), rng.normal(size=(15, d))
    density = KNeighborsDensity(k)
    without = density.cross_fit_score_samples(X, leave_one_out_masks(n), Z)
    influence = density.fit(X).score_samples(Z) - without
    R = np.sort(cdist(Z, X), axis=1)
    neighbour = (cdist(Z, X) <= R[:, [k - 1]]).T
    # Only the k neighbours of z move its radius; all rows share in N.
    np.testing.assert_allclose(
        influence,
        np.log((n - 1) / n) + d * neighbour * np.log(R[:, k] / R[:, k - 1]),
        atol=1e-12,
    )


def test_leave_one_out_needs_a_fit():
    # Nothing to leave out before `fit`.
    with pytest.raises(Exception, match="not fitted"):
        KNeighborsDensity().leave_one_out_score_samples()


def test_leave_one_out_with_all_others_as_neighbours(rng):
    X = rng.normal(size=(6, 2))
    scores = KNeighborsDensity(5).fit(X).leave_one_out_score_samples()
    R = cdist(X, X).max(axis=1)
    # k = N - 1: the radius reaches the farthest row.
    np.testing.assert_allclose(scores, -log_unit_ball_volume(2) - 2 * np.log(R))


# Cross-fitting


def masks(name, n_samples, rng):
    if name == "kfold":
        return kfold_masks(n_samples, 5, 3)
    if name == "random":
        mask = np.zeros((20, n_samples), dtype=bool)
        for fit in mask:
            fit[rng.choice(n_samples, round(0.3 * n_samples), replace=False)] = True
        return mask
    if name == "leave-one-out":
        return leave_one_out_masks(n_samples)
    # Blocks of neighbouring rows: the first search finds too few neighbours almost everywhere.
    return np.repeat(~np.eye(4, dtype=bool), n_samples // 4, axis=1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_features", [2, 20])
@pytest.mark.parametrize("name", ["kfold", "random", "leave-one-out", "blocks"])
@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.filterwarnings(COPIES)
def test_cross_fit_equals_refits(rng, metric, n_features, name, copies):
    X = rng.normal(size=(48, n_features))
    Z = rng.normal(size=(15, n_features))
    if name == "blocks":
        X += 10 * np.arange(4).repeat(12)[:, None]
        Z += 10
    if copies:
        X[::8] = X[0]
        X[1:30:5] = X[1]
        Z[:2] = X[0]
    mask = masks(name, 48, rng)
    density = KNeighborsDensity(3, metric=metric)
    for X_eval in (None, Z):
        scores = density.cross_fit_score_samples(X, mask, X_eval)
        expected = refit_score_samples(density, X, mask, X if X_eval is None else X_eval)
        # One search says what all refits say, copies and rows that count themselves included.
        np.testing.assert_allclose(scores, expected, rtol=1e-12)
    # The estimator is only a recipe here.
    assert not hasattr(density, "n_features_in_")


def test_cross_fit_on_digits_equals_refits():
    X = load_digits().data[:400].astype(np.float32)
    mask = kfold_masks(400, 10, 1)
    density = KNeighborsDensity(5)
    # As many columns, and as many tied distances, as real data have.
    np.testing.assert_allclose(
        density.cross_fit_score_samples(X, mask),
        refit_score_samples(density, X, mask, X),
        rtol=1e-12,
    )


def test_cross_fit_gives_one_warning_for_all_fits(rng):
    X = rng.normal(size=(60, 2))
    X[:10] = X[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        KNeighborsDensity(4).cross_fit_score_samples(X, kfold_masks(60, 5, 2))
    # The same ten rows in all ten fits.
    assert len(caught) == 1
    assert "10 of 60 rows" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_cross_fit_in_small_blocks_is_bit_equal(rng, monkeypatch):
    X = rng.normal(size=(100, 20))
    mask = masks("random", 100, rng)
    whole = KNeighborsDensity().cross_fit_score_samples(X, mask)
    monkeypatch.setattr("skmem._blocks._CACHE_BYTES", 20_000)
    # Blocks bound the memory, and nothing else.
    np.testing.assert_array_equal(KNeighborsDensity().cross_fit_score_samples(X, mask), whole)


def test_cross_fit_searches_twice_at_most_on_ordinary_data(rng, monkeypatch):
    asked = []

    def count(self, X, n_neighbors, exclude=None, query=NeighborIndex.query):
        asked.append((len(X), n_neighbors))
        return query(self, X, n_neighbors, exclude)

    monkeypatch.setattr(NeighborIndex, "query", count)
    X = rng.normal(size=(500, 5))
    KNeighborsDensity(5).cross_fit_score_samples(X, kfold_masks(500, 10, 10))
    # The first search is sized so that few rows need a second one, whatever the number of fits.
    assert asked[0][0] == 500
    assert asked[0][1] < 15
    assert sum(n for n, _ in asked[1:]) < 50


# Precomputed distances


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("n_features", [3, 20])
def test_pipeline_of_a_graph_equals_the_plain_estimator(rng, k, n_features):
    X, Z = rng.normal(size=(60, n_features)), rng.normal(size=(20, n_features))
    pipeline = make_pipeline(
        KNeighborsTransformer(n_neighbors=k, mode="distance", algorithm="kd_tree"),
        KNeighborsDensity(k, metric="precomputed", n_dims=n_features),
    ).fit(X)
    plain = KNeighborsDensity(k).fit(X)
    # The graph stores a training row as its own neighbour at 0, and gives held-out rows k + 1.
    np.testing.assert_allclose(pipeline.score_samples(X), plain.score_samples(X), rtol=1e-12)
    np.testing.assert_allclose(pipeline.score_samples(Z), plain.score_samples(Z), rtol=1e-12)
    # k others beside the row itself are all that leaving it out needs.
    np.testing.assert_allclose(
        pipeline[-1].leave_one_out_score_samples(), plain.leave_one_out_score_samples(), rtol=1e-12
    )


@pytest.mark.parametrize(
    "make", [np.asarray, csr_array, csc_array, lil_array], ids=["dense", "csr", "csc", "lil"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_distances_equal_the_plain_estimator(rng, make, dtype):
    X, Z = rng.normal(size=(30, 2)), rng.normal(size=(9, 2))
    X[:2] += 1e-3  # no copies
    train, query = cdist(X, X).astype(dtype), cdist(Z, X).astype(dtype)
    density = KNeighborsDensity(4, metric="precomputed", n_dims=2).fit(make(train))
    plain = KNeighborsDensity(4).fit(X)
    tol = 1e-5 if dtype == np.float32 else 1e-12
    # Distances are all that the density knows of the data.
    np.testing.assert_allclose(
        density.score_samples(make(query)), plain.score_samples(Z), rtol=tol
    )
    np.testing.assert_allclose(
        density.leave_one_out_score_samples(), plain.leave_one_out_score_samples(), rtol=tol
    )
    mask, scores = kfold_masks(30, 5, 2), None
    if make is np.asarray:
        scores = density.cross_fit_score_samples(train, mask)
        # Cross-fitting reads the same matrix.
        np.testing.assert_allclose(scores, plain.cross_fit_score_samples(X, mask), rtol=tol)
    # Evaluation points bring their distances to all rows.
    np.testing.assert_allclose(
        density.cross_fit_score_samples(make(train), mask, make(query)),
        plain.cross_fit_score_samples(X, mask, Z),
        rtol=tol,
    )


def test_sparse_matrix_without_its_diagonal_has_no_selves(rng):
    X = rng.normal(size=(20, 2))
    distances = cdist(X, X)
    density = KNeighborsDensity(3, metric="precomputed", n_dims=2).fit(csr_array(distances))
    others = KNeighborsDensity(3).fit(X).leave_one_out_score_samples()
    # Zeros that are not stored are no neighbours, so rows are scored by the others, of N.
    np.testing.assert_allclose(
        density.score_samples(csr_array(distances)), others + np.log(19 / 20)
    )


@pytest.mark.parametrize("exclude_self", [False, True])
def test_small_graphs_are_refused(rng, exclude_self):
    X = rng.normal(size=(30, 2))
    graph = KNeighborsTransformer(n_neighbors=3, mode="distance").fit_transform(X)
    density = KNeighborsDensity(4, metric="precomputed", n_dims=2).fit(graph)
    if exclude_self:
        # Four stored neighbours, the row itself among them, leave three others.
        with pytest.raises(ValueError, match=r"n_neighbors=4 neighbours .* enlarge it"):
            density.leave_one_out_score_samples()
    # Three plus the row itself are no five.
    with pytest.raises(ValueError, match=r"at least n_neighbors=5 neighbours.* row 0 stores 4"):
        density.set_params(n_neighbors=5).fit(graph)


def test_graph_of_copies_only_asks_for_a_larger_graph(rng):
    X = np.r_[np.zeros((5, 2)), rng.normal(size=(20, 2))]
    graph = KNeighborsTransformer(n_neighbors=3, mode="distance").fit_transform(X)
    density = KNeighborsDensity(3, metric="precomputed", n_dims=2).fit(graph)
    # Four stored neighbours, all at distance 0: nothing says how large the density is.
    with pytest.raises(ValueError, match=r"one at a positive and finite distance.*enlarge it"):
        density.score_samples(graph)


def test_cross_fit_of_a_small_graph_is_refused(rng):
    X = rng.normal(size=(30, 2))
    graph = KNeighborsTransformer(n_neighbors=4, mode="distance").fit_transform(X)
    # Held-out rows take up places in the graph.
    with pytest.raises(ValueError, match=r"Row \d+ must have n_neighbors=4 .* in fit \d+"):
        KNeighborsDensity(4, metric="precomputed", n_dims=2).cross_fit_score_samples(
            graph, kfold_masks(30, 3, 1)
        )


# Bad input


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((10, 2), np.nan), "NaN"),
        (np.full((10, 2), np.inf), "infinity"),
        (np.empty((0, 2)), "0 sample"),
        (np.ones((1, 2)), "n_neighbors=5 and n_samples=1"),
        (np.random.default_rng(0).normal(size=(5, 2)), "n_neighbors=5 and n_samples=5"),
        (np.ones((10, 2)), "must not all be equal, got 10 copies"),
        (np.ones(10), "Expected 2D array"),
        (1e200 * np.random.default_rng(0).normal(size=(9, 2)), "positive and finite distance"),
    ],
    ids=["nan", "inf", "empty", "one row", "k = n", "equal", "1-d", "overflow"],
)
def test_bad_training_rows(X, message):
    # The error names the argument or the rule, and the value; no score is ever nan or infinite.
    with pytest.raises(ValueError, match=message), np.errstate(over="ignore"):
        KNeighborsDensity().fit(X).score_samples(X)


def test_rows_whose_squares_vanish_have_a_density(rng):
    X = rng.normal(size=(9, 2))
    tiny = KNeighborsDensity().fit(1e-200 * X).score_samples(1e-200 * X)
    # a change of units: minus the log-determinant of the scaling, in two dimensions
    expected = KNeighborsDensity().fit(X).score_samples(X) + 400 * np.log(10)
    np.testing.assert_allclose(tiny, expected, rtol=1e-12)


def test_sparse_rows_are_refused(rng):
    # Only a neighbour graph may be sparse.
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        KNeighborsDensity().fit(csr_array(rng.normal(size=(10, 2))))


def test_query_of_another_width(rng):
    density = KNeighborsDensity().fit(rng.normal(size=(10, 2)))
    for query in (density.score_samples, density.score):
        with pytest.raises(ValueError, match="3 features"):
            query(rng.normal(size=(10, 3)))
    with pytest.raises(ValueError, match="3 features"):
        density.cross_fit_score_samples(
            rng.normal(size=(10, 2)), leave_one_out_masks(10), rng.normal(size=(4, 3))
        )


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_other_dtypes_score_as_float64(rng, dtype):
    X = rng.integers(-100, 100, size=(50, 3)).astype(dtype)
    scores = KNeighborsDensity().fit(X).score_samples(X)
    # Values that float64 holds exactly are the same rows, and scores are float64.
    assert scores.dtype == np.float64
    expected = KNeighborsDensity().fit(X.astype(float)).score_samples(X.astype(float))
    np.testing.assert_array_equal(scores, expected)


def test_constant_columns_change_only_d(rng):
    X = rng.normal(size=(50, 2))
    wide = np.c_[X, np.full((50, 20), 7.0)]
    # They add nothing to distances.
    np.testing.assert_allclose(
        KNeighborsDensity(n_dims=2).fit(wide).score_samples(wide),
        KNeighborsDensity().fit(X).score_samples(X),
        rtol=1e-12,
    )


def test_data_frame(rng):
    frame = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    density = KNeighborsDensity().fit(frame)
    # Names are kept, values are what counts.
    assert list(density.feature_names_in_) == ["a", "b"]
    mask = kfold_masks(30, 5, 1)
    np.testing.assert_array_equal(
        density.cross_fit_score_samples(frame, mask, frame),
        density.cross_fit_score_samples(frame.to_numpy(), mask),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda mask: mask.astype(int), "train_mask must be of dtype bool"),
        (lambda mask: mask[:, :-1], "train_mask must have shape"),
        (lambda mask: mask & (np.arange(20) < 5), "in fit 0 of train_mask.*=4 and n_samples=4"),
        (lambda mask: mask & (np.arange(20) >= 14), "in fit 0 of train_mask, got 6 copies"),
    ],
    ids=["dtype", "shape", "few rows", "equal rows"],
)
def test_bad_train_mask(rng, change, message):
    X = rng.normal(size=(20, 2))
    X[14:] = 0
    mask = leave_one_out_masks(20)
    # Every fit has to be one that `fit` would accept.
    with pytest.raises(ValueError, match=message):
        KNeighborsDensity(4).cross_fit_score_samples(X, change(mask))


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (np.ones((9, 9)), {"n_dims": None}, "n_dims must be given"),
        (np.ones((9, 8)), {}, "square"),
        (-np.ones((9, 9)), {}, "Negative"),
        (np.zeros((9, 9)), {}, "all rows are equal"),
        (csr_array(np.eye(9)), {}, "n_neighbors=5 neighbours in every row"),
    ],
    ids=["no dimension", "not square", "negative", "zeros", "sparse"],
)
def test_bad_precomputed_distances(X, params, message):
    # The error names the argument, the rule and the value.
    with pytest.raises(ValueError, match=message):
        KNeighborsDensity(metric="precomputed", **{"n_dims": 2, **params}).fit(X)


def test_sparse_formats_with_made_up_zeros_are_refused():
    # A block format stores zeros that nobody measured; they would be copies here.
    with pytest.raises(TypeError, match="got bsr"):
        KNeighborsDensity(metric="precomputed", n_dims=1).fit(bsr_array(np.ones((9, 9))))


@pytest.mark.parametrize(
    "params",
    [{"n_neighbors": 0}, {"n_neighbors": 2.5}, {"metric": "no such"}, {"n_dims": 0}],
    ids=str,
)
def test_bad_parameters(rng, params):
    (name,) = params
    X = rng.normal(size=(20, 2))
    density = KNeighborsDensity(**params)
    for call in (
        density.fit,
        lambda X: density.cross_fit_score_samples(X, np.ones((1, 20), bool)),
    ):
        # Both doors look at the parameters before the data.
        with pytest.raises(ValueError, match=f"The '{name}' parameter"):
            call(X)


def test_there_is_no_sample():
    # The density does not integrate to one.
    assert not hasattr(KNeighborsDensity, "sample")


def test_queries_write_nothing(rng):
    X = rng.normal(size=(30, 2))
    density = KNeighborsDensity().fit(X)
    before = {name: id(value) for name, value in vars(density).items()}
    density.score_samples(X)
    density.leave_one_out_score_samples()
    density.cross_fit_score_samples(X[:20], kfold_masks(20, 5, 1))
    # Only `fit` sets attributes.
    assert before == {name: id(value) for name, value in vars(density).items()}


def test_documented_defaults_are_those_of_the_signature():
    for parameter in inspect.signature(KNeighborsDensity).parameters.values():
        default = (
            f'"{parameter.default}"' if isinstance(parameter.default, str) else parameter.default
        )
        line = next(
            line
            for line in KNeighborsDensity.__doc__.splitlines()
            if line.strip().startswith(f"{parameter.name} : ")
        )
        # The reader of the docstring is told the truth.
        assert line.endswith(f"default={default}")


def test_clone_keeps_parameters():
    density = KNeighborsDensity(3, metric="minkowski", metric_params={"p": 3}, n_jobs=2)
    # A constructor that only stores.
    assert clone(density).get_params() == density.get_params()


@pytest.mark.parametrize("fraction", [0.3, 0.9])
def test_a_table_of_few_values_is_searched_row_by_distinct_row(fraction, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.integers(4, size=(300, 2)).astype(float)
    mask = rng.random((5, 300)) < fraction
    searched = []

    def note(self, X, n_neighbors, query=NeighborIndex.query):
        searched.append((len(X), n_neighbors))
        return query(self, X, n_neighbors)

    density = KNeighborsDensity(7)
    with pytest.warns(UserWarning, match="rows are at distance 0"):
        expected = refit_cross_fit(density, X, mask)
    with pytest.warns(UserWarning, match="rows are at distance 0"):
        expected_left_out = refit_leave_one_out(density, X)
    monkeypatch.setattr(NeighborIndex, "query", note)
    with pytest.warns(UserWarning, match="rows are at distance 0"):
        # copies count as often as each fit has them
        np.testing.assert_allclose(density.cross_fit_score_samples(X, mask), expected, rtol=1e-12)
    with pytest.warns(UserWarning, match="rows are at distance 0"):
        np.testing.assert_allclose(
            density.fit(X).leave_one_out_score_samples(), expected_left_out, rtol=1e-12
        )
    # 16 distinct rows are all there is to search, and to search for
    assert max(max(pair) for pair in searched) <= 16


def test_pynndescent_drops_in():
    pynndescent = pytest.importorskip("pynndescent", reason="needs the extra ann")
    X = np.random.default_rng(0).normal(size=(500, 6))
    transformer = pynndescent.PyNNDescentTransformer(n_neighbors=15, random_state=0)
    density = KNeighborsDensity(5, metric="precomputed", n_dims=6)
    pipeline = make_pipeline(transformer, density).fit(X[:400])
    exact = KNeighborsDensity(5).fit(X[:400])
    for rows in (X[:400], X[400:]):
        # the graph is approximate, in float32: nearly all rows have their true neighbours
        close = np.isclose(pipeline.score_samples(rows), exact.score_samples(rows), atol=1e-4)
        assert close.mean() > 0.95
