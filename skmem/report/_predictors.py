"""Classifiers and regressors to audit labels with, and how one is chosen, before any fit that scores."""

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import assert_all_finite

from skmem._random import child_seeds, set_random_state
from skmem.cross_fitting._splits import train_masks
from skmem.report._choices import fewest_within_error

PREDICTORS = ("auto", "linear", "forest")
TASKS = ("auto", "classification", "regression")
# Whole numbers of more values than these are taken for measurements.
_MOST_CLASSES = 20
_N_FOLDS = 5
# Leaves of single rows hold on to every label, which makes rare rows of many, and leave no residuals to speak of.
_ROWS_PER_LEAF = {"classification": 2, "regression": 5}


def as_labels(y, n_rows):
    """`y` as an array of str, int64 or finite float64, one label a row."""
    y = np.asarray(y)
    if y.shape != (n_rows,):
        raise ValueError(f"y must have one label for each of {n_rows} rows, got shape {y.shape}.")
    if y.dtype.kind in "bui":
        return y.astype(np.int64)
    if y.dtype.kind != "f":
        return y.astype(str)
    assert_all_finite(y, input_name="y")
    return y.astype(np.float64)


def as_task(y, task):
    """`y` as classes (str or int) or as targets (float), and why as these, in words."""
    n_values = len(np.unique(y))
    whole = f"{n_values} different whole numbers"
    what = {"U": f"{n_values} different texts", "i": whole}.get(
        y.dtype.kind, "numbers not all whole"
    )
    few = y.dtype.kind == "U" or (y.dtype.kind == "i" and n_values <= _MOST_CLASSES)
    if task == "auto":
        task = "classification" if few else "regression"
    if task == "classification":
        return y.astype(str) if y.dtype.kind == "f" else y, f"classes: {what}"
    if y.dtype.kind == "U":
        raise ValueError(
            f"labels must be numbers for task='regression' (--task), got {str(y[0])!r}"
        )
    return y.astype(np.float64), f"numbers to predict: {what}"


def make_predictor(name, task, standardize):
    """The estimator of a name, and what it is in words."""
    is_classifier = task == "classification"
    if name == "forest":
        n_rows = _ROWS_PER_LEAF[task]
        forest = RandomForestClassifier if is_classifier else RandomForestRegressor
        words = f"random forest of 100 trees, leaves of {n_rows} rows or more"
        return forest(100, min_samples_leaf=n_rows), words
    linear = LogisticRegression(max_iter=1000) if is_classifier else Ridge()
    words = "logistic regression" if is_classifier else "ridge regression"
    if not standardize:
        return linear, words
    return make_pipeline(StandardScaler(), linear), f"{words} on standardised columns"


def choose_predictor(X, y, name, standardize, groups, n_folds, seed):
    """The estimator of a name, what it is in words, and how it was chosen.

    "auto" is the linear model, unless a forest predicts held-out rows better by more than a standard error.
    """
    task = "regression" if y.dtype.kind == "f" else "classification"
    if name != "auto":
        return *make_predictor(name, task, standardize), "as asked for"
    n_folds = min(_N_FOLDS, n_folds)
    candidates = [make_predictor(each, task, standardize) for each in PREDICTORS[1:]]
    held_out = [
        _successes(y, held_out_predictions(estimator, X, y, groups, n_folds, child))
        for (estimator, _), child in zip(candidates, child_seeds(seed, 2), strict=True)
    ]
    linear, forest = (_measure(y, successes) for successes in held_out)
    return *candidates[fewest_within_error(held_out) - 1], (
        f"{linear} of held-out rows by the linear model, {forest} by a forest ({n_folds} folds), which must be better "
        "by more than a standard error"
    )


def held_out_predictions(estimator, X, y, groups, n_folds, seed, n_jobs=None):
    """Prediction of each row by a fit without it, and without its group, (n_rows,)."""
    stratify = y.dtype.kind != "f"
    masks = train_masks(n_folds, X, y, groups, stratify=stratify, random_state=int(seed))
    splits = [(np.flatnonzero(mask), np.flatnonzero(~mask)) for mask in masks]
    estimator = set_random_state(clone(estimator), seed)
    return cross_val_predict(estimator, X, y, cv=splits, n_jobs=n_jobs)


def _successes(y, predicted):
    """Whether each row is predicted rightly, or for numbers minus its squared error."""
    return (
        -np.square(predicted - y) if y.dtype.kind == "f" else (predicted == y).astype(np.float64)
    )


def _measure(y, successes):
    if y.dtype.kind != "f":
        return f"accuracy {successes.mean():.3f}"
    return f"R squared {1 + successes.sum() / np.sum(np.square(y - y.mean())):.3f}"
