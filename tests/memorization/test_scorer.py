"""Laws of MemorizationScorer: what it computes is what refits with and without each row say."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import BayesianGaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.cross_fitting import SubsetSplit
from skmem.cross_fitting._splits import train_masks
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from skmem.memorization import memorization_score
from tests.oracles import (
    matched_memorization,
    pooled_memorization,
    refit_cross_fit,
    refit_leave_one_out,
)

X, y = load_iris(return_X_y=True)
X, y = X[::3] + np.random.default_rng(0).normal(scale=0.01, size=(50, 4)), y[::3]
kde = KernelDensity(bandwidth=0.5)

CLOSED_FORMS = {
    "kde": kde,
    "epanechnikov": KernelDensity(bandwidth=2.0, kernel="epanechnikov"),
    "knn": KNeighborsDensity(n_neighbors=4),
    "gaussian": GaussianMixture(),
    "diagonal": GaussianMixture(covariance_type="diag"),
}
each_closed_form = pytest.mark.parametrize("density", CLOSED_FORMS.values(), ids=CLOSED_FORMS)


class Refitted(BaseEstimator):
    """A density without its closed forms."""

    def __init__(self, density=None):
        self.density = density

    def fit(self, X, y=None):
        self.density.fit(X)
        return self

    def score_samples(self, X):
        return self.density.score_samples(X)


def fit(estimator=kde, data=X, y=None, groups=None, **params):
    params = {"random_state": 0} | params
    return MemorizationScorer(estimator, **params).fit(data, y, groups=groups)


# Leave-one-out


@each_closed_form
def test_auto_takes_an_exact_closed_form(density):
    scorer = fit(density)
    assert (scorer.method_, scorer.n_fits_, scorer.n_repeats_) == ("leave-one-out", 1, 1)
    assert scorer.cross_fit_ is None
    fitted = scorer.estimator_
    # the definition, in two calls of the density
    expected = fitted.score_samples(X) - fitted.leave_one_out_score_samples()
    np.testing.assert_allclose(scorer.memorization_, expected, rtol=0, atol=1e-12)


@each_closed_form
def test_leave_one_out_is_what_refits_say(density):
    scorer = fit(density)
    # log p(x_i | all) - log p(x_i | all but i), by brute force
    out = refit_leave_one_out(density, X)
    np.testing.assert_allclose(scorer.log_density_out_, out, rtol=0, atol=1e-9)
    inside = refit_cross_fit(density, X, np.ones((1, len(X)), dtype=bool))[0]
    np.testing.assert_allclose(scorer.memorization_, inside - out, rtol=0, atol=1e-9)


def test_a_bandwidth_that_is_found_is_found_once():
    scorer = fit(None)
    bandwidth = scorer.estimator_.bandwidth_
    # the default leaves out the row, not its part in the choice of the bandwidth
    expected = refit_leave_one_out(KernelDensity(bandwidth=bandwidth), X)
    np.testing.assert_allclose(scorer.log_density_out_, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("estimator", "inner"),
    [
        (make_pipeline(StandardScaler(), kde), make_pipeline(StandardScaler(), kde)),
        (Refitted(GaussianMixture()), GaussianMixture()),
    ],
    ids=["pipeline", "no closed form"],
)
def test_leave_one_out_can_be_forced_by_refits(estimator, inner):
    scorer = fit(estimator, method="leave-one-out")
    # one fit on all rows and one without each
    assert (scorer.method_, scorer.n_fits_) == ("leave-one-out", 51)
    expected = refit_leave_one_out(inner, X)
    np.testing.assert_allclose(scorer.log_density_out_, expected, rtol=0, atol=1e-12)
    # the fits are kept, with their masks
    np.testing.assert_array_equal(scorer.cross_fit_.train_mask, ~np.eye(50, dtype=bool))
    np.testing.assert_array_equal(np.diag(scorer.cross_fit_.scores), scorer.log_density_out_)


def test_leave_one_out_knows_its_noise_in_closed_form_alone():
    closed = fit(kde)
    # the same rows make the same fit
    assert np.all(closed.standard_error_ == 0)
    assert closed.noise_floor_ == {0.95: 0.0, 0.999: 0.0}
    refitted = fit(Refitted(kde), method="leave-one-out")
    # another seed may make another fit, and one refit a row does not say by how much
    assert np.isnan(refitted.standard_error_).all()
    assert np.isnan(list(refitted.noise_floor_.values())).all()
    for scorer in (closed, refitted):
        # there is no rank among one fit
        assert np.isnan(scorer.p_values_).all()


@pytest.mark.parametrize(
    ("estimator", "options", "method"),
    [
        (GaussianMixture(1), {}, "leave-one-out"),
        (GaussianMixture(2), {}, "closed-form"),
        (GaussianMixture(2), {"method": "leave-one-out"}, "leave-one-out"),
        (GaussianMixture(2, cross_fit_start="cold"), {}, "refit"),
        (kde, {"method": "cross-fit"}, "closed-form"),
        (kde, {"groups": np.arange(50) // 5, "cv": GroupKFold(5)}, "closed-form"),
        (make_pipeline(kde), {}, "refit"),
        (Refitted(kde), {}, "refit"),
    ],
    ids=["gaussian", "mixture", "forced", "cold", "asked", "groups", "pipeline", "other"],
)
def test_auto_cross_fits_where_leave_one_out_is_not_exact_or_not_meant(estimator, options, method):
    # an update that leaves out EM steps is not the fit without the row
    assert fit(
        estimator, **({"n_repeats": 1} if "cv" not in options else {}), **options
    ).method_ == (method)


def test_a_mixture_says_whether_its_leave_one_out_is_exact():
    # the parameter decides, before and after the fit
    assert GaussianMixture(1).leave_one_out_is_exact
    # without an EM step a refit stays where it began
    assert not GaussianMixture(1, max_iter=0).leave_one_out_is_exact
    assert not GaussianMixture(2).fit(X).leave_one_out_is_exact
    overlapping = X[20:, :2]
    fitted = GaussianMixture(2, random_state=0, tol=1e-6, max_iter=1000).fit(overlapping)
    refits = refit_leave_one_out(fitted, overlapping)
    # and it is right: on overlapping components the update is off
    assert np.abs(fitted.leave_one_out_score_samples() - refits).max() > 0.01


# Cross-fitting


def test_cross_fitting_is_what_refits_say():
    scorer = fit(kde, method="cross-fit", cv=5, n_repeats=3)
    mask = scorer.cross_fit_.train_mask
    scores = refit_cross_fit(kde, X, mask)
    np.testing.assert_allclose(scorer.cross_fit_.scores, scores, rtol=0, atol=1e-9)
    # the default reduction, by its own oracle
    expected = matched_memorization(scores, mask, 5)
    np.testing.assert_allclose(scorer.memorization_, expected, rtol=0, atol=1e-9)
    assert (scorer.n_fits_, scorer.n_repeats_) == (15, 3)


@pytest.mark.parametrize("reduction", ["matched", "pooled", "mean"])
@pytest.mark.parametrize("cv", [4, SubsetSplit(0.6, 30, random_state=0)], ids=["folds", "subsets"])
def test_a_closed_form_agrees_with_refits(reduction, cv):
    params = {"method": "cross-fit", "cv": cv, "reduction": reduction}
    closed, refitted = (fit(e, **params) for e in (kde, make_pipeline(kde)))
    assert (closed.method_, refitted.method_) == ("closed-form", "refit")
    # a pipeline of one step is that step
    for name in ("memorization_", "standard_error_", "log_density_in_", "log_density_out_"):
        np.testing.assert_allclose(
            getattr(closed, name), getattr(refitted, name), rtol=1e-7, atol=1e-9
        )
    np.testing.assert_array_equal(closed.p_values_, refitted.p_values_)


SPLITTERS = {
    "k-fold": KFold(5, shuffle=True, random_state=1),
    "repeated": RepeatedKFold(n_splits=4, n_repeats=3, random_state=1),
    "leave-one-out": LeaveOneOut(),
    "shuffle": ShuffleSplit(30, test_size=0.3, random_state=1),
    "subsets": SubsetSplit(0.7, 30, random_state=1),
    "pairs": [(np.arange(25), np.arange(25, 50)), (np.arange(25, 50), np.arange(25))],
}


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
def test_a_splitter_is_used_as_it_stands(cv):
    scorer = fit(kde, method="cross-fit", cv=cv, reduction="pooled")
    mask = train_masks(cv, X)
    np.testing.assert_array_equal(scorer.cross_fit_.train_mask, mask)
    # its repeats are its own, so it counts as one
    assert (scorer.n_repeats_, scorer.n_fits_) == (1, len(mask))
    expected = pooled_memorization(refit_cross_fit(kde, X, mask), mask)
    np.testing.assert_allclose(scorer.memorization_, expected, rtol=0, atol=1e-9)


def test_leave_one_out_as_a_splitter_is_leave_one_out():
    outside = fit(kde, method="cross-fit", cv=LeaveOneOut()).log_density_out_
    # the same fits without the row, however they come about
    np.testing.assert_allclose(outside, fit(kde).log_density_out_, rtol=0, atol=1e-9)


def test_groups_are_held_out_together():
    groups = np.arange(50) // 5
    together = fit(kde, cv=GroupKFold(5), groups=groups)
    mask = together.cross_fit_.train_mask
    # no fit has part of a group
    assert np.all(mask.reshape(-1, 10, 5).all(axis=2) == mask.reshape(-1, 10, 5).any(axis=2))
    # copies of a row hide it from folds but not from groups
    copies, narrow = np.repeat(X[:10], 5, axis=0), KernelDensity(bandwidth=0.1)
    alone = fit(narrow, copies, method="cross-fit", cv=5).memorization_
    grouped = fit(narrow, copies, cv=GroupKFold(5), groups=groups).memorization_
    assert alone.max() < 0.5
    assert np.median(grouped) > 2


def test_repeats_belong_to_folds():
    cv = KFold(5)
    # left at its default, or 1
    assert fit(kde, method="cross-fit", cv=cv).n_repeats_ == 1
    assert fit(kde, method="cross-fit", cv=cv, n_repeats=1).n_repeats_ == 1
    with pytest.raises(ValueError, match="n_repeats must be 1 unless cv is an int, got 3"):
        fit(kde, method="cross-fit", cv=cv, n_repeats=3)


def test_the_scores_are_those_of_the_function():
    scorer = fit(make_pipeline(kde), cv=5, n_repeats=4, reduction="pooled")
    fits = scorer.cross_fit_
    # the estimator adds nothing to the pure function of two arrays
    scores = memorization_score(fits.scores, fits.train_mask, reduction="pooled")
    np.testing.assert_array_equal(scorer.memorization_, scores.memorization)
    np.testing.assert_array_equal(scorer.standard_error_, scores.standard_error)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), PCA(2), KernelDensity(bandwidth=0.5)),
        make_pipeline(StandardScaler(), make_pipeline(PCA(2), GaussianMixture(2))),
        GridSearchCV(KernelDensity(), {"bandwidth": [0.3, 1.0]}, cv=3),
        make_pipeline(PCA(2), GridSearchCV(KernelDensity(), {"bandwidth": [0.3, 1.0]}, cv=3)),
        BayesianGaussianMixture(n_components=2, max_iter=500, tol=0.01, reg_covar=0.01),
    ],
    ids=["pipeline", "nested", "search", "search in pipeline", "scikit-learn's"],
)
def test_anything_that_scores_rows_will_do(estimator):
    scorer = fit(estimator, cv=3, n_repeats=2)
    assert scorer.method_ == "refit"
    assert np.isfinite(scorer.memorization_).all()
    # a row helps itself, on the whole
    assert scorer.memorization_.mean() > 0
    np.testing.assert_array_equal(scorer.score_samples(X), scorer.estimator_.score_samples(X))


# Classifiers


@pytest.mark.parametrize(
    "classifier",
    [LogisticRegression(), KNeighborsClassifier(1), make_pipeline(PCA(2), LogisticRegression())],
    ids=["logistic", "neighbours", "pipeline"],
)
def test_classifiers_are_scored_by_the_probability_of_the_label(classifier):
    scorer = fit(classifier, y=y, cv=5, n_repeats=3)
    # differences of probabilities
    assert np.all(np.abs(scorer.memorization_) <= 1)
    for name in ("log_density_in_", "log_density_out_"):
        assert np.all((getattr(scorer, name) >= 0) & (getattr(scorer, name) <= 1))
    fits = scorer.cross_fit_
    assert fits.response == "predict_proba"
    inside = np.average(fits.scores, axis=0, weights=fits.train_mask)
    outside = np.average(fits.scores, axis=0, weights=~fits.train_mask)
    # averaged as they are (Feldman & Zhang)
    np.testing.assert_allclose(scorer.memorization_, inside - outside, atol=1e-12)
    # its own score is the accuracy
    assert scorer.score(X, y) == scorer.estimator_.score(X, y)


def test_a_nearest_neighbour_memorizes_what_its_neighbours_contradict():
    flipped = y.copy()
    flipped[7] = 2
    scorer = fit(KNeighborsClassifier(1), y=flipped, cv=5, n_repeats=3)
    # with the row its label is certain, without it wrong: all of it is memorized
    assert scorer.memorization_[7] == 1
    assert scorer.top(1)[0][0] == 7
    assert scorer.p_values_[7] < 0.01


def test_classifiers_can_be_left_out_one_by_one():
    scorer = fit(KNeighborsClassifier(1), y=y, method="leave-one-out")
    assert (scorer.method_, scorer.n_fits_) == ("leave-one-out", 51)
    without = [KNeighborsClassifier(1).fit(np.delete(X, i, 0), np.delete(y, i)) for i in range(50)]
    wrong = [m.predict(X[[i]])[0] != y[i] for i, m in enumerate(without)]
    # by refits
    np.testing.assert_array_equal(scorer.memorization_, wrong)


def test_folds_of_a_classifier_are_stratified():
    scorer = fit(LogisticRegression(), y=y, cv=5, n_repeats=1)
    held_out = ~scorer.cross_fit_.train_mask
    counts = np.array([np.bincount(y[out], minlength=3) for out in held_out])
    # every fit sees every label
    assert np.ptp(counts, axis=0).max() <= 1
    splitter = StratifiedKFold(5)
    assert fit(LogisticRegression(), y=y, cv=splitter).n_fits_ == 5


def test_auto_cross_fits_where_splits_are_given():
    # Splits that a person chose are no default to be passed over.
    assert MemorizationScorer(kde, cv=KFold(3)).fit(X).method_ == "closed-form"


def test_auto_cross_fits_where_a_tolerance_is_given():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    scorer = MemorizationScorer(KernelDensity(), tol=1e3, random_state=0).fit(rows)
    # A tolerance of the noise asks for the noise.
    assert scorer.method_ == "closed-form"
    assert scorer.n_repeats_ == 3


def test_the_default_density_has_one_bandwidth_in_all_fits():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    best = KernelDensity(bandwidth="loo").fit(rows).bandwidth_
    for method in ("leave-one-out", "cross-fit"):
        by_default = MemorizationScorer(method=method, random_state=0).fit(rows)
        given = MemorizationScorer(KernelDensity(bandwidth=best), method=method, random_state=0)
        # Found once, on all rows: what changes from fit to fit is the rows alone.
        np.testing.assert_array_equal(by_default.memorization_, given.fit(rows).memorization_)


def test_leave_one_out_of_a_mixture_claims_no_precision():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    one_step = MemorizationScorer(GaussianMixture(2, random_state=0), method="leave-one-out")
    # One step of EM is off by what nobody knows, which is not zero.
    assert np.isnan(one_step.fit(rows).standard_error_).all()
    exact = MemorizationScorer(GaussianMixture(1, random_state=0), method="leave-one-out")
    assert not exact.fit(rows).standard_error_.any()


def test_outlier_scores_are_no_nats():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.warns(UserWarning, match="outlier score, not a log-density"):
        MemorizationScorer(IsolationForest(n_estimators=3), n_repeats=1, cv=2).fit(rows)


def test_a_fit_that_fails_leaves_the_one_before():
    scorer = MemorizationScorer(kde, method="cross-fit", n_repeats=1, random_state=0).fit(X)
    before = scorer.memorization_, scorer.estimator_
    with pytest.raises(ValueError, match="cv must be"):
        scorer.set_params(cv=99).fit(X[:10])
    # half of one fit and half of another would be worse than either
    assert (scorer.memorization_, scorer.estimator_) == before
    assert len(scorer.to_frame()) == len(X)
    with pytest.raises(ValueError, match="cv must be"):
        scorer.fit(X[:, :1])
    # what it says of its columns goes with its scores
    assert scorer.n_features_in_ == X.shape[1]
