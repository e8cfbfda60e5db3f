"""What a search hands on to the candidate that it fitted on all rows."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmem.memorization._queries import given


def _has(name):
    """Whether the chosen candidate has, or the estimator would have, the method `name`."""

    def check(search):
        if hasattr(search, "best_estimator_"):
            return hasattr(search.best_estimator_, name)
        return search.refit is not False and hasattr(search.estimator, name)

    return check


class BestEstimatorQueries:
    """Queries of `best_estimator_`, each there if the estimator has it."""

    @available_if(_has("score_samples"))
    def score_samples(self, X):
        """Log-density of each row under the chosen candidate, fitted on all rows.

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
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.score_samples(X)

    @available_if(_has("score"))
    def score(self, X, y=None):
        """Score of the chosen candidate, fitted on all rows: its own `score`.

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
            What ``best_estimator_.score`` returns.
        """
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.score(X, *given(y))

    @available_if(_has("sample"))
    def sample(self, n_samples=1, **params):
        """Draw rows from the chosen candidate, fitted on all rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        **params : dict
            Further arguments of the estimator's own `sample`, such as `random_state`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            What ``best_estimator_.sample`` returns.
        """
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.sample(n_samples, **params)

    @available_if(_has("predict"))
    def predict(self, X):
        """Prediction of the chosen candidate, fitted on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            What ``best_estimator_.predict`` returns.
        """
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.predict(X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities by the chosen candidate, fitted on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            What ``best_estimator_.predict_proba`` returns.
        """
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.predict_proba(X)

    @available_if(_has("transform"))
    def transform(self, X):
        """Transformation by the chosen candidate, fitted on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            What ``best_estimator_.transform`` returns.
        """
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.transform(X)

    @property
    def classes_(self):
        """Labels seen by the chosen candidate, for classifiers."""
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.classes_
