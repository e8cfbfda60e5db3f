"""Rows of arrays and of data frames, as the numbers that the likelihoods of their columns are about."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._base import BaseDensity
from skmem.neural._columns import Columns, named_columns
from skmem.neural._frames import FrameCode, is_frame

_FLOATS = (np.float64, np.float32)


class TableDensity(BaseDensity):
    """A density whose parameters `likelihood` and `n_levels` say what the columns of `X` are."""

    def _settle_columns(self, X):
        """Rows for training, as numbers, after `_frame` and `_columns` have been set by them."""
        self._frame, likelihood = None, self.likelihood
        if is_frame(X):
            validate_data(self, X, skip_check_array=True)
            self._frame = FrameCode.fit(X)
            likelihood = self._frame.likelihood(likelihood)
            X = check_array(
                self._frame.encode(X), input_name="X", ensure_min_samples=2, estimator=self
            )
        else:
            X = validate_data(self, X, dtype=_FLOATS, ensure_min_samples=2)
        n_levels = _checked_levels(self.n_levels, X.shape[1])
        if self._frame is not None:
            n_levels = self._frame.n_levels(n_levels)
        names = getattr(self, "feature_names_in_", None)
        self._columns = Columns.fit(X, named_columns(X, likelihood), n_levels, names)
        return X

    def _check_query(self, X):
        """`X` checked against what was seen in `fit`, as numbers."""
        check_is_fitted(self)
        if self._frame is None or not is_frame(X):
            return super()._check_query(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        return check_array(self._frame.encode(X), input_name="X", estimator=self)

    def _as_fitted(self, X):
        """Rows of numbers, possible ones, as a frame if `fit` was given one."""
        return X if self._frame is None else self._frame.decode(X)


def _checked_levels(n_levels, n_features):
    """`n_levels` of each column, (n_features,)."""
    levels = np.asarray(n_levels)
    good = levels.dtype.kind in "iu" and levels.shape in {(), (n_features,)}
    if not good or (levels < 2).any():
        raise ValueError(
            f"n_levels must be an integer of at least 2, or one for each of {n_features} columns, got {n_levels!r}."
        )
    return np.broadcast_to(levels, n_features)
