"""Memorization as a scikit-learn scorer."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skmem._sklearn import Interval, StrOptions, validate_params
from skmem.memorization import MemorizationScorer


@validate_params(
    {
        "quantile": [Interval(Real, 0, 1, closed="both")],
        "method": [StrOptions({"auto", "cross-fit", "leave-one-out"})],
        "cv": [Integral, "cv_object"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_memorization_scorer(*, quantile=0.95, method="auto", cv=5, n_repeats=1, random_state=0):
    """Make a scorer ``(estimator, X, y=None) -> float`` that prefers estimators that memorize less.

    In nats, the quantile of memorization times -1: higher is better, 0 = no effect of any row.

    Parameters
    ----------
    quantile : float, default=0.95
        Quantile over rows; 1 is the maximum.
    method : {"auto", "cross-fit", "leave-one-out"}, default="auto"
        As in :class:`~skmem.MemorizationScorer`.
    cv : int, splitter or iterable, default=5
        As in :class:`~skmem.MemorizationScorer`.
    n_repeats : int, default=1
        As in :class:`~skmem.MemorizationScorer`.
    random_state : int, RandomState instance or None, default=0
        As in :class:`~skmem.MemorizationScorer`.

    Returns
    -------
    scorer : callable
        For `scoring` of scikit-learn's searches, `cross_validate` and the like, alone or in a dict of several.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    A fitted MemorizationScorer, also as the last step of a Pipeline, is scored by its own training rows. So
    ``GridSearchCV(MemorizationScorer(density), {"estimator__bandwidth": ...}, scoring=make_memorization_scorer())``
    measures at the size of the training folds.

    A scorer does not see the training rows of any other estimator. It fits clones to parts of the rows it is given,
    the test fold, and measures how they memorize those. That is memorization at the size of a test fold, which is
    higher than on more rows. :class:`MemorizationSearchCV` has neither this limit nor the price of further fits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmem import MemorizationScorer
    >>> from skmem.density import KernelDensity
    >>> from skmem.model_selection import make_memorization_scorer
    >>> search = GridSearchCV(
    ...     MemorizationScorer(KernelDensity()),
    ...     {"estimator__bandwidth": [0.2, 0.4, 0.8]},
    ...     scoring=make_memorization_scorer(quantile=0.95),
    ... )
    >>> X = np.random.default_rng(0).permutation(load_iris().data)
    >>> search.fit(X).cv_results_["mean_test_score"].round(2)
    array([-2.45, -0.43, -0.08])
    """
    params = {"method": method, "cv": cv, "n_repeats": n_repeats, "random_state": random_state}
    return _MemorizationQuantile(quantile, params)


class _MemorizationQuantile:
    """Scorer that returns minus a quantile of memorization."""

    def __init__(self, quantile, params):
        self.quantile = quantile
        self.params = params

    def __call__(self, estimator, X, y=None):
        last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        if isinstance(last, MemorizationScorer):
            memorization = last.memorization_
        else:
            scorer = MemorizationScorer(clone(estimator), refit=False, **self.params)
            memorization = scorer.fit(X, *(() if y is None else (y,))).memorization_
        method = "linear" if np.isfinite(memorization).all() else "higher"
        return -float(np.quantile(memorization, self.quantile, method=method))

    def __repr__(self):
        return f"make_memorization_scorer(quantile={self.quantile})"
