"""The audit: units, choices held fixed, and that it finds what was planted."""

from importlib.util import find_spec

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold

from skmem._random import child_seeds, set_random_state
from skmem.datasets import Table, make_gaussian_mixture, make_planted_copies, make_planted_outliers
from skmem.density import KNeighborsDensity
from skmem.report import _models, _vae_choice, audit
from skmem.report._models import MODELS, choose_n_neighbors
from skmem.report._summarize import score_columns


def as_table(X, ids=None, **columns):
    names = columns.get("names", [f"x{j}" for j in range(X.shape[1])])
    return Table(X, names, np.arange(len(X)) if ids is None else ids, "made up")


MIXTURE = make_gaussian_mixture(80, n_features=2, random_state=0).X
without_torch = pytest.mark.skipif(find_spec("skorch") is None, reason="needs the extra torch")
every_model = pytest.mark.parametrize(
    "model", [pytest.param(m, marks=without_torch if m == "vae" else ()) for m in MODELS]
)


@pytest.fixture(autouse=True)
def few_updates(monkeypatch):
    # Laws hold from the first epoch on: candidates are 2 and 4 epochs.
    monkeypatch.setattr(_vae_choice, "_N_UPDATES", 1)
    monkeypatch.setattr(_vae_choice, "_N_STEPS", 2)


@every_model
def test_the_unit_of_a_column_moves_log_densities_by_its_logarithm(model):
    unit = np.array([1000.0, 0.01])
    options = {"model": model, "n_repeats": 2, "random_state": 0}
    one = score_columns(audit(as_table(MIXTURE), **options))
    other = score_columns(audit(as_table(MIXTURE * unit + 3.0), **options))
    # Grams instead of kilograms: a density per gram is a thousandth of that per kilogram,
    for name in ("log_density_in", "log_density_out"):
        np.testing.assert_allclose(one[name] - np.log(unit).sum(), other[name], atol=1e-6)
    # and no row is any more memorized.
    np.testing.assert_allclose(one["memorization"], other["memorization"], atol=1e-6)


def test_log_densities_are_those_of_the_columns_as_given():
    x = MIXTURE[:, :1] * 100 + 7
    found = audit(as_table(x), method="leave-one-out")
    width = found.scorer.estimator.bandwidth * x.std()
    # A kernel density of standardised rows is one of the rows, its bandwidth in their unit.
    expected = np.log(norm.pdf(x, loc=x.T, scale=width).mean(axis=1))
    np.testing.assert_allclose(score_columns(found)["log_density_in"], expected, atol=1e-9)


def test_affine_models_do_not_care_for_standardising():
    X = make_gaussian_mixture(80, n_components=1, random_state=0).X
    X *= 30 / X.std(axis=0)
    options = {"model": "gmm", "n_repeats": 2, "random_state": 0}
    found = [audit(as_table(X), standardize=s, **options) for s in (True, False)]
    one, other = (score_columns(f)["log_density_in"] for f in found)
    # One Gaussian of full covariance is the same in any unit, since what is added to its variances
    # follows theirs, so the Jacobian must close the gap between standardised columns and raw ones.
    assert [f.scorer.estimator.n_components for f in found] == [1, 1]
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_raw_columns_stay_as_they_are():
    found = audit(as_table(MIXTURE * 5), standardize=False, random_state=0)
    gaps = np.linalg.norm(5 * MIXTURE - 5 * MIXTURE[found.nearest], axis=1)
    # Distances are in the columns' own unit, and there is no Jacobian to add.
    np.testing.assert_allclose(found.distance, gaps, rtol=1e-12)
    assert found.log_jacobian == 0.0


@pytest.mark.parametrize("standardize", [True, False])
def test_constant_columns_are_left_out(standardize):
    X = np.column_stack([MIXTURE[:, 0], np.full(80, 0.1), MIXTURE[:, 1]])
    options = {"standardize": standardize, "random_state": 0}
    with_it, without = audit(as_table(X), **options), audit(as_table(MIXTURE), **options)
    # A column that never changes says nothing about any row.
    np.testing.assert_array_equal(with_it.scorer.memorization_, without.scorer.memorization_)
    assert np.flatnonzero(np.isnan(with_it.scale)).tolist() == [1]


@every_model
def test_what_was_chosen_is_held_fixed(model):
    found = audit(as_table(MIXTURE), model=model, n_repeats=2, random_state=0)
    chosen = getattr(found.scorer.estimator, MODELS[model].parameter)
    # Were it chosen anew in every fit ("loo", say), a row could act through the choice as well.
    assert isinstance(chosen, int | float)


