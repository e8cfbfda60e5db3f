"""Log-densities of linear models against probabilistic PCA, and the laws of the bounds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_iris

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")

from skmem.neural import VAE  # noqa: E402
from skmem.neural._bounds import (  # noqa: E402
    blocked_log_weights,
    elbo_terms,
    log_weights,
    push,
    scoring_module,
    standard_normal_draws,
)
from skmem.neural._proposals import (  # noqa: E402
    derivatives,
    laplace,
    resolve_proposal,
    triangular,
)
from tests import oracles  # noqa: E402

X = load_iris().data


@pytest.fixture(scope="module")
def linear():
    return linear_vae(200).fit(X)


def linear_vae(n_epochs, proposal="encoder"):
    """Whose weights are not all equal, as they are by its Laplace proposal."""
    vae = VAE(2, (), max_epochs=n_epochs, learning_rate=0.02, random_state=0)
    return vae.set_params(proposal=proposal)


def exact(vae, X):
    """Probabilistic PCA's log-density with the weights of a linear decoder."""
    decoder = scoring_module(vae.net_.module_, "float64").decoder
    loadings, mean = decoder.trunk[0].weight.numpy(), decoder.trunk[0].bias.numpy()
    sigma = decoder.head.scale.item()
    U, log_volume = vae._columns.forward(X, 0)
    return oracles.linear_gaussian_log_density(U, mean, loadings, sigma) + log_volume


def with_draws(vae, n, draws="sobol", noise_seed=0):
    return vae.set_params(n_importance_samples=n, draws=draws, noise_seed=noise_seed)


@pytest.mark.parametrize("draws", ["sobol", "random"])
@pytest.mark.parametrize("n", [64, 1024])
def test_linear_models_are_probabilistic_pca(linear, draws, n):
    truth, z = exact(linear, X), []
    for noise_seed in range(24):
        scores, errors = with_draws(linear, n, draws, noise_seed).score_samples(X, return_std=True)
        z.append((scores - truth) / errors)
    # errors are what they are said to be, neither far too small nor far too large
    assert 0.6 < np.sqrt(np.mean(np.square(z))) < 1.7
    assert np.mean(np.abs(z) < 3) > 0.93


def test_draws_converge_and_sobol_points_faster(linear):
    truth = exact(linear, X)

    def rms(n, draws):
        scores = [with_draws(linear, n, draws, seed).score_samples(X) for seed in range(10)]
        return np.sqrt(np.mean((np.array(scores) - truth) ** 2))

    # plain draws: 16 times as many halve the error twice; Sobol points do better
    assert rms(1024, "random") < 0.4 * rms(64, "random")
    assert rms(1024, "sobol") < 0.25 * rms(64, "sobol")
    assert rms(1024, "sobol") < 0.4 * rms(1024, "random")


def test_bounds_are_ordered(linear):
    young = linear_vae(25).fit(X)
    truth, seeds = exact(young, X), range(100)
    bounds = {
        n: np.mean([with_draws(young, n, "random", seed).score_samples(X) for seed in seeds])
        for n in (1, 4, 16)
    }
    elbo = np.mean([with_draws(young, 16, "random", seed).elbo(X) for seed in seeds])
    # Burda et al. (2016), theorem 1: more draws tighten the bound in expectation, none exceeds log p
    assert elbo < bounds[4] < bounds[16] < truth.mean()
    # one draw is the ELBO, in expectation
    assert_allclose(bounds[1], elbo, atol=0.1)
    for vae in (young, linear):
        # on the same draws it is Jensen's inequality, row by row
        assert (vae.elbo(X) <= vae.score_samples(X) + 1e-12).all()


def test_densities_integrate_to_one():
    rows = X[:, [2]]
    vae = VAE(1, (4,), max_epochs=10, learning_rate=0.02, random_state=0, n_importance_samples=64)
    grid = np.linspace(-30, 40, 4001)[:, None]
    for likelihood in ("gaussian", "gaussian_diagonal"):
        scores = vae.set_params(likelihood=likelihood).fit(rows).score_samples(grid)
        # per unit of X, through standardisation and importance sampling
        assert_allclose(np.trapezoid(np.exp(scores), grid[:, 0]), 1.0, rtol=0.02)


