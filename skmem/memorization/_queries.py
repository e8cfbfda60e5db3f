"""What a scorer hands on to the estimator that it fitted on all rows."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def given(y):
    """Positional arguments for a `y` that may be None."""
    return () if y is None else (y,)


def _refitted(name):
    """Check that the estimator fitted on all rows has, or would have, the method `name`."""

    def check(scorer):
        if hasattr(scorer, "estimator_"):
            return hasattr(scorer.estimator_, name)
        return scorer.refit and hasattr(scorer._estimator(), name)

    return check


class RefittedQueries:
    """Queries of `estimator_`, each there if the estimator has it."""

    @available_if(_refitted("score_samples"))
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
        check_is_fitted(self)
        return self.estimator_.score_samples(X)

    @available_if(_refitted("score"))
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
            What ``estimator_.score`` returns.
        """
        check_is_fitted(self)
        return self.estimator_.score(X, *given(y))

    @available_if(_refitted("sample"))
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
            What ``estimator_.sample`` returns.
        """
        check_is_fitted(self)
        return self.estimator_.sample(n_samples, **params)
