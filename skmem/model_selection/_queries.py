"""What a search hands on to the candidate that it fitted on all rows."""

from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skmem.memorization._queries import RefittedQueries, given, refitted
from skmem.model_selection._scoring import LOG_DENSITY


class BestEstimatorQueries(RefittedQueries):
    """Queries of `best_estimator_`, those of a transformer too."""

    _refitted_name = "best_estimator_"

    def _estimator(self):
        return self.estimator

    def score(self, X, y=None):
        """Score of the chosen candidate, fitted on all rows, by the scorer that the search went by.

        Higher is better; in nats where that is the log-density, as the candidate's own `score` is then.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : array-like of shape (n_samples,), default=None
            Targets, for scorers that take them.

        Returns
        -------
        score : float
            What the scorer returns.
        """
        best = self._refitted()
        if self._metric == LOG_DENSITY:
            return best.score(X, *given(y))
        scorer = self.scorer_
        scorer = scorer[self._metric] if isinstance(scorer, dict) else scorer
        score = scorer(best, X, *given(y))
        return score[self._metric] if isinstance(score, dict) else score

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._estimator())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.target_tags.required = inner.target_tags.required
        tags.input_tags = inner.input_tags
        return tags