@every_model
def test_copies_do_not_sway_the_choice(model):
    doubled = np.repeat(MIXTURE, 2, axis=0)
    parameter = MODELS[model].parameter
    one, two = (
        MODELS[model].choose(np.unique(X, axis=0), len(MIXTURE), 0)[0] for X in (MIXTURE, doubled)
    )
    # With every row twice, leaving one out leaves its copy, and the best bandwidth would be 0.
    assert getattr(one, parameter) == getattr(two, parameter)
    found = audit(as_table(doubled), n_repeats=2, random_state=0)
    assert found.scorer.estimator.bandwidth > 0.05


def test_number_of_neighbours_by_the_slow_way():
    X = MIXTURE / MIXTURE.std(axis=0)
    chosen, _ = choose_n_neighbors(X, 72, 0)
    candidates = [2, 3, 5, 8, 13, 21, 34, 55]
    densities = [KNeighborsDensity(n_neighbors=k).fit(X) for k in candidates]
    # The density has k where the unbiased estimate has k - 1.
    likelihoods = [
        np.mean(density.leave_one_out_score_samples()) + np.log((k - 1) / k)
        for k, density in zip(candidates, densities, strict=True)
    ]
    # One search gives the choice that a fit for each candidate gives.
    assert chosen.n_neighbors == candidates[np.argmax(likelihoods)]


def test_number_of_neighbours_is_not_always_the_smallest():
    X = make_gaussian_mixture(1000, n_components=1, random_state=0).X
    chosen, _ = choose_n_neighbors(X, 900, 0)
    # Where the density is smooth, many neighbours estimate it better than two.
    assert chosen.n_neighbors >= 13


def test_number_of_components_is_found():
    X = make_gaussian_mixture(300, n_components=3, separation=20, random_state=1).X
    chosen, _ = MODELS["gmm"].choose(X, 270, 0)
    # Three clusters far apart are three components.
    assert chosen.n_components == 3


def test_planted_outliers_come_first():
    data = make_planted_outliers(150, 4, distance=15, random_state=0)
    found = audit(as_table(data.X), random_state=0)
    # A row that no other row is near is likely through itself alone.
    assert set(found.scorer.top(4)[0]) == set(data.planted)


def test_planted_copies_are_grouped_and_hide_each_other():
    data = make_planted_copies(150, 10, n_features=8, random_state=0)
    found = audit(as_table(data.X), random_state=0)
    # A copy's nearest row is at distance 0, and equal rows share a group.
    assert np.all(found.distance[data.planted] == 0)
    np.testing.assert_array_equal(found.groups[data.planted], found.groups[data.source])
    # Held out, a row is still trained on in its copy, so its density about halves, which is 0.69
    # nats; most of the others, alone in eight dimensions, lose more.
    sizes = np.bincount(found.groups)[found.groups]
    scores = found.scorer.memorization_
    assert np.median(scores[sizes > 1]) < 1.0 < np.median(scores[sizes == 1])


def test_no_row_is_its_own_nearest():
    found = audit(as_table(np.vstack([MIXTURE, MIXTURE[:3]])), random_state=0)
    # Otherwise every distance would be 0.
    assert np.all(found.nearest != np.arange(83))


@every_model
def test_same_seed_same_scores_for_any_number_of_jobs(model):
    options = {"model": model, "n_repeats": 2, "random_state": 5}
    one, two = (audit(as_table(MIXTURE), n_jobs=jobs, **options) for jobs in (None, 2))
    # What a seed gives can be had again, on any machine's number of cores.
    np.testing.assert_array_equal(one.scorer.memorization_, two.scorer.memorization_)


def test_mixtures_take_their_seed_from_the_audit():
    found = audit(as_table(MIXTURE), model="gmm", n_repeats=2, random_state=0)
    # The scorer seeds every fit itself; a seed of its own would make all of them start alike.
    assert found.scorer.estimator.random_state is None


def bad(value):
    X = MIXTURE.copy()
    X[3, 1] = value
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (bad(np.nan), r"missing values in 1 of 80 rows \(column 'x1' \(1\)\).*skmem doctor"),
        (bad(np.inf), r"infinite values in 1 of 80 rows"),
        (bad(1e200), r"values beyond 1e\+150"),
        (MIXTURE[:9], r"fewer rows \(9\) than folds \(10\)"),
        (MIXTURE[:1], r"all rows are equal"),
        (np.ones((20, 2)), r"all rows are equal"),
    ],
)
def test_what_the_doctor_calls_an_error_stops_the_audit(X, message):
    # One line that names place and cure, before anything is fitted.
    with pytest.raises(ValueError, match=message):
        audit(as_table(X))


