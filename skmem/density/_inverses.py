"""Rows drawn by a density of transformed rows, transformed back."""

import warnings
from copy import deepcopy
from inspect import signature

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skmem._random import set_random_state
from skmem.density._transformers import blocks_of, steps_of, transform

_TOLERANCE = 1e-6


def inverse_transform(transformer, Z):
    """`Z` (n_samples, n_features) transformed back, by parts: a ColumnTransformer cannot do it alone.

    Raises
    ------
    TypeError
        If a transformer has no `inverse_transform`.
    ValueError
        If a FunctionTransformer has no `inverse_func`.
    """
    kind = type(transformer)
    if kind is FrozenEstimator:
        return inverse_transform(transformer.estimator, Z)
    if kind is Pipeline:
        for step in reversed(steps_of(transformer)):
            Z = inverse_transform(step, Z)
        return Z
    if kind is ColumnTransformer:
        X = np.empty_like(Z)
        for part, columns, outputs in blocks_of(transformer):
            block = Z[:, outputs]
            X[:, columns] = block if isinstance(part, str) else inverse_transform(part, block)
        return X
    if kind is FunctionTransformer and transformer.func and transformer.inverse_func is None:
        raise ValueError("FunctionTransformer must have an inverse_func to sample, got None.")
    if not hasattr(transformer, "inverse_transform"):
        raise TypeError(f"{kind.__name__} must have a method inverse_transform to sample.")
    return np.asarray(transformer.inverse_transform(Z.copy()))


def draw(density, n_samples, random_state):
    """Rows (n_samples, n_features) of a fitted density, whose `sample` may take no seed and give labels too."""
    if random_state is None:
        drawn = density.sample(n_samples)
    elif "random_state" in signature(density.sample).parameters:
        drawn = density.sample(n_samples, random_state=random_state)
    else:
        drawn = set_random_state(deepcopy(density), random_state).sample(n_samples)
    return np.asarray(drawn[0] if isinstance(drawn, tuple) else drawn, dtype=np.float64)


def preimages(transformer, Z, as_seen):
    """The rows that are transformed to rows of `Z`, without those of `Z` that nothing is transformed to.

    `as_seen` makes of an array what the transformer was fitted on.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nan where there is no preimage is what is looked for
        X = inverse_transform(transformer, Z)
    finite = np.isfinite(X).all(axis=1)
    X, Z = X[finite], Z[finite]
    if not len(X):
        return X
    error = np.abs(np.asarray(transform(transformer, as_seen(X))) - Z)
    return X[(error <= _TOLERANCE * np.maximum(1.0, np.abs(Z))).all(axis=1)]
