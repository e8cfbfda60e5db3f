"""Rows to codes and codes to rows, in blocks."""

import numpy as np
import torch

from skmem.neural._bounds import tensor_blocks


def posterior_means(module, U):
    """Means of q(z|x), (n_samples, latent_dim), float64."""
    with torch.no_grad():
        return _array([module.encode(x).mean for x in tensor_blocks(module, U)])


def decoded(module, Z, what):
    """The mean or a sample of p(x|z) at each code, (n_samples, n_columns), float64.

    Samples come from torch's global generators.
    """
    with torch.no_grad():
        found = [module.decode(z) for z in tensor_blocks(module, Z)]
        return _array([p.mean if what == "mean" else p.sample() for p in found])


def prior_draws(module, n_samples):
    """Codes from the prior, (n_samples, latent_dim), by torch's global generators."""
    return module.prior.sample((n_samples,)).cpu().numpy()


def _array(tensors):
    return np.concatenate([t.double().cpu().numpy() for t in tensors])
