"""How well a regressor predicts the target of each row: the square of its residual, or the residual's likelihood."""

from inspect import signature

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline

from skmem._sklearn import num_samples


def squared_residuals(fitted, X, y):
    """Squared difference of each target and its prediction, (n_points,), in the square of the unit of `y`."""
    return np.square(np.asarray(y, dtype=np.float64) - _one_each(fitted.predict(X), X))


def residual_log_likelihoods(fitted, X, y, trained_on):
    """Log of the normal density of each target around its prediction, (n_points,), in nats.

    Its standard deviation is what the regressor predicts by ``predict(X, return_std=True)``. Where it predicts none,
    the variance is the mean of its squared residuals over the rows `trained_on`, which are X, y and further
    parameters of `fit`: the maximum of the likelihood.

    Raises
    ------
    ValueError
        If a variance is zero, or so small that it is the rounding of zero.
    """
    prefix, fitted, last = _last_step(fitted)
    if "return_std" in signature(last.predict).parameters:
        # Routing would want the step to have requested it.
        with config_context(enable_metadata_routing=False):
            mean, std = (_one_each(a, X) for a in fitted.predict(X, return_std=True))
        squares, variance = np.square(np.asarray(y, dtype=np.float64) - mean), np.square(std)
        what = "predicts a"
    else:
        squares = squared_residuals(fitted, X, y)
        variance, what = _training_variance(fitted, prefix, *trained_on), "leaves a residual"
    _check_variance(np.min(variance), trained_on[1], f"{type(last).__name__} {what}")
    return -0.5 * (np.log(2 * np.pi * variance) + squares / variance)


def _one_each(predicted, X):
    """Predictions as float64, one for each row."""
    predicted = np.asarray(predicted, dtype=np.float64)
    if predicted.shape != (num_samples(X),):
        raise ValueError(
            f"predict must return one number for each of {num_samples(X)} rows, got shape {predicted.shape}."
        )
    return predicted


def _last_step(fitted):
    """How the last step's parameters begin, the fitted estimator without a search around it, and its last step."""
    fitted = getattr(fitted, "best_estimator_", fitted)
    prefix, last = "", fitted
    while isinstance(last, Pipeline):
        name, last = last.steps[-1]
        prefix += f"{name}__"
    return prefix, fitted, last


def _training_variance(fitted, prefix, X, y, params):
    """Mean of the squared residuals of the training rows, by the weights of the last step if it has been given any."""
    weights = params.get("sample_weight", params.get(f"{prefix}sample_weight"))
    return np.average(squared_residuals(fitted, X, y), weights=weights)


def _check_variance(variance, y, what):
    """Refuse a variance that is zero but for rounding, beside that of the training targets."""
    spread = np.std(np.asarray(y, dtype=np.float64))
    if variance <= np.finfo(np.float64).eps * spread**2:
        raise ValueError(
            f"response='predict' needs variances above 0, but {what} standard deviation of {np.sqrt(variance):.3g}, "
            f"where y has {spread:.3g}: take a regressor that does not interpolate, or response='neg_squared_error'."
        )
