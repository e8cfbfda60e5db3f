"""Where importance samples come from: the encoder, or a normal fitted to the posterior of each row."""

import torch
from torch.distributions import MultivariateNormal
from torch.func import grad, jacrev, vmap

# Two steps with each of two curvatures come as near to the mode as six steps with six, in half the time: computing a
# curvature takes most of it.
_N_CURVATURES, _N_STEPS = 2, 2
# auto: a curvature takes as long as about two draws for each entry of the code.
_LARGEST_CODE = 32
# Standard deviations of a proposal, in those by the curvature: posteriors have longer tails than a normal. On nets for
# digits and MNIST it lowers the mean square error to less than half, and leaves few rows with a k-hat above 0.7.
_WIDER = 1.2
_STEP_SIZES = (1.0, 0.5, 0.25, 0.1, 0.02, 0.0)


def encoder(module, x):
    """q(z|x) as trained."""
    return module.encode(x)


def laplace(module, x):
    r"""Normal near the mode of p(z|x), by the curvature there: found for each row by itself.

    From the encoder's mean, Newton steps of length :math:`t`, the best of a few, towards the maximum of
    :math:`f(z) = \log p(x|z) + \log p(z)`; the covariance is :math:`1.2^2 (-\nabla^2 f)^{-1}`. Curvatures below half
    of the prior's are raised to that, so that it is a covariance in any case.
    """
    variance = torch.broadcast_to(module.prior.variance, module.prior.event_shape)
    floor = 0.5 / variance.max()

    def log_joint(z, row):
        return module.decode(z).log_prob(row) + module.prior.log_prob(z)

    slope, curvature = vmap(grad(log_joint)), vmap(jacrev(grad(log_joint)))
    sizes = x.new_tensor(_STEP_SIZES)[:, None, None]
    z = module.encode(x).mean
    for i in range(_N_CURVATURES * _N_STEPS):
        if i % _N_STEPS == 0:
            root = _root_covariance(-curvature(z, x), floor)
        step = (root @ (root.mT @ slope(z, x).unsqueeze(-1))).squeeze(-1)
        best = log_joint(z + sizes * step, x).argmax(dim=0)
        z = z + sizes[best, 0] * step
    root = _WIDER * _root_covariance(-curvature(z, x), floor)
    return MultivariateNormal(z, covariance_matrix=root @ root.mT, validate_args=False)


def _root_covariance(precision, floor):
    """R with R R' the inverse of `precision`, whose eigenvalues are raised to `floor`."""
    values, vectors = torch.linalg.eigh((precision + precision.mT) / 2)
    return vectors * values.clamp(min=floor).rsqrt().unsqueeze(-2)


PROPOSALS = {"encoder": encoder, "laplace": laplace}


def resolve_proposal(proposal, module, latent_dim):
    """The proposal that "auto" stands for, or the one that is named; `module` is the user's or None."""
    if proposal != "auto":
        return proposal
    return "laplace" if module is None and latent_dim <= _LARGEST_CODE else "encoder"
