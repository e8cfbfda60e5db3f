"""Fits trained together: each is the fit that it would have been alone."""

import pickle

import joblib
import numpy as np
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.pipeline import make_pipeline

from skmem import MemorizationScorer, cross_fit
from skmem.neural import VAE
from tests.oracles import cross_fit_by_loop, fit_one_by_one

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")

from skmem.neural._net import VAENet  # noqa: E402  it imports torch

IRIS = load_iris().data
DIGITS = load_digits().data[:150]
GROUPS = np.eye(5)[np.arange(150) % 5]
SEEDS = [3, 1, 4, 1, 5]


def small(**params):
    defaults = {"max_epochs": 5, "n_importance_samples": 16, "proposal": "encoder"}
    return VAE(2, (8,), learning_rate=0.01, random_state=0).set_params(**{**defaults, **params})


def ragged_masks(n_samples, sizes=(150, 129, 128, 97, 96)):
    """Random training sets of these sizes: two, three and three batches of 64, some one row longer than others."""
    rng = np.random.default_rng(0)
    masks = np.zeros((len(sizes), n_samples), dtype=bool)
    for mask, size in zip(masks, sizes, strict=True):
        mask[rng.permutation(n_samples)[:size]] = True
    return masks


SETTINGS = {
    "gaussian": ({}, IRIS),
    "gaussian_diagonal": ({"likelihood": "gaussian_diagonal"}, IRIS),
    "bernoulli": ({"likelihood": "bernoulli"}, DIGITS / 16),
    "redrawn": ({"likelihood": "bernoulli", "noise": "dynamic"}, DIGITS / 16),
    "logit_gaussian": ({"likelihood": "logit_gaussian", "n_levels": 17}, DIGITS[:, 2:6]),
    "discretized_logistic": (
        {"likelihood": "discretized_logistic", "n_levels": 17},
        DIGITS[:, 2:6],
    ),
    "categorical": ({"likelihood": "categorical"}, GROUPS),
    "mixed": ({"likelihood": "mixed"}, np.column_stack([IRIS, GROUPS, GROUPS[:, :1]])),
    "list": ({"likelihood": [("gaussian", [0, 2]), ("gaussian_diagonal", [1, 3])]}, IRIS),
    "linear": ({"hidden_layer_sizes": (), "beta": 0.5}, IRIS),
    "two layers": ({"hidden_layer_sizes": (8, 4), "batch_size": 200}, IRIS),
    "small batches": ({"batch_size": 10, "max_epochs": 3}, IRIS),
}
every_setting = pytest.mark.parametrize(("params", "X"), SETTINGS.values(), ids=list(SETTINGS))


@every_setting
def test_each_fit_is_the_one_it_would_have_been_alone(params, X):
    vae, masks = small(checkpoint_epochs=2, **params), ragged_masks(len(X))
    together = vae.cross_fit_estimators(X, masks, SEEDS)
    alone = fit_one_by_one(vae, X, masks, SEEDS)
    for one, other in zip(together, alone, strict=True):
        # the same first weights, batches and noise: the same curve, to the rounding of sums
        losses = [fit.history_[:, "train_loss"] for fit in (one, other)]
        assert_allclose(*losses, rtol=1e-5)
        assert one.history_[:, "epoch"] == other.history_[:, "epoch"]
        # and the same density, at the stages too
        assert_allclose(one.score_samples(X), other.score_samples(X), rtol=1e-4, atol=1e-3)
        assert one.stages_ == other.stages_ == [*range(2, vae.max_epochs, 2), vae.max_epochs]
        stages = zip(one.staged_score_samples(X), other.staged_score_samples(X), strict=True)
        for scores in stages:
            assert_allclose(*scores, rtol=1e-4, atol=1e-3)


@pytest.fixture
def double(monkeypatch):
    """Training in double precision, where a rounding is too small to tip a unit of a layer."""
    monkeypatch.setattr(VAENet, "to_rows", lambda net, X: torch.as_tensor(X, dtype=torch.float64))
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("likelihood", "X"),
    # constant columns, whose learned variances fall to their floor, make any training chaotic: digits have such
    [("bernoulli", DIGITS / 16), ("gaussian", DIGITS / 16), ("gaussian_diagonal", IRIS)],
    ids=["bernoulli", "gaussian", "gaussian_diagonal"],
)
def test_in_double_precision_curves_and_densities_agree_to_its_rounding(double, likelihood, X):
    vae = small(likelihood=likelihood, hidden_layer_sizes=(16, 8), max_epochs=60)
    masks = ragged_masks(150)
    together = vae.cross_fit_estimators(X, masks, SEEDS)
    alone = fit_one_by_one(vae, X, masks, SEEDS)
    for one, other in zip(together, alone, strict=True):
        # the same sums in another order, for each of the 60 epochs: nothing else differs
        losses = [fit.history_[:, "train_loss"] for fit in (one, other)]
        assert_allclose(*losses, rtol=1e-9)
        assert_allclose(*(fit.score_samples(X) for fit in (one, other)), rtol=1e-8)


