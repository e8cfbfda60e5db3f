"""Every likelihood is a distribution: it sums or integrates to one, and its draws follow it."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")

from skmem.neural import _likelihoods as lik  # noqa: E402
from skmem.neural._distributions import (  # noqa: E402
    DiscretizedLogisticMixture,
    Product,
)
from skmem.neural._spaces import SPACES  # noqa: E402

MEASURED = {
    "gaussian": lik.Gaussian(1, 1e-3),
    "gaussian_diagonal": lik.GaussianDiagonal(1, 1e-3),
}
COUNTED = {
    "bernoulli": (lik.BernoulliLogits(3), list(itertools.product([0, 1], repeat=3))),
    "categorical": (
        lik.Categorical([2, 3]),
        [(*a, *b) for a in np.eye(2).tolist() for b in np.eye(3).tolist()],
    ),
    "discretized_logistic": (
        lik.DiscretizedLogistic([5, 5], [4, 4]),
        list(itertools.product(np.linspace(-1, 1, 5), repeat=2)),
    ),
    "discretized_logistic, 3 levels beside 2": (
        lik.DiscretizedLogistic([3, 2], [2, 1]),
        list(itertools.product([-1, 0, 1], [-1, 1])),
    ),
    "discretized_logistic, 2 levels": (lik.DiscretizedLogistic([2], [1]), [[-1], [1]]),
}


def decoded(head, n=3, scale=1.0, seed=0):
    """The head's distribution for n random outputs of a decoder."""
    outputs = np.random.default_rng(seed).normal(scale=scale, size=(n, head.n_outputs))
    return head.double()(torch.as_tensor(outputs))


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_measured_columns_integrate_to_one(name, scale):
    p = decoded(MEASURED[name], scale=scale)
    grid = torch.linspace(-60, 60, 60001, dtype=torch.float64)
    with torch.no_grad():
        density = p.log_prob(grid[:, None, None].expand(-1, 3, 1)).exp()
    # quadrature over more than ten standard deviations
    assert_allclose(np.trapezoid(density, grid, axis=0), 1.0, rtol=1e-3)


def test_dequantised_levels_integrate_to_one():
    p = decoded(lik.GaussianDiagonal(1, 1e-3))
    space = SPACES["logit_gaussian"].fit(np.array([[0.0], [3.0]]), np.array([4]))
    # a little of the density lies beyond the levels, as far as the margin of the logit
    low, high = -0.05 / 0.9 * 4, 4 + 0.05 / 0.9 * 4
    grid = np.linspace(low, high, 200002)[1:-1]
    U, log_volume = space.forward_real(grid[:, None])
    with torch.no_grad():
        log_prob = p.log_prob(torch.as_tensor(U)[:, None]).numpy()
    # per level, with the Jacobian
    density = np.exp(log_prob + log_volume[:, None])
    assert_allclose(np.trapezoid(density, grid, axis=0), 1.0, rtol=1e-3)


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_counted_columns_sum_to_one(name, scale):
    head, rows = COUNTED[name]
    rows = torch.tensor(rows, dtype=torch.float64)
    with torch.no_grad():
        log_prob = decoded(head, scale=scale).log_prob(rows[:, None])
    # enumeration of all rows; none is impossible, however sure the decoder is
    assert_allclose(log_prob.exp().sum(dim=0), 1.0, rtol=1e-9)
    assert torch.isfinite(log_prob).all()


@pytest.mark.parametrize(("top", "scale"), [(1.0, 1.0), (7.0, 1.0), (300.0, 0.02)])
def test_counts_without_end_sum_to_one(top, scale):
    p = decoded(lik.DiscretizedLogistic([np.inf], [top]), scale=scale)
    levels = torch.arange(100 * int(top), dtype=torch.float64)
    with torch.no_grad():
        probability = p.log_prob((2 * levels / top - 1)[:, None, None].expand(-1, 3, 1)).exp()
    # far beyond the largest count of the training; nothing is left for larger ones
    assert_allclose(probability.sum(dim=0), 1.0, rtol=1e-9)
    # the mean by its definition
    mean = (probability * levels[:, None]).sum(dim=0)
    assert_allclose((p.mean.detach().ravel() + 1) * top / 2, mean, rtol=1e-3)


@pytest.mark.parametrize(
    "head",
    [*MEASURED.values(), *(head for head, _ in COUNTED.values())],
    ids=[*MEASURED, *COUNTED],
)
def test_draws_have_the_mean(head):
    p = decoded(head)
    torch.manual_seed(0)
    draws = p.sample((20000,))
    error = draws.std(dim=0) / np.sqrt(len(draws))
    # the law of large numbers, at five standard errors
    assert (torch.abs(draws.mean(dim=0) - p.mean) < 5 * error + 1e-3).all()


def test_draws_of_levels_follow_their_probabilities():
    p = decoded(lik.DiscretizedLogistic([5], [4]), n=1)
    torch.manual_seed(0)
    draws = p.sample((40000,)).ravel()
    points = torch.linspace(-1, 1, 5, dtype=torch.float64)
    share = torch.isclose(draws[:, None], points).double().mean(dim=0)
    expected = p.log_prob(points.view(5, 1, 1)).exp().ravel().detach()
    # both tails are in the outer points
    assert_allclose(share, expected, atol=0.01)


def test_a_product_is_the_sum_of_its_logs():
    first, second = decoded(lik.BernoulliLogits(2)), decoded(lik.GaussianDiagonal(3, 1e-3))
    x = torch.cat([first.sample(), second.sample()], dim=-1)
    together = Product([first, second])
    # independence
    expected = first.log_prob(x[:, :2]) + second.log_prob(x[:, 2:])
    torch.testing.assert_close(together.log_prob(x), expected)
    assert together.mean.shape == together.sample().shape == x.shape


