"""One memorization score per row, in nats, with its uncertainty."""

from skmem.memorization._filter import MemorizationFilter
from skmem.memorization._reductions import MemorizationScores, memorization_score
from skmem.memorization._regions import MemorizedRegions, Region
from skmem.memorization._scorer import MemorizationScorer

__all__ = [
    "MemorizationScorer",
    "MemorizationScores",
    "memorization_score",
    "MemorizedRegions",
    "Region",
    "MemorizationFilter",
]
