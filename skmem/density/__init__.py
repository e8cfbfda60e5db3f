"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._kde import KernelDensity

__all__ = ["KernelDensity"]
from skmem.density._knn import KNeighborsDensity

__all__ = ["KNeighborsDensity"]