@pytest.mark.parametrize(
    "likelihood", ["bernoulli", "discretized_logistic", "categorical", "codes"]
)
def test_probabilities_sum_to_one(likelihood):
    rows = np.eye(4) if likelihood == "categorical" else np.indices((2, 2, 2)).reshape(3, -1).T
    vae = VAE(1, (4,), likelihood=likelihood, n_levels=2, max_epochs=3, random_state=0)
    scores = vae.fit(rows).score_samples(rows)
    # all possible rows
    assert_allclose(np.exp(scores).sum(), 1.0, rtol=0.02)


def test_weights_are_those_drawn_one_at_a_time(linear):
    module = scoring_module(linear.net_.module_, "float64")
    noise = np.random.default_rng(0).normal(size=(5, 2))
    U = linear._columns.forward(X[:4], 0)[0]
    slow = oracles.one_draw_at_a_time(module, U, noise)
    with torch.no_grad():
        x = torch.as_tensor(U)
        fast = log_weights(module, x, module.encode(x), torch.as_tensor(noise))
    # batching is an optimisation
    assert_allclose(fast, slow, rtol=1e-10)
    with config_context(working_memory=1e-3):
        blocks = list(blocked_log_weights(module, U, noise, "encoder"))
    assert len(blocks) > 1
    assert_allclose(np.concatenate([w for _, w in blocks], axis=1), slow, rtol=1e-10)


def test_the_posterior_of_a_linear_model_is_the_laplace_proposal():
    vae = linear_vae(2, "laplace").set_params(n_importance_samples=256).fit(X)
    module = scoring_module(vae.net_.module_, "float64")
    x = torch.as_tensor(vae._columns.forward(X, 0)[0])
    with torch.no_grad():
        q = laplace(module, x)
    layer, sigma = module.decoder.trunk[0], module.decoder.head.scale
    precision = torch.eye(2) + layer.weight.T @ layer.weight / sigma**2
    mean = torch.linalg.solve(precision, layer.weight.T @ (x - layer.bias).T / sigma**2).T
    # the mode is the mean, and the curvature the precision; its root is 1.2 times as wide
    torch.testing.assert_close(q.loc, mean)
    torch.testing.assert_close(q.covariance_matrix[0], 1.44 * torch.linalg.inv(precision))
    scores, errors = vae.score_samples(X, return_std=True)
    # weights are bounded, whatever the encoder is
    assert (np.abs(scores - exact(vae, X)) < 5 * errors).all()
    assert errors.max() < 0.01
    # the ELBO is the encoder's all the same
    assert_array_equal(vae.elbo(X), vae.set_params(proposal="encoder").elbo(X))


