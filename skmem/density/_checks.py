"""The checks at the door of the closed forms."""

import numpy as np

from skmem._base import check_train_mask
from skmem._sklearn import check_sample_weight

__all__ = ["check_train_mask", "check_weights"]


def check_weights(sample_weight, X, dtype=np.float64):
    """Non-negative weights (n_samples,) of the rows of `X`, scaled so that the largest is 1.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are zero, or there is not one per row.
    """
    weights = check_sample_weight(sample_weight, X, dtype=dtype, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight must have at least one positive weight, got all zeros.")
    return weights / weights.max()
