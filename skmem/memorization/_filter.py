"""Training without the most memorized rows, as imbalanced-learn's samplers resample."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from skmem._math import difference
from skmem._sklearn import Interval, fit_context, safe_indexing
from skmem.cross_fitting._warn import warn_user
from skmem.memorization._scorer import MemorizationScorer


class MemorizationFilter(BaseEstimator):
    """Drop the rows that a density memorizes most, or weigh them down.

    A sampler in the manner of imbalanced-learn: `fit_resample` returns the rows that are kept, and a Pipeline of
    imbalanced-learn takes it as a step. The weights are there for those who would rather keep all rows.

    Parameters
    ----------
    scorer : MemorizationScorer, default=None
        What scores the rows; it is cloned. None is ``MemorizationScorer()``.
    max_share : float, default=0.05
        Largest share of the rows to drop, from 0 to less than 1, the most memorized first.

    Attributes
    ----------
    scorer_ : MemorizationScorer
        The scorer, fitted on all rows.
    threshold_ : float
        Rows with a higher score are dropped: the scorer's noise floor (0.95) or the score that `max_share` of the
        rows exceed, whichever is higher. In the unit of the scores, which is nats for a density.
    sample_indices_ : ndarray of shape (n_kept,)
        Positions of the rows that are kept, ascending.
    sample_weight_ : ndarray of shape (n_samples,)
        ``exp(threshold_ - memorization)`` for the rows dropped, 1 for those kept.
    n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
        Number of features seen, and their names where X has names that are all strings.

    Notes
    -----
    A density that has seen a row finds it e^M times as likely, M its memorization, as one that has not. The weight
    takes back all of this that is above the threshold.

    Memorized rows are mostly isolated ones, not wrong ones. A rare class is isolated, so look at what is dropped;
    a class that loses all its rows is warned of. Where the scorer does not know its noise (leave-one-out by refits,
    a single repeat), `max_share` alone decides. Where its scores are exact the noise floor is 0.

    The remaining rows are scored again by nobody: those next to a dropped row may now stand out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.memorization import MemorizationFilter
    >>> X, y = load_iris(return_X_y=True)
    >>> kept = MemorizationFilter(max_share=0.02)
    >>> X_kept, y_kept = kept.fit_resample(X, y)
    >>> print(X_kept.shape, round(kept.threshold_, 2))
    (147, 4) 3.97
    """

    _parameter_constraints = {
        "scorer": [None, MemorizationScorer],
        "max_share": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, scorer=None, *, max_share=0.05):
        self.scorer = scorer
        self.max_share = max_share

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, groups=None):
        """Score the rows, and find which to keep and with what weights.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Targets, for scorers of classifiers.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, such as copies of one another, that are to leave together when rows are scored.

        Returns
        -------
        self : object
            The filter.

        Warns
        -----
        UserWarning
            If no row of a class in `y` is kept.
        """
        seen = BaseEstimator()
        validate_data(seen, X, skip_check_array=True)
        scorer = MemorizationScorer() if self.scorer is None else clone(self.scorer)
        scorer.fit(X, y, groups=groups)
        threshold = _threshold(scorer.memorization_, scorer.noise_floor_[0.95], self.max_share)
        vars(self).update(vars(seen))
        self.scorer_, self.threshold_ = scorer, threshold
        excess = np.maximum(difference(scorer.memorization_, threshold), 0.0)
        self.sample_weight_ = np.exp(-excess)
        self.sample_indices_ = np.flatnonzero(excess == 0)
        _warn_of_lost_classes(y, self.sample_indices_)
        return self

    def fit_resample(self, X, y=None, *, groups=None):
        """Score the rows, and return those that are kept.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Targets.
        groups : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        X_resampled : {array-like, dataframe} of shape (n_kept, n_features)
            The rows ``sample_indices_`` of `X`, of its kind.
        y_resampled : array-like of shape (n_kept,)
            Their targets; None without `y`.
        """
        kept = self.fit(X, y, groups=groups).sample_indices_
        return tuple(None if a is None else safe_indexing(a, kept) for a in (X, y))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        scorer = MemorizationScorer() if self.scorer is None else self.scorer
        tags.input_tags = scorer.__sklearn_tags__().input_tags
        tags.target_tags.required = scorer.__sklearn_tags__().target_tags.required
        return tags


def _threshold(memorization, noise_floor, max_share):
    """Score that at most `max_share` of the rows exceed, and none within the noise."""
    n_dropped = int(max_share * len(memorization))
    return float(np.fmax(np.sort(memorization)[::-1][n_dropped], noise_floor))


def _warn_of_lost_classes(y, kept):
    """Warn of classes that have no row left."""
    if y is None or type_of_target(y) not in ("binary", "multiclass"):
        return
    lost = np.setdiff1d(np.asarray(y), np.asarray(y)[kept])
    if lost.size:
        warn_user(f"No row is kept of {lost.size} classes: {', '.join(map(str, lost))}.")
