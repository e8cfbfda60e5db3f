"""Heads: what a decoder's last layer says, made a distribution of the row."""

import torch
from torch import nn
from torch.distributions import OneHotCategorical
from torch.nn.functional import softplus

from skmem.neural._distributions import (
    DiagonalNormal,
    DiscretizedLogisticMixture,
    IndependentBernoulli,
    Product,
)

N_LOGISTICS = 5
# The smallest scale of a logistic, in units of the half-width of [-1, 1].
_MIN_LOGISTIC_SCALE = 1e-4


class Gaussian(nn.Module):
    """Normal(h, sigma^2) in each column, one sigma learned for all."""

    def __init__(self, n_columns, min_scale):
        super().__init__()
        self.n_outputs, self.min_scale = n_columns, min_scale
        # softplus of it is 1: the spread of the data
        self.raw_scale = nn.Parameter(torch.tensor([0.5413]))

    @property
    def scale(self):
        """Sigma, not below `min_scale`."""
        return self.min_scale + softplus(self.raw_scale)

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        return DiagonalNormal(h, self.scale.to(h.dtype))


class GaussianDiagonal(nn.Module):
    """Normal(h_1, (min_scale + softplus(h_2))^2) in each column."""

    def __init__(self, n_columns, min_scale):
        super().__init__()
        self.n_outputs, self.min_scale = 2 * n_columns, min_scale

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        loc, raw_scale = h.chunk(2, dim=-1)
        scale = self.min_scale + softplus(raw_scale)
        return DiagonalNormal(loc, scale)


class BernoulliLogits(nn.Module):
    """Bernoulli(sigmoid(h)) in each column."""

    def __init__(self, n_columns):
        super().__init__()
        self.n_outputs = n_columns

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        return IndependentBernoulli(h)


class DiscretizedLogistic(nn.Module):
    """A mixture of discretised logistics in each column, whose levels 0 to n_levels - 1 have `top` at 1."""

    def __init__(self, n_levels, top):
        super().__init__()
        self.n_outputs = 3 * N_LOGISTICS * len(top)
        self.register_buffer("n_levels", torch.as_tensor(n_levels, dtype=torch.float32), False)
        self.register_buffer("top", torch.as_tensor(top, dtype=torch.float32), False)
        # Mixtures whose components start alike stay alike.
        self.spread = nn.Parameter(torch.linspace(-0.8, 0.8, N_LOGISTICS)[:, None])

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        logits, loc, raw_scale = h.unflatten(-1, (3, N_LOGISTICS, -1)).unbind(dim=-3)
        scale = _MIN_LOGISTIC_SCALE + softplus(raw_scale - 1.0)
        return DiscretizedLogisticMixture(
            logits, loc + self.spread, scale, self.n_levels, self.top
        )


class Categorical(nn.Module):
    """One-hot groups of columns, each Categorical(softmax(h))."""

    def __init__(self, sizes):
        super().__init__()
        self.n_outputs, self.sizes = sum(sizes), list(sizes)

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        return Product(
            OneHotCategorical(logits=part, validate_args=False)
            for part in h.split(self.sizes, dim=-1)
        )


class Mixed(nn.Module):
    """Several heads side by side."""

    def __init__(self, heads):
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.sizes = [head.n_outputs for head in heads]
        self.n_outputs = sum(self.sizes)

    def forward(self, h):
        """Distribution of rows (..., n_columns)."""
        parts = h.split(self.sizes, dim=-1)
        return Product(head(part) for head, part in zip(self.heads, parts, strict=True))


def make_head(parts, min_scale):
    """The head for the parts of `Columns`."""
    heads = [_head(part, min_scale) for part in parts]
    return heads[0] if len(heads) == 1 else Mixed(heads)


def _head(part, min_scale):
    n_columns = len(part.columns)
    match part.name:
        case "gaussian":
            return Gaussian(n_columns, min_scale)
        case "gaussian_diagonal" | "logit_gaussian":
            return GaussianDiagonal(n_columns, min_scale)
        case "bernoulli":
            return BernoulliLogits(n_columns)
        case "discretized_logistic" | "count":
            return DiscretizedLogistic(part.space.n_levels, part.space.top)
        case "categorical":
            return Categorical(part.space.sizes)
        case "codes":
            return Categorical(part.space.n_levels.tolist())