@pytest.mark.parametrize(
    "params",
    [{"likelihood": "gaussian_diagonal"}, {"likelihood": "bernoulli", "input_shape": (1, 4, 4)}],
    ids=["layers", "convolutions"],
)
def test_slopes_and_curvatures_are_those_of_each_row(params):
    rows = np.random.default_rng(0).random((30, 16))
    vae = VAE(3, (6, 4), max_epochs=2, random_state=0).set_params(**params).fit(rows)
    module = scoring_module(vae.net_.module_, "float64")
    x = torch.as_tensor(vae._columns.forward(rows, 0)[0])
    z = torch.randn(30, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = derivatives(lambda z: module.decode(z).log_prob(x), z)

    def of_one(k):
        return lambda code: module.decode(code[None]).log_prob(x[k : k + 1])[0]

    # rows have no part in one another, though their sum is what is differentiated
    of_torch = torch.autograd.functional.jacobian, torch.autograd.functional.hessian
    for find, many in zip(of_torch, found, strict=True):
        torch.testing.assert_close(many, torch.stack([find(of_one(k), z[k]) for k in range(30)]))


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian_diagonal"])
@pytest.mark.parametrize("scale", [1e60, 1e160, 1e300])
def test_rows_out_of_all_bounds_have_no_density(likelihood, scale):
    vae = VAE(2, (8,), likelihood=likelihood, max_epochs=5, n_importance_samples=32)
    scores = vae.set_params(random_state=0).fit(X).score_samples(np.vstack([scale * X[:3], X[:3]]))
    # squares overflow: minus infinity, or a number as large; their neighbours are none the worse
    assert np.all(scores[:3] < -1e100)
    assert np.all(np.isfinite(scores[3:]))


def test_narrow_covariances_are_factorised():
    generator = torch.Generator().manual_seed(0)
    shape = {"generator": generator, "dtype": torch.float64}
    vectors = torch.linalg.qr(torch.randn(3, 3, **shape)).Q
    root = vectors * torch.tensor([1.0, 1e-6, 1e-12], dtype=torch.float64)
    # their ratio, squared, is beyond double precision
    assert torch.linalg.cholesky_ex(root @ root.mT).info > 0
    lower = triangular(root[None])[0]
    assert torch.equal(lower, lower.tril())
    assert torch.all(lower.diagonal() > 0)
    # it differs from the root by a rotation, also in the narrow directions
    turn = torch.linalg.solve_triangular(lower, root, upper=False)
    torch.testing.assert_close(
        turn @ turn.mT, torch.eye(3, dtype=torch.float64), atol=1e-3, rtol=0
    )


class Awkward(torch.nn.Module):
    """One column of mean `mean(z)` with a prior that is normal, or flat within 50 of zero."""

    def __init__(self, mean, flat=False):
        super().__init__()
        self.mean, self.flat = mean, flat

    def encode(self, x):
        return torch.distributions.Independent(torch.distributions.Normal(0 * x, 1.0), 1)

    def decode(self, z):
        return torch.distributions.Independent(
            torch.distributions.Laplace(self.mean(z), 1.0, validate_args=False), 1
        )

    @property
    def prior(self):
        one = torch.ones(1, dtype=torch.float64)
        normal = torch.distributions.Normal(0 * one, one)
        uniform = torch.distributions.Uniform(-50 * one, 50 * one)
        return torch.distributions.Independent(uniform if self.flat else normal, 1)


def test_steps_without_a_density_are_not_taken():
    x = torch.full((2, 1), -100.0, dtype=torch.float64)
    with torch.no_grad():
        q = laplace(Awkward(torch.log1p), x)
    # there is no mean below -1, and a whole step leads there
    assert torch.all((q.loc > -1) & (q.loc < 0))


def test_functions_without_second_derivatives_have_curvatures_of_zero():
    with torch.no_grad():
        q = laplace(Awkward(lambda z: 2 * z, flat=True), torch.zeros(2, 1, dtype=torch.float64))
    # a double exponential under a flat prior: half of the prior's precision is left
    torch.testing.assert_close(
        q.scale_tril, torch.full((2, 1, 1), 1.2, dtype=torch.float64) * (2 * 100.0**2 / 12) ** 0.5
    )


def test_scoring_in_inference_mode():
    vae = VAE(2, (8,), max_epochs=2, n_importance_samples=16, random_state=0).fit(X)
    expected = vae.score_samples(X)
    with torch.inference_mode():
        # derivatives are taken all the same
        assert_array_equal(vae.score_samples(X), expected)


def test_blocks_leave_room_for_the_matrices_of_a_large_code():
    vae = VAE(32, (8,), max_epochs=1, random_state=0).fit(X)
    module = scoring_module(vae.net_.module_, "float64")
    U = np.repeat(vae._columns.forward(X, 0)[0], 2, axis=0)
    blocks = blocked_log_weights(module, U, np.zeros((2, 32)), "laplace")
    sizes = [rows.stop - rows.start for rows, _ in blocks]
    # curvature, its eigenvectors, roots and triangles: layers of eight units are nothing beside them
    assert sum(sizes) == len(U)
    assert max(sizes) * 5 * 8 * 32**2 <= 8 * 2**20


def test_the_default_proposal_is_laplace_where_that_is_cheap():
    # a curvature costs as much as draws in proportion to the code's size; a user's module may not have one
    assert resolve_proposal("auto", None, 32) == "laplace"
    assert resolve_proposal("auto", None, 33) == "encoder"
    assert resolve_proposal("auto", object(), 2) == "encoder"
    assert resolve_proposal("laplace", object(), 64) == "laplace"


@pytest.mark.parametrize(
    "likelihood", ["gaussian_diagonal", "logit_gaussian", "bernoulli", "mixed"]
)
def test_laplace_proposals_miss_less(likelihood):
    rows = np.round(X - X.min())
    rows = rows / rows.max() if likelihood == "bernoulli" else rows
    vae = VAE(3, (8,), likelihood=likelihood, n_levels=9, max_epochs=30, learning_rate=0.01)
    vae.set_params(random_state=0, n_importance_samples=2**14).fit(rows)
    truth = vae.score_samples(rows[:40])

    def rms(proposal, n):
        vae.set_params(proposal=proposal, n_importance_samples=n)
        return np.sqrt(np.mean((vae.score_samples(rows[:40]) - truth) ** 2))

    # another proposal for the same density, nearer to each row's posterior
    assert rms("laplace", 2**14) < 0.1
    assert rms("laplace", 64) < max(rms("encoder", 64), 0.1)


def test_training_maximises_the_elbo(linear):
    module = scoring_module(linear.net_.module_, "float64")
    U, log_volume = linear._columns.forward(X[:10], 0)
    generator = torch.Generator().manual_seed(0)
    x = torch.as_tensor(np.repeat(U, 4000, axis=0))
    with torch.no_grad():
        log_likelihood, divergence = elbo_terms(module, x, generator)
    drawn = (log_likelihood - divergence).numpy().reshape(10, 4000)
    error = drawn.std(axis=1) / np.sqrt(4000)
    # the exact divergence has the expectation of the drawn one
    elbo = with_draws(linear, 4096).elbo(X[:10])
    assert (np.abs(drawn.mean(axis=1) + log_volume - elbo) < 5 * error).all()


@pytest.mark.parametrize("draws", ["sobol", "random"])
def test_draws_are_standard_normal(draws):
    noise, n_replicates = standard_normal_draws(4096, 3, draws, 0)
    # moments of the standard normal distribution, and independence
    assert noise.shape == (4096, 3)
    assert n_replicates == (16 if draws == "sobol" else 4096)
    assert_allclose(noise.mean(axis=0), 0, atol=0.06)
    assert_allclose(np.cov(noise.T), np.eye(3), atol=0.08)
    assert np.isfinite(noise).all()
    # a seed is a promise
    assert_array_equal(standard_normal_draws(4096, 3, draws, 0)[0], noise)


def test_odd_numbers_of_draws_have_fewer_replicates():
    # 12 is 4 x 3; one replicate says nothing of its error
    assert standard_normal_draws(12, 2, "sobol", 0)[1] == 4
    vae = VAE(1, (), max_epochs=1, n_importance_samples=5, random_state=0).fit(X)
    scores, errors = vae.score_samples(X[:3], return_std=True)
    assert np.isfinite(scores).all()
    assert np.isnan(errors).all()


def test_push_moves_noise_to_the_distribution():
    normal, laplace = torch.distributions.Normal(2.0, 3.0), torch.distributions.Laplace(2.0, 3.0)
    tril = torch.tensor([[2.0, 0.0], [1.0, 3.0]], dtype=torch.float64)
    full = torch.distributions.MultivariateNormal(
        torch.ones(2, dtype=torch.float64), scale_tril=tril
    )
    noise = torch.linspace(-2, 2, 5, dtype=torch.float64)
    # quantiles go to quantiles
    below = torch.special.ndtr(noise)
    for q in (normal, laplace):
        torch.testing.assert_close(q.cdf(push(q, noise)), below, check_dtype=False)
    pushed = push(full, torch.ones(1, 2, dtype=torch.float64))
    torch.testing.assert_close(pushed, torch.tensor([[3.0, 5.0]], dtype=torch.float64))
    with pytest.raises(TypeError, match=r"encode\(x\) must return a normal distribution"):
        push(torch.distributions.VonMises(0.0, 1.0), noise)


def test_densities_of_pushed_draws_are_those_of_the_distribution(linear):
    module = scoring_module(linear.net_.module_, "float64")
    x = torch.as_tensor(linear._columns.forward(X[:5], 0)[0])
    noise = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        q = laplace(module, x)
        z = push(q, noise[:, None])
        weights = module.decode(z).log_prob(x) + module.prior.log_prob(z) - q.log_prob(z)
        # the determinant alone is needed, since the noise is known
        torch.testing.assert_close(log_weights(module, x, q, noise), weights)


def test_a_row_scores_the_same_in_any_company(linear):
    with_draws(linear, 32)
    together, order = linear.score_samples(X), np.random.default_rng(0).permutation(len(X))
    # no draw is shared out among rows
    assert_allclose(linear.score_samples(X[order]), together[order], rtol=1e-12)
    alone = np.concatenate([linear.score_samples(row[None]) for row in X[:10]])
    assert_allclose(alone, together[:10], rtol=1e-12)


def test_bad_encoders_are_flagged(linear):
    good = with_draws(linear, 256).pareto_k(X)
    bad = linear_vae(25).fit(X)
    with torch.no_grad():
        layer = bad.net_.module_.encoder.trunk[0]
        layer.weight[2:] = 0.0
        layer.bias[2:] = -7.0
    # proposals far narrower than the posterior miss most of it
    assert (bad.pareto_k(X) > 0.7).mean() > 0.9
    assert (good < 0.7).mean() > 0.9
