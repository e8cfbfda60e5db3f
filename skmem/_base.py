"""What every density shares, wherever it lives: a mean score, and the check of a query."""

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
