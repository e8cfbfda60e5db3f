"""The checks at the door of the closed forms."""

import numpy as np

from skmem._sklearn import check_sample_weight


def check_train_mask(train_mask, n_samples):
    """`train_mask` as a bool array (n_fits, n_samples) in which every fit has a training row.

    Raises
    ------
    ValueError
        If it is not boolean, has no rows or other columns than `n_samples`, or a fit has no training row.
    """
    mask = np.asarray(train_mask)
    if mask.dtype != np.bool_:
        raise ValueError(f"train_mask must be of dtype bool, got {mask.dtype}.")
    if mask.ndim != 2 or mask.shape[1] != n_samples or not len(mask):
        raise ValueError(
            f"train_mask must have shape (n_fits, n_samples) with n_fits > 0 and n_samples={n_samples}, "
            f"got {mask.shape}."
        )
    empty = np.flatnonzero(~mask.any(axis=1))
    if empty.size:
        raise ValueError(
            f"Every row of train_mask must select at least one sample; fit {empty[0]} selects none."
        )
    return mask


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
