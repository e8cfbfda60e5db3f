"""What a search hands on to the candidate that it fitted on all rows."""

from sklearn.utils.metaestimators import available_if

from skmem.memorization._queries import RefittedQueries, refitted


class BestEstimatorQueries(RefittedQueries):
    """Queries of `best_estimator_`, those of a classifier or transformer too."""

    _refitted_name = "best_estimator_"

    def _estimator(self):
        return self.estimator

    @available_if(refitted("predict"))
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
        return self._refitted().predict(X)

    @available_if(refitted("predict_proba"))
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
        return self._refitted().predict_proba(X)

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

    @property
    def classes_(self):
        """Labels seen by the chosen candidate, for classifiers."""
        return self._refitted().classes_
