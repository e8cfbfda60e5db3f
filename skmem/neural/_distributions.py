"""Distributions that torch lacks, or is slow with."""

import math

import torch
from torch.distributions import Bernoulli, Distribution, Independent, Normal
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

# Levels whose probabilities are summed one by one for a mean.
_N_TERMS = 256


class DiagonalNormal(Independent):
    """Normal(loc, scale^2), independent over the last dimension; faster than torch's where columns share a scale.

    Parameters
    ----------
    loc : Tensor of shape (..., n_columns)
        Means.
    scale : Tensor of a shape that broadcasts to that of `loc`
        Standard deviations.
    """

    def __init__(self, loc, scale):
        self._scale = scale
        if scale.shape != loc.shape:
            scale = scale.expand_as(loc)
        super().__init__(Normal(loc, scale, validate_args=False), 1, validate_args=False)

    def log_prob(self, value):
        """Sum over columns."""
        loc = self.base_dist.loc
        log_scale = self._scale.log() + 0.5 * math.log(2 * math.pi)
        z = (value - loc) / self._scale
        return -0.5 * torch.linalg.vecdot(z, z) - log_scale.expand_as(loc).sum(dim=-1)


class IndependentBernoulli(Independent):
    r"""Bernoulli(sigmoid(logits)), independent over the last dimension, of zeros and ones alone.

    Faster than torch's without gradients: with :math:`t` the logit of a one and minus that of a zero,
    :math:`\log \sigma(t) = \min(t, 0) + \log \sigma(|t|)`. The last factor is at least a half, so many are multiplied
    before one logarithm is taken. Both parts have a kink at zero, which only their sum has not.

    Parameters
    ----------
    logits : Tensor of shape (..., n_columns)
        Log-odds of a one.
    """

    def __init__(self, logits):
        super().__init__(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)

    def log_prob(self, value):
        """Sum over columns of -log(1 + exp(-logit)) for a one, -log(1 + exp(logit)) for a zero."""
        logits, value = torch.broadcast_tensors(self.base_dist.logits, value)
        if torch.is_grad_enabled():
            value = value.to(logits.dtype)
            return -binary_cross_entropy_with_logits(logits, value, reduction="none").sum(dim=-1)
        t = (2 * value - 1) * logits
        negative = t.clamp(max=0).sum(dim=-1)
        n_factors = int(-math.log2(torch.finfo(t.dtype).tiny))
        factors = t.abs_().sigmoid_().split(n_factors, dim=-1)
        return negative + sum(part.prod(dim=-1).log_() for part in factors)


class StandardNormal(Independent):
    """Normal(0, I), with `zero` and `one` of shape (n,)."""

    def __init__(self, zero, one):
        super().__init__(Normal(zero, one, validate_args=False), 1, validate_args=False)

    @staticmethod
    def divergence_of(loc, scale):
        r"""KL(Normal(loc, scale^2) || Normal(0, I)): the sum of :math:`(\mu^2 + \sigma^2 - 1) / 2 - \log \sigma`.

        As torch would have it, without its divisions by one: they are a part of the time of a small net.
        """
        return (0.5 * (loc**2 + scale**2 - 1) - scale.log()).sum(dim=-1)


class Product(Distribution):
    """Independent blocks of the last dimension: log p(x) = sum_k log p_k(x_k).

    Parameters
    ----------
    blocks : sequence of Distribution
        Each with one event dimension.
    """

    arg_constraints = {}

    def __init__(self, blocks):
        self.blocks = tuple(blocks)
        self.sizes = [block.event_shape[-1] for block in self.blocks]
        event_shape = torch.Size([sum(self.sizes)])
        super().__init__(self.blocks[0].batch_shape, event_shape, validate_args=False)

    @property
    def mean(self):
        """Means of the blocks side by side."""
        return torch.cat([block.mean for block in self.blocks], dim=-1)

    def sample(self, sample_shape=()):
        """Draws of the blocks side by side."""
        return torch.cat([block.sample(sample_shape) for block in self.blocks], dim=-1)

    def log_prob(self, value):
        """Sum over the blocks."""
        parts = value.split(self.sizes, dim=-1)
        return sum(block.log_prob(part) for block, part in zip(self.blocks, parts, strict=True))