@pytest.mark.parametrize("name", MEASURED)
def test_no_row_gains_more_than_the_floor_allows(name):
    head = type(MEASURED[name])(1, 0.01).double()
    for parameter in head.parameters():
        torch.nn.init.constant_(parameter, -1e9)
    outputs = torch.full((1, head.n_outputs), -1e9, dtype=torch.float64)
    p = head(outputs)
    # the density at the mean of a normal whose standard deviation is the floor
    highest = -np.log(0.01) - 0.5 * np.log(2 * np.pi)
    assert_allclose(p.log_prob(p.mean).item(), highest)


LEVELS = torch.tensor([3.0]), torch.tensor([2.0])  # -1, 0 and 1


@pytest.mark.parametrize("scale", [1e-6, 1.0])
def test_tails_of_levels_do_not_cancel(scale):
    one = torch.ones(1, 1, dtype=torch.float64)
    p = DiscretizedLogisticMixture(0 * one, 40 * scale * one, scale * one, *LEVELS)
    far = p.log_prob(torch.tensor([-1.0], dtype=torch.float64))
    # log F(-0.5 / s - 40), by its asymptote x for large negative x
    assert_allclose(far.item(), -0.5 / scale - 40, rtol=1e-12)


@pytest.mark.parametrize("name", COUNTED)
def test_every_output_gets_a_gradient(name):
    head, rows = COUNTED[name]
    outputs = torch.randn(4, head.n_outputs, dtype=torch.float64, requires_grad=True)
    head.double()(outputs).log_prob(torch.tensor(rows[:1], dtype=torch.float64)).sum().backward()
    # a number that does not matter would be a waste of the decoder
    assert (outputs.grad.abs().sum(dim=0) > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_columns", [1, 3, 1500])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3])
def test_zeros_and_ones_have_the_log_probabilities_that_torch_gives_them(dtype, n_columns, scale):
    rng = np.random.default_rng(0)
    logits = torch.as_tensor(scale * rng.normal(size=(2, 5, n_columns)), dtype=dtype)
    value = torch.as_tensor(rng.integers(2, size=(5, n_columns)), dtype=dtype)
    with torch.no_grad():
        found = lik.BernoulliLogits(n_columns)(logits).log_prob(value)
    with_slopes = lik.BernoulliLogits(n_columns)(logits).log_prob(value)
    expected = torch.distributions.Bernoulli(logits=logits.double()).log_prob(value.double())
    # products of at most as many halves as the type can hold: neither large logits nor many columns run out of it
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for one in (found, with_slopes):
        assert_allclose(one, expected.sum(dim=-1), rtol=tolerance, atol=tolerance)


def test_nearly_certain_rows_lose_no_digits():
    logits = 60 * torch.randn(20, 784, generator=torch.Generator().manual_seed(0))
    value = (logits > 0).float()
    value[:, :3] = 1 - value[:, :3]
    p = torch.distributions.Bernoulli(logits=logits.double())
    expected = p.log_prob(value.double()).sum(dim=-1)
    with torch.no_grad():
        found = lik.BernoulliLogits(784)(logits).log_prob(value)
    # sums of the logits are hundreds of times as large as what is left of them
    assert_allclose(found, expected, rtol=1e-5)


def test_infinite_logits_are_certain():
    logits = torch.tensor([torch.inf, -torch.inf, 0.5])
    value = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    with torch.no_grad():
        found = lik.BernoulliLogits(3)(logits).log_prob(value)
    assert_allclose(found, [np.log(1 / (1 + np.exp(-0.5))), -np.inf])


def test_slopes_of_zeros_and_ones_are_those_of_their_log_probability():
    rng = np.random.default_rng(0)
    logits = torch.as_tensor(rng.normal(size=(4, 3))).requires_grad_()
    value = torch.as_tensor(rng.integers(2, size=(4, 3)), dtype=torch.float64)

    def log_prob(logits, value=value):
        return lik.BernoulliLogits(3)(logits).log_prob(value)

    # first and second derivatives are those of differences
    assert torch.autograd.gradcheck(log_prob, logits)
    assert torch.autograd.gradgradcheck(log_prob, logits)
    # also of one row at a time
    bends = torch.func.vmap(torch.func.jacrev(torch.func.grad(log_prob)))(logits.detach(), value)
    p = logits.detach().sigmoid()
    assert_allclose(bends, torch.diag_embed(-p * (1 - p)), rtol=1e-12, atol=1e-12)


# torch itself warns on its way to forward mode
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("argnums", [0, 1, (0, 1)], ids=str)
@pytest.mark.parametrize("transform", ["grad", "jacfwd", "jacrev", "hessian"])
def test_slopes_of_zeros_and_ones_are_those_that_torch_gives_them(transform, argnums):
    rng = np.random.default_rng(0)
    logits = torch.as_tensor(rng.normal(size=(4, 3)))
    logits[0] = 0.0  # where both parts of a product's logarithm have a kink
    value = torch.as_tensor(rng.integers(2, size=(4, 3)), dtype=torch.float64)

    def of_ours(logits, value):
        return lik.BernoulliLogits(3)(logits).log_prob(value)

    def of_torch(logits, value):
        p = torch.distributions.Bernoulli(logits=logits, validate_args=False)
        return p.log_prob(value).sum(dim=-1)

    slopes = [
        torch.func.vmap(getattr(torch.func, transform)(f, argnums=argnums))(logits, value)
        for f in (of_ours, of_torch)
    ]
    # forwards or backwards, for the logits or the values: none is zero without a word
    torch.testing.assert_close(*slopes)
