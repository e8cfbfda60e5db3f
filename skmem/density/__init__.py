"""Densities: `fit`, then `score_samples` in nats per row."""

from skmem.density._gmm import GaussianMixture
from skmem.density._jacobians import log_abs_det_jacobian
from skmem.density._kde import KernelDensity
from skmem.density._knn import KNeighborsDensity
from skmem.density._sampled import SampledDensity
from skmem.density._transformed import TransformedDensity

__all__ = [
    "GaussianMixture",
    "KNeighborsDensity",
    "KernelDensity",
    "SampledDensity",
    "TransformedDensity",
    "log_abs_det_jacobian",
]
