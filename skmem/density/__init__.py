"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._knn import KNeighborsDensity

__all__ = ["KNeighborsDensity"]
