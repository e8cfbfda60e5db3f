"""Child seeds, and handing them to every nested `random_state` of an estimator."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

_MAX_SEED = np.iinfo(np.int32).max


def child_seeds(random_state, n_seeds):
    """`n_seeds` integers drawn from `random_state`; draw them before going parallel."""
    return check_random_state(random_state).randint(_MAX_SEED, size=n_seeds)


def set_random_state(estimator, seed):
    """Give every parameter named `random_state` of `estimator`, however deep, its own child seed.

    Parameters are visited in sorted order, so the outcome depends on `seed` and the estimator's structure alone.
    Returns `estimator`.
    """
    names = sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    )
    if names:
        seeds = child_seeds(int(seed), len(names))
        estimator.set_params(**{n: int(s) for n, s in zip(names, seeds, strict=True)})
    return estimator


def plain_seed(random_state):
    """`random_state` as a result keeps it: an integer or None, and in words what cannot be written down."""
    if random_state is None or isinstance(random_state, Integral):
        return random_state if random_state is None else int(random_state)
    return type(random_state).__name__
