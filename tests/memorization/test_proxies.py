"""Laws of the proxies of memorization that one fit offers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skmem import MemorizationScorer
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from skmem.memorization import combine_ranks, memorization_proxies
from skmem.memorization._proxies import _learning_epoch
from tests.oracles import gaussian_leave_one_out, learning_epoch_by_hand
from tests.staged import Annealed, Unnamed

X = load_iris().data[::3]
DENSITIES = {
    "kernel": KernelDensity(bandwidth=0.5),
    "gaussian": GaussianMixture(1, reg_covar=0),
    "mixture": GaussianMixture(2, random_state=0),
    "neighbors": KNeighborsDensity(5),
}
every_density = pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)


class Bounded(BaseEstimator):
    """It offers a bound, and nothing to leave out."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def score_samples(self, X):
        return -np.sum((X - self.mean_) ** 2, axis=1)

    def elbo(self, X):
        return self.score_samples(X) - 1.0


class Influence:
    """What has influence on itself."""

    def self_influence(self):
        return np.arange(len(X), dtype=float)


def proxies(density, data=X, **params):
    return memorization_proxies(density.fit(data), data, **params)


def test_leave_one_out_of_a_gaussian_is_exact():
    found = proxies(DENSITIES["gaussian"])["leave_one_out"]
    # the rank-one update is the refit: the memorization of a fit without noise
    np.testing.assert_allclose(found, gaussian_leave_one_out(X), rtol=1e-9, atol=1e-12)


def test_leave_one_out_of_a_gaussian_grows_with_the_distance_from_its_mean():
    values = proxies(DENSITIES["gaussian"])
    centred = X - X.mean(axis=0)
    distances = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(X.T)), centred)
    # both are functions of the Mahalanobis distance alone, and rise with it
    for name in ("leave_one_out", "negative_log_density"):
        order = np.argsort(distances)
        assert (np.diff(values[name][order]) > -1e-9).all()


@every_density
def test_leave_one_out_is_what_the_scorer_finds(density):
    scorer = MemorizationScorer(density, method="leave-one-out", random_state=0).fit(X)
    found = memorization_proxies(scorer.estimator_, X)
    # the same closed form, under its own name
    np.testing.assert_array_equal(found["leave_one_out"], scorer.memorization_)
    np.testing.assert_array_equal(found["negative_log_density"], -scorer.log_density_in_)


@pytest.mark.parametrize("name", ["kernel", "gaussian", "mixture"])
def test_a_copy_lowers_the_proxies_of_a_row(name):
    row = int(np.argmax(proxies(DENSITIES[name])["leave_one_out"]))
    before = proxies(DENSITIES[name])
    after = proxies(DENSITIES[name], np.concatenate([X, X[[row]]]))
    # without the row its copy is still there, and with both the row is likelier
    for key in ("leave_one_out", "negative_log_density"):
        assert after[key][row] < before[key][row]
        # neither of the two is told from the other
        assert after[key][row] == pytest.approx(after[key][-1])


@pytest.mark.parametrize("density", [DENSITIES[k] for k in ("kernel", "gaussian", "neighbors")])
def test_proxies_follow_their_rows(density):
    order = np.random.default_rng(0).permutation(len(X))
    there, here = proxies(density), proxies(density, X[order])
    moved = proxies(density, X + 3.0)
    for name, values in there.items():
        # neither the order of the rows nor where the origin is matters
        np.testing.assert_allclose(here[name], values[order], atol=1e-9)
        np.testing.assert_allclose(moved[name], values, atol=1e-8)


def test_accumulated_loss_is_the_mean_over_stages():
    density = Annealed(keep=(1, 2, 4), random_state=0).fit(X)
    found = memorization_proxies(density, X)
    path = np.array(list(density.staged_score_samples(X)))
    # in nats a stage, as the loss is
    np.testing.assert_allclose(found["accumulated_loss"], -path.mean(axis=0))
    # epochs by their own names, by the definition
    expected = learning_epoch_by_hand([1, 2, 4], path)
    np.testing.assert_array_equal(found["learning_epoch"], expected)
    assert set(found["learning_epoch"]) <= {1, 2, 4, np.inf}


def test_stages_without_names_go_by_position():
    density = Unnamed(keep=(1, 2, 4), random_state=0).fit(X)
    path = np.array(list(density.staged_score_samples(X)))
    found = memorization_proxies(density, X)["learning_epoch"]
    # 0, 1, 2: as in a cross-fit
    np.testing.assert_array_equal(found, learning_epoch_by_hand([0, 1, 2], path))


@pytest.mark.parametrize("seed", range(5))
def test_learning_epoch_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    # rises, falls back, ties, and densities of zero
    path = rng.integers(-3, 3, size=(6, 40)).astype(float)
    path[rng.random(path.shape) < 0.1] = -np.inf
    stages = np.array([1, 2, 5, 10, 20, 50])
    np.testing.assert_array_equal(
        _learning_epoch(stages, path), learning_epoch_by_hand(stages, path)
    )


def test_a_row_is_learned_when_it_stays_learned():
    path = np.array([[0.0, 5, 0, 5], [5, 0, 0, 5], [5, 5, 0, 5]])
    # at first sight is not enough: the second row falls back; the third is never learned
    np.testing.assert_array_equal(_learning_epoch(np.array([1, 2, 3]), path), [2, 3, np.inf, 1])


def test_one_stage_accumulates_nothing():
    found = proxies(Annealed(keep=(4,), random_state=0))
    # one stage is the fit itself, under another name
    assert list(found) == ["negative_log_density"]


