"""Influence by leaving one row out: in closed form where the estimator has one, by refits where not."""

from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.base import clone

from skmem._random import child_seeds, set_random_state
from skmem._sklearn import (
    HasMethods,
    StrOptions,
    check_sample_weight,
    num_samples,
    validate_params,
)
from skmem.cross_fitting._fits import make_job
from skmem.cross_fitting._leave_one_out import refitted_influence
from skmem.cross_fitting._responses import RESPONSES, needs_targets, resolve_response
from skmem.cross_fitting._warn import warn_of_useless_memory


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"])],
        "response": [StrOptions({"auto", *RESPONSES})],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "progress": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def leave_one_out_influence(
    estimator,
    X_train,
    X,
    *,
    y_train=None,
    y=None,
    sample_weight=None,
    response="auto",
    memory=None,
    n_jobs=None,
    random_state=None,
    progress=False,
):
    """Influence of each training row on each point: with the row minus without it.

    In the unit of the response, nats for log-densities; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    estimator : estimator object
        A density with a method `score_samples`, a classifier with `predict_proba` or a regressor; a Pipeline or a
        search around one will do. It is cloned and fitted to `X_train`, whether it was fitted before or not, and left
        as it is. If it has a method ``leave_one_out_influence(X)`` once it is fitted, that gives the result without
        refitting.
    X_train : {array-like, sparse matrix, dataframe} of shape (n_train, n_features)
        Training rows.
    X : {array-like, sparse matrix, dataframe} of shape (n_points, n_features)
        Points to explain: held-out, generated or training rows.
    y_train : array-like of shape (n_train,), default=None
        Targets, given to `fit` if not None.
    y : array-like of shape (n_points,), default=None
        Labels or targets of the points, for classifiers and regressors; where X is `X_train` itself, `y_train`.
    sample_weight : array-like of shape (n_train,), default=None
        Given to `fit` if not None.
    response : {"auto", "score_samples", "predict_proba", "predict", "neg_squared_error"}, default="auto"
        What to score points by, as in :func:`skmem.cross_fit`.
    memory : str, path, joblib.Memory or None, default=None
        Cache of finished fits, from which a run that was stopped resumes; it needs a fixed `random_state`.
    n_jobs : int or None, default=None
        Number of fits at once, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Seed of the one number that every `random_state` of the estimator is set to, in all fits: they differ by the
        row left out, not by luck.
    progress : bool, default=False
        Whether to count finished fits on stderr.

    Returns
    -------
    influence : ndarray of shape (n_train, n_points)
        Log p(x_j | all rows) - log p(x_j | all rows but i).

    Raises
    ------
    TypeError
        If the estimator cannot score rows or does not take a sparse X, or `y_train` or `y` is needed and missing.
    ValueError
        If `X_train` has fewer than two rows, X has other columns, or a score is nan.

    Notes
    -----
    Closed forms have KernelDensity, KNeighborsDensity and GaussianMixture of one component in :mod:`skmem.density`,
    equal to refits but that the bandwidth of a KernelDensity stays the one found on all rows. Anything else costs
    n_train + 1 fits. Kong & Chaudhuri, "Understanding Instance-based Interpretability of Variational
    Auto-Encoders", NeurIPS 2021, define influence so, as loss without the row minus loss with it.

    A row that alone gives a point a positive density (compact kernels) has influence inf; a point of density zero
    with the row and without it has influence 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.density import KernelDensity
    >>> from skmem.influence import leave_one_out_influence
    >>> X_train = np.array([[0.0], [1.0], [5.0]])
    >>> leave_one_out_influence(KernelDensity(), X_train, [[0.0]]).round(2)
    array([[ 0.57],
           [ 0.07],
           [-0.41]])
    """
    response = resolve_response(estimator, y_train, response)
    warn_of_useless_memory(memory, random_state)
    if num_samples(X_train) < 2:
        raise ValueError(
            f"X_train must have at least 2 rows to leave one out, got {num_samples(X_train)}."
        )
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, np.empty((num_samples(X_train), 1)))
    if needs_targets(response) and X is not X_train and y is None:
        raise TypeError("y must be given to score X by its labels or targets, got None.")
    seed = int(child_seeds(random_state, 1)[0])
    if response == "score_samples":
        fitted = fit_closed_form(estimator, X_train, y_train, sample_weight, seed)
        if fitted is not None:
            return checked_influence(fitted.leave_one_out_influence(X), fitted, X_train, X)
    params = None if sample_weight is None else {"sample_weight": sample_weight}
    job = make_job(estimator, X_train, y_train, X, response, y, params)
    return refitted_influence(job, seed, memory=memory, n_jobs=n_jobs, progress=progress)


def fit_closed_form(estimator, X_train, y_train=None, sample_weight=None, seed=0):
    """A clone fitted to the training rows that offers `leave_one_out_influence`, or None where there is none."""
    if not hasattr(estimator, "leave_one_out_influence"):
        return None
    targets = [] if y_train is None else [y_train]
    weight = {} if sample_weight is None else {"sample_weight": sample_weight}
    return set_random_state(clone(estimator), seed).fit(X_train, *targets, **weight)


def checked_influence(influence, source, X_train, X):
    """`influence` as float64, of the right shape and not nan; `source` is the object that gave it."""
    influence = np.asarray(influence, dtype=np.float64)
    shape, name = (num_samples(X_train), num_samples(X)), type(source).__name__
    if influence.shape != shape:
        raise ValueError(
            f"Influence of {name} must have shape (n_train, n_points) = {shape}, got {influence.shape}."
        )
    if np.isnan(influence.sum()) and np.isnan(influence).any():
        raise ValueError(
            f"Influence of {name} must not be nan, got {np.isnan(influence).sum()} values that are."
        )
    return influence
