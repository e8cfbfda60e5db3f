"""What a fit says of each row: its log-density, or the probability of its true label."""

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector

from skmem.cross_fitting._warn import warn_user

_NEEDED = {
    "score_samples": "a method score_samples",
    "predict_proba": "the method predict_proba of a classifier",
}


def resolve_response(estimator, y, response):
    """Return the method `estimator` is scored by: "score_samples", else "predict_proba".

    Raises
    ------
    TypeError
        If the estimator is a class or lacks the method, or `y` is needed and missing.
    ValueError
        If `y` is needed and is not one label a row.
    """
    if isinstance(estimator, type):
        raise TypeError(f"estimator must be an instance, got the class {estimator.__name__}.")
    wanted = list(_NEEDED) if response == "auto" else [response]
    offered = [name for name in wanted if _offers(estimator, name)]
    if not offered:
        needed = ", or ".join(_NEEDED[name] for name in wanted)
        raise TypeError(f"estimator must have {needed}, got {estimator!r}.")
    if offered[0] == "predict_proba":
        check_labels(y)
    elif is_outlier_detector(estimator):
        warn_user(
            f"score_samples of {type(estimator).__name__} is an outlier score, not a log-density: scores are in its "
            "own unit, not in nats, and only reduction='mean' averages them in that unit."
        )
    return offered[0]


def _offers(estimator, name):
    """Whether it has the method, of labels: not that of the components of a mixture."""
    return hasattr(estimator, name) and (name == "score_samples" or is_classifier(estimator))


def check_labels(y):
    """Check that `y` is one label a row."""
    if y is None:
        raise TypeError(
            "y must be given to score rows by the probability of their label, got None."
        )
    if np.ndim(y) != 1:
        raise ValueError(
            f"y must be 1-d to score rows by their label, got {np.ndim(y)} dimensions."
        )


def score_rows(fitted, X, y, response):
    """Return the response of a fitted estimator to each row of `X`, shape (n_points,)."""
    if response == "score_samples":
        return fitted.score_samples(X)
    # A class that this fit has not seen equals no label, so its rows get probability zero.
    is_label = np.asarray(y)[:, np.newaxis] == np.asarray(fitted.classes_)
    return np.sum(fitted.predict_proba(X), axis=1, where=is_label)


def check_scores(scores, shape, source):
    """Return `scores` as a float64 array of `shape`, every entry finite or -inf.

    `source` says in the error where they come from.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != shape:
        raise ValueError(f"{source} must return an array of shape {shape}, got {scores.shape}.")
    bad = ~(scores < np.inf)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{source} must return scores that are finite or -inf, "
            f"got {np.count_nonzero(bad)} others, the first {scores[first]} at index {first}."
        )
    return scores
