"""KernelDensity against brute force, real refits, and scikit-learn where that is right."""

import numpy as np
import pytest
import sklearn.neighbors
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import RepeatedKFold

import skmem._kernel_plan
from skmem.cross_fitting._splits import train_masks
from skmem.density import KernelDensity
from tests.oracles import kde_score_samples, refit_cross_fit, refit_leave_one_out

KERNELS = ["gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"]
each_kernel = pytest.mark.parametrize("kernel", KERNELS)


def rows(n=60, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@each_kernel
@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_score_samples_equals_brute_force(kernel, d, weighted):
    X, X_test = rows(80, d), 2 * rows(40, d, seed=1)
    weights = np.random.default_rng(2).uniform(0, 3, 80) if weighted else None
    kde = KernelDensity(kernel=kernel, bandwidth=0.8).fit(X, sample_weight=weights)
    expected = kde_score_samples(X, X_test, 0.8, kernel, weights)
    # Every pair counts, in any kernel; outside a compact support both are -inf.
    assert_allclose(kde.score_samples(X_test), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k != "cosine"])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "canberra"])
def test_equals_scikit_learn_with_one_leaf(kernel, metric):
    X, X_test = rows(), rows(30, seed=1)
    params = {"kernel": kernel, "metric": metric, "bandwidth": 1.3}
    ours = KernelDensity(**params).fit(X)
    theirs = sklearn.neighbors.KernelDensity(leaf_size=1000, **params).fit(X)
    # With a single leaf scikit-learn's tree has nothing to skip.
    assert_allclose(ours.score_samples(X_test), theirs.score_samples(X_test), rtol=1e-10)
    assert_allclose(ours.score(X_test), theirs.score(X_test), rtol=1e-10)


def test_scikit_learn_is_wrong_on_held_out_rows_where_we_are_right():
    X = load_digits().data
    ours = KernelDensity().fit(X[:1600]).score_samples(X[1600:])
    theirs = sklearn.neighbors.KernelDensity().fit(X[:1600]).score_samples(X[1600:])
    expected = kde_score_samples(X[:1600], X[1600:], 1.0)
    assert_allclose(ours, expected, rtol=1e-12)
    # Why this class exists. When this fails, scikit-learn has mended its tree: tell the users.
    assert np.mean(np.abs(theirs - expected) > 1e-3) > 0.3


def test_cosine_kernel_in_even_dimensions_integrates_to_one():
    kde = KernelDensity(kernel="cosine", bandwidth=1.0).fit(np.zeros((1, 2)))
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 801)] * 2), axis=-1).reshape(-1, 2)
    # A Riemann sum over the support; scikit-learn's normaliser is off by 1.01 nats here.
    assert_allclose(np.exp(kde.score_samples(grid)).sum() * (2 / 800) ** 2, 1.0, rtol=1e-3)


def test_gaussian_kernel_in_many_dimensions_against_scipy():
    X = rows(5, 200)
    kde = KernelDensity(bandwidth=2.0).fit(X)
    densities = [multivariate_normal(x, 4.0).logpdf(X) for x in X]
    # A KDE is an equal mixture of Gaussians.
    expected = np.logaddexp.reduce(densities, axis=0) - np.log(5)
    assert_allclose(kde.score_samples(X), expected, rtol=1e-12)


@each_kernel
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_equals_refits(kernel, weighted):
    X = rows(25, 2)
    kde = KernelDensity(kernel=kernel, bandwidth=0.9)
    weights = np.random.default_rng(2).uniform(0.1, 3, 25) if weighted else np.ones(25)
    expected = [
        kde_score_samples(np.delete(X, i, 0), X[[i]], 0.9, kernel, np.delete(weights, i))[0]
        for i in range(25)
    ]
    kde.fit(X, sample_weight=weights)
    # Leaving a row out is fitting without it.
    assert_allclose(kde.leave_one_out_score_samples(), expected, rtol=1e-10)