@pytest.mark.parametrize(
    "arguments",
    [{"model": "flow"}, {"cv": 1}, {"cv": 2.5}, {"standardize": "yes"}, {"method": "x"}],
)
def test_bad_arguments_are_named(arguments):
    # As everywhere: the argument, the rule, the value.
    with pytest.raises(ValueError, match=f"'{next(iter(arguments))}' parameter"):
        audit(as_table(MIXTURE), **arguments)


def test_arrays_are_refused():
    # An array has no names and ids to report by; load_table or Table gives it some.
    with pytest.raises(ValueError, match="'table' parameter"):
        audit(MIXTURE)


@every_model
def test_small_tables(model):
    X = MIXTURE[:6]
    found = audit(as_table(X), model=model, cv=3, n_repeats=3, random_state=0)
    # Six rows are few, but what is asked of them is defined.
    assert np.isfinite(found.scorer.memorization_).all()


def test_k_nearest_neighbours_need_distinct_rows():
    X = np.repeat(MIXTURE[:2], 10, axis=0)
    # Two distinct rows leave no second neighbour apart from a row's own copies.
    with pytest.raises(ValueError, match="knn needs 3 distinct rows"):
        audit(as_table(X), model="knn")


def test_number_of_components_by_the_slow_way():
    X = make_gaussian_mixture(90, n_features=1, n_components=3, random_state=3).X
    chosen, why = MODELS["gmm"].choose(X, 81, 0)
    floor = 1e-3 * X.var()
    seed, folds_seed, _ = child_seeds(0, 3)
    masks = [train for train, _ in KFold(5, shuffle=True, random_state=folds_seed).split(X)]
    held_out = np.empty((10, 90))
    for k in range(10):
        seeds = child_seeds(int(seed), 5)
        for train, fit_seed in zip(masks, seeds, strict=True):
            out = np.setdiff1d(np.arange(90), train)
            fitted = GaussianMixture(k + 1, reg_covar=floor, max_iter=1000).set_params(
                random_state=set_random_state(GaussianMixture(), fit_seed).random_state
            )
            held_out[k, out] = fitted.fit(X[train]).score_samples(X[out])
    behind = held_out[held_out.mean(axis=1).argmax()] - held_out
    good = behind.mean(axis=1) <= behind.std(axis=1) / np.sqrt(90)
    # scikit-learn's own mixtures, fitted fold by fold and compared by hand, agree.
    assert chosen.n_components == 1 + np.flatnonzero(good)[0]
    assert chosen.reg_covar == pytest.approx(floor)
    # How is said where the number is said,
    assert "standard error" in why
    assert "held-out rows" in why
    # and what comes back is unfitted: nothing of the choice but the numbers is carried on.
    assert not hasattr(chosen, "weights_")


@pytest.mark.parametrize("shape", [(40, 10), (200, 10), (300, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_is_one_component(shape, seed):
    X = np.random.RandomState(seed).standard_normal(shape)
    # More components than there are clusters close in on rows and call every row memorized.
    assert MODELS["gmm"].choose(X, len(X) * 9 // 10, seed)[0].n_components == 1


def test_scores_of_a_mixture_of_noise_are_moderate():
    X = np.random.RandomState(0).standard_normal((40, 10))
    found = audit(as_table(X), model="gmm", n_repeats=2, random_state=0)
    # A Gaussian of 65 numbers fitted to 36 rows does depend on a row by tens of nats; millions, as a
    # component without width gives, say nothing but that its floor is low.
    assert found.scorer.memorization_.max() < 100


def test_search_stops_when_the_likelihood_has_fallen_twice(monkeypatch):
    means = iter([-3.0, -1.0, -2.0, -1.5, -2.0, -3.0])
    monkeypatch.setattr(_models, "_held_out_scores", lambda *args: np.full(9, next(means)))
    chosen, why = MODELS["gmm"].choose(MIXTURE, 72, 0)
    # A fall that is made good goes on, two in a row end the search; no seventh is asked for.
    assert chosen.n_components == 2
    assert "among 1 to 6" in why


def test_many_rows_are_not_all_needed_to_choose(monkeypatch):
    sizes = []

    def held_out_scores(density, X, *args):
        sizes.append(len(np.unique(X, axis=0)))
        return np.zeros(len(X))

    monkeypatch.setattr(_models, "_held_out_scores", held_out_scores)
    _models.choose_n_components(np.random.RandomState(0).standard_normal((6000, 2)), 5400, 0)
    # The choice among ten numbers is as clear from five thousand rows, none of them taken twice.
    assert set(sizes) == {5000}
