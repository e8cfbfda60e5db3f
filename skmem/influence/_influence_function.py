"""Influence functions: what leaving out a row would change, to first order."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._sklearn import HasMethods, Interval, StrOptions, fit_context
from skmem.influence._gradients import check_targets, differentiable, fitted_estimator
from skmem.influence._solvers import ConjugateGradients, Exact, Identity
from skmem.influence._streams import influences, self_influences, strongest

# Training rows for which fit solves, to say how well it can.
_N_TRIALS = 8
# Nats for each parameter. Fitted to other rows of the same distribution, a model is about one from the maximum.
_LARGE_GAP = 0.1


class InfluenceFunction(MetaEstimatorMixin, BaseEstimator):
    r"""Influence of training rows on the likelihood of any row, by one Newton step of a fitted model.

    In nats; positive = the training row makes the point more likely (a proponent), 0 = no effect.

    Parameters
    ----------
    estimator : estimator object
        A *fitted* GaussianMixture (of :mod:`skmem.density` or scikit-learn), LogisticRegression or Ridge. It is used
        as it is, neither cloned nor fitted. Since :func:`~sklearn.base.clone` forgets fits, wrap it in a
        :class:`~sklearn.frozen.FrozenEstimator` where this object itself is to be cloned.
    solver : {"exact", "cg", "identity"}, default="exact"
        How the curvature matrix is inverted. "exact": Cholesky's factor of the dense Hessian, for at most 5,000
        parameters. "cg": conjugate gradients, which need products with it only. "identity": not at all, which leaves
        products of gradients.
    damping : "auto" or float, default="auto"
        Added to the diagonal of the curvature matrix. "auto" is 0, but for "exact" with a singular Hessian, where it
        is a thousandth of the mean eigenvalue.
    tol : float, default=1e-6
        Largest relative residual of a solution, for "cg".
    max_iter : int, default=1000
        Largest number of iterations of "cg".

    Attributes
    ----------
    curvature_ : {"Hessian", "identity"}
        The curvature matrix that is used.
    damping_ : float
        What was added to its diagonal.
    residuals_ : ndarray of shape (n_trials,)
        For "cg", the relative residuals of solutions for up to 8 training rows, evenly spread. They are made in `fit`
        so that what can't be solved is known before the queries. Every later solution keeps to `tol` or raises.
    optimality_gap_ : float
        By how much, in nats, the log-likelihood of all of `X_train` is below its maximum, by Newton's quadratic
        approximation; not for "identity".
    n_parameters_ : int
        Number of free parameters of the model.
    n_features_in_, feature_names_in_ : int, ndarray of shape (n_features_in_,)
        Number of columns seen in `fit`, and their names if all are strings.

    See Also
    --------
    skmem.MemorizationScorer : Memorization by refits.

    Notes
    -----
    Let the fit minimise the mean loss :math:`\frac{1}{n} \sum_i -\log p(x_i) + \text{penalty}` with Hessian H. With
    :math:`g` the gradient of a row's log-density, to first order in 1/n

    .. math:: \log p(x_j) - \log p_{-i}(x_j) = \frac{1}{n}\, g_j^T (H + \lambda I)^{-1} g_i

    (Cook and Weisberg 1982; Koh and Liang 2017, eq. 2). The model's optimum is followed, not its algorithm: a refit
    that finds another optimum is not foreseen.

    - GaussianMixture, all covariance types: in the coordinates in which the information of rows with known components
      is the identity (weights by logits, covariances by matrix logarithms), so that H is 1 minus the missing
      information, and its eigenvalues 1 minus the rates of EM (Louis 1982; Dempster, Laird and Rubin 1977). H is the
      one at a maximum: a mixture should be fitted with a small `tol`. `reg_covar` counts, as in EM, as one more
      squared deviation of each training row, as long as the row's responsibilities stay. Sample weights are not
      supported.
    - LogisticRegression: log-probability of the row's class. The penalty (L2, by `C`; not on the intercept) stays when
      a row leaves.
    - Ridge: Gaussian log-density of the row's target, with the mean squared training residual as variance, held fixed.

    Coordinates of the linear models are coefficients of columns scaled to mean 0 and variance 1. They matter to
    "identity" and to damping alone.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.density import GaussianMixture
    >>> from skmem.influence import InfluenceFunction
    >>> X = load_iris().data
    >>> mixture = GaussianMixture(2, tol=1e-8, max_iter=1000, random_state=0).fit(X)
    >>> function = InfluenceFunction(mixture).fit(X)
    >>> rows, nats = function.top(X[[106]], k=2)
    >>> rows, nats.round(2)
    (array([[106, 121]]), array([[0.43, 0.15]]))
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "solver": [StrOptions({"exact", "cg", "identity"})],
        "damping": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, estimator, *, solver="exact", damping="auto", tol=1e-6, max_iter=1000):
        self.estimator = estimator
        self.solver = solver
        self.damping = damping
        self.tol = tol
        self.max_iter = max_iter

    # The estimator is fitted already: its parameters were checked then.
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X_train, y=None):
        """Make the curvature matrix of the fitted estimator on its training rows.

        Parameters
        ----------
        X_train : array-like of shape (n_train, n_features)
            The rows that `estimator` was fitted to. They are kept, by reference where they are float64.
        y : array-like of shape (n_train,) or (n_train, n_targets), default=None
            Their targets, for LogisticRegression and Ridge.

        Returns
        -------
        self : InfluenceFunction
            Ready for queries.

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` is of an unsupported type.
        ValueError
            If rows or targets don't suit it, the model has too many parameters, or the curvature matrix has no
            inverse.

        Warns
        -----
        ConvergenceWarning
            If `optimality_gap_` is above a tenth of a nat for each parameter: other rows than these were fitted, or
            they were not fitted to convergence.
        """
        estimator = fitted_estimator(self.estimator)
        X, y = self._check(estimator, X_train, y, reset=True)
        self._model = differentiable(estimator, X, y)
        self._solver = self._make_solver()
        self.n_parameters_, self.damping_ = self._model.n_parameters, self._solver.damping
        self.curvature_ = "identity" if self.solver == "identity" else self._model.curvature
        self._try()
        return self

    def influence(self, X, y=None):
        """Influence of each training row on the log-density of each row of `X`.

        In nats; positive = proponent: without the training row the point would be less likely; 0 = no effect.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points.
        y : array-like of shape (n_points,) or (n_points, n_targets), default=None
            Their targets, for LogisticRegression and Ridge.

        Returns
        -------
        influence : ndarray of shape (n_train, n_points)
            First-order change of the log-density of point j that training row i is responsible for.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If points don't suit the estimator, or "cg" does not find a solution.
        """
        return influences(self._model, self._solver, *self._check_points(X, y))

    def self_influence(self):
        """Influence of each training row on its own log-density.

        In nats; positive = the row makes itself likely (it is memorized); 0 = no effect.

        Returns
        -------
        self_influence : ndarray of shape (n_train,)
            The diagonal of ``influence(X_train)``.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If "cg" does not find a solution.
        """
        check_is_fitted(self)
        return self_influences(self._model, self._solver)

    def top(self, X, k=5, y=None):
        """The `k` training rows with the largest influence on each point, largest first.

        In nats; positive = proponent; 0 = no effect. The influence matrix is not held.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points.
        k : int, default=5
            Number of training rows for each.
        y : array-like of shape (n_points,) or (n_points, n_targets), default=None
            Their targets, for LogisticRegression and Ridge.

        Returns
        -------
        indices : ndarray of shape (n_points, k)
            Positions of the rows in `X_train`.
        values : ndarray of shape (n_points, k)
            Their influence.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If points don't suit the estimator, or `k` is not an int from 1 to n_train.
        """
        points = self._check_points(X, y)
        if not isinstance(k, Integral) or not 1 <= k <= self._model.n_rows:
            raise ValueError(
                f"k must be an int from 1 to n_train={self._model.n_rows}, got {k!r}."
            )
        return strongest(self._model, self._solver, *points, k)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.target_tags.required = inner.target_tags.required
        return tags

    def _check_points(self, X, y):
        check_is_fitted(self)
        return self._check(fitted_estimator(self.estimator), X, y, reset=False)

    def _check(self, estimator, X, y, reset):
        """Rows and targets as the model wants them."""
        X = validate_data(self, X, dtype=np.float64, reset=reset)
        if X.shape[1] != estimator.n_features_in_:
            raise ValueError(
                f"X_train must have the {estimator.n_features_in_} features that the {type(estimator).__name__} was "
                f"fitted to, got {X.shape[1]}."
            )
        return X, check_targets(estimator, X, y)

    def _make_solver(self):
        if self.solver == "identity":
            return Identity()
        if self.solver == "exact":
            return Exact(self._model, self.damping)
        return ConjugateGradients(self._model, self.damping, self.tol, self.max_iter)

    def _try(self):
        """Solve for some training rows, and for the step to the optimum."""
        model = self._model
        for name in ("residuals_", "optimality_gap_"):
            vars(self).pop(name, None)
        if self.solver == "cg":
            step = -(-model.n_rows // _N_TRIALS)
            _, self.residuals_ = self._solver.solve(model.train_gradients(slice(None, None, step)))
        if self.solver != "identity":
            slope = model.mean_gradient()
            newton = self._solver.inverse_hvp(slope[None])[0]
            self.optimality_gap_ = float(0.5 * model.n_rows * slope @ newton)
            _warn_of_other_rows(self.optimality_gap_, model.n_parameters)


def _warn_of_other_rows(gap, n_parameters):
    if gap > _LARGE_GAP * n_parameters:
        warnings.warn(
            f"The estimator is {gap:.3g} nats from the maximum of the log-likelihood of X_train: X_train must be the "
            "rows that it was fitted to, without sample weights, and the fit must have converged (a smaller tol, a "
            "larger max_iter).",
            ConvergenceWarning,
            stacklevel=4,
        )
