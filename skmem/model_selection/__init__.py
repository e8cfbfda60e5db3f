"""Searches for hyper-parameters that generalise without memorizing."""

from skmem.model_selection._refit_rules import (
    best_log_density,
    memorization_below,
    pareto_front,
    pareto_knee,
    within_one_standard_error,
)
from skmem.model_selection._scorers import make_memorization_scorer
from skmem.model_selection._search import MemorizationSearchCV

__all__ = [
    "MemorizationSearchCV",
    "make_memorization_scorer",
    "best_log_density",
    "memorization_below",
    "pareto_front",
    "pareto_knee",
    "within_one_standard_error",
]
