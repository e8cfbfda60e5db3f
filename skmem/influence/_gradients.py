"""From a fitted estimator and its training rows to a *model*: gradients of rows, and curvature of the mean loss.

Rows are tuples of arrays, of as many entries as there are rows. A model has `n_rows`, `n_parameters`, `row_bytes`
(what a row takes while it is solved for), `curvature` (the name of its matrix), `penalises_rows` (whether own and
train gradients differ), and the methods

    gradients(*rows)         (n, n_parameters)   of the log-density of rows, in the parameters' coordinates
    own_gradients(block)     (n, n_parameters)   the same of the training rows of a slice
    train_gradients(block)   (n, n_parameters)   of what those rows add to n times minus the mean loss
    hvp(V)                   (m, n_parameters)   the curvature matrix of the mean loss times each row of V
    mean_gradient()          (n_parameters,)     of minus the mean loss, where the fit is to make it 0

or, instead of the last two, `diagonal()` where the matrix is diagonal in those coordinates.
"""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skmem.influence._linear_models import LogisticModel, RidgeModel
from skmem.influence._mixtures import MixtureModel
from skmem.neural import VAE

_SUPPORTED = (
    "GaussianMixture (of skmem.density or scikit-learn), LogisticRegression or Ridge (of scikit-learn), "
    "skmem.neural.VAE or a skorch.NeuralNet"
)


def fitted_estimator(estimator):
    """`estimator`, without a FrozenEstimator around it, if it is supported and fitted.

    Raises
    ------
    TypeError
        If it is of another type.
    ValueError
        If it is a LogisticRegression or Ridge whose loss is another one than the model's.
    NotFittedError
        If it is not fitted.
    """
    inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    if is_net(inner):
        check_is_fitted(inner, None if isinstance(inner, VAE) else "module_")
        return inner
    kinds = (GaussianMixture, LogisticRegression, Ridge)
    # those with their own choice of C minimise no loss on the rows as a whole
    if not isinstance(inner, kinds) or hasattr(inner, "Cs"):
        raise TypeError(f"estimator must be a {_SUPPORTED}, got {inner!r}.")
    check_is_fitted(inner)
    _check_loss(inner)
    return inner


def is_net(estimator):
    """Whether it is a VAE or a skorch net."""
    from_skorch = any(cls.__module__.startswith("skorch.") for cls in type(estimator).__mro__)
    return isinstance(estimator, VAE) or (from_skorch and hasattr(estimator, "criterion"))


def model_of(estimator, rows):
    """The model of a fitted mixture or linear model with checked training rows."""
    if isinstance(estimator, GaussianMixture):
        return MixtureModel(estimator, *rows)
    model = LogisticModel if isinstance(estimator, LogisticRegression) else RidgeModel
    return model(estimator, *rows)


def checked_rows(owner, estimator, X, y, reset):
    """``(X,)`` or ``(X, targets)`` as the model of `estimator` wants them.

    Targets are positions of classes (n,), or floats (n, n_targets). `owner` is told of columns and their names.

    Raises
    ------
    ValueError
        If rows have not the width of those that were fitted, or there are no targets, not one per row, or not such
        as were fitted.
    """
    X = validate_data(owner, X, dtype=np.float64, reset=reset)
    name = type(estimator).__name__
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X_train must have the {estimator.n_features_in_} features that {name} was fitted to, got {X.shape[1]}."
        )
    if isinstance(estimator, GaussianMixture):
        return (X,)
    if y is None:
        raise ValueError(f"y must be given for {name}, which requires y to be passed; got None.")
    check_consistent_length(X, y)
    if isinstance(estimator, LogisticRegression):
        return X, _positions(column_or_1d(y), estimator.classes_)
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y").reshape(len(X), -1)
    n_targets = len(np.atleast_2d(estimator.coef_))
    if y.shape[1] != n_targets:
        raise ValueError(
            f"y must have the {n_targets} target(s) that {name} was fitted to, got {y.shape[1]}."
        )
    return X, y


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
        "l1_ratio": (None, 0),
        "class_weight": (None,),
        "multi_class": ("auto", "deprecated", "multinomial"),
        "positive": (False,),
    }
    if isinstance(estimator, LogisticRegression):
        standard["solver"] = ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga")
    for name, allowed in standard.items():
        if name in params and params[name] not in allowed:
            raise ValueError(
                f"{name} of the {type(estimator).__name__} must be one of {allowed}, got {params[name]!r}."
            )
