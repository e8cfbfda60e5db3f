"""From a fitted estimator and its training rows to a *model*: gradients of rows, and curvature of the mean loss.

A model has `n_rows`, `n_parameters`, `row_bytes` and `curvature` (the name of its matrix), and the methods

    gradients(X, y)         (n, n_parameters)   of the log-density of rows, in the parameters' coordinates
    own_gradients(rows)     (n, n_parameters)   the same of the training rows of a slice
    train_gradients(rows)   (n, n_parameters)   of what those rows add to n times minus the mean loss
    mean_gradient()         (n_parameters,)     of minus the mean loss: 0 at the optimum
    hvp(V)                  (m, n_parameters)   the curvature matrix of the mean loss times each row of V
"""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skmem.influence._linear_models import LogisticModel, RidgeModel
from skmem.influence._mixtures import MixtureModel

SUPPORTED = "GaussianMixture (of skmem.density or scikit-learn), LogisticRegression and Ridge (of scikit-learn)"


def fitted_estimator(estimator):
    """`estimator`, without a FrozenEstimator around it, if it is supported and fitted.

    Raises
    ------
    TypeError
        If it is of another type.
    ValueError
        If it is a LogisticRegression or Ridge whose loss has no Hessian here.
    NotFittedError
        If it is not fitted.
    """
    inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    kinds = (GaussianMixture, LogisticRegression, Ridge)
    if not isinstance(inner, kinds) or hasattr(inner, "Cs"):
        raise TypeError(f"estimator must be one of {SUPPORTED}, got {inner!r}.")
    check_is_fitted(inner)
    _check_loss(inner)
    return inner


def differentiable(estimator, X, y):
    """The model of a fitted estimator with training rows `X` and checked targets `y`."""
    if isinstance(estimator, GaussianMixture):
        return MixtureModel(estimator, X)
    model = LogisticModel if isinstance(estimator, LogisticRegression) else RidgeModel
    return model(estimator, X, y)


def check_targets(estimator, X, y):
    """Targets as the model of `estimator` wants them: None, positions of classes (n,), or floats (n, n_targets).

    Raises
    ------
    ValueError
        If there are none, not one per row, or not such as the estimator was fitted to.
    """
    if isinstance(estimator, GaussianMixture):
        return None
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, got None.")
    check_consistent_length(X, y)
    if isinstance(estimator, LogisticRegression):
        return _positions(column_or_1d(y), estimator.classes_)
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y").reshape(len(X), -1)
    n_targets = len(np.atleast_2d(estimator.coef_))
    if y.shape[1] != n_targets:
        raise ValueError(
            f"y must have {n_targets} targets as in the Ridge's fit, got {y.shape[1]}."
        )
    return y


def _positions(y, classes):
    unknown = ~np.isin(y, classes)
    if unknown.any():
        raise ValueError(
            f"y must hold classes of the LogisticRegression, {classes.tolist()}; got {y[unknown][0]!r}."
        )
    return np.searchsorted(classes, y)


def _check_loss(estimator):
    """Raise a ValueError that names the parameter which makes the loss another one than the model's."""
    params = estimator.get_params(deep=False)
    standard = {
        "penalty": ("l2", None, "deprecated"),
        "l1_ratio": (None, 0, 0.0),
        "class_weight": (None,),
        "multi_class": ("auto", "deprecated", "multinomial"),
        "positive": (False,),
    }
    if isinstance(estimator, LogisticRegression):
        standard["solver"] = ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga")
    for name, allowed in standard.items():
        if name in params and not any(params[name] is a or params[name] == a for a in allowed):
            raise ValueError(
                f"{name} of the {type(estimator).__name__} must be one of {allowed}, got {params[name]!r}."
            )
