"""Encoders and decoders: modules whose forward returns a distribution."""

import copy
import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import softplus

from skmem.neural._distributions import DiagonalNormal, StandardNormal
from skmem.neural._likelihoods import make_head

# The smallest standard deviation of q(z|x), in units of the prior's.
MIN_POSTERIOR_SCALE = 1e-4
# softplus of it is 1: codes begin as wide as the prior, since narrow proposals are poor ones.
SOFTPLUS_ONE = 0.541324854612918


class GaussianEncoder(nn.Module):
    """q(z|x) = Normal(loc, scale^2), both computed by `trunk`, which gives 2 latent_dim numbers."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, x):
        """Distribution of codes (..., latent_dim)."""
        loc, raw_scale = self.trunk(x).chunk(2, dim=-1)
        scale = MIN_POSTERIOR_SCALE + softplus(raw_scale + SOFTPLUS_ONE)
        return DiagonalNormal(loc, scale)


class Decoder(nn.Module):
    """p(x|z): `trunk` computes what `head` makes a distribution of."""

    def __init__(self, trunk, head):
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, z):
        """Distribution of rows (..., n_columns)."""
        return self.head(self.trunk(z))


class Autoencoder(nn.Module):
    """An encoder, a decoder and the prior Normal(0, I): the protocol that the bounds rely on."""

    def __init__(self, encoder, decoder, latent_dim, width):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.width = width  # largest number of activations for one draw of one row
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("one", torch.ones(latent_dim), persistent=False)

    def encode(self, x):
        """q(z|x) of rows (n, n_columns)."""
        return self.encoder(x)

    def decode(self, z):
        """p(x|z) of codes (..., latent_dim)."""
        return self.decoder(z)

    @property
    def prior(self):
        """p(z)."""
        return StandardNormal(self.zero, self.one)


def mlp(sizes):
    """Linear layers with ReLU between them."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


def mlp_autoencoder(n_columns, latent_dim, hidden, head):
    """Fully connected layers down to the code, and the same up again."""
    encoder = mlp((n_columns, *hidden, 2 * latent_dim))
    decoder = mlp((latent_dim, *reversed(hidden), head.n_outputs))
    width = max(head.n_outputs, *hidden, 1)
    return Autoencoder(GaussianEncoder(encoder), Decoder(decoder, head), latent_dim, width)


class LeadingDimensions(nn.Module):
    """Any number of leading dimensions for a module that takes one."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        """What `module` makes of the last dimension, with the leading ones as they were."""
        return self.module(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)


def convolutional_autoencoder(input_shape, latent_dim, maps, head):
    """Strided convolutions, each halving height and width, and the same up again (Radford et al. 2016).

    Convolutions 4 x 4 with stride 2 and padding 1, with batch normalisation and LeakyReLU(0.2).
    """
    channels, height, width = input_shape
    side = 2 ** len(maps)
    low = (maps[-1], height // side, width // side)
    down, up = [nn.Unflatten(1, input_shape)], []
    for n_in, n_out in pairwise((channels, *maps)):
        down += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.2)]
    down += [nn.Flatten(), nn.Linear(math.prod(low), 2 * latent_dim)]
    out_maps = head.n_outputs // (height * width)
    up += [nn.Linear(latent_dim, math.prod(low)), nn.Unflatten(1, low)]
    for n_in, n_out in pairwise((*reversed(maps), out_maps)):
        up += [nn.BatchNorm2d(n_in), nn.LeakyReLU(0.2), nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)]
    up += [nn.Flatten()]
    encoder = GaussianEncoder(LeadingDimensions(nn.Sequential(*down)))
    decoder = Decoder(LeadingDimensions(nn.Sequential(*up)), head)
    widest = max(head.n_outputs, maps[0] * height * width // 4)
    return Autoencoder(encoder, decoder, latent_dim, widest)


def make_module(module, parts, sizes):
    """A fresh autoencoder for the parts of `Columns`: ours, or the user's.

    Parameters
    ----------
    module : None, Module, or callable
        The user's: an instance is copied; a class or function is called with (n_columns, latent_dim).
    parts : sequence of Part
        What the rows are.
    sizes : Sizes
        How large ours is.
    """
    n_columns = sum(part.n_units for part in parts)
    if isinstance(module, nn.Module):
        return _with_protocol(copy.deepcopy(module))
    if module is not None:
        return _with_protocol(module(n_columns, sizes.latent_dim))
    head = make_head(parts, sizes.min_scale)
    if sizes.input_shape is None:
        return mlp_autoencoder(n_columns, sizes.latent_dim, sizes.hidden, head)
    check_input_shape(sizes, n_columns, [part.name for part in parts])
    return convolutional_autoencoder(sizes.input_shape, sizes.latent_dim, sizes.hidden, head)


def _with_protocol(module):
    missing = [name for name in ("encode", "decode", "prior") if not hasattr(module, name)]
    if missing or not isinstance(module, nn.Module):
        raise TypeError(
            "module must be a torch.nn.Module with encode, decode and prior, or make one, got "
            f"{type(module).__name__} without {', '.join(missing)}."
        )
    return module


@dataclass(frozen=True)
class Sizes:
    """Sizes of an autoencoder, and the smallest standard deviation of its likelihood."""

    latent_dim: int
    hidden: tuple
    input_shape: tuple | None
    min_scale: float


def check_input_shape(sizes, n_columns, names):
    """Raise a ValueError unless rows are images of this shape and one likelihood, to be halved by every layer."""
    channels, height, width = sizes.input_shape
    if channels * height * width != n_columns:
        raise ValueError(
            f"input_shape={sizes.input_shape} has {channels * height * width} entries, but X has {n_columns} columns."
        )
    side = 2 ** len(sizes.hidden)
    if not sizes.hidden or height % side or width % side:
        raise ValueError(
            "With input_shape each entry of hidden_layer_sizes halves the image: height and width must be multiples "
            f"of {side}, got input_shape={sizes.input_shape} and hidden_layer_sizes={sizes.hidden}."
        )
    if len(names) > 1:
        raise ValueError(
            f"With input_shape all columns must have one likelihood, got {', '.join(names)}."
        )