def test_where_a_proposal_tips_scores_differ_by_less_than_their_error():
    vae = small(
        likelihood="bernoulli", hidden_layer_sizes=(16,), proposal="laplace", max_epochs=10
    )
    vae.set_params(n_importance_samples=64)
    masks = ragged_masks(150)
    together = vae.cross_fit_estimators(DIGITS / 16, masks, SEEDS)
    for one, other in zip(together, fit_one_by_one(vae, DIGITS / 16, masks, SEEDS), strict=True):
        # the steps to a mode that lies on a kink go another way after a rounding: another proposal for the same
        # density, and an estimate of it that is as good
        (score, error), (again, its_error) = (
            f.score_samples(DIGITS / 16, True) for f in (one, other)
        )
        assert np.all(np.abs(score - again) <= 1e-3 + 4 * np.hypot(error, its_error))
        # which is not so of the bound by the encoder's own draws
        assert_allclose(*(fit.elbo(DIGITS / 16) for fit in (one, other)), rtol=1e-4)


def test_a_fit_hardly_depends_on_its_group():
    masks = ragged_masks(150)[[1, 2, 1, 2]]
    vae = small(likelihood="bernoulli")
    together = vae.cross_fit_estimators(DIGITS / 16, masks, [0, 1, 2, 3])
    pairs = [vae.cross_fit_estimators(DIGITS / 16, masks[k : k + 2], [k, k + 1]) for k in (0, 2)]
    # a cross-fit with more fits, whose groups are others, has those it had before, but for rounding
    for one, other in zip(together, [*pairs[0], *pairs[1]], strict=True):
        assert_allclose(*(f.history_[:, "train_loss"] for f in (one, other)), rtol=1e-6)
        assert_allclose(*(f.score_samples(DIGITS / 16) for f in (one, other)), rtol=1e-4)


def test_fits_with_equal_seeds_and_rows_are_equal():
    masks = ragged_masks(150)[[1, 1, 2]]
    one, same, other = small().cross_fit_estimators(IRIS, masks, [7, 7, 7])
    # neighbours in the stack have no part in a fit
    assert_allclose(one.score_samples(IRIS), same.score_samples(IRIS), rtol=1e-6)
    assert np.abs(one.score_samples(IRIS) - other.score_samples(IRIS)).max() > 0.01


def test_fewer_rows_than_a_batch():
    masks = np.zeros((2, 150), dtype=bool)
    masks[0, :7] = masks[1, 20:29] = True
    together = small().cross_fit_estimators(IRIS, masks, [0, 1])
    for one, other in zip(together, fit_one_by_one(small(), IRIS, masks, [0, 1]), strict=True):
        # a batch of 7 beside one of 9: two rows of weight zero
        assert_allclose(one.score_samples(IRIS), other.score_samples(IRIS), rtol=1e-4)


