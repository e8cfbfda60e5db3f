"""The search gives what GridSearchCV gives, and memorization from the same fits."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning, UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer, SubsetSplit
from skmem.density import KernelDensity, KNeighborsDensity
from skmem.model_selection import MemorizationSearchCV, memorization_below, pareto_front
from skmem.model_selection._rounds import _rows_of_rounds

X, Y = load_iris(return_X_y=True)
X = X[::2] + 0.01 * np.random.default_rng(0).normal(size=(75, 4))
Y = Y[::2]
CV = RepeatedKFold(n_splits=4, n_repeats=3, random_state=0)
GRID = {"bandwidth": [0.2, 0.4, 0.8]}


def mean_log_density(estimator, X, y=None):
    return np.mean(estimator.score_samples(X))


class Fragile(KNeighborsDensity):
    """A density that counts its fits and fails for three neighbours."""

    n_fits = 0

    def fit(self, X, y=None):
        Fragile.n_fits += 1
        if self.n_neighbors == 3:
            raise RuntimeError("three is too many")
        return super().fit(X)

    cross_fit_score_samples = property()


@pytest.mark.parametrize(
    ("density", "grid"),
    [
        (KernelDensity(), GRID),
        (KNeighborsDensity(), {"n_neighbors": [2, 3, 6]}),
        (GaussianMixture(random_state=0), {"reg_covar": [1e-3, 1e-1], "means_init": [None]}),
        (make_pipeline(StandardScaler(), KernelDensity()), {"kerneldensity__bandwidth": [0.3, 1]}),
    ],
)
def test_held_out_scores_are_those_of_grid_search(density, grid):
    ours = MemorizationSearchCV(density, grid, cv=CV, random_state=0).fit(X)
    theirs = GridSearchCV(density, grid, cv=CV, scoring=mean_log_density).fit(X)
    # a closed form or a refit, the mean over splits of the mean over held-out rows is the same number
    for name in ("mean_test", "std_test", "split3_test"):
        np.testing.assert_allclose(
            ours.cv_results_[f"{name}_log_density"], theirs.cv_results_[f"{name}_score"], rtol=1e-9
        )
    # so is the order, and so is the choice
    assert list(ours.cv_results_["rank_test_log_density"]) == list(
        theirs.cv_results_["rank_test_score"]
    )
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_allclose(
        ours.score_samples(X), theirs.best_estimator_.score_samples(X), rtol=1e-9
    )


@pytest.mark.parametrize("reduction", ["matched", "pooled", "mean"])
@pytest.mark.parametrize("cv", [CV, SubsetSplit(0.7, 24, random_state=0)])
def test_memorization_is_that_of_the_scorer(cv, reduction):
    search = MemorizationSearchCV(
        KernelDensity(), GRID, cv=cv, reduction=reduction, refit=False, random_state=0
    ).fit(X)
    for params, memorization in zip(
        search.cv_results_["params"], search.memorization_, strict=True
    ):
        density = KernelDensity(**params)
        scorer = MemorizationScorer(density, method="cross-fit", cv=cv, reduction=reduction)
        # masks without folds are matched by random subsets, whose seeds differ
        atol = 0.2 if reduction == "matched" and isinstance(cv, SubsetSplit) else 1e-12
        np.testing.assert_allclose(memorization, scorer.fit(X).memorization_, atol=atol)


def test_summaries_and_their_errors_by_hand():
    search = MemorizationSearchCV(KernelDensity(), GRID, cv=CV, threshold=1.5, random_state=0)
    table = search.fit(X).cv_results_
    memorization = search.memorization_
    np.testing.assert_allclose(table["memorization_q95"], np.quantile(memorization, 0.95, axis=1))
    np.testing.assert_allclose(
        table["memorization_q999"], np.quantile(memorization, 0.999, axis=1)
    )
    np.testing.assert_allclose(table["memorization_max"], memorization.max(axis=1))
    np.testing.assert_array_equal(table["n_memorized"], (memorization > 1.5).sum(axis=1))
    # the jackknife does without each repeat in turn: by hand, a search over the splits of the others
    splits = list(CV.split(X))
    without = []
    for repeat in range(3):
        kept = [split for k, split in enumerate(splits) if k // 4 != repeat]
        part = MemorizationSearchCV(KernelDensity(), GRID, cv=kept, threshold=1.5).fit(X)
        without.append(part.cv_results_)
    for name in ("memorization_q95", "memorization_q999", "memorization_max", "n_memorized"):
        expected = np.sqrt(2 * np.var([part[name] for part in without], axis=0))
        np.testing.assert_allclose(table[f"standard_error_{name}"], expected, atol=1e-12)
    rows = search.log_density_out_
    np.testing.assert_allclose(
        table["standard_error_test_log_density"], rows.std(axis=1, ddof=1) / np.sqrt(len(X))
    )


def test_no_fit_more_than_grid_search():
    Fragile.n_fits = 0
    MemorizationSearchCV(Fragile(), {"n_neighbors": [2, 4, 5]}, cv=4, n_repeats=2).fit(X)
    # 3 candidates on 8 splits, and the one chosen on all rows
    assert Fragile.n_fits == 3 * 8 + 1


def test_candidates_that_fail_are_reported_and_the_rest_is_ranked():
    search = MemorizationSearchCV(Fragile(), {"n_neighbors": [3, 2, 4]}, cv=3, n_repeats=1)
    with pytest.warns(FitFailedWarning, match=r"1 of 3 candidates.*three is too many"):
        search.fit(X)
    table = search.cv_results_
    # a candidate without scores is nan and last, as in scikit-learn
    assert np.isnan(table["mean_test_log_density"][0])
    assert np.isnan(table["memorization_q95"][0])
    assert table["rank_test_log_density"][0] == 3
    assert search.best_params_["n_neighbors"] != 3
    with pytest.raises(RuntimeError, match="three is too many"):
        clone(search).set_params(error_score="raise").fit(X)
    # where nothing can be chosen the failure itself is the message
    with pytest.raises(RuntimeError, match="three is too many") as raised:
        clone(search).set_params(param_grid={"n_neighbors": [3]}).fit(X)
    assert "all 1 candidates" in " ".join(raised.value.__notes__)


def test_results_do_not_depend_on_n_jobs():
    grid = {"n_components": [1, 3]}
    searches = [
        MemorizationSearchCV(
            GaussianMixture(), grid, cv=3, n_repeats=2, n_jobs=n_jobs, random_state=0
        ).fit(X)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(searches[0].memorization_, searches[1].memorization_)
    np.testing.assert_array_equal(searches[0].score_samples(X), searches[1].score_samples(X))


def test_random_search_draws_candidates_by_seed():
    search = MemorizationSearchCV(
        KernelDensity(), {"bandwidth": np.geomspace(0.1, 2, 50)}, search="random", n_iter=4
    )
    draws = [clone(search).set_params(random_state=seed).fit(X) for seed in (0, 0, 1)]
    drawn = [[params["bandwidth"] for params in s.cv_results_["params"]] for s in draws]
    assert len(drawn[0]) == 4
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_halving_tries_ever_fewer_on_ever_more_rows():
    rows = np.random.default_rng(0).normal(size=(400, 2))
    grid = {"bandwidth": np.geomspace(0.05, 5, 9)}
    halving = MemorizationSearchCV(
        KernelDensity(), grid, search="halving", cv=4, n_repeats=2, random_state=0
    ).fit(rows)
    table = halving.cv_results_
    assert list(table["iter"]) == [0] * 9 + [1] * 3
    assert list(table["n_resources"]) == [133] * 9 + [400] * 3
    # rows that a candidate was not tried on have no score, and the winner has them all
    np.testing.assert_array_equal(
        np.isfinite(halving.memorization_).sum(axis=1), table["n_resources"]
    )
    assert table["iter"][halving.best_index_] == 1
    full = MemorizationSearchCV(KernelDensity(), grid, cv=4, n_repeats=2, random_state=0).fit(rows)
    assert halving.best_params_ == full.best_params_


@pytest.mark.parametrize("n_candidates, factor", [(1, 3), (3, 3), (4, 3), (125, 5), (216, 6)])
def test_halving_ends_once_a_factor_of_candidates_is_left(n_candidates, factor):
    rows = np.arange(4000.0).reshape(-1, 1)
    grid = {"bandwidth": np.geomspace(1, 1000, n_candidates)}
    search = MemorizationSearchCV(
        KernelDensity(kernel="tophat"), grid, search="halving", factor=factor, cv=2, n_repeats=1
    )
    rounds = list(_rows_of_rounds(search, (rows, None, None), n_candidates, 0))
    # Rounds of 125, 25 and 5 candidates: the last one chooses among more than one, as the first does.
    n_rounds = 1
    while n_candidates > factor:
        n_candidates = -(-n_candidates // factor)
        n_rounds += 1
    assert [len(part) for part in rounds] == [4000 // factor**i for i in range(n_rounds)][::-1]


@pytest.mark.filterwarnings("ignore:Fits failed:sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize("search", ["grid", "halving"])
def test_failed_candidates_come_after_those_of_density_zero(search):
    grid = {"bandwidth": [-1.0, 1e-6, -2.0]}
    found = MemorizationSearchCV(
        KernelDensity(kernel="tophat"), grid, search=search, cv=2, n_repeats=1, random_state=0
    ).fit(np.arange(100.0).reshape(-1, 1))
    # No row is within 1e-6 of another, so all held-out densities are zero; but they are densities.
    assert found.best_params_ == {"bandwidth": 1e-6}
    assert list(found.cv_results_["rank_test_log_density"]) == [2, 1, 2]
    assert list(found.cv_results_["rank_memorization_q95"]) == [2, 1, 2]


@pytest.mark.filterwarnings("ignore:Fits failed:sklearn.exceptions.FitFailedWarning")
def test_halving_prefers_candidates_of_density_zero_to_failed_ones():
    grid = {"bandwidth": [-1.0, -2.0, 1e-6, 1e-7]}
    found = MemorizationSearchCV(
        KernelDensity(kernel="tophat"), grid, search="halving", factor=2, cv=2, n_repeats=1
    ).fit(np.arange(100.0).reshape(-1, 1))
    # Those that go on are the ones that could be fitted.
    assert [p["bandwidth"] for p in found.cv_results_["params"][4:]] == [1e-6, 1e-7]


def test_classifiers_are_searched_by_the_probability_of_the_label():
    grid = {"C": [0.01, 1.0, 100.0]}
    model = LogisticRegression(max_iter=1000)
    search = MemorizationSearchCV(model, grid, cv=3, n_repeats=2, random_state=0).fit(X, Y)
    # a weaker penalty fits single rows more closely: probabilities memorize more
    quantiles = search.cv_results_["memorization_q95"]
    assert np.all(np.diff(quantiles) > 0)
    assert np.all(np.abs(search.memorization_) <= 1)
    assert np.all(search.cv_results_["mean_test_log_density"] < 0)
    assert search.predict(X).shape == Y.shape
    assert search.predict_proba(X).shape == (75, 3)
    assert list(search.classes_) == [0, 1, 2]


def test_a_label_missing_from_a_fit_scores_minus_infinity_there():
    labels = np.where(np.arange(len(X)) == 0, 9, Y)
    cv = [(np.arange(38, 75), np.arange(38)), (np.arange(38), np.arange(38, 75))]
    search = MemorizationSearchCV(
        LogisticRegression(max_iter=1000), {"C": [1.0]}, cv=cv, refit=False
    ).fit(X[np.argsort(np.arange(75) % 2)], labels[np.argsort(np.arange(75) % 2)])
    # the only row of its label is held out of the first fit, which gives the label no probability
    assert search.cv_results_["split0_test_log_density"][0] == -np.inf


def test_a_bound_that_no_candidate_meets_warns_and_takes_the_least_memorizing():
    search = MemorizationSearchCV(KernelDensity(), GRID, refit=memorization_below(1e-9))
    with pytest.warns(UserWarning, match=r"No candidate has memorization_q95 below bound=1e-09"):
        search.fit(X)
    assert search.best_index_ == np.argmin(search.cv_results_["memorization_q95"])


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"cv": 1}, "cv must be from 2"),
        ({"cv": ShuffleSplit(2, test_size=5, random_state=0)}, "held out of at least one fit"),
        ({"cv": CV, "n_repeats": 2}, "n_repeats must be 1 unless cv is an int"),
        ({"search": "bayes"}, "search"),
        ({"refit": "best"}, "refit"),
        ({"factor": 1}, "factor"),
        ({"threshold": -1.0}, "threshold"),
        ({"error_score": 0}, "error_score"),
        ({"refit": lambda table: 3}, "refit must return the index .* from 0 to 2, got 3"),
        ({"refit": pareto_front}, "refit must return the index of a candidate"),
        (
            {"cv": list(CV.split(X)), "search": "halving"},
            "cv must be an int or a splitter, got list",
        ),
        ({"param_grid": {"bandwith": [1.0]}, "error_score": "raise"}, "bandwith"),
    ],
)
def test_bad_parameters_are_named(params, match):
    search = MemorizationSearchCV(KernelDensity(), GRID).set_params(**params)
    with pytest.raises(ValueError, match=match):
        search.fit(X)


def test_an_estimator_that_cannot_score_rows_is_refused():
    with pytest.raises(TypeError, match="score_samples"):
        MemorizationSearchCV(StandardScaler(), {"with_mean": [True]}).fit(X)


def test_without_refit_there_is_nothing_to_query():
    search = MemorizationSearchCV(KernelDensity(), GRID, refit=False, random_state=0).fit(X)
    assert not hasattr(search, "score_samples")
    assert not hasattr(search, "best_index_")
    assert isinstance(search, BaseEstimator)


def test_results_are_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(MemorizationSearchCV(KernelDensity(), GRID).fit(X).cv_results_)
    assert list(frame["param_bandwidth"]) == GRID["bandwidth"]
    assert len(frame) == 3


def test_bandwidths_together_fail_and_score_as_alone():
    grid = {"bandwidth": [-1.0, 1e-200, 1e-9, 0.3, "scott", 1e9, 1e200, "nonsense"]}
    search = MemorizationSearchCV(KernelDensity(), grid, cv=CV, random_state=0)
    with pytest.warns(FitFailedWarning, match="4 of 8 candidates"):
        search.fit(X)
    together = search.memorization_
    for i, bandwidth in enumerate(grid["bandwidth"]):
        alone = clone(search).set_params(param_grid={"bandwidth": [bandwidth]})
        if np.isnan(together[i]).all():
            # What cannot be fitted alone is what failed beside others.
            with pytest.raises(ValueError, match="bandwidth"):
                alone.fit(X)
        else:
            np.testing.assert_allclose(together[i], alone.fit(X).memorization_[0], rtol=1e-9)


def test_copies_in_other_folds_are_not_memorized():
    copies = np.repeat(X[:25], 3, axis=0)
    search = MemorizationSearchCV(KernelDensity(), {"bandwidth": [1e-3]}, cv=3, random_state=0)
    apart = [np.flatnonzero(np.arange(75) % 3 == k) for k in range(3)]
    apart = [(np.setdiff1d(np.arange(75), test), test) for test in apart]
    # A row with copies in both other folds loses one kernel of three: log(3/2) less the rows' log(75/50).
    found = clone(search).set_params(cv=apart, n_repeats=1).fit(copies).memorization_
    np.testing.assert_allclose(found, 0.0, atol=1e-9)
    # Groups keep copies together, and show what they hid.
    grouped = search.fit(copies, groups=np.repeat(np.arange(25), 3)).memorization_
    assert grouped.min() > 100


def test_sample_weight_goes_to_every_fit():
    weights = np.random.default_rng(0).uniform(size=len(X))
    search = MemorizationSearchCV(KernelDensity(), GRID, cv=CV, random_state=0)
    found = search.fit(X, sample_weight=weights)
    k, (train, test) = 3, list(CV.split(X))[3]
    for i, bandwidth in enumerate(GRID["bandwidth"]):
        kde = KernelDensity(bandwidth=bandwidth).fit(X[train], sample_weight=weights[train])
        # Fits are weighted, the mean over held-out rows is not.
        expected = kde.score_samples(X[test]).mean()
        assert found.cv_results_[f"split{k}_test_log_density"][i] == pytest.approx(expected)
    best = KernelDensity(**found.best_params_).fit(X, sample_weight=weights)
    np.testing.assert_allclose(found.score_samples(X), best.score_samples(X))


def test_weights_are_routed_where_they_are_requested():
    weights = np.ones(len(X))
    with config_context(enable_metadata_routing=True):
        search = MemorizationSearchCV(KernelDensity(), GRID, cv=CV, random_state=0)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            search.fit(X, sample_weight=weights)
        search.set_params(estimator=KernelDensity().set_fit_request(sample_weight=True))
        weighted = search.fit(X, sample_weight=weights).memorization_
    # Weights of one change nothing but the way.
    np.testing.assert_allclose(weighted, search.fit(X).memorization_, atol=1e-9)


@pytest.mark.parametrize(
    ("grid", "warned"),
    [
        ({"pca__n_components": [1, 3]}, True),
        ({"pca": [PCA(2), "passthrough"]}, True),
        ({"pca__n_components": [2], "kerneldensity__bandwidth": [0.3, 1.0]}, False),
    ],
)
def test_densities_of_different_variables_are_warned_of(grid, warned):
    search = MemorizationSearchCV(make_pipeline(PCA(), KernelDensity()), grid, cv=3, n_repeats=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.set_params(random_state=0).fit(X)
    # the density of one column is higher than that of four for its unit alone
    assert any("do not compare" in str(w.message) for w in caught) == warned
