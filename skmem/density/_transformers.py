"""How transformers are fitted and used, and what they are made of."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skmem._sklearn import column_indices, safe_indexing


def fit_transformer(transformer, X, sample_weight=None):
    """A clone fitted to a copy of the rows, those of weight zero left out."""
    if sample_weight is None:
        rows, weights = X.copy() if isinstance(X, np.ndarray) else X, {}
    else:
        used = np.flatnonzero(sample_weight)
        takes = has_fit_parameter(transformer, "sample_weight")
        rows = safe_indexing(X, used)
        weights = {"sample_weight": sample_weight[used]} if takes else {}
    return clone(transformer).fit(rows, None, **weights)  # FrozenEstimator insists on a y


def transform(transformer, X):
    """`X` transformed, and left alone even by transformers with ``copy=False``."""
    return transformer.transform(X.copy() if isinstance(X, np.ndarray) else X)


def steps_of(pipeline):
    """The steps of a Pipeline that do something."""
    return [step for _, step in pipeline.steps if step is not None and step != "passthrough"]


def blocks_of(transformer):
    """``(part, its columns, its output columns)`` for every part of a fitted ColumnTransformer.

    Raises
    ------
    ValueError
        If its parts do not use every column once, or have weights.
    """
    columns, outputs = column_indices(transformer), transformer.output_indices_
    blocks = [
        (part, columns[name], outputs[name])
        for name, part, _ in transformer.transformers_
        if not (isinstance(part, str) and part == "drop") and len(columns[name])
    ]
    used = sorted(column for _, block, _ in blocks for column in block)
    if used != list(range(transformer.n_features_in_)):
        raise ValueError(
            "ColumnTransformer must use every column once to be inverted (remainder='passthrough' keeps the others), "
            f"got columns {used} of {transformer.n_features_in_}."
        )
    if transformer.transformer_weights:
        raise ValueError(
            f"ColumnTransformer must have transformer_weights=None, got {transformer.transformer_weights}."
        )
    return blocks


def is_fixed(transformer):
    """Whether a transformer does the same whatever it is fitted to."""
    if type(transformer) is Pipeline:
        return all(map(is_fixed, steps_of(transformer)))
    return type(transformer) is FrozenEstimator or not get_tags(transformer).requires_fit