@each_kernel
@pytest.mark.parametrize("bandwidth", [0.3, "scott", "silverman", "loo"])
def test_cross_fit_equals_refits(kernel, bandwidth):
    X, X_eval = rows(30, 2), rows(11, 2, seed=3)
    mask = np.concatenate(
        [train_masks(5, X, random_state=0), np.random.default_rng(1).random((4, 30)) < 0.3]
    )
    kde = KernelDensity(kernel=kernel, bandwidth=bandwidth)
    for points in (None, X_eval):
        closed_form = kde.cross_fit_score_samples(X, mask, X_eval=points)
        # One pass for all fits is the same as the fits; a bandwidth found is found in each.
        assert_allclose(closed_form, refit_cross_fit(kde, X, mask, points), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bandwidth", [1e-3, 0.05, 1.0])
def test_cross_fit_is_stable_far_below_underflow(dtype, bandwidth):
    X = load_digits().data[:200].astype(dtype)
    X[7] = X[3]  # a copy, in the same fold or not, is e^100000 times nearer than any other row
    mask = train_masks(5, X, n_repeats=2, random_state=0)
    scores = KernelDensity(bandwidth=bandwidth).cross_fit_score_samples(X, mask)
    expected = [kde_score_samples(X[m], X, bandwidth) for m in mask]
    # exp(-1e6) is zero in any format: sums have to be scaled fit by fit.
    assert np.min(expected) < (-1e6 if bandwidth < 0.05 else -200)
    assert_allclose(scores, expected, rtol=1e-10 if dtype == np.float64 else 1e-6, atol=1e-3)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_far_from_the_origin(offset):
    X, X_test = rows(50, 4), rows(20, 4, seed=1)
    X, X_test = X + offset, X_test + offset
    expected = kde_score_samples(X, X_test, 0.5)
    # Distances do not change when all rows move; a naive |x|^2 + |y|^2 - 2xy would lose them.
    assert_allclose(KernelDensity(bandwidth=0.5).fit(X).score_samples(X_test), expected, rtol=1e-9)


def test_narrow_bandwidth_takes_differences():
    X = rows(50, 4)
    X_test = X + 1e-9
    # The bandwidth is below what a matrix product of rows resolves.
    expected = kde_score_samples(X, X_test, 1e-9)
    assert_allclose(
        KernelDensity(bandwidth=1e-9).fit(X).score_samples(X_test), expected, rtol=1e-9
    )


def test_float32_is_kept_and_close():
    X = load_digits().data[:500]
    single = KernelDensity(bandwidth=2.0).fit(X.astype(np.float32))
    double = KernelDensity(bandwidth=2.0).fit(X)
    assert single._fit_X.dtype == np.float32
    # The promise of the docstring: 1e-3 nat and 1e-6 of the log-density.
    assert_allclose(single.score_samples(X), double.score_samples(X), atol=1e-3, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-30, 1e-21, 1e-15, 1e15, 1e30])
def test_float32_keeps_its_promise_in_any_unit(unit):
    X = (unit * rows(40)).astype(np.float32)
    single = KernelDensity(bandwidth=0.5 * unit).fit(X).score_samples(X)
    double = KernelDensity(bandwidth=0.5 * unit).fit(X.astype(float)).score_samples(X)
    # The squares of these rows may be no numbers of float32.
    assert_allclose(single, double, atol=1e-3, rtol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bandwidth", [0.004, 0.012])
def test_leaving_out_far_boxes_changes_nothing(kernel, bandwidth, monkeypatch):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(1500, 2)), 6 + 0.3 * rng.normal(size=(1500, 2))])
    X = np.concatenate([X, [[40.0, -40.0], [40.1, -40.0], [90.0, 3.0]]])  # isolated rows
    X_test = np.concatenate([rng.normal(size=(500, 2)) * 3, [[1e3, 1e3]]])
    kde = KernelDensity(kernel=kernel, bandwidth=bandwidth).fit(X)
    mask = train_masks(3, X, random_state=0)
    monkeypatch.setattr(skmem._kernel_plan, "_LEAF_ROWS", 40)
    both = []
    for min_pairs in (1, 2**40):
        monkeypatch.setattr(skmem._kernel_plan, "_MIN_PAIRS", min_pairs)
        plan = skmem._kernel_plan.plan_pairs(
            X, X, skmem._kernels.KERNELS[kernel], kde._weighting()
        )
        # The plan is in force in one of the two runs only.
        assert (plan is not None) == (min_pairs == 1)
        both.append(
            [
                kde.score_samples(X_test),
                kde.leave_one_out_score_samples(),
                kde.cross_fit_score_samples(X, mask),
            ]
        )
    for planned, dense in zip(*both, strict=True):
        assert_allclose(planned, dense, atol=1e-8, rtol=1e-12)


