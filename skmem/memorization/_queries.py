"""What a fitted scorer answers: from its scores, and by the estimator that it fitted on all rows."""

from numbers import Integral

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmem._frames import describe_rows, make_frame


def given(y):
    """Positional arguments for a `y` that may be None."""
    return () if y is None else (y,)


def refitted(name):
    """Check that the estimator fitted on all rows has, or would have, the method `name`."""

    def check(owner):
        fitted = getattr(owner, owner._refitted_name, None)
        if fitted is not None:
            return hasattr(fitted, name)
        return owner.refit is not False and hasattr(owner._estimator(), name)

    return check


class RefittedQueries:
    """Queries of the estimator fitted on all rows, the attribute `_refitted_name`, each there if that has it."""

    _refitted_name = "estimator_"

    def _refitted(self):
        check_is_fitted(self, self._refitted_name)
        return getattr(self, self._refitted_name)

    @available_if(refitted("score_samples"))
    def score_samples(self, X):
        """Log-density of each row under the estimator fitted on all rows.

        In nats, the zero that of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x).
        """
        return self._refitted().score_samples(X)

    @available_if(refitted("score"))
    def score(self, X, y=None):
        """Score of the estimator fitted on all rows: its own `score`.

        In nats for a density; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : array-like of shape (n_samples,), default=None
            Targets, for estimators that take them.

        Returns
        -------
        score : float
            What its `score` returns.
        """
        return self._refitted().score(X, *given(y))

    @available_if(refitted("sample"))
    def sample(self, n_samples=1, **params):
        """Draw rows from the estimator fitted on all rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        **params : dict
            Further arguments of the estimator's own `sample`, such as `random_state`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            What its `sample` returns.
        """
        return self._refitted().sample(n_samples, **params)

    @available_if(refitted("predict"))
    def predict(self, X):
        """Prediction of the estimator fitted on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            What its `predict` returns.
        """
        return self._refitted().predict(X)

    @available_if(refitted("predict_proba"))
    def predict_proba(self, X):
        """Probabilities by the estimator fitted on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            What its `predict_proba` returns.
        """
        return self._refitted().predict_proba(X)

    @property
    def classes_(self):
        """Labels seen by the estimator fitted on all rows, for classifiers."""
        return self._refitted().classes_


class ScoreQueries:
    """Queries of the scores themselves."""

    def top(self, n=10):
        """Rows with the highest memorization, highest first.

        In nats; positive = memorized. Of equal scores the higher proxy comes first, if there is one.

        Parameters
        ----------
        n : int, default=10
            Number of rows.

        Returns
        -------
        rows : ndarray of shape (min(n, n_samples),)
            Positions of the rows in X.
        memorization : ndarray of shape (min(n, n_samples),)
            Their scores.

        Raises
        ------
        ValueError
            If `n` is not an int of at least 0.
        """
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 0:
            raise ValueError(f"n must be an int of at least 0, got {n!r}.")
        ties = getattr(self, "proxy_", np.zeros(len(self.memorization_)))
        rows = np.lexsort((-ties, -self.memorization_))[:n]
        return rows, self.memorization_[rows]

    def to_frame(self):
        """All scores as a data frame, one line per row of `X`, with its index.

        In nats; positive = memorized, 0 = no effect.

        Returns
        -------
        frame : DataFrame
            Of the library that X came from, or pandas. polars and pyarrow have no index: the lines are in X's order.

        Raises
        ------
        ImportError
            If narwhals or the library of the frame is not installed.
        """
        check_is_fitted(self)
        columns = {
            "memorization": self.memorization_,
            "standard_error": self.standard_error_,
            "p_value": self.p_values_,
            "log_density_in": self.log_density_in_,
            "log_density_out": self.log_density_out_,
        }
        if hasattr(self, "groups_"):
            columns |= {"group": self.groups_, "row_memorization": self.row_memorization_}
        if hasattr(self, "proxy_"):
            columns["proxy"] = self.proxy_
        return make_frame(columns, describe_rows(self._training.X))
