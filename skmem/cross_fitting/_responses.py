"""What a fit says of each row: its log-density, or how well it predicts the label or the target."""

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.utils import assert_all_finite

from skmem.cross_fitting._residuals import residual_log_likelihoods, squared_residuals
from skmem.cross_fitting._warn import warn_user

# The unit of each, and what an estimator needs for it; "auto" is the first of those before the last.
UNITS = {
    "score_samples": "nats",
    "predict_proba": "probability",
    "predict": "nats",
    "neg_squared_error": "squared units of y",
}
_NEEDED = {
    "score_samples": "a method score_samples",
    "predict_proba": "the method predict_proba of a classifier",
    "predict": "the method predict of a regressor",
    "neg_squared_error": "the method predict of a regressor",
}
RESPONSES = tuple(UNITS)


def resolve_response(estimator, y, response):
    """Return what `estimator` is scored by, the first in `RESPONSES` that it can be for "auto".

    Raises
    ------
    TypeError
        If the estimator is a class or lacks the method, or `y` is needed and missing.
    ValueError
        If `y` is needed and is not one label, or one finite number, a row.
    """
    if isinstance(estimator, type):
        raise TypeError(f"estimator must be an instance, got the class {estimator.__name__}.")
    wanted = RESPONSES[:-1] if response == "auto" else (response,)
    found = next((name for name in wanted if _offers(estimator, name)), None)
    if found is None:
        needed = ", or ".join(_NEEDED[name] for name in wanted)
        raise TypeError(f"estimator must have {needed}, got {estimator!r}.")
    if needs_targets(found):
        check_targets(y, found)
    elif is_outlier_detector(estimator):
        warn_user(
            f"score_samples of {type(estimator).__name__} is an outlier score, not a log-density: scores are in its "
            "own unit, not in nats, and only reduction='mean' averages them in that unit."
        )
    return found


def _offers(estimator, name):
    """Whether it has the method, of labels or targets: not that of the components of a mixture."""
    if name == "score_samples":
        return hasattr(estimator, name)
    if name == "predict_proba":
        return hasattr(estimator, name) and is_classifier(estimator)
    return hasattr(estimator, "predict") and is_regressor(estimator)


def needs_targets(response):
    """Whether points are scored by how well their labels or targets are predicted."""
    return response != "score_samples"


def is_logarithmic(response):
    """Whether scores are logarithms of densities, which fits are averaged by."""
    return UNITS[response] == "nats"


def check_targets(y, response):
    """Check that `y` is one label a row, or one finite number a row for regressors."""
    of_labels = response == "predict_proba"
    what = "the probability of their label" if of_labels else "their target"
    if y is None:
        raise TypeError(f"y must be given to score rows by {what}, got None.")
    n_dims = np.asarray(y).ndim
    if n_dims != 1:
        only = "" if of_labels else "; regression of several targets is not supported"
        raise ValueError(f"y must be 1-d to score rows by {what}, got {n_dims} dimensions{only}.")
    if not of_labels:
        _check_numbers(y)


def _check_numbers(y):
    """Check that `y` is finite numbers."""
    if np.iscomplexobj(np.asarray(y)):
        raise ValueError("Complex data not supported: y must be real numbers.")
    try:
        numbers = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"y must be numbers to score rows by their target, got {y!r}.") from None
    assert_all_finite(numbers, input_name="y")


def score_rows(fitted, X, y, response, trained_on):
    """Return the response of a fitted estimator to each row of `X`, shape (n_points,), in the unit of the response.

    `trained_on` are the X, y and dict of further parameters that it was fitted with.
    """
    if response == "score_samples":
        return fitted.score_samples(X)
    if response == "predict":
        return residual_log_likelihoods(fitted, X, y, trained_on)
    if response == "neg_squared_error":
        return -squared_residuals(fitted, X, y)
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
