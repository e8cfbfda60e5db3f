"""One memorization score per row, in nats, with its uncertainty."""

from skmem.memorization._compare_proxies import ProxyComparison, compare_proxies
from skmem.memorization._filter import MemorizationFilter
from skmem.memorization._label_issues import LabelIssues
from skmem.memorization._labels import find_label_issues
from skmem.memorization._proxies import combine_ranks, memorization_proxies
from skmem.memorization._reductions import MemorizationScores, memorization_score
from skmem.memorization._regions import MemorizedRegions, Region
from skmem.memorization._scorer import MemorizationScorer

__all__ = [
    "LabelIssues",
    "MemorizationFilter",
    "MemorizationScorer",
    "MemorizationScores",
    "MemorizedRegions",
    "ProxyComparison",
    "Region",
    "combine_ranks",
    "compare_proxies",
    "find_label_issues",
    "memorization_proxies",
    "memorization_score",
]
