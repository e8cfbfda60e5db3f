"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._gmm import GaussianMixture
from skmem.density._kde import KernelDensity
from skmem.density._knn import KNeighborsDensity
from skmem.density._sampled import SampledDensity

__all__ = ["GaussianMixture", "KNeighborsDensity", "KernelDensity", "SampledDensity"]