def test_a_plan_holds_boxes_not_pairs_of_rows(monkeypatch):
    monkeypatch.setattr(skmem._kernel_plan, "_MIN_PAIRS", 1)
    X = np.random.default_rng(0).uniform(size=(6000, 2))
    weighting = KernelDensity(bandwidth=0.01).fit(X)._weighting()
    monkeypatch.setattr(skmem._kernel_plan, "_LEAF_ROWS", 40)
    plan = skmem._kernel_plan.plan_pairs(X, X, skmem._kernels.KERNELS["gaussian"], weighting)
    columns = {id(boxes): boxes for _, boxes in plan}.values()
    n_pairs = sum(len(rows) * len(boxes()) for rows, boxes in plan)
    # An index for each row of the boxes would take 8 bytes for each pair of a leaf and a row: with a fixed share of
    # all pairs kept that is a gigabyte at 200,000 rows.
    assert sum(boxes.args[0].nbytes for boxes in columns) < 8 * n_pairs / 40 / 20
    # Every row is in the plan once.
    assert_array_equal(np.sort(np.concatenate([rows for rows, _ in plan])), np.arange(6000))


def test_results_do_not_depend_on_the_block_size_or_threads():
    from sklearn import config_context
    from threadpoolctl import threadpool_limits

    X = load_digits().data[:700]
    kde = KernelDensity(bandwidth=2.0).fit(X)
    expected = kde.score_samples(X)
    with threadpool_limits(1):
        # Threads share out blocks, they do not shape them.
        assert_array_equal(kde.score_samples(X), expected)
    with config_context(working_memory=0.01):
        # Blocks of a single row give the same up to rounding.
        assert_allclose(kde.score_samples(X), expected, rtol=1e-12)


def test_loo_bandwidth_maximises_the_leave_one_out_likelihood():
    X = load_digits().data[:300]
    best = KernelDensity(bandwidth="loo").fit(X).bandwidth_

    def likelihood(h):
        return KernelDensity(bandwidth=h).fit(X).leave_one_out_score_samples().sum()

    # No bandwidth nearby or far off is better.
    for factor in (0.3, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 3.0):
        assert likelihood(best * factor) < likelihood(best)


@pytest.mark.parametrize("rule", ["scott", "silverman", "loo"])
def test_bandwidths_scale_with_the_data(rule):
    X = rows(100, 2)
    h, scaled = (KernelDensity(bandwidth=rule).fit(c * X + 3).bandwidth_ for c in (1.0, 1e-4))
    # Another unit of measurement is another unit of bandwidth.
    assert_allclose(scaled, h * 1e-4, rtol=1e-3)


def test_rules_of_thumb_by_hand():
    X = np.array([[-1.0], [1.0]])
    # Spread 1, n = 2, d = 1: n^(-1/5) and (3n/4)^(-1/5).
    assert_allclose(KernelDensity(bandwidth="scott").fit(X).bandwidth_, 2 ** (-0.2))
    assert_allclose(KernelDensity(bandwidth="silverman").fit(X).bandwidth_, 1.5 ** (-0.2))