def test_a_bound_is_a_proxy():
    found = proxies(Bounded())
    # minus the bound, which is above minus the log-density
    np.testing.assert_allclose(found["negative_elbo"], found["negative_log_density"] + 1.0)
    assert list(found) == ["negative_log_density", "negative_elbo"]


def test_self_influence_comes_as_object_as_array_or_by_names():
    values = Influence().self_influence()
    for given in (Influence(), values, list(values)):
        # what it is, not how it was made
        np.testing.assert_array_equal(
            proxies(Bounded(), self_influence=given)["self_influence"], values
        )
    named = proxies(Bounded(), self_influence={"a": Influence(), "b": -values})
    # each under the name that it was given
    assert list(named)[-2:] == ["a", "b"]
    np.testing.assert_array_equal(named["a"], -named["b"])


@pytest.mark.parametrize("kind", [np.float32, np.int64, pd.DataFrame, list])
def test_rows_of_any_kind(kind):
    data = X.round() if kind is np.int64 else X.astype(np.float32).astype(float)
    rows = data.astype(kind) if kind in (np.float32, np.int64) else kind(data)
    density = KernelDensity(bandwidth=0.5)
    found, expected = proxies(density, rows), proxies(density, data)
    for name, values in expected.items():
        # the same numbers are the same rows
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)


def test_constant_columns_and_equal_rows():
    same = np.ones((5, 2))
    found = proxies(KernelDensity(bandwidth=0.5), same)
    # every row is as likely without itself, for its copies are there
    np.testing.assert_allclose(found["leave_one_out"], 0.0, atol=1e-12)
    flat = np.column_stack([X, np.ones(len(X))])
    # a column that tells nothing changes no difference
    np.testing.assert_allclose(
        proxies(KernelDensity(bandwidth=0.5), flat)["leave_one_out"],
        proxies(KernelDensity(bandwidth=0.5))["leave_one_out"],
        atol=1e-9,
    )


def test_a_row_alone_under_a_compact_kernel_is_memorized_for_certain():
    data = np.concatenate([X, [[50.0] * 4]])
    found = proxies(KernelDensity(bandwidth=1.0, kernel="tophat"), data)
    # density zero without it; ranks have a place for that
    assert found["leave_one_out"][-1] == np.inf
    assert combine_ranks(found["leave_one_out"])[-1] == pytest.approx(
        1 - 0.5 / len(data), abs=0.05
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros(3), r"self_influence must have shape \(50,\), got \(3,\)"),
        (np.full(50, np.nan), "self_influence must not be nan, got 50"),
        ({"mine": np.zeros((50, 2))}, r"mine must have shape \(50,\), got \(50, 2\)"),
        (3.0, "The 'self_influence' parameter"),
    ],
)
def test_self_influence_of_other_rows_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        proxies(Bounded(), self_influence=given)


def test_bad_input_is_refused():
    density = KernelDensity(bandwidth=0.5).fit(X)
    # each error names what it is about
    with pytest.raises(
        ValueError, match="X must be the 50 rows that KernelDensity was fitted to, got 49"
    ):
        memorization_proxies(density, X[1:])
    with pytest.raises(ValueError, match="features"):
        memorization_proxies(density, X[:, :2])
    with pytest.raises(ValueError, match="NaN"):
        memorization_proxies(density, np.where(X[0, 0] == X, np.nan, X))
    with pytest.raises(NotFittedError):
        memorization_proxies(KernelDensity(), X)
    with pytest.raises(TypeError, match="'estimator' parameter"):
        memorization_proxies(BaseEstimator(), X)


def test_combined_ranks_are_mean_ranks():
    a, b = np.random.default_rng(0).normal(size=(2, 20))
    found = combine_ranks(a, b)
    # the definition
    np.testing.assert_allclose(found, (rankdata(a) + rankdata(b) - 1) / 40)
    # no proxy comes first, and units are nothing
    np.testing.assert_array_equal(found, combine_ranks(b, a))
    np.testing.assert_allclose(found, combine_ranks(np.exp(a), 3 * b - 1))
    # one is its own rank, also beside what does not vary
    assert list(np.argsort(combine_ranks(a))) == list(np.argsort(a))
    assert list(np.argsort(combine_ranks(a, np.ones(20)))) == list(np.argsort(a))
    assert found.mean() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "at least one array, got none"),
        (([1, 2], [1, 2, 3]), r"proxy 1 must have shape \(2,\), got \(3,\)"),
        (([1, np.nan],), "proxy 0 must not be nan, got 1"),
    ],
)
def test_ranks_of_nothing_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        combine_ranks(*given)


def test_a_vae_offers_all_but_leave_one_out():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    pytest.importorskip("skorch", reason="the extra torch is not installed")
    from skmem.influence import InfluenceFunction, TracIn
    from skmem.neural import VAE

    vae = VAE(1, (8,), max_epochs=4, checkpoint_epochs=2, n_importance_samples=8, device="cpu")
    vae.set_params(random_state=0).fit(X)
    made = {"TracIn": TracIn(vae).fit(X), "EK-FAC": InfluenceFunction(vae, solver="ekfac").fit(X)}
    found = memorization_proxies(vae, X, self_influence=made)
    # by the names under which they are documented
    assert list(found) == [
        "negative_log_density",
        "negative_elbo",
        "accumulated_loss",
        "learning_epoch",
        "TracIn",
        "EK-FAC",
    ]
    assert all(values.shape == (len(X),) for values in found.values())
    # bounds are cheaper than log-densities, and in the same unit
    expected = -np.mean(list(vae.staged_elbo(X)), axis=0)
    np.testing.assert_allclose(found["accumulated_loss"], expected)