class DiscretizedLogisticMixture(Distribution):
    r"""Mixtures of logistics, rounded to evenly spaced levels.

    Level :math:`k` stands at :math:`x = 2 k h - 1` with :math:`h = 1 / \text{top}`. With :math:`F` the logistic
    distribution function, and the two outer levels taking the tails,

    .. math:: P(x) = \sum_j \pi_j [F((x + h - \mu_j) / s_j) - F((x - h - \mu_j) / s_j)].

    Salimans, Karpathy, Chen and Kingma, "PixelCNN++" (2017), where `top` is the last level.

    Parameters
    ----------
    logits, loc, scale : Tensor of shape (..., n_mixtures, n_columns)
        Unnormalised log-weights, locations and scales.
    n_levels, top : Tensor of shape (n_columns,)
        Number of levels 0, 1, ..., which may be inf; the level at 1.
    """

    arg_constraints = {}

    def __init__(self, logits, loc, scale, n_levels, top):
        self.log_weights = logits.log_softmax(dim=-2)
        self.loc, self.scale, self.half, self.last = loc, scale, 1.0 / top, n_levels - 1
        super().__init__(loc.shape[:-2], loc.shape[-1:], validate_args=False)

    def log_prob(self, value):
        """Sum over columns of the log-probability of each point."""
        return self.column_log_prob(value).sum(dim=-1)

    def column_log_prob(self, value):
        """Log-probability of the point in each column."""
        half, x = self.half, value.unsqueeze(-2)
        top, bottom = x > (2 * self.last - 1) * half - 1, x < half - 1
        # F(a) - F(b) = F(a) F(-b) (1 - exp(b - a)): no two close numbers are subtracted.
        below = torch.where(top, 0.0, logsigmoid((x + half - self.loc) / self.scale))
        above = torch.where(bottom, 0.0, logsigmoid((self.loc - x + half) / self.scale))
        width = torch.log(-torch.expm1(-2 * half / self.scale))
        width = torch.where(top | bottom, 0.0, width)
        return torch.logsumexp(self.log_weights + below + above + width, dim=-2)

    @property
    def mean(self):
        """Mean of each column: that of a level is the sum of the probabilities to be above 0, above 1, ...

        After 256 terms by an integral, whose midpoint rule the sum is.
        """
        weights, width = self.log_weights.exp(), self.scale / (2 * self.half)
        loc = (self.loc + 1) / (2 * self.half)  # in levels
        n_terms = int(self.last.clamp(max=_N_TERMS).max())
        level = sum(
            (k < self.last) * (weights * torch.sigmoid((loc - k - 0.5) / width)).sum(dim=-2)
            for k in range(n_terms)
        )
        # The integral of sigmoid((loc - t) / width) from where the sum ends to the last level's lower edge.
        ends = self.last.clamp(max=_N_TERMS), self.last
        rest = [width * softplus((loc - end) / width) for end in ends]
        level = level + (weights * (rest[0] - rest[1])).sum(dim=-2)
        return 2 * self.half * level - 1

    def sample(self, sample_shape=()):
        """A component, a logistic draw from it, the nearest level."""
        with torch.no_grad():
            shape = self._extended_shape(sample_shape)
            weights = self.log_weights.exp().movedim(-2, -1).expand(*shape, -1)
            k = torch.multinomial(weights.reshape(-1, weights.shape[-1]), 1).view(*shape, 1)
            loc, scale = (
                t.movedim(-2, -1).expand(*shape, -1).gather(-1, k).squeeze(-1)
                for t in (self.loc, self.scale)
            )
            u = torch.rand_like(loc)
            x = loc + scale * torch.logit(u, eps=torch.finfo(u.dtype).eps)
            level = torch.round((x + 1) / (2 * self.half)).clamp(min=0).minimum(self.last)
            return 2 * self.half * level - 1