@pytest.mark.parametrize("bandwidth", [1.0, "scott", "loo"])
def test_weight_zero_is_absence(bandwidth):
    X = rows(40, 2)
    weights = np.where(np.arange(40) % 4 == 0, 0.0, 1.0)
    with_zeros = KernelDensity(bandwidth=bandwidth).fit(X, sample_weight=weights)
    without = KernelDensity(bandwidth=bandwidth).fit(X[weights > 0])
    # A row that weighs nothing was never there.
    assert_allclose(with_zeros.score_samples(X), without.score_samples(X), rtol=1e-10)


@each_kernel
def test_sample_has_the_mean_and_spread_of_the_density(kernel):
    X = rows(30, 3) * 0.1
    kde = KernelDensity(kernel=kernel, bandwidth=0.5).fit(X)
    drawn = kde.sample(4000, random_state=0)
    # The kernel is centred, so the mean is that of the rows.
    assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.06)
    if kernel in ("gaussian", "tophat"):
        variance = 0.25 if kernel == "gaussian" else 0.25 / 5  # h^2, and h^2 / (d + 2)
        assert_allclose(drawn.var(axis=0), X.var(axis=0) + variance, rtol=0.15)
    assert_array_equal(drawn, kde.sample(4000, random_state=0))


def test_sample_follows_the_weights():
    X = np.array([[0.0], [100.0], [200.0]])
    kde = KernelDensity(bandwidth=0.1).fit(X, sample_weight=[1.0, 0.0, 3.0])
    drawn = kde.sample(1000, random_state=0).ravel()
    # A row of weight zero is never drawn around, and one of weight three most often.
    assert not np.any(np.abs(drawn - 100) < 50)
    assert_allclose(np.mean(drawn > 150), 0.75, atol=0.05)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bandwidth": 0.0}, "bandwidth"),
        ({"bandwidth": "best"}, "bandwidth"),
        ({"kernel": "square"}, "kernel"),
        ({"metric": "nearness"}, "metric"),
        (
            {"algorithm": "kd_tree", "metric": "haversine"},
            "metric must fit algorithm='kd_tree', got",
        ),
    ],
)
def test_parameters_out_of_range_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        KernelDensity(**params).fit(rows())


@pytest.mark.parametrize("bandwidth", ["scott", "silverman", "loo"])
def test_equal_rows_have_no_bandwidth(bandwidth):
    with pytest.raises(ValueError, match="all are equal"):
        KernelDensity(bandwidth=bandwidth).fit(np.full((9, 2), 0.1))
    # A number needs nothing of the rows.
    kde = KernelDensity(bandwidth=1.0).fit(np.full((9, 2), 0.1))
    assert_allclose(kde.leave_one_out_score_samples(), -np.log(2 * np.pi))


@pytest.mark.parametrize("scale", [1e-155, 1e155])
def test_loo_bandwidth_refuses_rows_whose_squared_distances_are_no_floats(scale):
    # The likelihood would be nan for every bandwidth, and the search for its maximum endless.
    with pytest.raises(ValueError, match="bandwidth='loo' needs rows from 1e-140 to 1e\\+140"):
        KernelDensity(bandwidth="loo").fit(scale * rows())


def test_loo_bandwidth_refuses_rows_that_all_have_copies():
    with pytest.raises(ValueError, match="exact copy"):
        KernelDensity(bandwidth="loo").fit(np.repeat(rows(20), 2, axis=0))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(60), "(?i)sample.weights? must .* (positive|non-zero)"),
        (-np.ones(60), "sample_weight"),
        (np.ones(59), "sample_weight"),
        (np.full(60, np.nan), "sample_weight"),
    ],
)
def test_weights_out_of_range_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        KernelDensity().fit(rows(), sample_weight=weights)


