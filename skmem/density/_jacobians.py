"""Log-determinants of the Jacobians of scikit-learn's transformers."""

import numpy as np
from scipy.stats import norm
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skmem._sklearn import num_samples, power_scaler, take_columns
from skmem.density._transformers import blocks_of, steps_of, transform

_EPS = np.finfo(np.float64).eps
_CLIPPED_SHARE = (
    1e-7  # of the normal distribution, at either end, where a QuantileTransformer is flat
)


def log_abs_det_jacobian(transformer, X):
    """Log of the factor by which a fitted transformer stretches the volume around each row.

    In nats; positive where it moves rows apart, 0 where it keeps volumes, -inf where it is flat.

    Parameters
    ----------
    transformer : transformer
        Fitted StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler, PowerTransformer, QuantileTransformer, PCA
        that keeps all components, FunctionTransformer, or Pipeline, ColumnTransformer or FrozenEstimator of these.
        Any other, a subclass of these too, needs a method ``log_abs_det_jacobian(X)``, which is then asked.
        A FunctionTransformer needs it of its function, unless that is None or one of numpy's log, log1p, exp,
        expm1, sqrt, sinh and arcsinh.
    X : array-like of shape (n_samples, n_features)
        Rows before they are transformed.

    Returns
    -------
    log_det : ndarray of shape (n_samples,)
        Log of the absolute value of det dT(x)/dx.

    Raises
    ------
    TypeError
        If it is not known for this transformer.
    ValueError
        If the transformer cannot be inverted: it clips, drops columns, or maps a column to a constant.

    Notes
    -----
    A QuantileTransformer is flat, its log-determinant -inf, beyond the training rows. Between them it is piecewise
    linear, or the normal quantile of that. At a knot, where training rows are, the slope is the mean of those on
    either side, at the ends the one inside. Values that occur often make it jump: the slope there is that around.
    With normal output it is also flat within about 1e-7 of the ends, but not on the training rows that are the ends.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmem.density import log_abs_det_jacobian
    >>> X = np.array([[0.0, 0.0], [4.0, 20.0]])
    >>> log_abs_det_jacobian(StandardScaler().fit(X), X).round(3)    # - log(2 * 10)
    array([-2.996, -2.996])
    """
    supplied = getattr(transformer, "log_abs_det_jacobian", None)
    if supplied is not None:
        log_det = supplied(X)
    elif type(transformer) in _FORMS:
        log_det = _FORMS[type(transformer)](transformer, X)
    else:
        raise TypeError(
            f"log|det J| is not known for transformer {type(transformer).__name__}: "
            "give its class, or a subclass, a method log_abs_det_jacobian(X) that returns it for each row."
        )
    return _one_per_row(log_det, num_samples(X), transformer)


def _one_per_row(log_det, n_samples, transformer):
    """`log_det` (n_samples,), where it may have been one number for all rows."""
    log_det = np.asarray(log_det, dtype=np.float64)
    if log_det.shape not in ((), (n_samples,)):
        raise ValueError(
            f"log_abs_det_jacobian of {type(transformer).__name__} must return shape ({n_samples},), "
            f"got {log_det.shape}."
        )
    return np.broadcast_to(log_det, (n_samples,))


def change_variables(transformer, X):
    """``T(x)`` and ``log|det J(x)|`` of each row."""
    Z = transform(transformer, X)  # first: a transformer refuses in words what has no logarithm
    if np.ndim(Z) != 2 or np.shape(Z)[1] != np.shape(X)[1]:
        raise ValueError(
            f"transformer must keep the number of columns to be inverted, got {np.shape(Z)} from {np.shape(X)}."
        )
    return Z, log_abs_det_jacobian(transformer, X)


def _values(X):
    return np.asarray(X, dtype=np.float64)


def _scaled(scaler, X):
    if getattr(scaler, "clip", False):
        raise ValueError(f"{type(scaler).__name__} must have clip=False to be inverted, got True.")
    if scaler.scale_ is None:
        return 0.0
    log_det = np.log(scaler.scale_).sum()
    return log_det if isinstance(scaler, MinMaxScaler) else -log_det  # alone in multiplying


def _raised(transformer, X):
    x = _values(X)
    log_power = np.log(x) if transformer.method == "box-cox" else np.sign(x) * np.log1p(np.abs(x))
    log_det = log_power @ (transformer.lambdas_ - 1.0)
    return log_det + (_scaled(power_scaler(transformer), X) if transformer.standardize else 0.0)


