"""Laws of MemorizationScorer with Pipelines: around one, at the end of one, and with the parameters of its fit."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
from sklearn.neighbors import KernelDensity as TreeDensity
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skmem import MemorizationScorer, cross_fit
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity, TransformedDensity
from tests.oracles import pooled_memorization, refit_cross_fit, refits_with_weights

X, y = load_iris(return_X_y=True)
X, y = X[::3] + np.random.default_rng(0).normal(scale=0.01, size=(50, 4)), y[::3]
WEIGHTS = np.random.default_rng(1).integers(0, 4, 50).astype(float)
kde = KernelDensity(bandwidth=0.5)
scaled = Pipeline([("scale", StandardScaler()), ("kde", kde)])
FOLDS = {"cv": KFold(5), "reduction": "pooled", "random_state": 0}


def scorer(estimator=kde, **params):
    return MemorizationScorer(estimator, **(FOLDS | params))


# Around a Pipeline


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
def test_preprocessing_is_refitted_in_every_fit(scaler):
    pipe = make_pipeline(scaler, kde)
    fitted = scorer(pipe).fit(X)
    mask = fitted.cross_fit_.train_mask
    # the held-out rows have no part in the scales either
    slow = refit_cross_fit(pipe, X, mask)
    np.testing.assert_allclose(fitted.cross_fit_.scores, slow, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fitted.memorization_, pooled_memorization(slow, mask))


def test_units_do_not_change_what_a_transformed_density_memorizes():
    scaler = StandardScaler()
    scores = [scorer(TransformedDensity(scaler, kde)).fit(c * X).memorization_ for c in (1, 1000)]
    # a difference of log-densities has no unit
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-6, atol=1e-8)


def test_scikit_learns_density_is_found_behind_a_transformed_density():
    rows = np.random.default_rng(0).normal(size=(300, 20)) * 3
    # it is as wrong there as alone
    with pytest.warns(UserWarning, match="scikit-learn's KernelDensity is wrong on held-out rows"):
        cross_fit(
            TransformedDensity(StandardScaler(), TreeDensity(bandwidth=0.2)), rows, cv=KFold(2)
        )


# At the end of a Pipeline


@pytest.mark.parametrize("params", [{}, {"cv": 10, "method": "auto"}], ids=["folds", "closed"])
def test_a_last_step_scores_the_transformed_rows(params):
    pipe = Pipeline([("scale", StandardScaler()), ("mem", scorer(**params))]).fit(X)
    Z = StandardScaler().fit_transform(X)
    alone = scorer(**params).fit(Z)
    # the steps before are fitted once, to all rows
    np.testing.assert_array_equal(pipe["mem"].memorization_, alone.memorization_)
    np.testing.assert_array_equal(pipe.score_samples(X), alone.score_samples(Z))
    assert pipe.score(X) == alone.score(Z)


def test_a_pipeline_of_frames_keeps_their_names_and_index():
    pd = pytest.importorskip("pandas", reason="pandas comes with the extra frames")
    frame = pd.DataFrame(X, columns=list("abcd"), index=[f"row {i}" for i in range(50)])
    pipe = Pipeline([("scale", StandardScaler()), ("mem", scorer())]).set_output(
        transform="pandas"
    )
    last = pipe.fit(frame)["mem"]
    np.testing.assert_array_equal(last.feature_names_in_, list("abcd"))
    # rows are found again in the data they came from
    np.testing.assert_array_equal(last.to_frame().index, frame.index)
    plain = Pipeline([("scale", StandardScaler()), ("mem", scorer())]).fit(X)["mem"]
    np.testing.assert_allclose(last.memorization_, plain.memorization_, rtol=0, atol=1e-10)
    # and inside, in every fit
    inner = make_pipeline(StandardScaler(), kde).set_output(transform="pandas")
    around = scorer(inner).fit(frame)
    np.testing.assert_array_equal(around.estimator_[-1].feature_names_in_, list("abcd"))
    np.testing.assert_allclose(
        around.memorization_, scorer(scaled).fit(X).memorization_, rtol=0, atol=1e-10
    )


def test_searches_and_cross_validation_reach_through():
    pipe = Pipeline([("scale", StandardScaler()), ("mem", scorer())])
    grid = {"mem__estimator__bandwidth": [0.1, 0.5], "scale": [StandardScaler(), "passthrough"]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X)
    # held-out log-likelihood is the score of the last step
    assert search.best_estimator_["mem"].memorization_.shape == (50,)
    expected = cross_val_score(search.best_estimator_, X, cv=3).mean()
    np.testing.assert_allclose(search.best_score_, expected)


# Weights and other parameters of fit


@pytest.mark.parametrize("density", [kde, GaussianMixture(reg_covar=1e-3)], ids=str)
def test_every_fit_gets_the_weights_of_its_rows(density):
    fitted = scorer(density).fit(X, sample_weight=WEIGHTS)
    mask = fitted.cross_fit_.train_mask
    slow = refits_with_weights(density, X, WEIGHTS, mask)
    # by refits: no closed form knows of weights
    assert fitted.method_ == "refit"
    np.testing.assert_allclose(fitted.cross_fit_.scores, slow, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fitted.memorization_, pooled_memorization(slow, mask))
    on_all = density.fit(X, sample_weight=WEIGHTS).score_samples(X)
    np.testing.assert_allclose(fitted.score_samples(X), on_all)


@pytest.mark.parametrize("density", [kde, GaussianMixture(reg_covar=1e-3), scaled], ids=str)
def test_a_weighted_row_is_left_out_whole(density):
    name = "kde__sample_weight" if density is scaled else "sample_weight"
    options = {"method": "leave-one-out"}
    fitted = MemorizationScorer(density, **options).fit(X, **{name: WEIGHTS})
    keep = ~np.eye(50, dtype=bool)
    out = [density.fit(X[k], **{name: WEIGHTS[k]}).score_samples(X[~k])[0] for k in keep]
    # with all that it counts for, in closed form and by refits
    np.testing.assert_allclose(fitted.log_density_out_, out, rtol=0, atol=1e-8)
    if density is kde:
        # a row of weight zero is not there
        np.testing.assert_allclose(fitted.memorization_[WEIGHTS == 0], 0, atol=1e-10)


def test_equal_weights_change_nothing_and_none_is_none():
    plain = scorer().fit(X)
    weighted = scorer().fit(X, sample_weight=np.full(50, 3.0))
    np.testing.assert_allclose(weighted.memorization_, plain.memorization_, rtol=0, atol=1e-9)
    none = scorer(KNeighborsDensity(3)).fit(X, sample_weight=None)
    # not given: the closed form, of densities without weights too
    assert none.method_ == "closed-form"


def test_the_default_density_finds_its_bandwidth_with_the_weights():
    fitted = MemorizationScorer().fit(X, sample_weight=WEIGHTS)
    best = KernelDensity(bandwidth="loo").fit(X, sample_weight=WEIGHTS).bandwidth_
    # as it does without them
    assert fitted.estimator_.bandwidth_ == best


@pytest.mark.parametrize("kind", [list, "series"])
def test_weights_may_be_of_any_kind(kind):
    if kind == "series":
        kind = pytest.importorskip("pandas", reason="pandas comes with the extra frames").Series
    got = scorer().fit(X, sample_weight=kind(WEIGHTS)).memorization_
    np.testing.assert_array_equal(got, scorer().fit(X, sample_weight=WEIGHTS).memorization_)


def test_steps_and_classifiers_get_their_weights_too():
    mask = cross_fit(scaled, X, cv=KFold(5)).train_mask
    by_step = scorer(scaled).fit(X, kde__sample_weight=WEIGHTS).cross_fit_
    slow = [scaled.fit(X[m], kde__sample_weight=WEIGHTS[m]).score_samples(X) for m in mask]
    # scikit-learn's way to name a step's parameter
    np.testing.assert_allclose(by_step.scores, slow, rtol=0, atol=1e-10)
    logistic = LogisticRegression(C=10.0, max_iter=1000)
    fits = cross_fit(
        logistic,
        X,
        y,
        cv=KFold(5, shuffle=True, random_state=0),
        params={"sample_weight": WEIGHTS},
    )
    for train, scores in zip(fits.train_mask, fits.scores, strict=True):
        fitted = logistic.fit(X[train], y[train], sample_weight=WEIGHTS[train])
        expected = fitted.predict_proba(X)[np.arange(50), y]
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)


def test_results_with_weights_do_not_depend_on_n_jobs_and_are_cached_apart(tmp_path):
    weights = {"sample_weight": WEIGHTS}
    one, two = (cross_fit(kde, X, cv=5, random_state=0, n_jobs=n, params=weights) for n in (1, 2))
    np.testing.assert_array_equal(one.scores, two.scores)
    cached = [
        cross_fit(
            kde, X, cv=5, random_state=0, memory=tmp_path, params={"sample_weight": w}
        ).scores
        for w in (np.ones(50), WEIGHTS, WEIGHTS)
    ]
    # other weights are other fits
    np.testing.assert_array_equal(cached[1], one.scores)
    np.testing.assert_array_equal(cached[2], one.scores)
    assert not np.array_equal(cached[0], one.scores)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"sample_weight": WEIGHTS[:25]}, ValueError, r"sample_weight must .* 50 rows .* \(25,\)"),
        ({"sample_weight": -WEIGHTS}, ValueError, "[Ss]ample.weight"),
        ({"weights": WEIGHTS}, TypeError, "unexpected keyword argument 'weights'"),
    ],
    ids=["half", "negative", "unknown"],
)
def test_what_the_estimator_does_not_take_is_refused(params, error, message):
    # 25 weights would have fitted the training rows of two folds
    with pytest.raises(error, match=message):
        scorer(cv=KFold(2)).fit(X, **params)


def test_estimators_without_weights_refuse_them():
    # not silently left out
    with pytest.raises(TypeError, match="sample_weight"):
        scorer(KNeighborsDensity(3)).fit(X, sample_weight=WEIGHTS)


# scikit-learn 1.9 says so of any search whose scores are unweighted.
@pytest.mark.filterwarnings("ignore:The scoring .* does not support sample_weight:UserWarning")
def test_a_search_slices_the_weights_of_a_scorer():
    grid = {"estimator__bandwidth": [0.2, 0.6]}
    search = GridSearchCV(scorer(), grid, cv=KFold(3)).fit(X, sample_weight=WEIGHTS)
    plain = GridSearchCV(kde, {"bandwidth": [0.2, 0.6]}, cv=KFold(3)).fit(X, sample_weight=WEIGHTS)
    # the same fits, scored the same way
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    expected = clone(scorer()).set_params(**search.best_params_).fit(X, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(search.best_estimator_.memorization_, expected.memorization_)


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_weights_are_routed_to_the_step_that_requests_them(routing):
    wants = KernelDensity(bandwidth=0.5).set_fit_request(sample_weight=True)
    unweighted = StandardScaler().set_fit_request(sample_weight=False)
    inner = Pipeline([("scale", unweighted), ("kde", wants)])
    outer = Pipeline([("same", MinMaxScaler((0, 10))), ("mem", scorer(inner))])
    routed = outer.fit(X, sample_weight=WEIGHTS)["mem"]
    with sklearn.config_context(enable_metadata_routing=False):
        by_step = Pipeline([("same", MinMaxScaler((0, 10))), ("mem", scorer(scaled))])
        expected = by_step.fit(X, mem__kde__sample_weight=WEIGHTS)["mem"]
    # through two Pipelines and the scorer between them, cut to the rows of each fit
    np.testing.assert_allclose(routed.memorization_, expected.memorization_, rtol=0, atol=1e-10)


def test_names_may_be_changed_on_the_way(routing):
    wants = KernelDensity(bandwidth=0.5).set_fit_request(sample_weight="counts")
    routed = scorer(wants).fit(X, counts=WEIGHTS)
    with sklearn.config_context(enable_metadata_routing=False):
        expected = scorer(kde).fit(X, sample_weight=WEIGHTS)
    # what the estimator calls it arrives under that name
    np.testing.assert_array_equal(routed.memorization_, expected.memorization_)


def test_weights_that_nobody_spoke_of_are_refused(routing):
    # scikit-learn's own words, with what to call
    with pytest.raises(UnsetMetadataPassedError, match="set_fit_request"):
        scorer(kde).fit(X, sample_weight=WEIGHTS)
    with pytest.raises(UnsetMetadataPassedError, match="set_fit_request"):
        Pipeline([("scale", StandardScaler()), ("mem", scorer())]).fit(X, sample_weight=WEIGHTS)


def test_groups_are_routed_to_the_scorer(routing):
    groups = np.arange(50) // 5
    last = scorer(cv=GroupKFold(5)).set_fit_request(groups=True)
    pipe = Pipeline([("scale", StandardScaler()), ("mem", last)]).fit(X, groups=groups)
    Z = StandardScaler().fit_transform(X)
    expected = scorer(cv=GroupKFold(5)).fit(Z, groups=groups)
    np.testing.assert_array_equal(pipe["mem"].memorization_, expected.memorization_)
    with pytest.raises(UnsetMetadataPassedError, match="groups"):
        Pipeline([("mem", scorer(cv=GroupKFold(5)))]).fit(X, groups=groups)


def test_groups_reach_a_last_step_by_name_without_routing():
    groups = np.arange(50) // 5
    pipe = Pipeline([("scale", StandardScaler()), ("mem", scorer(cv=GroupKFold(5)))])
    mask = pipe.fit(X, mem__groups=groups)["mem"].cross_fit_.train_mask
    # no fit has part of a group
    assert np.all(mask.reshape(-1, 10, 5).all(axis=2) == mask.reshape(-1, 10, 5).any(axis=2))


def test_transformed_densities_request_their_weights(routing):
    density = TransformedDensity(StandardScaler(), kde).set_fit_request(sample_weight=True)
    routed = scorer(density).fit(X, sample_weight=WEIGHTS)
    slow = refits_with_weights(density, X, WEIGHTS, routed.cross_fit_.train_mask)
    np.testing.assert_allclose(routed.cross_fit_.scores, slow, rtol=0, atol=1e-10)
