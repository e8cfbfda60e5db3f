"""The only door to scikit-learn's private names: everything else imports them from here."""

from inspect import signature

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import _check_method_params as rows_of_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _get_feature_names as get_feature_names
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "fit_context",
    "GroupsConsumerMixin",
    "safe_indexing",
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "validate_params",
    "check_sample_weight",
    "check_mixture_parameters",
    "column_indices",
    "get_feature_names",
    "num_samples",
    "power_scaler",
    "rows_of_params",
    "take_columns",
]


def safe_indexing(X, indices):
    """Rows `indices` of a table of any kind; older versions cannot take them from pyarrow's."""
    return X.take(indices) if type(X).__module__ == "pyarrow.lib" else _safe_indexing(X, indices)


def check_mixture_parameters(mixture, X):
    """Let scikit-learn check the parameters ``*_init`` of `mixture`, and make arrays of them.

    Newer versions want to be told the array namespace.
    """
    check = mixture._check_parameters
    if "xp" in signature(check).parameters:
        check(X, xp=np)
    else:
        check(X)


def take_columns(X, indices):
    """Columns at the positions `indices` of a table of any kind."""
    return _safe_indexing(X, indices, axis=1)


def column_indices(transformer):
    """Positions of the columns that each part of a fitted ColumnTransformer was given, by its name."""
    return transformer._transformer_to_input_indices


def power_scaler(transformer):
    """The StandardScaler behind a fitted PowerTransformer that standardises."""
    return transformer._scaler
