"""Which training rows has a density estimator or a generative model memorized, and by how many nats?"""

from skmem import cross_fitting, density, memorization
from skmem._version import __version__
from skmem.cross_fitting import CrossFit, cross_fit
from skmem.memorization import MemorizationScorer

__all__ = [
    "MemorizationScorer",
    "cross_fit",
    "CrossFit",
    "cross_fitting",
    "density",
    "memorization",
    "__version__",
]
