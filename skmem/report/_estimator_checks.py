"""What is wrong with an estimator for so many rows: each check yields (severity, what, where, cure)."""

from numbers import Integral

import sklearn.neighbors
from sklearn.base import BaseEstimator, is_regressor


def no_density(estimator, n_rows, n_train):
    """Find estimators that cannot be fitted or cannot score rows."""
    name = getattr(estimator, "__name__", type(estimator).__name__)
    if isinstance(estimator, type):
        yield "error", f"{name} is a class", "estimator", f"make an instance of it: {name}()"
        return
    scores = hasattr(estimator, "score_samples") or hasattr(estimator, "predict_proba")
    scores = scores or (isinstance(estimator, BaseEstimator) and is_regressor(estimator))
    lacking = ["fit"] * (not hasattr(estimator, "fit")) + ["score_samples"] * (not scores)
    if lacking:
        cure = "use a density such as skmem.density.KernelDensity, or wrap it so that it has both"
        yield "error", f"{name} has no {' and no '.join(lacking)}", "estimator", cure


def early_stopping_tree(estimator, n_rows, n_train):
    """Find scikit-learn's KernelDensity where its tree may stop its sum too early."""
    for part in _parts(estimator):
        wrong = type(part) is sklearn.neighbors.KernelDensity and part.leaf_size < n_rows
        if wrong:
            yield (
                "error",
                "scikit-learn's KernelDensity is wrong on rows it was not fitted on: "
                "its tree stops the sum early",
                f"leaf_size={part.leaf_size} with {n_rows} rows",
                "use skmem.density.KernelDensity, same parameters and exact "
                f"(or leaf_size={n_rows})",
            )


def too_many(estimator, n_rows, n_train):
    """Find more neighbours or components than a training fold has rows."""
    # k-NN must leave one row over: with all rows as neighbours, no row is near.
    for name, most in (("n_neighbors", n_train - 1), ("n_components", n_train)):
        for part in _parts(estimator):
            value = getattr(part, name, None)
            if isinstance(value, Integral) and value > most:
                what = f"{name}={value} with {n_train} rows in the smallest training fold"
                yield "error", what, type(part).__name__, f"at most {max(most, 0)}"


def _parts(estimator):
    """Every estimator in `estimator`, itself first."""
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return [estimator]
    inner = estimator.get_params(deep=True).values()
    return [estimator, *(p for p in inner if hasattr(p, "get_params"))]


ESTIMATOR_CHECKS = (no_density, early_stopping_tree, too_many)
