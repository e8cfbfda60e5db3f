"""What every density shares, wherever it lives: a mean score, and the checks of a query and of a train mask."""

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class BaseDensity(DensityMixin, BaseEstimator):
    """A density: `fit`, `score_samples` in nats per row, and a mean `score`."""

    def score(self, X, y=None):
        """Mean log-density of the rows of `X`.

        In nats per row; higher is better; the zero is that of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        score : float
            Mean of ``score_samples(X)``.
        """
        return float(np.mean(self.score_samples(X)))

    def _check_query(self, X):
        """`X` checked against what was seen in `fit`."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=(np.float64, np.float32), reset=False)


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
