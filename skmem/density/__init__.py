"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._gmm import GaussianMixture
from skmem.density._kde import KernelDensity
from skmem.density._knn import KNeighborsDensity

__all__ = ["GaussianMixture", "KNeighborsDensity", "KernelDensity"]
