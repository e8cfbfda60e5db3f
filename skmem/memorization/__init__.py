"""One memorization score per row, in nats, with its uncertainty."""

from skmem.memorization._label_issues import LabelIssues
from skmem.memorization._labels import find_label_issues
from skmem.memorization._reductions import MemorizationScores, memorization_score
from skmem.memorization._scorer import MemorizationScorer

__all__ = [
    "LabelIssues",
    "MemorizationScorer",
    "MemorizationScores",
    "find_label_issues",
    "memorization_score",
]
