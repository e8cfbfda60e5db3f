"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._gmm import GaussianMixture

__all__ = ["GaussianMixture"]
