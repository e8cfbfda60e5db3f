"""Gradients of single rows: from layers' inputs and output gradients, against one backward pass for each row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri
from sklearn.datasets import load_digits, load_iris

from skmem.neural import VAE
from skmem.neural._row_noise import row_noise
from tests.oracles import row_gradients, vae_row_losses

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
skorch = pytest.importorskip("skorch", reason="the extra torch is not installed")

from torch import nn  # noqa: E402

from skmem.neural._gradient_products import products, squared_norms  # noqa: E402
from skmem.neural._layer_gradients import check_layer_gradients, layer_gradients  # noqa: E402
from skmem.neural._row_losses import row_loss  # noqa: E402

RNG = np.random.default_rng(0)
IRIS, DIGITS = load_iris().data, load_digits().data[:40]
N_ROWS, N_DRAWS = 7, 3
X = RNG.normal(size=(20, 6)).astype(np.float32)
IMAGES = RNG.normal(size=(20, 4, 8, 8)).astype(np.float32)
WORDS = RNG.integers(10, size=(20, 6))
LABELS = RNG.integers(3, size=20)


class Twice(nn.Module):
    """A layer that is called twice, and activations that work in place."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.act = nn.Linear(6, 6), nn.Linear(6, 3), nn.ReLU(inplace=True)

    def forward(self, x):
        return self.last(self.act(self.first(self.act(self.first(x)))))


class Scaled(nn.Module):
    """Parameters of no layer, and a layer that nothing depends on."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(6)), nn.Parameter(torch.tensor(0.5))
        self.layer, self.unused = nn.Linear(6, 3), nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(torch.sin(self.scale * x + self.shift))


class Steps(nn.Module):
    """A layer on three positions of each row."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(2, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.layer(x.reshape(-1, 3, 2))).mean(dim=1))


def frozen():
    module = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 4), nn.Linear(4, 3))
    module[0].weight.requires_grad_(False)
    module[2].requires_grad_(False)
    return module


def convolutions():
    return nn.Sequential(
        nn.Conv2d(4, 6, 3, padding="same", groups=2, dilation=2),
        nn.GroupNorm(2, 6),
        nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(1, 0), bias=False),
        nn.BatchNorm2d(4),
        nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, groups=2, output_padding=1),
        nn.Flatten(2),
        nn.Conv1d(4, 2, 5, stride=3, padding="valid"),
        nn.ConvTranspose1d(2, 2, 4, stride=2),
        nn.Flatten(),
        nn.LazyLinear(3),
    )


class CrossEntropy(nn.Module):
    """A criterion that gives one number for a batch, and has no `reduction`."""

    def forward(self, predicted, y):
        return nn.functional.cross_entropy(predicted, y)


def classifier(module, **params):
    defaults = {"criterion": nn.CrossEntropyLoss}
    return skorch.NeuralNetClassifier(module, **{**defaults, **params})


normalised = nn.Sequential(
    nn.Linear(6, 8), nn.BatchNorm1d(8), nn.PReLU(8), nn.LayerNorm(8), nn.Linear(8, 3)
)
NETS = {
    "normalised": (classifier(normalised), X, LABELS),
    "probabilities": (
        skorch.NeuralNetClassifier(nn.Sequential(nn.Linear(6, 3), nn.Softmax(-1))),
        X,
        LABELS,
    ),
    "class weights": (
        classifier(nn.Linear(6, 3), criterion__weight=torch.tensor([1.0, 2.0, 0.5])),
        X,
        LABELS,
    ),
    "totals": (classifier(nn.Linear(6, 3), criterion__reduction="sum"), X, LABELS),
    "one number a batch": (classifier(nn.Linear(6, 3), criterion=CrossEntropy), X, LABELS),
    "regressor": (
        skorch.NeuralNetRegressor(nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))),
        X,
        X[:, :2],
    ),
    "autoencoder": (
        skorch.NeuralNet(nn.Sequential(nn.Linear(6, 2), nn.Linear(2, 6)), criterion=nn.MSELoss),
        X,
        X,
    ),
    "binary": (
        skorch.NeuralNetBinaryClassifier(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0))),
        X,
        (LABELS > 0).astype(np.float32),
    ),
    "called twice": (classifier(Twice), X, LABELS),
    "free parameters": (classifier(Scaled), X, LABELS),
    "positions": (classifier(Steps), X, LABELS),
    "frozen in part": (classifier(frozen()), X, LABELS),
    "convolutions": (classifier(convolutions()), IMAGES, LABELS),
    "embedding": (
        classifier(nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(24, 3))),
        WORDS,
        LABELS,
    ),
}
every_net = pytest.mark.parametrize(("net", "X", "y"), NETS.values(), ids=list(NETS))

