"""Laws of TransformedDensity: it is the change of variables, whatever the transformer is made of."""

import warnings

import numpy as np
import pytest
from scipy.stats import kstest, lognorm, norm
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture as PlainMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skmem import MemorizationScorer, cross_fit
from skmem.density import (
    GaussianMixture,
    KernelDensity,
    KNeighborsDensity,
    TransformedDensity,
    log_abs_det_jacobian,
)
from tests.oracles import (
    log_abs_det_by_differences,
    quantile_slope,
    refit_cross_fit,
    refit_leave_one_out,
)
from tests.staged import Annealed

rng = np.random.default_rng(0)
# Skewed and correlated columns of differing size, all positive; POINTS lie between the rows.
X = np.exp(rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3)) * 0.5) * [1.0, 10.0, 0.1]
POINTS = np.array([X[rng.choice(40, 4, replace=False)].mean(axis=0) for _ in range(12)])
kde = KernelDensity(bandwidth=0.4)
log = FunctionTransformer(np.log, np.exp)


class Cube:
    """A function that brings its derivative along."""

    def __call__(self, X, shift=0.0):
        return (X + shift) ** 3

    def log_abs_det_jacobian(self, X, shift=0.0):
        return np.log(3 * (X + shift) ** 2).sum(axis=1)