def test_train_mask_is_checked():
    X = rows(6)
    with pytest.raises(ValueError, match="train_mask must be of dtype bool"):
        KernelDensity().cross_fit_score_samples(X, np.ones((2, 6)))
    with pytest.raises(ValueError, match="n_samples=6"):
        KernelDensity().cross_fit_score_samples(X, np.ones((2, 5), dtype=bool))
    with pytest.raises(ValueError, match="fit 0 selects none"):
        KernelDensity().cross_fit_score_samples(X, np.zeros((2, 6), dtype=bool))


def test_leaving_out_the_only_row_is_refused():
    with pytest.raises(ValueError, match="at least 2 rows of positive weight, got 1"):
        KernelDensity().fit(rows(1)).leave_one_out_score_samples()


def test_it_takes_the_place_of_scikit_learns_class():
    theirs = sklearn.neighbors.KernelDensity(bandwidth=0.7, kernel="linear", leaf_size=7)
    # Same constructor, so that replacing the import is all there is to do.
    ours = KernelDensity(**theirs.get_params())
    assert ours.get_params() == theirs.get_params()
    assert clone(ours).fit(rows()).score(rows()) == pytest.approx(theirs.fit(rows()).score(rows()))


def test_leave_one_out_through_the_refit_oracle():
    X = rows(20, 2)
    kde = KernelDensity(bandwidth=0.5)
    # The generic oracle that other densities are held against too.
    assert_allclose(
        kde.fit(X).leave_one_out_score_samples(), refit_leave_one_out(kde, X), rtol=1e-10
    )


def test_repeated_k_fold_at_once():
    X = load_digits().data[:150]
    splits = RepeatedKFold(n_splits=5, n_repeats=2, random_state=0).split(X)
    mask = np.array([np.isin(np.arange(150), train) for train, _ in splits])
    kde = KernelDensity(bandwidth=2.0)
    # The case that everything else is built on.
    assert_allclose(
        kde.cross_fit_score_samples(X, mask), refit_cross_fit(kde, X, mask), rtol=1e-11
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_candidates_together_are_the_candidates_one_by_one(dtype):
    X = np.concatenate([rows(40), rows(40)[:5], rows(3) + 30]).astype(dtype)
    mask = train_masks(4, X, None, None, n_repeats=2, stratify=False, random_state=0)
    candidates = [
        KernelDensity(bandwidth=h, kernel=kernel)
        for h in (1e-2, 0.5, 2.0, 1e4, "scott", "loo")
        for kernel in ("gaussian", "tophat", "exponential")
        if (h, kernel) not in (("loo", "tophat"), ("loo", "exponential"))
    ]
    together = KernelDensity().cross_fit_candidates(X, mask, candidates)
    for candidate, found in zip(candidates, together, strict=True):
        alone = candidate.cross_fit_score_samples(X, mask)
        # What they share are the distances; float32 ones are exact to 1e-3 nat.
        assert_allclose(found, alone, rtol=1e-11, atol=1e-10 if dtype == np.float64 else 2e-3)


@pytest.mark.parametrize(
    "params",
    [{"bandwidth": -1.0}, {"kernel": "box"}, {"algorithm": "kd_tree", "metric": "haversine"}],
)
def test_candidates_are_checked_one_by_one(params):
    mask = np.tile(np.arange(60) % 2 == 0, (2, 1))
    candidates = [KernelDensity(), KernelDensity().set_params(**params)]
    # The one that is out of range is named, whatever stands beside it.
    with pytest.raises(ValueError, match=next(iter(params))):
        KernelDensity().cross_fit_candidates(rows(), mask, candidates)


@pytest.mark.parametrize("bandwidth", [1e-200, 1e200])
def test_a_bandwidth_whose_square_is_no_float_is_refused(bandwidth):
    with pytest.raises(ValueError, match=r"bandwidth must be from 1e-140 to 1e\+140.* got 1e"):
        KernelDensity(bandwidth=bandwidth).fit(rows())
