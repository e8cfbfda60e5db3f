"""
An autoencoder of your own
==========================

``VAE`` takes any ``torch.nn.Module`` that has three things: ``encode(x)`` and ``decode(z)``, which return torch
distributions, and ``prior``. Here is one whose decoder has no hidden layer. Does it memorize less than the one of the
package?
"""

# %%
# The module sees rows as the likelihood does: "gaussian" standardises the columns, so that the densities come
# back in the units of the data. ``Independent`` makes a row of many columns one event. The example needs the
# extra ``torch``.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.distributions import Independent, Normal

from skmem import MemorizationScorer
from skmem.neural import VAE


class LinearDecoder(nn.Module):
    """A small encoder, and a decoder that is one matrix: factor analysis."""

    def __init__(self, n_columns, latent_dim):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(n_columns, 16), nn.ReLU(), nn.Linear(16, 2 * latent_dim)
        )
        self.decoder = nn.Linear(latent_dim, n_columns)
        self.log_scale = nn.Parameter(torch.zeros(n_columns))
        self.register_buffer("zero", torch.zeros(latent_dim))

    def encode(self, x):
        mean, log_scale = self.encoder(x).chunk(2, dim=-1)
        return Independent(Normal(mean, log_scale.exp()), 1)

    def decode(self, z):
        return Independent(Normal(self.decoder(z), self.log_scale.exp()), 1)

    @property
    def prior(self):
        return Independent(Normal(self.zero, torch.ones_like(self.zero)), 1)


# %%
# A class is called with the number of columns and `latent_dim` in each fit, under its seed.

X = load_wine().data
common = {
    "latent_dim": 3,
    "likelihood": "gaussian_diagonal",
    "max_epochs": 80,
    "learning_rate": 0.01,
    "device": "cpu",
}
vaes = {
    "two layers of 32": VAE(hidden_layer_sizes=(32, 32), **common),
    "linear decoder": VAE(module=LinearDecoder, **common),
}
scorers = {
    name: MemorizationScorer(vae, cv=4, n_repeats=3, refit=False, random_state=0).fit(X)
    for name, vae in vaes.items()
}
for name, scorer in scorers.items():
    q, floor = np.quantile(scorer.memorization_, 0.95), scorer.noise_floor_[0.95]
    held_out = scorer.log_density_out_.mean()
    print(
        f"{name}: {held_out:.1f} nats a row held out, 0.95 quantile of memorization {q:.1f}, of noise {floor:.1f}"
    )

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
styles = ("-", "#0072B2"), ("--", "#E69F00")
for (name, scorer), (style, colour) in zip(scorers.items(), styles, strict=True):
    ranked = np.sort(scorer.memorization_)[::-1]
    ax.plot(np.arange(1, len(X) + 1), ranked, style, color=colour, linewidth=2, label=name)
    ax.axhline(
        scorer.noise_floor_[0.95], linestyle=":", color=colour, label="its noise floor, 0.95"
    )
ax.set(xlabel="rank of the row", ylabel="memorization (nats)", yscale="symlog")
ax.legend(frameon=False)
plt.show()

# %%
# It does: at the 0.95 quantile half as much, at the price of a nat of held-out likelihood a row. What the hidden
# layers are worth and what they remember are read off the same fits.