def _interpolated(transformer, X):
    x, knots = _values(X), transformer.quantiles_
    columns = zip(x.T, knots.T, strict=True)
    log_slopes = np.transpose(
        [_log_slopes(*column, transformer.references_) for column in columns]
    )
    if transformer.output_distribution == "normal":
        z = _values(transform(transformer, X))
        inside = (x - knots[0] > _rounding(knots)) & (knots[-1] - x > _rounding(knots))
        clipped = inside & (np.abs(z) > norm.isf(_CLIPPED_SHARE))
        log_slopes = np.where(clipped, -np.inf, log_slopes - norm.logpdf(z))
    return log_slopes.sum(axis=1)


def _log_slopes(x, knots, heights):
    """Log-slope at each `x` of the line through the knots, -inf outside; jumps are left out."""
    rounding = _rounding(knots)
    wide = np.diff(knots) > rounding
    if not wide.any():
        raise ValueError(
            f"QuantileTransformer cannot be inverted on a constant column, got {knots[0]:g} throughout."
        )
    slopes = np.diff(heights)[wide] / np.diff(knots)[wide]
    edges = np.append(knots[:-1][wide], knots[-1])
    ends = np.array([np.searchsorted(edges, x - rounding), np.searchsorted(edges, x + rounding)])
    beside = np.clip(ends - 1, 0, len(slopes) - 1)
    outside = (x < knots[0] - rounding) | (x > knots[-1] + rounding)
    return np.where(outside, -np.inf, np.log(slopes[beside].mean(axis=0)))


def _rounding(knots):
    """How far knots that should be training values, or equal, may be off."""
    return 32 * _EPS * np.abs(knots).max(axis=0)


def _rotated(pca, X):
    n_kept, n_columns = pca.components_.shape
    if n_kept < n_columns:
        raise ValueError(
            f"PCA must keep all components to be inverted, got {n_kept} of {n_columns} columns."
        )
    if not pca.whiten:
        return 0.0
    variances = pca.explained_variance_
    if variances.min() <= n_columns * _EPS * variances.max():
        raise ValueError(
            "PCA(whiten=True) needs rows that vary in all directions, "
            f"got variances from {variances.max():.3g} down to {variances.min():.3g}."
        )
    return -0.5 * np.log(variances).sum()


def _applied(transformer, X):
    function = transformer.func
    supplied = getattr(function, "log_abs_det_jacobian", None)
    if supplied is not None:
        return supplied(X, **(transformer.kw_args or {}))
    if function is None:
        return 0.0
    if isinstance(function, np.ufunc) and function in _LOG_DERIVATIVES and not transformer.kw_args:
        return _LOG_DERIVATIVES[function](_values(X)).sum(axis=1)
    raise TypeError(
        f"log|det J| is not known for func={function!r} of FunctionTransformer: give it an attribute "
        "log_abs_det_jacobian, a function of X that returns it for each row."
    )


def _one_after_another(pipeline, X):
    log_det = np.zeros(num_samples(X))
    for step in steps_of(pipeline):
        X, log_det_of_step = change_variables(step, X)
        log_det += log_det_of_step
    return log_det


def _side_by_side(transformer, X):
    return sum(
        log_abs_det_jacobian(part, take_columns(X, columns))
        for part, columns, _ in blocks_of(transformer)
        if not isinstance(part, str)
    )


def _frozen(transformer, X):
    return log_abs_det_jacobian(transformer.estimator, X)


# Of these classes themselves: a subclass may transform otherwise.
_FORMS = {
    StandardScaler: _scaled,
    RobustScaler: _scaled,
    MaxAbsScaler: _scaled,
    MinMaxScaler: _scaled,
    PowerTransformer: _raised,
    QuantileTransformer: _interpolated,
    PCA: _rotated,
    FunctionTransformer: _applied,
    Pipeline: _one_after_another,
    ColumnTransformer: _side_by_side,
    FrozenEstimator: _frozen,
}
_LOG_DERIVATIVES = {
    np.log: lambda x: -np.log(x),
    np.log1p: lambda x: -np.log1p(x),
    np.exp: lambda x: x,
    np.expm1: lambda x: x,
    np.sqrt: lambda x: -np.log(2.0) - 0.5 * np.log(x),
    np.sinh: lambda x: np.logaddexp(x, -x) - np.log(2.0),
    np.arcsinh: lambda x: -np.log(np.hypot(1.0, x)),
}