class Tripler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """A transformer that says what it does to volumes, here everywhere the same."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return 3.0 * X

    def inverse_transform(self, X):
        return X / 3.0

    def log_abs_det_jacobian(self, X):
        return X.shape[1] * np.log(3.0)


ONTO = {
    "standard": StandardScaler(),
    "centred": StandardScaler(with_std=False),
    "min-max": MinMaxScaler(feature_range=(-2, 3)),
    "max-abs": MaxAbsScaler(),
    "robust": RobustScaler(),
    "unit variance": RobustScaler(quantile_range=(10, 80), unit_variance=True),
    "unscaled": RobustScaler(with_scaling=False),
    "pca": PCA(),
    "whitened": PCA(whiten=True),
    "log": log,
    "identity": FunctionTransformer(),
    "supplied": Tripler(),
    "pipeline": make_pipeline(log, "passthrough", StandardScaler(), PCA(whiten=True)),
    "nested": make_pipeline(RobustScaler(), make_pipeline(StandardScaler(), PCA())),
    "columns": make_column_transformer(
        (StandardScaler(), [2]),
        (make_pipeline(log, MinMaxScaler()), [0]),
        remainder="passthrough",
    ),
    "columns in pipeline": make_pipeline(
        make_column_transformer((PCA(whiten=True), slice(0, 2)), (log, [2])), StandardScaler()
    ),
    "frozen": FrozenEstimator(StandardScaler().fit(X)),
}
BOUNDED = {
    "yeo-johnson": PowerTransformer(),
    "yeo-johnson alone": PowerTransformer(standardize=False),
    "box-cox": PowerTransformer("box-cox"),
    "box-cox alone": PowerTransformer("box-cox", standardize=False),
    "uniform": QuantileTransformer(n_quantiles=10),
    "normal": QuantileTransformer(n_quantiles=10, output_distribution="normal"),
    "all quantiles": QuantileTransformer(n_quantiles=40),
    "exp": FunctionTransformer(np.exp, np.log),
    "log1p": FunctionTransformer(np.log1p, np.expm1),
    "expm1": FunctionTransformer(np.expm1, np.log1p),
    "sqrt": FunctionTransformer(np.sqrt, np.square),
    "sinh": FunctionTransformer(np.sinh, np.arcsinh),
    "arcsinh": FunctionTransformer(np.arcsinh, np.sinh),
    "own function": FunctionTransformer(Cube(), np.cbrt),
    "with arguments": FunctionTransformer(
        Cube(),
        lambda Z, shift: np.cbrt(Z) - shift,
        kw_args={"shift": 1.0},
        inv_kw_args={"shift": 1.0},
    ),
}
ALL = ONTO | BOUNDED


def each(transformers):
    return pytest.mark.parametrize("transformer", transformers.values(), ids=list(transformers))


# The change of variables


@each(ALL)
def test_the_jacobian_is_that_of_what_the_transformer_does(transformer):
    fitted = clone(transformer).fit(X, None)
    slow = [log_abs_det_by_differences(fitted.transform, x, 1e-5 * x.min()) for x in POINTS]
    # by differences of its own transform, off the knots of quantiles
    np.testing.assert_allclose(log_abs_det_jacobian(fitted, POINTS), slow, rtol=0, atol=1e-5)


@each(ALL)
def test_scores_are_those_of_the_transformed_rows_and_the_volume(transformer):
    density = TransformedDensity(transformer, kde).fit(X)
    fitted = clone(transformer).fit(X, None)
    inner = clone(kde).fit(fitted.transform(X)).score_samples(fitted.transform(POINTS))
    # the definition, term by term
    expected = inner + log_abs_det_jacobian(fitted, POINTS)
    np.testing.assert_allclose(density.score_samples(POINTS), expected, rtol=0, atol=1e-10)


ANY_WIDTH = {k: v for k, v in ALL.items() if "columns" not in k and k != "frozen"}


@each(ANY_WIDTH)
def test_volumes_change_as_the_jacobian_says(transformer):
    x = X[:, [0]]
    density = TransformedDensity(transformer, kde).fit(x)
    fitted = density.transformer_
    between = np.array([[0.5 * x.min()], [1.5 * x.max()]])
    ends = fitted.transform(between)[:, 0]
    grids = (
        np.linspace(*between, 20001),
        fitted.inverse_transform(np.linspace(*ends, 20001)[:, None]),
    )
    grid = np.unique(np.concatenate([*grids, getattr(fitted, "quantiles_", x)]))
    total = np.exp(density.score_samples((grid[1:, None] + grid[:-1, None]) / 2)) @ np.diff(grid)
    # the mass that the kernels have between the ends, in closed form
    cdf = norm.cdf((np.sort(ends)[:, None] - fitted.transform(x)[:, 0]) / kde.bandwidth).mean(
        axis=1
    )
    np.testing.assert_allclose(total, cdf[1] - cdf[0], rtol=1e-3)


ONTO_OF_ANY_WIDTH = {k: v for k, v in ANY_WIDTH.items() if k in ONTO and "log" not in str(v)}


@each(ONTO_OF_ANY_WIDTH)
def test_two_columns_integrate_to_one(transformer):
    z = np.random.default_rng(1).normal(size=(30, 2)) @ [[2.0, 1.0], [0.0, 0.5]]
    density = TransformedDensity(transformer, GaussianMixture()).fit(z)
    x, y = np.linspace(-14, 14, 401), np.linspace(-9, 9, 401)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    p = np.exp(density.score_samples(grid.reshape(-1, 2))).reshape(401, 401)
    # a determinant, not a product of columns: whitening rotates too
    np.testing.assert_allclose(np.trapezoid(np.trapezoid(p, y), x), 1.0, rtol=1e-3)


def test_a_lognormal_is_a_gaussian_of_logarithms():
    x = X[:, [0]]
    density = TransformedDensity(log, GaussianMixture(reg_covar=0)).fit(x)
    mean, sd = np.log(x).mean(), np.log(x).std()
    # a case with a name of its own
    expected = lognorm.logpdf(POINTS[:, 0], sd, scale=np.exp(mean))
    np.testing.assert_allclose(density.score_samples(POINTS[:, [0]]), expected, rtol=1e-10)


LINEAR = ("standard", "min-max", "max-abs", "robust", "pca", "whitened", "nested")


@each({name: ONTO[name] for name in LINEAR})
def test_a_gaussian_does_not_notice_a_linear_transformer(transformer):
    density = TransformedDensity(transformer, GaussianMixture(reg_covar=0)).fit(X)
    plain = GaussianMixture(reg_covar=0).fit(X)
    # the family is closed under linear maps, so all scalers make the same density
    expected = plain.score_samples(POINTS)
    np.testing.assert_allclose(density.score_samples(POINTS), expected, rtol=0, atol=1e-8)


def test_the_jacobian_is_that_of_automatic_differentiation():
    torch = pytest.importorskip("torch", reason="automatic differentiation comes with torch")
    box_cox = PowerTransformer("box-cox", standardize=False).fit(X)
    pca = PCA(whiten=True).fit(box_cox.transform(X))
    lambdas, components = torch.tensor(box_cox.lambdas_), torch.tensor(pca.components_)

    def chain(x):
        z = (x**lambdas - 1) / lambdas - torch.tensor(pca.mean_)
        return (components @ z) / torch.tensor(pca.explained_variance_).sqrt()

    pipeline = make_pipeline(FrozenEstimator(box_cox), FrozenEstimator(pca)).fit(X)
    points = torch.tensor(POINTS)
    slow = [torch.linalg.slogdet(torch.func.jacrev(chain)(x))[1].item() for x in points]
    # written anew, so that nothing is shared but the parameters
    np.testing.assert_allclose(log_abs_det_jacobian(pipeline, POINTS), slow, rtol=0, atol=1e-9)


# Quantiles


@pytest.mark.parametrize("n_quantiles", [7, 40])
def test_at_knots_slopes_are_means_and_beyond_the_rows_zero(n_quantiles):
    fitted = QuantileTransformer(n_quantiles=n_quantiles).fit(X)
    rows = np.concatenate([X, fitted.quantiles_, [2 * X.max(axis=0), X.min(axis=0) / 2]])
    knots, heights = fitted.quantiles_.T, fitted.references_
    slopes = [
        [quantile_slope(x, k, heights) for x, k in zip(row, knots, strict=True)] for row in rows
    ]
    with np.errstate(divide="ignore"):
        expected = np.log(slopes).sum(axis=1)
    # training rows are knots, where a line has two slopes, to rounding
    np.testing.assert_allclose(log_abs_det_jacobian(fitted, rows), expected, rtol=0, atol=1e-9)
    assert np.isneginf(expected[-2:]).all()


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_values_that_occur_often_are_no_wall(output):
    x = np.sort(np.concatenate([np.zeros(10), np.full(7, 0.1 + 0.2), rng.uniform(size=23)]))[
        :, None
    ]
    fitted = QuantileTransformer(n_quantiles=40, output_distribution=output).fit(x)
    log_det = log_abs_det_jacobian(fitted, x)
    # a jump has no slope; knots that differ by rounding make none either
    assert np.isfinite(log_det).all()
    assert log_det.max() < 20
    density = TransformedDensity(fitted, kde).fit(x)
    grid = np.linspace(0, x.max(), 200001)[1:-1]
    total = np.trapezoid(np.exp(density.score_samples(grid[:, None])), grid)
    # what lies in the jumps is lost, so a likelihood is never too high
    assert total < 0.99


def test_flat_ends_of_normal_quantiles_have_no_density_but_on_the_rows_there():
    x = X[:, [0]]
    fitted = QuantileTransformer(n_quantiles=40, output_distribution="normal").fit(x)
    low, high = x.min(), x.max()
    points = np.array([[low], [low + 1e-9], [low - 1e-9], [high], [high - 1e-9], [high + 1e-9]])
    # scikit-learn's threshold; a row that is an end is known by its value
    finite = np.isfinite(log_abs_det_jacobian(fitted, points))
    np.testing.assert_array_equal(finite, [True, False, False, True, False, False])


# Sampling


@each({k: v for k, v in ALL.items() if k != "with arguments"})
def test_samples_follow_the_density(transformer):
    density = TransformedDensity(transformer, GaussianMixture(2, random_state=0)).fit(X)
    rows = density.sample(300, random_state=1)
    # the inverse undoes the transformer, also by columns and in pipelines
    assert rows.shape == (300, 3)
    assert np.isfinite(density.score_samples(rows)).all()
    again = density.transformer_.transform(rows)
    drawn = density.density_.sample(2000)[0]
    if transformer not in BOUNDED.values():
        for j in range(3):
            # draws of the density, seen through the transformer, are draws of the density
            assert kstest(again[:, j], drawn[:, j]).pvalue > 1e-4
    # with a seed always the same
    np.testing.assert_array_equal(density.sample(300, random_state=1), rows)
    assert not np.array_equal(density.sample(300, random_state=2), rows)


def test_draws_that_are_no_values_are_drawn_again_from_all_components():
    z = np.concatenate([rng.normal(0.1, 0.1, (100, 1)), rng.normal(0.9, 0.01, (100, 1))])
    mixture = GaussianMixture(2, random_state=0).fit(z)
    uniform = FrozenEstimator(
        QuantileTransformer(n_quantiles=100).fit(np.linspace(0, 2, 100)[:, None])
    )
    density = TransformedDensity(uniform, FrozenEstimator(mixture)).fit(
        np.linspace(0, 2, 9)[:, None]
    )
    rows = density.sample(1000, random_state=0)
    drawn = mixture.sample(20000)[0]
    values = drawn[(drawn > 0) & (drawn < 1)]
    # the density on the values of the transformer: a mixture's draws come sorted by component
    assert kstest(rows[:, 0] / 2, values).pvalue > 1e-3


def test_a_density_without_values_of_the_transformer_cannot_be_drawn_from():
    far = FrozenEstimator(KernelDensity(bandwidth=0.1).fit(np.full((3, 1), 9.0)))
    density = TransformedDensity(QuantileTransformer(n_quantiles=9), far).fit(X[:, [0]])
    # no endless loop, and the numbers
    with pytest.raises(ValueError, match=r"takes 0 of 320 rows .* n_samples=5"):
        density.sample(5)


@pytest.mark.parametrize(
    ("transformer", "error", "message"),
    [
        (FunctionTransformer(np.log), ValueError, "must have an inverse_func to sample, got None"),
        (FrozenEstimator(FunctionTransformer(np.log)), ValueError, "must have an inverse_func"),
        (
            type("OneWay", (Tripler,), {"inverse_transform": property()})(),
            TypeError,
            "OneWay must",
        ),
    ],
    ids=["no inverse", "frozen", "no method"],
)
def test_what_cannot_be_inverted_is_scored_but_not_drawn(transformer, error, message):
    density = TransformedDensity(transformer, kde).fit(X)
    assert np.isfinite(density.score_samples(X)).all()
    with pytest.raises(error, match=message):
        density.sample(3)


def test_what_the_density_cannot_do_is_not_offered():
    density = TransformedDensity(StandardScaler(), KNeighborsDensity(5))
    # as its own hasattr says, before and after the fit
    for it in (density, clone(density).fit(X)):
        for name in ("sample", "staged_score_samples", "stages_"):
            assert not hasattr(it, name)


# Closed forms


@each({"frozen": ONTO["frozen"], "function": log, "pipeline": make_pipeline("passthrough", log)})
@pytest.mark.parametrize("inner", [kde, KNeighborsDensity(3), GaussianMixture()], ids=str)
def test_closed_forms_go_through_where_the_transformer_is_the_same_in_all_fits(transformer, inner):
    density = TransformedDensity(transformer, inner)
    out = clone(density).fit(X).leave_one_out_score_samples()
    # refits move nothing but the density
    np.testing.assert_allclose(out, refit_leave_one_out(density, X), rtol=0, atol=1e-8)
    mask = rng.uniform(size=(3, 40)) < 0.7
    for points in (None, POINTS):
        fast = density.cross_fit_score_samples(X, mask, points)
        slow = refit_cross_fit(density, X, mask, points)
        np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-8)
    # and so the scorer needs one fit
    assert MemorizationScorer(density).fit(X).n_fits_ == 1


@each(
    {k: v for k, v in ALL.items() if k in (*LINEAR, "pipeline", "columns", "uniform", "box-cox")}
)
def test_closed_forms_are_absent_where_the_transformer_is_refitted(transformer):
    density = TransformedDensity(transformer, kde)
    for it in (density, clone(density).fit(X)):
        # a closed form with the transformer of all rows would not be the fit without the row
        assert not hasattr(it, "leave_one_out_score_samples")
        assert not hasattr(it, "cross_fit_score_samples")


def test_exactness_is_that_of_the_density():
    # what the scorer asks before it takes a closed form
    assert TransformedDensity(log, GaussianMixture(1)).leave_one_out_is_exact
    assert not TransformedDensity(log, GaussianMixture(2)).leave_one_out_is_exact
    assert TransformedDensity(log, kde).leave_one_out_is_exact


def test_closed_forms_know_of_weights():
    weight = np.arange(40.0) % 3
    density = TransformedDensity(log, kde).fit(X, sample_weight=weight)
    keep = ~np.eye(40, dtype=bool)
    fits = [clone(density).fit(X[k], sample_weight=weight[k]) for k in keep]
    slow = [fit.score_samples(X[~k])[0] for fit, k in zip(fits, keep, strict=True)]
    # one score a row, for those of weight zero as well
    np.testing.assert_allclose(density.leave_one_out_score_samples(), slow, rtol=0, atol=1e-8)


def test_stages_go_through_in_the_units_of_the_rows():
    fitted = TransformedDensity(StandardScaler(), Annealed(random_state=0)).fit(X)
    stages = list(fitted.staged_score_samples(POINTS))
    assert fitted.stages_ == [1, 2, 4]
    # the last stage is the density, with the same volumes
    np.testing.assert_allclose(stages[-1], fitted.score_samples(POINTS))
    assert not np.allclose(stages[0], stages[-1])
    scorer = MemorizationScorer(fitted, cv=4, n_repeats=2, random_state=0).fit(X)
    np.testing.assert_array_equal(scorer.stages_, [1, 2, 4])
    np.testing.assert_allclose(scorer.memorization_path_[-1], scorer.memorization_)


def test_memorization_of_refits_has_the_volumes_of_their_scalers():
    scaled = TransformedDensity(
        StandardScaler(), GaussianMixture(reg_covar=0, cross_fit_start="cold")
    )
    piped = make_pipeline(StandardScaler(), GaussianMixture(reg_covar=0, cross_fit_start="cold"))
    plain = GaussianMixture(reg_covar=0, cross_fit_start="cold")
    rows = np.concatenate([X, [8 * X.max(axis=0)]])
    scores = [
        MemorizationScorer(e, method="cross-fit", random_state=0).fit(rows).memorization_
        for e in (plain, scaled, piped)
    ]
    # a Gaussian is the same density in all units, so is what it memorizes
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-6, atol=1e-6)
    # a Pipeline's scores lack that the outlier widens the scale of the fits that see it
    assert abs(scores[2][-1] - scores[0][-1]) > 1.0


# Input


def test_columns_may_be_named():
    pd = pytest.importorskip("pandas", reason="pandas comes with the extra frames")
    by_name = make_column_transformer((StandardScaler(), ["c"]), (log, ["a"]), remainder=PCA())
    by_place = make_column_transformer((StandardScaler(), [2]), (log, [0]), remainder=PCA())
    expected = TransformedDensity(by_place, kde).fit(X).score_samples(POINTS)
    frame, points = (pd.DataFrame(rows, columns=list("abc")) for rows in (X, POINTS))
    density = TransformedDensity(by_name, kde).fit(frame)
    # a frame reaches the ColumnTransformer as a frame
    np.testing.assert_allclose(density.score_samples(points), expected)
    np.testing.assert_array_equal(density.feature_names_in_, list("abc"))
    assert density.sample(5, random_state=0).shape == (5, 3)
    weights = np.arange(40) % 2
    weighted = clone(density).fit(frame, sample_weight=weights).score_samples(points)
    np.testing.assert_allclose(weighted, clone(density).fit(frame[1::2]).score_samples(points))
    # and frames may go on inside
    framed = clone(density).set_params(transformer__verbose_feature_names_out=False)
    framed.transformer.set_output(transform="pandas")
    np.testing.assert_allclose(framed.fit(frame).score_samples(points), expected)
    np.testing.assert_array_equal(framed.density_.feature_names_in_, ["c", "a", "pca0"])


def test_polars_frames_will_do():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    frame = pl.DataFrame(X, schema=list("abc"))
    by_name = ColumnTransformer([("s", StandardScaler(), ["c", "a"])], remainder="passthrough")
    by_place = ColumnTransformer([("s", StandardScaler(), [2, 0])], remainder="passthrough")
    expected = TransformedDensity(by_place, kde).fit(X).score_samples(X)
    # any library that scikit-learn takes
    got = TransformedDensity(by_name, kde).fit(frame).score_samples(frame)
    np.testing.assert_allclose(got, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, object])
def test_arithmetic_is_double_whatever_the_rows(dtype):
    rows = (10 * X).round().astype(dtype)
    expected = TransformedDensity(PowerTransformer(), kde).fit(rows.astype(float))
    got = TransformedDensity(PowerTransformer(), kde).fit(rows)
    # nats are added and subtracted
    np.testing.assert_array_equal(
        got.score_samples(rows), expected.score_samples(rows.astype(float))
    )


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(copy=False),
        MinMaxScaler(copy=False),
        PowerTransformer("box-cox", copy=False),
        QuantileTransformer(n_quantiles=9, copy=False, output_distribution="normal"),
        make_pipeline(StandardScaler(copy=False), PCA(copy=False, whiten=True)),
    ],
    ids=str,
)
def test_transformers_that_overwrite_their_input_get_a_copy(transformer):
    copies = {n: True for n in transformer.get_params() if n.endswith("copy")}
    expected = TransformedDensity(clone(transformer).set_params(**copies), kde).fit(X)
    rows = X.copy()
    density = TransformedDensity(transformer, kde).fit(rows)
    np.testing.assert_array_equal(density.score_samples(rows), expected.score_samples(X))
    # neither fit nor queries change what is not theirs
    density.sample(3)
    np.testing.assert_array_equal(rows, X)


def test_a_constant_column_keeps_its_unit():
    rows = np.column_stack([X[:, 0], np.full(40, 7.0)])
    for scaler in (StandardScaler(), MinMaxScaler(), RobustScaler(), PowerTransformer()):
        log_det = log_abs_det_jacobian(scaler.fit(rows), rows)
        alone = log_abs_det_jacobian(clone(scaler).fit(rows[:, :1]), rows[:, :1])
        # scikit-learn's scale for it is one
        np.testing.assert_allclose(log_det, alone)


class Subclass(StandardScaler):
    """Who knows what it does."""


CONSTANT = np.column_stack([X[:, 0], np.full(40, 7.0)])
REFUSED = {
    "clipped": (
        MinMaxScaler(clip=True),
        X,
        ValueError,
        "MinMaxScaler must have clip=False .* True",
    ),
    "fewer": (PCA(2), X, ValueError, "got .*40, 2.* from .*40, 3"),
    "few rows": (PCA(), X[:2], ValueError, "must keep the number of columns"),
    "flat": (PCA(whiten=True), CONSTANT, ValueError, "rows that vary in all directions"),
    "constant": (
        QuantileTransformer(n_quantiles=9),
        CONSTANT,
        ValueError,
        "constant column, got 7",
    ),
    "dropped": (make_column_transformer((PCA(), [0, 1])), X, ValueError, "keep the number of col"),
    "twice": (
        make_column_transformer((StandardScaler(), [0, 1]), (PCA(), [1])),
        X,
        ValueError,
        r"every column once .*\[0, 1, 1\] of 3",
    ),
    "weighted": (
        ColumnTransformer([("a", PCA(), [0, 1, 2])], transformer_weights={"a": 2.0}),
        X,
        ValueError,
        "transformer_weights=None",
    ),
    "subclass": (
        Subclass(),
        X,
        TypeError,
        "for transformer Subclass: .* a method log_abs_det_jac",
    ),
    "in pipeline": (make_pipeline(PCA(), Subclass()), X, TypeError, "for transformer Subclass"),
    "function": (
        FunctionTransformer(np.cbrt),
        X,
        TypeError,
        "func=<ufunc 'cbrt'> of FunctionTrans",
    ),
    "lambda": (FunctionTransformer(lambda X: 2 * X), X, TypeError, "an attribute log_abs_det_jac"),
    "shape": (
        type("Wide", (Tripler,), {"log_abs_det_jacobian": lambda self, X: np.zeros(X.shape)})(),
        X,
        ValueError,
        r"log_abs_det_jacobian of Wide must return shape \(40,\), got \(40, 3\)",
    ),
    "not positive": (PowerTransformer("box-cox"), -X, ValueError, "strictly positive"),
}


@pytest.mark.parametrize(
    ("transformer", "rows", "error", "message"), REFUSED.values(), ids=REFUSED
)
def test_what_is_not_invertible_is_refused_in_fit(transformer, rows, error, message):
    # in words, before anything is fitted to the transformed rows
    with pytest.raises(error, match=message):
        TransformedDensity(transformer, kde).fit(rows)


def test_weights_go_to_the_transformer_too_where_it_takes_them():
    weight = np.arange(40) % 3
    density = TransformedDensity(StandardScaler(), kde).fit(X, sample_weight=weight)
    # weight 2 is the row twice
    np.testing.assert_allclose(density.transformer_.mean_, np.average(X, axis=0, weights=weight))
    robust = TransformedDensity(RobustScaler(), kde).fit(X, sample_weight=weight)
    # others count each row that is there
    np.testing.assert_allclose(robust.transformer_.center_, np.median(X[weight > 0], axis=0))
    with pytest.raises(TypeError, match=r"sample_weight must be None for density=KNeighborsDens"):
        TransformedDensity(StandardScaler(), KNeighborsDensity()).fit(X, sample_weight=weight)


def test_nested_parameters_are_reached():
    density = TransformedDensity(QuantileTransformer(n_quantiles=20, subsample=30), kde)
    density.set_params(density__bandwidth=0.2, transformer__n_quantiles=15)
    assert clone(density).get_params()["density__bandwidth"] == 0.2
    assert density.fit(X).transformer_.n_quantiles_ == 15
    # seeds are set however deep: what is random in the transformer too is that of the fit
    fits = [cross_fit(density, X, cv=4, random_state=seed).scores for seed in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_seeds_reach_densities_whose_sample_takes_none():
    plain = TransformedDensity(StandardScaler(), PlainMixture(2, random_state=0)).fit(X)
    # scikit-learn's mixture draws by the seed it was made with
    np.testing.assert_array_equal(plain.sample(5), plain.sample(5))
    assert not np.array_equal(plain.sample(5, random_state=1), plain.sample(5, random_state=2))
    assert plain.density_.random_state == 0


def test_a_search_compares_transformers_in_one_unit():
    rows = load_iris().data
    scalers = [StandardScaler(), MinMaxScaler()]
    mixture = GaussianMixture(reg_covar=0)
    grid = GridSearchCV(
        TransformedDensity(StandardScaler(), mixture), {"transformer": scalers}, cv=5
    )
    scores = grid.fit(rows).cv_results_["mean_test_score"]
    # two names for one density
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-8)


def test_densities_nest():
    twice = TransformedDensity(log, TransformedDensity(StandardScaler(), kde)).fit(X)
    once = TransformedDensity(make_pipeline(log, StandardScaler()), kde).fit(X)
    # the chain rule
    np.testing.assert_allclose(twice.score_samples(POINTS), once.score_samples(POINTS))


def test_nothing_is_said_of_rows_without_trouble():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for transformer in ALL.values():
            density = TransformedDensity(transformer, kde).fit(X)
            density.score_samples(POINTS)
