"""Log importance weights of draws: their mean is the ELBO, their log-mean-exp the tighter bound."""

import copy
import math

import numpy as np
import torch
from scipy.special import ndtri
from sklearn import get_config
from sklearn.utils import gen_batches
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence
from torch.quasirandom import SobolEngine

from skmem._blocks import row_blocks
from skmem.neural._distributions import DiagonalNormal, StandardNormal
from skmem.neural._proposals import PROPOSALS

# Tensors of the decoder's widest layer that live at once, in and out of it and in the likelihood.
_TENSORS = 4
# What second derivatives of a row take: in draws, and in matrices of the code's size.
_SECOND_DERIVATIVES, _MATRICES = 8, 5
_KEPT_BYTES = 16 * 2**20  # twice a block


def push(q, noise):
    """Draws z from `q`, as a smooth function of standard normal `noise` (..., latent_dim).

    Raises
    ------
    TypeError
        If `q` is neither normal nor made of independent distributions with an inverse distribution function.
    """
    if isinstance(q, MultivariateNormal):
        # One product for all rows and draws, where matmul would make one for each.
        return q.loc + torch.einsum("...ij,...j->...i", q.scale_tril, noise)
    base = q.base_dist if isinstance(q, Independent) else q
    if isinstance(base, Normal):
        return base.loc + base.scale * noise
    try:
        return base.icdf(torch.special.ndtr(noise))
    except NotImplementedError:
        raise TypeError(
            "encode(x) must return a normal distribution, or an Independent one whose icdf torch has, got "
            f"{q!r}."
        ) from None


def log_weights(module, x, q, noise):
    """Log p(x|z) + log p(z) - log q(z) of draws z, shape (n_draws, n_samples).

    In nats; z are the draws of `q` that `noise` (n_draws, latent_dim) stands for, the same noise for every row.
    """
    z = push(q, noise[:, None])
    log_joint = module.decode(z).log_prob(x) + module.prior.log_prob(z)
    return log_joint - _pushed_log_prob(q, z, noise[:, None])


def _pushed_log_prob(q, z, noise):
    """``q.log_prob(z)`` of the draws that `noise` stands for, by the determinant instead of solving for it."""
    if not isinstance(q, MultivariateNormal):
        return q.log_prob(z)
    log_det = q.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    return -0.5 * (noise**2 + math.log(2 * math.pi)).sum(dim=-1) - log_det


def elbo_terms(module, x, generator):
    """(log p(x|z), divergence) of each row at one draw z: their difference is an estimate of the ELBO, in nats.

    The divergence of q(z|x) from the prior is exact where torch knows it.
    """
    q = module.encode(x)
    shape = q.batch_shape + q.event_shape
    noise = torch.randn(shape, generator=generator, device=x.device, dtype=x.dtype)
    return elbo_terms_at(module, x, q, noise)


def elbo_terms_at(module, x, q, noise):
    """`elbo_terms` at the draw of `q` that `noise`, of the same shape, stands for."""
    z, prior = push(q, noise), module.prior
    if isinstance(prior, StandardNormal) and isinstance(q, DiagonalNormal):
        return module.decode(z).log_prob(x), prior.divergence_of(q.mean, q.base_dist.scale)
    try:
        divergence = kl_divergence(q, prior)
    except NotImplementedError:
        divergence = q.log_prob(z) - prior.log_prob(z)
    return module.decode(z).log_prob(x), divergence


def scoring_module(module, dtype):
    """A copy of `module` in evaluation mode, of the floating type that `dtype` names."""
    with torch.inference_mode(False):
        return copy.deepcopy(module).to(getattr(torch, dtype)).eval().requires_grad_(False)


def blocked_log_weights(module, U, noise, proposal):
    """Yield (rows, log_weights) for slices of the rows of an array `U`; float64 arrays (n_draws, n_rows)."""
    _keep_freed_memory()
    start, draw_bytes = 0, _draw_bytes(module, U)
    # Blocks hold as many rows as their second derivatives allow, since a proposal for many rows costs little more than
    # for one; their draws are then split.
    row_bytes = _SECOND_DERIVATIVES * draw_bytes + _MATRICES * 8 * noise.shape[1] ** 2
    for x in tensor_blocks(module, U, row_bytes):
        draws = _blocks(x.device.type, len(noise), draw_bytes * len(x))
        with torch.inference_mode(False), torch.no_grad():
            noise = torch.as_tensor(noise, dtype=x.dtype, device=x.device)
            q = PROPOSALS[proposal](module, x)
            parts = [log_weights(module, x, q, noise[draw]) for draw in draws]
        yield slice(start, start + len(x)), torch.cat(parts).double().cpu().numpy()
        start += len(x)


def tensor_blocks(module, U, row_bytes=None):
    """Yield the rows of an array as tensors that suit `module`, in blocks of bounded memory."""
    parameter = next(module.parameters())
    if row_bytes is None:
        row_bytes = _draw_bytes(module, U)
    for rows in _blocks(parameter.device.type, len(U), row_bytes):
        with torch.inference_mode(False):  # which has no derivatives
            x = torch.as_tensor(U[rows], dtype=parameter.dtype, device=parameter.device)
        yield x


def _keep_freed_memory():
    """Have the blocks' memory stay with the process, not go back to the system and be cleared for each of them anew.

    glibc keeps as much as the largest block that it has given back, up to 32 MiB: without one, scoring takes up to
    twice as long. Elsewhere it does nothing.
    """
    torch.empty(_KEPT_BYTES, dtype=torch.uint8)


def _draw_bytes(module, U):
    """Bytes for one draw of one row, or one row of the encoder."""
    widest = max(getattr(module, "width", 4 * U.shape[1]), U.shape[1])
    return _TENSORS * widest * next(module.parameters()).element_size()


def _blocks(device, n, item_bytes):
    if device == "cpu":
        return row_blocks(n, item_bytes)  # small enough for the caches
    size = get_config()["working_memory"] * 2**20 // item_bytes
    return list(gen_batches(n, max(1, int(size))))


def standard_normal_draws(n_draws, latent_dim, draws, seed):
    """(noise, n_replicates): noise of shape (n_draws, latent_dim), in independent replicates one after another.

    "random" are independent normal draws, each its own replicate. "sobol" are independently scrambled Sobol points
    (Owen 1997) through the normal quantile function: 16 replicates, or fewer where `n_draws` is no multiple of 16.
    """
    rng = np.random.default_rng(seed)
    if draws == "random":
        return rng.standard_normal((n_draws, latent_dim)), n_draws
    n_replicates = int(np.gcd(n_draws, 16))
    seeds = rng.integers(2**31, size=n_replicates)
    uniform = [_sobol(n_draws // n_replicates, latent_dim, int(seed)) for seed in seeds]
    return ndtri(np.concatenate(uniform)), n_replicates


def _sobol(n, dim, seed):
    points = SobolEngine(dim, scramble=True, seed=seed).draw(n, dtype=torch.float64).numpy()
    # The engine has 30 bits; half of the last one keeps points off zero.
    return points + 2.0**-31
