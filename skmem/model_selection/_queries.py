"""What a search hands on to the candidate that it fitted on all rows."""

from sklearn.utils.metaestimators import available_if

from skmem.memorization._queries import RefittedQueries, refitted


class BestEstimatorQueries(RefittedQueries):
    """Queries of `best_estimator_`, those of a transformer too."""

    _refitted_name = "best_estimator_"

    def _estimator(self):
        return self.estimator

    @available_if(refitted("transform"))
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
        return self._refitted().transform(X)
