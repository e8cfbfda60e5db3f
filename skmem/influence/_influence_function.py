"""Influence functions: what leaving out a row would change, to first order."""

from numbers import Integral, Real

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmem._sklearn import HasMethods, Interval, StrOptions, fit_context
from skmem.influence._gradients import checked_rows, fitted_estimator, is_net, model_of
from skmem.influence._nets import net_model, net_rows
from skmem.influence._ranking import top_rows
from skmem.influence._solvers import make_solver
from skmem.influence._streams import influence_blocks, influences, self_influences
from skmem.influence._trials import TRIED, trial


class InfluenceFunction(MetaEstimatorMixin, BaseEstimator):
    r"""Influence of training rows on the likelihood of any row, by one Newton step from a fitted model.

    In nats; positive = the training row makes the point more likely (a proponent), 0 = no effect.

    Parameters
    ----------
    estimator : estimator object
        A *fitted* GaussianMixture (of :mod:`skmem.density` or scikit-learn), LogisticRegression, Ridge,
        :class:`skmem.neural.VAE` or skorch net. It is used as it is, neither cloned nor fitted. Since
        :func:`~sklearn.base.clone` forgets fits, wrap it in a :class:`~sklearn.frozen.FrozenEstimator` where this
        object itself is to be cloned.
    solver : {"exact", "cg", "ekfac", "identity"}, default="exact"
        How the curvature matrix is inverted: "exact", Cholesky's factor of the dense Hessian, up to 5,000 parameters;
        "cg", conjugate gradients, which need products with the Hessian only; "ekfac", for nets alone, a diagonal in
        the eigenbases of Kronecker factors of each layer (the empirical Fisher matrix); "identity", not at all.
    damping : "auto" or float, default="auto"
        Added to the diagonal of the curvature matrix; for "auto" see Notes.
    tol : float, default=1e-6
        Largest relative residual of a solution, for "cg".
    max_iter : int, default=1000
        Largest number of iterations, for "cg".
    n_draws : int, default=16
        Reparameterised draws of the code of each row; for a VAE.
    random_state : int, RandomState instance or None, default=0
        Seed of the draws, which depend on it and on the row alone.

    Attributes
    ----------
    curvature_ : {"Hessian", "empirical Fisher", "identity"}
        The curvature matrix that is used.
    damping_ : float or dict of str to float
        What was added to its diagonal; for "ekfac" with "auto", in each layer.
    residuals_ : ndarray of shape (n_trials,)
        For "cg", the relative residuals of solutions for up to 8 training rows, evenly spread. They are made in `fit`
        so that what can't be solved is known before the queries. Every later solution keeps to `tol` or raises.
    optimality_gap_ : float
        By how much, in nats, the log-likelihood of all of `X_train` is below its maximum, by Newton's quadratic
        approximation; not for nets, nor for "identity".
    n_parameters_ : int
        Number of free parameters of the model.
    n_features_in_, feature_names_in_ : int, ndarray of shape (n_features_in_,)
        Number of columns seen in `fit`, and their names if all are strings (not for nets).

    See Also
    --------
    TracIn : Products of gradients at checkpoints; faster than "identity" for nets.
    skmem.MemorizationScorer : Memorization by refits.

    Notes
    -----
    Let the fit minimise the mean loss :math:`\frac{1}{n} \sum_i -\log p(x_i) + \text{penalty}` with curvature H. With
    :math:`g` the gradient of a row's log-density, to first order in 1/n

    .. math:: \log p(x_j) - \log p_{-i}(x_j) = \frac{1}{n}\, g_j^T (H + \lambda I)^{-1} g_i

    (Cook and Weisberg 1982; Koh and Liang 2017, eq. 2). The optimum is followed, not the algorithm: a refit that finds
    another one is not foreseen.

    - GaussianMixture, all covariance types: in the coordinates in which the information of rows with known components
      is the identity (weights by logits, covariances by matrix logarithms), so that H is 1 minus the missing
      information, and its eigenvalues 1 minus the rates of EM (Louis 1982; Dempster, Laird and Rubin 1977). H is the
      one at a maximum: a mixture should be fitted with a small `tol`. `reg_covar` counts, as in EM, as one more
      squared deviation of each training row, as long as its responsibilities stay.
    - LogisticRegression: log-probability of the row's class. The penalty (L2, by `C`; not on the intercept) stays when
      a row leaves. Ridge: Gaussian log-density of the row's target, with the mean squared training residual as
      variance, held fixed. Coordinates are coefficients of columns scaled to mean 0 and variance 1.
    - Nets: minus the loss of a row as trained, the ELBO for a VAE, with fixed draws and the module in evaluation mode.
      They are seldom at a minimum, and numbers are worth less than ranks.

    Sample weights are not supported. "auto" damping is 0, but for "exact" with a singular Hessian a thousandth of its
    mean eigenvalue. For nets with "cg" it is a thousandth of the largest eigenvalue, plus twice the amount by which
    the smallest is negative. For "ekfac" it is a tenth of the mean eigenvalue of each layer (Grosse et al. 2023),
    where eigenvalues are those corrected by per-row gradients (George et al. 2018).

    References
    ----------
    Koh and Liang, "Understanding Black-box Predictions via Influence Functions", ICML 2017.
    Louis, "Finding the Observed Information Matrix when Using the EM Algorithm", JRSS B 44 (1982).
    George et al., "Fast Approximate Natural Gradient Descent in a Kronecker-factored Eigenbasis", NeurIPS 2018.
    Grosse et al., "Studying Large Language Model Generalization with Influence Functions", arXiv 2308.03296 (2023).

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
        "solver": [StrOptions({"exact", "cg", "ekfac", "identity"})],
        "damping": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        *,
        solver="exact",
        damping="auto",
        tol=1e-6,
        max_iter=1000,
        n_draws=16,
        random_state=0,
    ):
        self.estimator = estimator
        self.solver = solver
        self.damping = damping
        self.tol = tol
        self.max_iter = max_iter
        self.n_draws = n_draws
        self.random_state = random_state

    # The estimator is fitted already: its parameters were checked then.
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X_train, y=None):
        """Make the curvature matrix of the fitted estimator on its training rows.

        Parameters
        ----------
        X_train : array-like of shape (n_train, n_features) or (n_train, ...)
            The rows that `estimator` was fitted to. They are kept, by reference where they are float64.
        y : array-like of shape (n_train,) or (n_train, n_targets), default=None
            Their targets; needed for LogisticRegression, Ridge and skorch nets.

        Returns
        -------
        self : InfluenceFunction
            Ready for queries.

        Raises
        ------
        ImportError
            If `estimator` is a net, and torch or skorch is missing.
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` is of an unsupported type.
        ValueError
            If rows or targets don't suit it, the solver does not take its layers or as many parameters, or the
            curvature matrix has no inverse.

        Warns
        -----
        ConvergenceWarning
            If `optimality_gap_` is above a tenth of a nat for each parameter: other rows than these were fitted, or
            they were not fitted to convergence.
        """
        estimator = fitted_estimator(self.estimator)
        if is_net(estimator):
            model = net_model(self, estimator, X_train, y)
        else:
            model = model_of(estimator, checked_rows(self, estimator, X_train, y, reset=True))
        solver = make_solver(model, self)
        found = trial(model, solver)
        for name in TRIED:
            vars(self).pop(name, None)
        vars(self).update(found)
        self._estimator, self._model, self._solver = estimator, model, solver
        self.n_parameters_, self.damping_ = model.n_parameters, solver.damping
        self.curvature_ = "identity" if self.solver == "identity" else model.curvature
        return self

    def influence(self, X, y=None):
        """Influence of each training row on the log-density of each row of `X`.

        In nats; positive = proponent: without the training row the point would be less likely; 0 = no effect.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features) or (n_points, ...)
            Points.
        y : array-like of shape (n_points,) or (n_points, n_targets), default=None
            Their targets, as in `fit`.

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
        points = self._points(X, y)
        return influences(self._model, self._solver, points)

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

    def top(self, X, k=5, y=None, *, opponents=False):
        """The training rows of greatest influence on each point.

        In nats; positive = proponent; 0 = no effect. The influence matrix is never held.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features) or (n_points, ...)
            Points.
        k : int, default=5
            Number of training rows for each.
        y : array-like of shape (n_points,) or (n_points, n_targets), default=None
            Their targets, as in `fit`.
        opponents : bool, default=False
            Whether to list the strongest opponents instead: those of least influence, least first.

        Returns
        -------
        indices : ndarray of shape (n_points, k)
            Positions of the rows in `X_train`, strongest first.
        values : ndarray of shape (n_points, k)
            Their influence.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If points don't suit the estimator, or `k` is not an int from 1 to n_train.
        """
        points = self._points(X, y)
        if not isinstance(k, Integral) or not 1 <= k <= self._model.n_rows:
            raise ValueError(
                f"k must be an int from 1 to n_train={self._model.n_rows}, got {k!r}."
            )
        blocks = influence_blocks(self._model, self._solver, points)
        return top_rows(blocks, len(points[0]), k, opponents)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.target_tags.required = inner.target_tags.required
        return tags

    def _points(self, X, y):
        check_is_fitted(self)
        if is_net(self._estimator):
            return net_rows(self._model, X, y)
        return checked_rows(self, self._estimator, X, y, reset=False)
