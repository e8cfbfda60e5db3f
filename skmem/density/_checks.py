"""The checks at the door of the closed forms."""

from math import isnan

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


def check_groups(groups, n_samples):
    """`groups` as whole numbers from 0 on, one for each row, (n_samples,).

    Raises
    ------
    ValueError
        If there is not one label for each row, labels cannot be told apart or are missing, or all are equal.
    """
    groups = np.asarray(groups)
    if groups.shape != (n_samples,):
        got = groups.size if groups.ndim == 1 else f"shape {groups.shape}"
        raise ValueError(
            f"groups must have one entry for each of the {n_samples} rows of X, got {got}."
        )
    try:
        values, labels = np.unique(groups, return_inverse=True)
    except TypeError as error:
        raise ValueError("groups must be labels of one kind, none missing.") from error
    if any(isinstance(value, float) and isnan(value) for value in values.tolist()):
        raise ValueError("groups must have no missing labels, got nan.")
    if len(values) < 2:
        raise ValueError(
            f"groups must leave a row outside every group, got all {n_samples} rows in one."
        )
    return labels
