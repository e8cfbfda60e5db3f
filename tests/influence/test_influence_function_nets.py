"""Influence functions of VAEs and skorch nets: their gradients, Hessians and EK-FAC, held against dense twins."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skmem.influence import InfluenceFunction, TracIn
from skmem.neural import VAE
from tests import oracles

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
skorch = pytest.importorskip("skorch", reason="the extra torch is not installed")

IRIS, SPECIES = load_iris(return_X_y=True)
DIGITS = load_digits().data[:40] / 16
IRIS32, SPECIES64 = IRIS.astype(np.float32), SPECIES.astype(np.int64)


def classifier(module, X=IRIS32, y=SPECIES64, epochs=20):
    net = skorch.NeuralNetClassifier(
        module,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=epochs,
        lr=0.1,
        batch_size=32,
        train_split=None,
        verbose=0,
    )
    torch.manual_seed(0)
    return net.fit(X, y)


def two_layers():
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))


def convolutional():
    nn = torch.nn
    layers = (nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.ReLU())
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(48, 3))


def small_vae(X=IRIS, **params):
    defaults = {"max_epochs": 30, "learning_rate": 0.01, "random_state": 0}
    return VAE(2, (6,)).set_params(**{**defaults, **params}).fit(X)


CONVOLUTIONS = {"likelihood": "bernoulli", "input_shape": (1, 8, 8), "hidden_layer_sizes": (3, 4)}


def cases():
    """name -> (fitted net, rows, targets)."""
    labels = load_digits().target[:40] % 3
    digits = DIGITS.astype(np.float32)
    return {
        "VAE": lambda: (small_vae(IRIS[::3]), IRIS[::3], None),
        "convolutional VAE": lambda: (
            small_vae(DIGITS, max_epochs=3, **CONVOLUTIONS),
            DIGITS,
            None,
        ),
        "classifier": lambda: (classifier(two_layers), IRIS32[::2], SPECIES64[::2]),
        "convolutional classifier": lambda: (
            classifier(convolutional, digits, labels),
            digits,
            labels,
        ),
    }


every_net = pytest.mark.parametrize("case", cases().values(), ids=list(cases()))


def pairs(function, rows):
    """(a, delta) of each layer for all rows at once, in double precision."""
    loss = function._model.loss
    from skmem.neural._layer_gradients import layer_gradients

    layers = layer_gradients(loss, loss.batch(rows, slice(None)))
    return [(layer.a.double().numpy(), layer.delta.double().numpy()) for layer in layers]


@every_net
def test_ekfac_is_its_definition(case):
    net, X, y = case()
    function = InfluenceFunction(net, solver="ekfac", n_draws=3).fit(X, y)
    rows = function._model.rows
    train, points = pairs(function, rows), pairs(function, tuple(a[:9] for a in rows))
    slow = oracles.ekfac_influence(train, points, 0.1)
    found = function.influence(X[:9], None if y is None else y[:9])
    # factors, eigenbases, corrected eigenvalues, damping: row by row and pair by pair
    assert_allclose(found, slow, rtol=0, atol=2e-4 * np.abs(slow).max())
    assert function.curvature_ == "empirical Fisher"
    assert min(function.damping_.values()) > 0
    assert_allclose(function.self_influence()[:9], np.diag(found[:9]), rtol=1e-3, atol=1e-6)


@every_net
def test_identity_is_tracin_at_the_final_parameters(case):
    net, X, y = case()
    tracin = TracIn(net, checkpoints="final", weights=[1 / len(X)]).fit(X, y)
    identity = InfluenceFunction(net, solver="identity").fit(X, y)
    expected = tracin.influence(X, y)
    # a single checkpoint, products of gradients, the same draws
    assert_allclose(identity.influence(X, y), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert_allclose(identity.self_influence(), tracin.self_influence(), rtol=1e-4)


@every_net
def test_hessian_products_are_differences_of_gradients(case):
    net, X, y = case()
    y = None if y is None else y[:30]
    function = InfluenceFunction(net, solver="cg", damping=1e6, n_draws=3).fit(X[:30], y)
    model = function._model
    v = np.random.default_rng(0).normal(size=model.n_parameters)
    product = model.hvp(v[None])[0]

    def mean_slope(step):
        with torch.no_grad():
            for p, part in zip(model.parameters, model._tensors(step * v), strict=True):
                p.add_(part)
        slope = -model.own_gradients(slice(None)).mean(axis=0)
        with torch.no_grad():
            for p, part in zip(model.parameters, model._tensors(step * v), strict=True):
                p.sub_(part)
        return slope

    step = 1e-6
    slow = (mean_slope(step) - mean_slope(-step)) / (2 * step)
    # the definition of a derivative; ReLUs have few kinks within such a step
    assert_allclose(product, slow, rtol=0, atol=1e-4 * np.abs(product).max())


def test_layers_and_single_rows_have_the_same_gradients():
    net, X, y = classifier(two_layers), IRIS32, SPECIES64
    layered = InfluenceFunction(net, solver="identity").fit(X, y)._model
    turned = InfluenceFunction(net, solver="ekfac").fit(X, y)._model
    alone = InfluenceFunction(net, solver="cg", damping=10.0).fit(X, y)._model
    every = slice(None)
    gram = alone.own_gradients(every) @ alone.own_gradients(every).T
    for model in (layered, turned):
        # coordinates are in another order, or rotated: products stay
        found = model.own_gradients(every)
        assert_allclose(found @ found.T, gram, rtol=0, atol=1e-5 * gram.max())
    assert layered.n_parameters == turned.n_parameters == alone.n_parameters == 43


class Linear(torch.nn.Module):
    """Minus the loss is the product of prediction and target: any gradients can be asked for."""

    reduction = "mean"

    def forward(self, predicted, target):
        products = -(predicted * target).sum(dim=1)
        return products.mean() if self.reduction == "mean" else products


def test_ekfac_is_exact_where_inputs_and_output_gradients_are_independent():
    rng = np.random.default_rng(0)
    inputs, slopes = rng.normal(size=(7, 3)), rng.normal(size=(5, 2))
    # every input with every slope: independent in the sample, so the Fisher matrix is a Kronecker product
    X = np.repeat(inputs, 5, axis=0).astype(np.float32)
    y = np.tile(slopes, (7, 1)).astype(np.float32)
    module = torch.nn.Linear(3, 2, bias=False)
    net = skorch.NeuralNet(module, Linear, train_split=None, verbose=0, max_epochs=1, lr=1e-3)
    function = InfluenceFunction(net.fit(X, y), solver="ekfac", damping=0.01).fit(X, y)
    g = (y[:, :, None] * X[:, None]).reshape(35, 6).astype(np.float64)
    fisher = g.T @ g / 35 + 0.01 * np.eye(6)
    expected = g @ np.linalg.solve(fisher, g.T) / 35
    # a Kronecker product has its factors' eigenvectors
    assert_allclose(function.influence(X, y), expected, rtol=0, atol=1e-5 * expected.max())


def test_a_net_without_hidden_layers_is_a_logistic_regression():
    X, y = IRIS32[50:, :2], SPECIES64[50:] - 1
    fitted = LogisticRegression(C=1e6, tol=1e-8, max_iter=10_000).fit(X.astype(np.float64), y)
    net = classifier(lambda: torch.nn.Linear(2, 2), X, y, epochs=1)
    with torch.no_grad():
        for tensor, values in (
            (net.module_.weight, fitted.coef_),
            (net.module_.bias, fitted.intercept_),
        ):
            tensor[0] = 0.0
            tensor[1] = torch.as_tensor(values[0])
    expected = InfluenceFunction(fitted).fit(X, y).influence(X, y)
    for solver in ("exact", "cg"):
        # damping is for the direction in which softmax does not change
        function = InfluenceFunction(net, solver=solver, damping=1e-7).fit(X, y)
        # the same model through torch: gradients and Hessian of one are those of the other
        assert_allclose(function.influence(X, y), expected, rtol=1e-2, atol=1e-3 * expected.max())
        assert not hasattr(function, "optimality_gap_")


def test_conjugate_gradients_solve_what_the_dense_hessian_says():
    vae = small_vae()
    iterative = InfluenceFunction(vae, solver="cg", tol=1e-8).fit(IRIS)
    damping = iterative.damping_
    # a net that is not at a minimum has negative curvature; automatic damping exceeds it
    assert damping > 0
    assert (iterative.residuals_ <= 1e-8).all()
    exact = InfluenceFunction(vae, solver="exact", damping=damping).fit(IRIS)
    expected = exact.influence(IRIS[:5])
    assert_allclose(
        iterative.influence(IRIS[:5]), expected, rtol=0, atol=1e-6 * np.abs(expected).max()
    )
    with pytest.raises(ValueError, match=r"not at a minimum .* set damping > .* solver=.ekfac."):
        InfluenceFunction(vae, solver="exact").fit(IRIS)
    with pytest.raises(ValueError, match=r"not at a minimum .* set damping > .* solver=.ekfac."):
        InfluenceFunction(vae, solver="cg", damping=0.0).fit(IRIS)


@every_net
@pytest.mark.parametrize("solver", ["identity", "ekfac"])
def test_queries_agree_whatever_the_memory(case, solver):
    net, X, y = case()
    own = None if y is None else y[:20]
    function = InfluenceFunction(net, solver=solver, n_draws=2).fit(X, y)
    memory = function._model.row_bytes * 9 * 16 / 2**20  # for nine training rows at a time
    influence = function.influence(X[:20], own)
    top = function.top(X[:20], 4, own)
    with sklearn.config_context(working_memory=memory):
        again = InfluenceFunction(net, solver=solver, n_draws=2).fit(X, y)
        blocked, own_influence = again.influence(X[:20], own), again.self_influence()
        indices, values = again.top(X[:20], 4, own)
        opponents, least = again.top(X[:20], 4, own, opponents=True)
    close = {"rtol": 0, "atol": 1e-4 * np.abs(influence).max()}
    # blocks change the order of sums in single precision, and a row's draws are its own
    assert_allclose(blocked, influence, **close)
    assert_allclose(own_influence[:20], np.diag(influence), **close)
    assert_allclose(values, top[1], **close)
    assert_allclose(values, np.take_along_axis(influence.T, indices, axis=1), **close)
    assert_allclose(least, np.sort(influence, axis=0)[:4].T, **close)
    assert_allclose(least, np.take_along_axis(influence.T, opponents, axis=1), **close)
    copied = pickle.loads(pickle.dumps(function))
    assert_array_equal(copied.influence(X[:20], own), influence)


def test_most_rows_are_their_own_strongest_proponent():
    digits = load_digits().data[:300] / 16
    vae = VAE(4, (32,), likelihood="bernoulli", max_epochs=60, learning_rate=3e-3, random_state=0)
    function = InfluenceFunction(vae.fit(digits), solver="ekfac").fit(digits)
    influence = function.influence(digits)
    # Kong and Chaudhuri (2021) find it for more than 99 % of training rows; without curvature it is far from so
    assert np.mean(influence.argmax(axis=0) == np.arange(300)) > 0.99


# --- refusals ---


def test_layers_that_ekfac_does_not_know_are_named():
    class Bilinear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.pairs = torch.nn.Bilinear(4, 4, 700)
            self.out = torch.nn.Linear(700, 3)

        def forward(self, x):
            return self.out(self.pairs(x, x))

    net = classifier(Bilinear, epochs=1)
    # and the solver that takes them too
    with pytest.raises(ValueError, match=r"Bilinear \(module.pairs\).*solver='cg'"):
        InfluenceFunction(net, solver="ekfac").fit(IRIS32, SPECIES64)
    with pytest.raises(ValueError, match=r"at most 5000 parameters, got \d+.*'cg'.*'ekfac'"):
        InfluenceFunction(net).fit(IRIS32, SPECIES64)


def test_what_nets_refuse():
    vae, net = small_vae(), classifier(two_layers)
    for unfitted in (VAE(), skorch.NeuralNetClassifier(two_layers)):
        with pytest.raises(NotFittedError, match=type(unfitted).__name__):
            InfluenceFunction(unfitted, solver="ekfac").fit(IRIS)
    function = InfluenceFunction(vae, solver="ekfac").fit(IRIS)
    with pytest.raises(ValueError, match="X has 3 features, but VAE is expecting 4"):
        function.influence(IRIS[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        function.top(np.full((2, 4), np.nan))
    with pytest.raises(ValueError, match="y must be given"):
        InfluenceFunction(net, solver="ekfac").fit(IRIS32)
    supervised = InfluenceFunction(net, solver="ekfac").fit(IRIS32, SPECIES64)
    with pytest.raises(
        ValueError, match=r"shapes of fit after the first dimension, \(4,\), got \(3,\)"
    ):
        supervised.influence(IRIS32[:, :3], SPECIES64)
    with pytest.raises(ValueError, match="k must be an int from 1 to n_train=150, got 151"):
        supervised.top(IRIS32, 151, SPECIES64)
    # dead units have no gradient in any row: their curvature is 0
    with torch.no_grad():
        net.module_[0].weight.zero_()
        net.module_[0].bias.fill_(40.0)
    with pytest.raises(ValueError, match=r"singular with damping=0.*Set damping > 0"):
        InfluenceFunction(net, solver="ekfac", damping=0.0).fit(IRIS32, SPECIES64)
    assert np.isfinite(
        InfluenceFunction(net, solver="ekfac").fit(IRIS32, SPECIES64).self_influence()
    ).all()