def test_fits_whose_columns_differ_in_structure():
    X = np.column_stack([GROUPS, GROUPS[:, :2]]).astype(float)
    X[:, 5:] = np.eye(2)[np.arange(150) // 75]
    masks = np.ones((2, 150), dtype=bool)
    # without rows of the fifth category its column of zeros belongs to the next group, or to the first one
    masks[1] = GROUPS[:, 4] == 0
    vae = small(likelihood="categorical")
    together = vae.cross_fit_estimators(X, masks, [0, 1])
    sizes = [fit._columns.parts[0].space.sizes for fit in together]
    alone = fit_one_by_one(vae, X, masks, [0, 1])
    assert sizes == [fit._columns.parts[0].space.sizes for fit in alone]
    for one, other, mask in zip(together, alone, masks, strict=True):
        assert_allclose(one.score_samples(X[mask]), other.score_samples(X[mask]), rtol=1e-4)


@pytest.mark.parametrize("params", [{}, {"likelihood": "bernoulli", "noise": "dynamic"}])
def test_fits_have_their_own_parameters_and_go_on(params):
    X, masks = DIGITS / 16, ragged_masks(150)
    vae = small(**params)
    together = vae.cross_fit_estimators(X, masks, SEEDS)
    before = together[1].score_samples(X)
    first = pickle.loads(pickle.dumps(together[0])).partial_fit(X)
    expected = fit_one_by_one(vae, X, masks[:1], SEEDS[:1])[0].partial_fit(X)
    # moments of the optimiser come along
    assert_allclose(first.score_samples(X), expected.score_samples(X), rtol=1e-3)
    together[0].partial_fit(X)
    # no parameter is shared with the stack any more
    assert_array_equal(together[1].score_samples(X), before)
    assert len(pickle.dumps(together[0])) < 2 * len(pickle.dumps(small().fit(X[masks[0]])))


@pytest.mark.parametrize("params", [{}, {"likelihood": "bernoulli"}])
def test_scores_are_those_of_refits(params):
    X, masks = DIGITS / 16, ragged_masks(150)
    vae = small(**params)
    scores = vae.cross_fit_score_samples(X, masks, X[:20], seeds=SEEDS)
    assert_allclose(scores, cross_fit_by_loop(vae, X, masks, SEEDS, X[:20]), rtol=1e-4, atol=1e-3)
    # without seeds they come from random_state; without points, the rows are scored
    again = [vae.cross_fit_score_samples(X, masks) for _ in range(2)]
    assert_array_equal(*again)
    assert again[0].shape == (5, 150)
    # the estimator itself is not fitted
    assert not hasattr(vae, "net_")


def test_a_cross_fit_is_the_same_on_either_way():
    vae = small(checkpoint_epochs=2)
    fits = cross_fit(vae, IRIS, cv=5, random_state=0)
    # a Pipeline does not pass the methods on: it is refitted, with the same seeds
    refits = cross_fit(make_pipeline(vae), IRIS, cv=5, random_state=0)
    assert fits.method == refits.method == "refit"
    assert_allclose(fits.scores, refits.scores, rtol=1e-4, atol=1e-3)
    # stages are there as in any cross-fit
    assert fits.stages.tolist() == [2, 4, 5]
    one = fit_one_by_one(vae, IRIS, fits.train_mask[:1], [_seed_of_first(5)])[0]
    staged = list(one.staged_score_samples(IRIS))
    assert_allclose(fits.staged_scores[:, 0], staged, rtol=1e-4, atol=1e-3)


def _seed_of_first(n_fits):
    from skmem._random import child_seeds

    rng = np.random.RandomState(0)
    child_seeds(rng, 1)  # the folds'
    return child_seeds(rng, n_fits)[0]


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_number_of_workers_gives_the_same_bits(backend):
    vae = small(checkpoint_epochs=2, likelihood="bernoulli")
    options = {"cv": 5, "random_state": 0}
    one = cross_fit(vae, DIGITS / 16, **options)
    with joblib.parallel_config(backend):
        two = cross_fit(vae, DIGITS / 16, n_jobs=2, **options)
    # groups depend on the data alone
    assert_array_equal(two.scores, one.scores)
    assert_array_equal(two.staged_scores, one.staged_scores)


def test_memorization_has_its_path():
    scorer = MemorizationScorer(small(checkpoint_epochs=2), cv=3, n_repeats=2, random_state=0)
    scorer.fit(IRIS)
    assert scorer.method_ == "refit"
    assert scorer.memorization_path_.shape == (3, 150)
    # five epochs, two kept, and the end of the path is the score
    assert_array_equal(scorer.memorization_path_[-1], scorer.memorization_)


def test_groups_hold_each_fit_once_with_as_many_batches_as_its_neighbours():
    masks = np.repeat(ragged_masks(150), 20, axis=0)
    groups = small().cross_fit_groups(IRIS, masks)
    assert sorted(np.concatenate(groups).tolist()) == list(range(100))
    n_batches = -(-masks.sum(axis=1) // 64)
    assert all(len(set(n_batches[group])) == 1 for group in groups)
    # two cores get as much as each other
    assert all(np.sum(n_batches[[g[0] for g in groups]] == n) % 2 == 0 for n in set(n_batches))
    # rows in bounded memory
    with sklearn.config_context(working_memory=0.02):
        tight = small().cross_fit_groups(IRIS, masks)
    assert max(map(len, tight)) < max(map(len, groups)) <= 16


def test_large_nets_stay_alone():
    masks = ragged_masks(150)
    groups = small(hidden_layer_sizes=(512, 256)).cross_fit_groups(IRIS, masks)
    # they are all sums, and a group of one is a fit like any other
    assert [len(group) for group in groups] == [1] * 5


@pytest.mark.parametrize(
    "params",
    [
        {"module": torch.nn.Identity()},
        {"input_shape": (1, 2, 2)},
        {"callbacks": [("callback", None)]},
        {"validation_fraction": 0.2},
        {"verbose": 1},
        {"device": "mps"},
    ],
    ids=str,
)
def test_what_goes_on_in_a_single_fit_is_left_to_single_fits(params):
    assert hasattr(small(callbacks=[]), "cross_fit_groups")
    # the engine refits where the methods are not there
    for name in ("groups", "estimators", "score_samples"):
        assert not hasattr(small(**params), f"cross_fit_{name}")


def test_a_cross_fit_with_callbacks_is_refitted():
    callbacks = pytest.importorskip("skorch.callbacks")
    stop = callbacks.EarlyStopping(monitor="train_loss", patience=2, threshold=10.0)
    fits = cross_fit(small(checkpoint_epochs=1, callbacks=[stop]), IRIS, cv=3, random_state=0)
    # no improvement is large enough, so patience ends every fit before its fifth epoch
    assert 2 <= len(fits.stages) < 5


@pytest.mark.parametrize(("learning_rate", "max_epochs"), [(1e30, 20), (1e30, 1)])
def test_divergence_is_told_as_by_a_single_fit(learning_rate, max_epochs):
    vae = small(likelihood="bernoulli", learning_rate=learning_rate, max_epochs=max_epochs)
    masks = np.ones((2, 150), dtype=bool)
    with pytest.raises(FloatingPointError) as alone:
        fit_one_by_one(vae, DIGITS / 16, masks, [0, 0])
    with pytest.raises(FloatingPointError) as together:
        vae.cross_fit_estimators(DIGITS / 16, masks, [0, 0])
    # epoch, learning rate and what to try
    assert str(together.value) == str(alone.value)
    with pytest.raises(FloatingPointError) as told:
        cross_fit(vae, DIGITS / 16, cv=4, random_state=0)
    # which fits they were
    assert told.value.__notes__ == ["Raised by VAE in one of fits 0, 1 (rows 0, 1 of train_mask)."]


class Fragile(VAE):
    """Breaks down before a group, as often as `n_left` says."""

    n_left = np.inf

    def cross_fit_estimators(self, X, train_mask, seeds):
        if Fragile.n_left == 0:
            raise KeyboardInterrupt
        Fragile.n_left -= 1
        return super().cross_fit_estimators(X, train_mask, seeds)


def test_a_stopped_run_resumes_at_the_group_where_it_stopped(tmp_path, monkeypatch):
    vae = Fragile(2, (4,), max_epochs=2, n_importance_samples=16)
    options = {"cv": 4, "random_state": 0}
    whole = cross_fit(vae, IRIS, **options)
    monkeypatch.setattr(Fragile, "n_left", 1)
    with pytest.raises(KeyboardInterrupt):
        cross_fit(vae, IRIS, memory=tmp_path, **options)
    monkeypatch.setattr(Fragile, "n_left", 1)
    resumed = cross_fit(vae, IRIS, memory=tmp_path, **options)
    # the second of two groups was made now, the first one then
    assert Fragile.n_left == 0
    assert_array_equal(resumed.scores, whole.scores)
    # and now there is nothing left to do
    again = cross_fit(vae, IRIS, memory=tmp_path, **options)
    assert_array_equal(again.scores, whole.scores)


def test_frames_are_rows_too():
    frame, masks = load_iris(as_frame=True).data, ragged_masks(150)
    fits = small().cross_fit_estimators(frame, masks, SEEDS)
    # each fit keeps their names
    assert list(fits[0].feature_names_in_) == list(frame.columns)
    scores = [
        small().cross_fit_score_samples(X, masks, X, seeds=SEEDS)
        for X in (frame, IRIS, IRIS.tolist(), pl.DataFrame(frame.to_dict("list")))
    ]
    # and the numbers in them are all that counts
    assert_array_equal(scores, [scores[0]] * 4)


@pytest.mark.parametrize(
    ("X", "change", "message"),
    [
        (IRIS, lambda mask: mask.astype(int), "train_mask must be of dtype bool"),
        (IRIS, lambda mask: mask[:, 1:], "train_mask must have shape"),
        (IRIS, lambda mask: mask & (np.arange(5) != 2)[:, None], "fit 2 selects none"),
        (np.where(IRIS > 7, np.nan, IRIS), lambda mask: mask, "contains NaN"),
        (np.zeros((150, 0)), lambda mask: mask, "0 feature"),
    ],
)
def test_errors_name_the_argument(X, change, message):
    mask = change(ragged_masks(150))
    for call in (
        lambda vae: vae.cross_fit_groups(X, mask),
        lambda vae: vae.cross_fit_estimators(X, mask, SEEDS),
        lambda vae: vae.cross_fit_score_samples(X, mask),
    ):
        with pytest.raises(ValueError, match=message):
            call(small())
    with pytest.raises(ValueError, match="'max_epochs' parameter"):
        clone(small(max_epochs=0)).cross_fit_groups(IRIS, ragged_masks(150))
