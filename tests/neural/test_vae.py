"""The estimator: scikit-learn's conventions, training, stages, and what it says when things go wrong."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter

from skmem.neural import VAE
from tests.architecture import ROOT
from tests.oracles import linear_gaussian_log_density

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")

IRIS = load_iris().data
DIGITS = load_digits().data[:200]


def small(**params):
    defaults = {
        "max_epochs": 3,
        "n_importance_samples": 16,
        "learning_rate": 0.01,
        "random_state": 0,
    }
    return VAE(2, (8,)).set_params(**{**defaults, **params})


@parametrize_with_checks([small(max_epochs=2)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


SETTINGS = {
    "gaussian": ({}, IRIS),
    "gaussian_diagonal": ({"likelihood": "gaussian_diagonal"}, IRIS),
    "bernoulli": ({"likelihood": "bernoulli"}, DIGITS / 16),
    "dynamic": ({"likelihood": "bernoulli", "noise": "dynamic"}, DIGITS / 16),
    "logit_gaussian": ({"likelihood": "logit_gaussian", "n_levels": 17}, DIGITS),
    "discretized_logistic": ({"likelihood": "discretized_logistic", "n_levels": 17}, DIGITS),
    "categorical": ({"likelihood": "categorical"}, np.eye(5)[np.arange(40) % 5]),
    "mixed": ({"likelihood": "mixed"}, np.column_stack([IRIS, np.eye(3)[load_iris().target]])),
    "list": ({"likelihood": [("gaussian", [0, 2]), ("gaussian_diagonal", [1, 3])]}, IRIS),
    "convolutional": (
        {"likelihood": "bernoulli", "input_shape": (1, 8, 8), "hidden_layer_sizes": (4, 8)},
        DIGITS / 16,
    ),
    "convolutional, two outputs a pixel": (
        {
            "likelihood": "logit_gaussian",
            "n_levels": 17,
            "input_shape": [1, 8, 8],
            "hidden_layer_sizes": [4],
        },
        DIGITS,
    ),
}
every_setting = pytest.mark.parametrize(("params", "X"), SETTINGS.values(), ids=list(SETTINGS))


@every_setting
def test_every_likelihood_is_fitted_scored_and_drawn_from(params, X):
    vae = small(max_epochs=12, **params).fit(X)
    scores, errors = vae.score_samples(X[:20], return_std=True)
    # a number for every row, with its error
    assert np.isfinite(scores).all()
    assert (errors > 0).all()
    # training lowers minus the ELBO
    losses = vae.history_[:, "train_loss"]
    assert losses[-1] < losses[0]
    # by another proposal it is the same density
    laplace = vae.set_params(proposal="laplace", n_importance_samples=256).score_samples(X[:20])
    assert np.abs(vae.set_params(proposal="encoder").score_samples(X[:20]) - laplace).mean() < 0.5
    # its own draws are rows that could have been in X
    drawn = vae.sample(30, random_state=0)
    assert drawn.shape == (30, X.shape[1])
    assert np.isfinite(vae.score_samples(drawn)).all()
    assert_array_equal(vae.sample(30, random_state=0), drawn)
    # codes and back: near the rows, in their units
    decoded = vae.inverse_transform(vae.transform(X))
    assert np.mean((decoded - X) ** 2) < 1.5 * np.mean((X - X.mean(axis=0)) ** 2)


@every_setting
def test_a_row_scores_the_same_in_any_company(params, X):
    vae = small(**params).fit(X)
    together, codes = vae.score_samples(X), vae.transform(X)
    # noise belongs to rows, batch normalisation to the training
    assert_allclose(vae.score_samples(X[5:8][::-1]), together[5:8][::-1], rtol=1e-10)
    assert_allclose(vae.transform(X[[5]]), codes[[5]], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("params", [{}, {"likelihood": "gaussian_diagonal", "noise": "dynamic"}])
def test_the_seed_decides_everything(params):
    scores = small(**params).fit(IRIS).score_samples(IRIS)
    torch.manual_seed(17)
    before = torch.get_rng_state()
    again = small(**params).fit(IRIS)
    # nothing comes from torch's global generator, and nothing is taken from it
    assert_array_equal(again.score_samples(IRIS), scores)
    again.sample(3)
    assert torch.equal(torch.get_rng_state(), before)
    # another seed, another fit
    other = small(random_state=1, **params).fit(IRIS)
    assert not np.allclose(other.score_samples(IRIS), scores)


def test_threads_do_not_share_their_luck():
    def scores(seed):
        return small(random_state=seed).fit(IRIS).score_samples(IRIS)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(scores, range(4)))
    # torch's global generator would be drawn from in any order
    assert_array_equal(together, [scores(seed) for seed in range(4)])


def test_fits_of_a_cross_fit_share_their_noise():
    one, other = (small(random_state=s, likelihood="bernoulli").fit(DIGITS / 16) for s in (0, 1))
    rows = DIGITS / 16
    # grey pixels are the same zeros and ones whatever random_state is, or log-densities could not be compared
    assert_array_equal(one._columns.forward(rows, 0)[0], other._columns.forward(rows, 0)[0])


def test_dynamic_noise_is_new_in_each_epoch():
    vae = small(likelihood="bernoulli", noise="dynamic")
    vae.fit(DIGITS / 16)
    # it is drawn for those likelihoods that have any
    assert small(noise="dynamic").fit(IRIS)._redraw(IRIS) is None
    redraw = vae._redraw(DIGITS / 16)
    seen = [redraw(seed) for seed in (1, 2)]
    assert not np.array_equal(*seen)
    # black and white have none
    sure = np.isin(DIGITS, (0, 16))
    assert_array_equal(seen[0][sure], (DIGITS / 16)[sure])
    # it changes the training
    fixed = clone(vae).set_params(noise="fixed").fit(DIGITS / 16)
    assert fixed.history_[-1, "train_loss"] != vae.history_[-1, "train_loss"]


def test_partial_fit_goes_on_where_fit_stopped():
    whole = small(max_epochs=4).fit(IRIS)
    parts = small(max_epochs=2).fit(IRIS).partial_fit(IRIS).partial_fit(IRIS)
    # moments of the optimiser, order of rows and noise included
    assert_array_equal(parts.score_samples(IRIS), whole.score_samples(IRIS))
    assert len(parts.history_) == 4
    # and fit starts again
    assert len(parts.fit(IRIS).history_) == 2


def test_stages_are_the_fits_that_stopped_there():
    vae = small(max_epochs=5, checkpoint_epochs=2).fit(IRIS)
    stages = list(vae.staged_score_samples(IRIS))
    # training may end at any epoch, and the end is a stage
    assert vae.stages_ == [2, 4, 5]
    assert_array_equal(stages[-1], vae.score_samples(IRIS))
    for epoch, scores in zip(vae.stages_, stages, strict=True):
        # by definition
        assert_array_equal(scores, small(max_epochs=epoch).fit(IRIS).score_samples(IRIS))
    # named epochs; a query leaves the fit as it was
    before = vae.score_samples(IRIS)
    assert small(max_epochs=5, checkpoint_epochs=[1, 5]).fit(IRIS).stages_ == [1, 5]
    assert_array_equal(vae.score_samples(IRIS), before)
    # without stages there is no such method: that is how others ask
    assert not hasattr(small(), "staged_score_samples")


def test_the_last_stage_is_the_fit_as_it_stands():
    vae = small(max_epochs=2, checkpoint_epochs=2).fit(IRIS)
    for last in (3, 4, 5):
        vae.partial_fit(IRIS)
        # kept or not, where training has got to is there, and what was there before it is not any more
        assert vae.stages_ == sorted({2, 2 * (last // 2), last})
        assert_array_equal(list(vae.staged_score_samples(IRIS))[-1], vae.score_samples(IRIS))


def test_stages_of_a_stopped_fit_end_with_what_it_scores():
    callbacks = pytest.importorskip("skorch.callbacks")
    stop = callbacks.EarlyStopping("train_loss", patience=2, threshold=10.0, load_best=True)
    vae = small(max_epochs=50, checkpoint_epochs=1, callbacks=[stop]).fit(IRIS)
    # the parameters of the best epoch were loaded after the last one
    assert_array_equal(list(vae.staged_score_samples(IRIS))[-1], vae.score_samples(IRIS))
    assert not np.array_equal(
        vae.score_samples(IRIS), small(max_epochs=3).fit(IRIS).score_samples(IRIS)
    )


def test_epochs_that_fit_cannot_reach_are_for_partial_fit():
    vae = small(max_epochs=2, checkpoint_epochs=[1, 3])
    # it would have kept nothing, and not have said so
    with pytest.raises(ValueError, match=r"checkpoint_epochs .* max_epochs=2 .*got 3"):
        vae.fit(IRIS)
    for _ in range(4):
        vae.partial_fit(IRIS)
    assert vae.stages_ == [1, 3, 4]
    # a number goes on without end
    assert small(checkpoint_epochs=3).fit(IRIS).partial_fit(IRIS).stages_ == [3, 4]


def test_callbacks_may_have_any_name():
    callbacks = pytest.importorskip("skorch.callbacks")
    stop = ("checkpoints", callbacks.EarlyStopping("train_loss"))
    # ours are known by what they are
    assert small(callbacks=[stop]).fit(IRIS).stages_ == []


def test_pickles_go_on_training():
    vae = small(checkpoint_epochs=1, likelihood="bernoulli", noise="dynamic").fit(DIGITS / 16)
    copy = pickle.loads(pickle.dumps(vae))
    rows = DIGITS / 16
    # stages, optimiser and all
    assert_array_equal(copy.score_samples(rows), vae.score_samples(rows))
    assert copy.stages_ == vae.stages_
    assert_array_equal(
        copy.partial_fit(rows).score_samples(rows), vae.partial_fit(rows).score_samples(rows)
    )
    # training rows are not taken along
    assert len(pickle.dumps(small().fit(np.repeat(IRIS, 100, axis=0)))) < 10 * len(
        pickle.dumps(small().fit(IRIS))
    )


def test_grid_search_over_flat_parameters():
    search = GridSearchCV(small(), {"latent_dim": [1, 2], "beta": [0.5, 1.0]}, cv=2).fit(IRIS)
    # a density's score is what it is chosen by
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_beta_is_for_training_only():
    loose, tight = (small(max_epochs=20, beta=beta).fit(IRIS) for beta in (0.01, 20.0))
    spread = [np.var(vae.transform(IRIS)) for vae in (loose, tight)]
    # a large weight of the divergence pulls codes to the prior's mean
    assert spread[1] < 0.2 * spread[0]


class Own(torch.nn.Module):
    """A linear autoencoder with a Laplace encoder and a wide prior."""

    def __init__(self, n_columns, latent_dim):
        super().__init__()
        self.down = torch.nn.Linear(n_columns, latent_dim)
        self.up = torch.nn.Linear(latent_dim, n_columns)

    def encode(self, x):
        loc = self.down(x)
        return torch.distributions.Independent(
            torch.distributions.Laplace(loc, torch.ones_like(loc)), 1
        )

    def decode(self, z):
        return torch.distributions.Independent(torch.distributions.Normal(self.up(z), 1.0), 1)

    @property
    def prior(self):
        zero = torch.zeros_like(self.down.bias)
        return torch.distributions.Independent(torch.distributions.Normal(zero, 2.0), 1)


def test_a_module_of_ones_own():
    vae = small(module=Own, n_importance_samples=4096).fit(IRIS)
    up = vae.net_.module_.up
    loadings, mean = (t.detach().double().numpy() for t in (up.weight, up.bias))
    U, log_volume = vae._columns.forward(IRIS, 0)
    exact, z = linear_gaussian_log_density(U, mean, 2 * loadings, 1.0) + log_volume, []
    for noise_seed in range(6):
        scores, errors = vae.set_params(noise_seed=noise_seed).score_samples(IRIS, return_std=True)
        z.append((scores - exact) / errors)
    # proposals need not be normal to be right
    assert np.mean(np.abs(z) < 3) > 0.9
    # an instance brings its weights along, and is left alone
    own = Own(4, 2)
    before = own.up.weight.detach().clone()
    first = small(module=own, random_state=1).fit(IRIS)
    assert torch.equal(own.up.weight, before)
    assert_array_equal(first.transform(IRIS).shape, (len(IRIS), 2))


@pytest.mark.parametrize("module", [torch.nn.Linear(4, 2), lambda n_columns, latent_dim: None])
def test_a_module_without_the_protocol_is_refused(module):
    # before torch says what it lacks from deep inside
    with pytest.raises(
        TypeError, match=r"module must be a torch\.nn\.Module with .* without encode"
    ):
        small(module=module).fit(IRIS)


def test_callbacks_are_skorchs():
    callbacks = pytest.importorskip("skorch.callbacks")
    stop = callbacks.EarlyStopping(monitor="valid_loss", patience=2, threshold=10.0)
    vae = small(max_epochs=50, validation_fraction=0.2, callbacks=[stop]).fit(IRIS)
    # no improvement is large enough, so patience ends it; the user's object stays as it was
    assert 2 <= len(vae.history_) < 10
    assert stop.misses_ == 0


def test_each_epoch_draws_anew_but_validation_does_not():
    vae = small(learning_rate=1e-15, validation_fraction=0.3, max_epochs=4).fit(IRIS)
    train, valid = vae.history_[:, "train_loss"], vae.history_[:, "valid_loss"]
    # with parameters at rest all that changes is the noise: it must not be the same in each epoch,
    assert np.ptp(train) > 1e-3
    # and must not be what early stopping looks at
    assert np.ptp(valid) < 1e-9


def test_validation_leaves_a_row_to_train_on():
    vae = small(validation_fraction=0.99, max_epochs=1).fit(IRIS[:3])
    assert [b["train_batch_size"] for b in vae.history_[0]["batches"] if "train_loss" in b] == [1]


def test_an_interrupted_fit_is_no_fit():
    callbacks = pytest.importorskip("skorch.callbacks")

    class Impatient(callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            net.train_step = self.press_ctrl_c

        def press_ctrl_c(self, batch, **kwargs):
            raise KeyboardInterrupt

    # skorch would return the half-trained net; a cross-fit would take it for a fit
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Impatient()]).fit(IRIS)


def test_batches_have_near_equal_size():
    vae = small(batch_size=64, max_epochs=1).fit(IRIS)
    sizes = [batch["train_batch_size"] for batch in vae.history_[0]["batches"]]
    # 150 rows in three batches: none is left with a single row
    assert sizes == [50, 50, 50]
    # fewer rows than a batch are one batch
    assert len(small(max_epochs=1).fit(IRIS[:5]).history_[0]["batches"]) == 1


def test_unchanging_columns_are_no_trouble():
    X = np.column_stack([IRIS, np.full(len(IRIS), 7.0)])
    for likelihood in ("gaussian", "gaussian_diagonal"):
        vae = small(likelihood=likelihood).fit(X)
        assert np.isfinite(vae.score_samples(X)).all()
        # nothing but copies of a row, too
        assert np.isfinite(vae.fit(np.ones((10, 2))).score_samples(np.ones((10, 2)))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_numbers_of_any_type(dtype):
    X = np.round(IRIS * 10).astype(dtype)
    scores = small().fit(X).score_samples(X)
    exact = small().fit(X.astype(float)).score_samples(X.astype(float))
    # training is in single precision in any case
    assert scores.dtype == np.float64
    assert_allclose(scores, exact, atol=1e-2)


def test_frames_keep_their_names():
    frame = load_iris(as_frame=True).data
    vae = small().fit(frame)
    assert list(vae.feature_names_in_) == list(frame.columns)
    # codes have names of their own
    codes = vae.set_output(transform="pandas").transform(frame)
    assert isinstance(codes, pd.DataFrame)
    # a frame's array may be read-only, of which torch would warn
    assert_array_equal(
        vae.inverse_transform(codes), vae.inverse_transform(codes.to_numpy().copy())
    )


def test_single_precision_is_close():
    vae = small().fit(IRIS)
    exact = vae.score_samples(IRIS)
    assert_allclose(vae.set_params(score_dtype="float32").score_samples(IRIS), exact, atol=1e-4)


def test_divergence_says_where_and_what_to_try():
    with pytest.raises(
        FloatingPointError, match=r"epoch \d+ with learning_rate=1e\+30.*Try .*1e\+29"
    ):
        small(learning_rate=1e30, max_epochs=20).fit(IRIS)


def test_what_diverged_is_not_fitted():
    vae = small(max_epochs=20).fit(IRIS)
    with pytest.raises(FloatingPointError):
        vae.set_params(learning_rate=1e30).fit(IRIS)
    # neither by these parameters nor, unnoticed, by those of before
    with pytest.raises(NotFittedError):
        vae.score_samples(IRIS)


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"likelihood": "bernoulli"}, IRIS, r"X must lie in \[0, 1\] for likelihood='bernoulli'"),
        ({"device": "cuda:7"}, IRIS, "device='cuda:7' needs a GPU that torch sees, and it sees"),
        ({"device": "gpu"}, IRIS, "device must be one that torch knows, got 'gpu'"),
        ({"input_shape": (1, 2, 3)}, IRIS, r"input_shape=\(1, 2, 3\) has 6 entries, but X has 4"),
        ({"input_shape": (1, 1, 4)}, IRIS, "height and width must be multiples of 2"),
        ({"input_shape": (1, 2, 2), "likelihood": "mixed"}, IRIS, None),
        (
            {"hidden_layer_sizes": (8, 0)},
            IRIS,
            r"hidden_layer_sizes must be positive .* got \(8, 0\)",
        ),
        (
            {
                "input_shape": (1, 2, 2),
                "likelihood": [("gaussian", [0, 3]), ("gaussian_diagonal", [1, 2])],
            },
            IRIS,
            "With input_shape all columns must have one likelihood, got gaussian, gaussian_diagonal",
        ),
        ({"input_shape": (2, 2)}, IRIS, r"input_shape must be 3 positive integers, got \(2, 2\)"),
        (
            {"checkpoint_epochs": [1.5]},
            IRIS,
            r"checkpoint_epochs must be one or more positive integers, got \[1.5",
        ),
        (
            {"checkpoint_epochs": 20},
            IRIS,
            "checkpoint_epochs must be at most max_epochs=3 for fit, got 20; repeated partial_fit",
        ),
        ({"checkpoint_epochs": []}, IRIS, r"checkpoint_epochs must be one or more .* got \[\]"),
        (
            {"checkpoint_epochs": [0, 2]},
            IRIS,
            r"checkpoint_epochs must be one or more .* got \[0, 2",
        ),
        (
            {"checkpoint_epochs": [[2]]},
            IRIS,
            r"checkpoint_epochs must be one or more .* got \[\[2",
        ),
        ({"likelihood": "poisson"}, IRIS, "The 'likelihood' parameter of VAE must be"),
        ({"max_epochs": 0}, IRIS, "The 'max_epochs' parameter of VAE must be"),
        ({}, IRIS[:1], "minimum of 2 is required"),
        ({}, np.where(IRIS > 7, np.nan, IRIS), "contains NaN"),
    ],
)
def test_errors_name_the_argument(params, X, message):
    if message is None:
        # one likelihood for all columns by another name
        small(**params).fit(X)
        return
    with pytest.raises(ValueError, match=message):
        small(**params).fit(X)


@pytest.mark.parametrize("n_samples", [0, -1, 1.5])
def test_numbers_of_rows_are_positive(n_samples):
    # before torch says what it can't expand
    with pytest.raises(ValueError, match=f"n_samples must be a positive integer, got {n_samples}"):
        small().fit(IRIS).sample(n_samples)


def test_callbacks_that_watch_validation_need_some():
    callbacks = pytest.importorskip("skorch.callbacks")
    # skorch's default, which has nothing to look at here
    with pytest.raises(
        ValueError, match="validation_fraction must be given for callbacks that watch"
    ):
        small(callbacks=[callbacks.EarlyStopping()]).fit(IRIS)


def test_rows_have_no_weights():
    # meta-estimators ask the signature; as for scikit-learn's mixtures, repeated rows stand for weights
    assert not has_fit_parameter(VAE, "sample_weight")


def test_codes_of_another_width_are_refused():
    with pytest.raises(ValueError, match="Z must have 2 columns, got 3"):
        small().fit(IRIS).inverse_transform(np.zeros((1, 3)))


def test_without_the_extra_fit_names_it():
    code = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, Missing())
from sklearn.base import clone
from skmem.neural import VAE

vae = clone(VAE())
try:
    vae.fit([[0.0], [1.0]])
except ImportError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    # constructing, cloning and listing work without torch
    assert 'pip install "skmem[torch]"' in run.stdout
