"""Constraints of the arguments that the tests share."""

from numbers import Integral, Real

import numpy as np

from skmem._random import child_seeds
from skmem._sklearn import Interval, StrOptions
from skmem.copying._tables import METRICS

DISTANCES = {"metric": [StrOptions(set(METRICS))], "categorical_features": ["array-like", None]}
PERMUTATIONS = {
    "n_permutations": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}
LEVEL = {"alpha": [Interval(Real, 0, 1, closed="neither")]}


def generator(random_state):
    """A new generator seeded by `random_state`."""
    return np.random.default_rng(int(child_seeds(random_state, 1)[0]))


def require_rows(X, name, n_rows, why):
    """Refuse a table of too few rows."""
    if len(X) < n_rows:
        raise ValueError(f"{name} must have at least {n_rows} rows, {why}; got {len(X)}")