VAES = {
    "gaussian": ({"beta": 0.5}, IRIS),
    "gaussian_diagonal": ({"likelihood": "gaussian_diagonal"}, IRIS),
    "grey": ({"likelihood": "bernoulli"}, DIGITS / 16),
    "discretized_logistic": ({"likelihood": "discretized_logistic", "n_levels": 17}, DIGITS),
    "mixed": ({"likelihood": "mixed"}, np.column_stack([IRIS, np.eye(3)[load_iris().target]])),
    "convolutional": (
        {"likelihood": "bernoulli", "input_shape": (1, 8, 8), "hidden_layer_sizes": (4, 8)},
        DIGITS / 16,
    ),
}


def fitted(net, X, y):
    torch.manual_seed(0)
    return net.set_params(max_epochs=2, verbose=0, train_split=None, lr=0.05).fit(X, y)


def double_loss(estimator, X, y=None, n_draws=N_DRAWS):
    """The loss of rows in double precision, and the batch of the first ones."""
    loss = row_loss(estimator, n_draws, seed=3).double()
    if hasattr(getattr(loss, "net", None), "criterion_"):
        loss.net.criterion_.double()
    return loss, loss.batch(loss.rows(X, y), slice(0, N_ROWS))


def learnt(loss):
    return [p for p in loss.parameters() if p.requires_grad]


def assert_gradients_agree(layers, slow):
    explicit = torch.cat([layer.explicit().flatten(1) for layer in layers], dim=1)
    # as many numbers as parameters that count, and the same inner product of every pair of rows
    assert explicit.shape[1] <= slow.shape[1]
    gram = slow @ slow.T
    tolerance = {"rtol": 0, "atol": 1e-12 * gram.diagonal().max()}
    assert_allclose((explicit @ explicit.T).numpy(), gram, **tolerance)
    # and again without making the gradients
    assert_allclose(products(layers, layers).numpy(), gram, **tolerance)
    assert_allclose(squared_norms(layers).numpy(), gram.diagonal(), **tolerance)


@every_net
def test_gradients_of_nets_are_those_of_each_row_by_itself(net, X, y):
    loss, batch = double_loss(fitted(net, X, y), X, y)
    alone = [loss(*(t[[i]] for t in batch)).squeeze() for i in range(N_ROWS)]
    assert_gradients_agree(layer_gradients(loss, batch), row_gradients(alone, learnt(loss)))
    # what fit runs to make sure of it
    check_layer_gradients(loss, batch)


@pytest.mark.parametrize("name", ["normalised", "regressor", "binary", "autoencoder"])
def test_the_loss_of_a_batch_is_the_mean_of_its_rows(name):
    net, X, y = NETS[name]
    net = fitted(net, X, y)
    loss = row_loss(net)
    rows = loss(*loss.batch(loss.rows(X, y), slice(None)))
    net.module_.eval()
    whole = net.get_loss(net.infer(X), torch.as_tensor(y))
    # so that a step on a batch is the mean of steps on its rows
    assert_allclose(rows.mean().item(), whole.item(), rtol=1e-5)


