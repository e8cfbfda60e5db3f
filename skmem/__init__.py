"""Which training rows has a density estimator or a generative model memorized, and by how many nats?"""

from skmem import (
    copying,
    cross_fitting,
    datasets,
    density,
    influence,
    memorization,
    model_selection,
    report,
)
from skmem._version import __version__
from skmem.cross_fitting import CrossFit, SubsetSplit, cross_fit
from skmem.memorization import MemorizationScorer

__all__ = [
    "MemorizationScorer",
    "cross_fit",
    "CrossFit",
    "SubsetSplit",
    "copying",
    "cross_fitting",
    "datasets",
    "density",
    "influence",
    "memorization",
    "model_selection",
    "report",
    "__version__",
]