@pytest.mark.parametrize(("params", "X"), VAES.values(), ids=list(VAES))
def test_gradients_of_autoencoders_are_those_of_each_row_by_itself(params, X):
    vae = VAE(2, (8,), max_epochs=3, learning_rate=0.01, random_state=0).set_params(**params)
    vae.fit(X)
    loss, batch = double_loss(vae, X)
    U = vae._columns.forward(X[:N_ROWS], 0)[0].astype(np.float32)
    noise = ndtri(row_noise(U, 3, n_values=2 * N_DRAWS)).reshape(N_ROWS, N_DRAWS, 2)
    losses, parameters = vae_row_losses(vae, X[:N_ROWS], noise)
    # minus the ELBO as trained: the value first; standardised rows are single precision in the batch
    assert_allclose(loss(*batch).detach().numpy(), [one.item() for one in losses], rtol=1e-5)
    alone = [loss(*(t[[i]] for t in batch)).squeeze() for i in range(N_ROWS)]
    assert_gradients_agree(layer_gradients(loss, batch), row_gradients(alone, learnt(loss)))
    explicit = torch.cat([g.explicit().flatten(1) for g in layer_gradients(loss, batch)], dim=1)
    slow = row_gradients(losses, parameters)
    norms = np.linalg.norm(slow, axis=1)
    gap = np.abs((explicit @ explicit.T).numpy() - slow @ slow.T) / np.outer(norms, norms)
    # then the gradients of a loss that was written down independently
    assert gap.max() < 1e-4


def test_noise_belongs_to_rows():
    vae = VAE(2, (8,), max_epochs=2, random_state=0).fit(IRIS)
    loss = row_loss(vae, 4, seed=1)
    together = loss(*loss.batch(loss.rows(IRIS), slice(None))).detach().numpy()
    apart = loss(*loss.batch(loss.rows(IRIS[[7, 3]]), slice(None))).detach().numpy()
    # a row's loss depends neither on its batch nor on its position
    assert_allclose(apart, together[[7, 3]], rtol=1e-5)
    other = row_loss(vae, 4, seed=2)
    # but on the seed
    assert not np.allclose(other(*other.batch(other.rows(IRIS), slice(None))).tolist(), together)


class FirstIsTime(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)

    def forward(self, x):
        return self.layer(x.reshape(-1, 3, 2).transpose(0, 1)).sum(dim=0)


class NotCalled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        return nn.functional.linear(x, self.layer.weight, self.layer.bias)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory, self.last = nn.LSTM(1, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.last(self.memory(x[..., None])[0][:, -1])


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        return self.layer(x - x.mean(dim=0))


def tied():
    module = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3))
    module[1].weight = module[0].weight
    return module


REFUSED = {
    "rows second": (FirstIsTime, X, "keep rows in the first dimension"),
    "a layer that is not called": (NotCalled, X, "call its layers"),
    "rows that interact": (Centred, X, "not let rows of a batch interact"),
    "recurrent": (Recurrent, X, r"LSTM \(module.memory\).*not supported"),
    "a large embedding": (
        nn.Sequential(nn.Embedding(5000, 4), nn.Flatten(), nn.Linear(24, 3)),
        WORDS,
        r"Embedding \(module.0\) are not supported with more than 10000 parameters.*requires_grad_",
    ),
    "batch statistics": (
        nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        X,
        "track_running_stats=False",
    ),
    "shared weights": (tied(), X, "module.0.weight is module.1.weight"),
    "reflected borders": (
        nn.Sequential(nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), nn.Flatten()),
        IMAGES,
        "padding_mode='zeros', got 'reflect'",
    ),
}


@pytest.mark.parametrize(("module", "X", "words"), REFUSED.values(), ids=list(REFUSED))
def test_what_layers_cannot_tell_is_refused_by_name(module, X, words):
    loss, batch = double_loss(fitted(classifier(module), X, LABELS), X, LABELS)
    # a wrong gradient would look like any other number
    with pytest.raises(ValueError, match=words):
        check_layer_gradients(loss, batch)
