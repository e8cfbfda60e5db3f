"""Exact kernel density estimation, with its leave-one-out and cross-fitted log-densities in closed form."""

from numbers import Integral, Real

import numpy as np
from sklearn.neighbors import BallTree, KDTree
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._kernel_sums import Weighting
from skmem._kernels import KERNELS
from skmem._sklearn import Interval, StrOptions, fit_context
from skmem.density._bandwidth import find_bandwidths
from skmem.density._checks import check_weights
from skmem.density._group_densities import KernelGroups
from skmem.density._kernel_cross_fit import KernelCrossFit
from skmem.density._kernel_densities import log_kernel_densities
from skmem.density._kernel_influence import KernelInfluence

_FLOATS = (np.float64, np.float32)
_TREES = {"kd_tree": KDTree, "ball_tree": BallTree}


class KernelDensity(KernelCrossFit, KernelInfluence, KernelGroups):
    """Kernel density estimation, exact on every row.

    Log-densities are in nats, higher where rows are dense; they have no natural zero.

    A drop-in for :class:`sklearn.neighbors.KernelDensity`, whose tree can stop too early and be wrong on rows it was
    not fitted on. Here every kernel counts.

    Parameters
    ----------
    bandwidth : float or {"scott", "silverman", "loo"}, default=1.0
        Bandwidth h of the kernel. "scott" and "silverman" are the rules of thumb times the spread of the data (the
        root of its columns' mean variance; scikit-learn leaves the spread out). "loo" maximises the leave-one-out
        log-likelihood of the training rows without refitting: to 1e-4 of itself for smooth kernels.
    algorithm : {"auto", "kd_tree", "ball_tree"}, default="auto"
        Every choice gives the same exact result, a tree having to suit the metric as in scikit-learn. For many rows
        in few dimensions far groups are skipped, or Gaussians summed on a grid, where that is sure to 1e-8 nat.
    kernel : {"gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"}, default="gaussian"
        The kernel, a decreasing function of the distance.
    metric : str, default="euclidean"
        Any metric of scikit-learn's trees. The density integrates to one for the Euclidean metric only.
    atol, rtol : float, default=0
        Accepted for compatibility: the result is exact whatever they are.
    breadth_first : bool, default=True
        Accepted for compatibility.
    leaf_size : int, default=40
        Accepted for compatibility.
    metric_params : dict, default=None
        Further parameters of the metric.

    Attributes
    ----------
    bandwidth_ : float
        Bandwidth in use.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen in `fit`, where X has names that are all strings.

    Notes
    -----
    With kernel K, weights w and N = sum of w, in d dimensions,

        p(x) = 1 / (N h^d Z_d) * sum_i w_i K(|x - x_i| / h),      Z_d = integral of K over R^d.

    float32 is kept and computed in float32 while that costs less than 1e-3 nat (and 1e-6 of the log-density), and in
    float64 otherwise; float64 is right to 1e-8. Memory is bounded by a block of distances.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmem.density import KernelDensity
    >>> X = load_digits().data
    >>> kde = KernelDensity(bandwidth="loo").fit(X[:900])
    >>> round(kde.bandwidth_, 3)
    2.177
    >>> kde.score_samples(X[900:902]).round(2)
    array([-152.32, -139.99])
    """

    _parameter_constraints = {
        "bandwidth": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"scott", "silverman", "loo"}),
        ],
        "algorithm": [StrOptions({"auto", *_TREES})],
        "kernel": [StrOptions(set(KERNELS))],
        "metric": [StrOptions({*KDTree.valid_metrics, *BallTree.valid_metrics})],
        "atol": [Interval(Real, 0, None, closed="left")],
        "rtol": [Interval(Real, 0, None, closed="left")],
        "breadth_first": ["boolean"],
        "leaf_size": [Interval(Integral, 1, None, closed="left")],
        "metric_params": [None, dict],
    }

    def __init__(
        self,
        *,
        bandwidth=1.0,
        algorithm="auto",
        kernel="gaussian",
        metric="euclidean",
        atol=0,
        rtol=0,
        breadth_first=True,
        leaf_size=40,
        metric_params=None,
    ):
        self.bandwidth = bandwidth
        self.algorithm = algorithm
        self.kernel = kernel
        self.metric = metric
        self.atol = atol
        self.rtol = rtol
        self.breadth_first = breadth_first
        self.leaf_size = leaf_size
        self.metric_params = metric_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Keep the training rows and find the bandwidth.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored; here for scikit-learn's conventions.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, not all zero; a weight of 0 leaves the row out.

        Returns
        -------
        self : object
            The fitted density.

        Raises
        ------
        ValueError
            If the metric does not suit the algorithm, weights are negative or all zero, the bandwidth is so small or
            large that its square is no float, or it has to be found and all rows are equal.
        """
        self._check_algorithm()
        X = validate_data(self, X, order="C", dtype=_FLOATS)
        self._fit_X, self._fit_weights = X, check_weights(sample_weight, X)
        used = self._fit_weights > 0
        weights = self._fit_weights[None, used]
        self.bandwidth_ = float(
            find_bandwidths(self.bandwidth, X[used], weights, *self._smoother)[0]
        )
        return self

    def score_samples(self, X):
        """Log-density of each row.

        In nats, higher where training rows are dense; -inf outside the support of a compact kernel.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x).
        """
        X = self._check_query(X)
        return log_kernel_densities(X, self._fit_X, self._weighting(), *self._smoother)[:, 0]

    def score(self, X, y=None):
        """Total log-density of the rows of `X`: a sum, as scikit-learn's KernelDensity gives.

        In nats; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        score : float
            Sum of ``score_samples(X)``.
        """
        return float(np.sum(self.score_samples(X)))

    def leave_one_out_score_samples(self):
        """Log-density of each training row under all the other training rows, in one pass.

        In nats; ``score_samples`` on the training rows minus this is their memorization. The bandwidth stays the
        fitted one.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x_i | all rows but i).

        Raises
        ------
        ValueError
            If no other row of positive weight would be left.
        """
        check_is_fitted(self)
        weights = self._fit_weights
        n_rows = np.count_nonzero(weights)
        if n_rows < 2:
            raise ValueError(f"X must have at least 2 rows of positive weight, got {n_rows}.")
        rows, own = (self._fit_X, self._fit_X), np.arange(weights.size)
        log_density = log_kernel_densities(*rows, self._weighting(), *self._smoother, own=own)
        return log_density[:, 0] - np.log1p(-weights / weights.sum())

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the density; every kernel can be drawn from.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows drawn.

        Raises
        ------
        ValueError
            If the metric is not Euclidean.
        """
        check_is_fitted(self)
        if self.metric != "euclidean":
            raise ValueError(f"sample needs metric='euclidean', got metric={self.metric!r}.")
        rng = check_random_state(random_state)
        n_rows, d = self._fit_X.shape
        center = rng.choice(n_rows, n_samples, p=self._fit_weights / self._fit_weights.sum())
        direction = normalize(rng.normal(size=(n_samples, d)))
        radius = self.bandwidth_ * KERNELS[self.kernel].sample_radius(d, n_samples, rng)
        return self._fit_X[center] + radius[:, None] * direction

    def _check_algorithm(self):
        tree = _TREES.get(self.algorithm)
        if tree is not None and self.metric not in tree.valid_metrics:
            raise ValueError(f"metric must fit algorithm={self.algorithm!r}, got {self.metric!r}")

    @property
    def _smoother(self):
        return KERNELS[self.kernel], self.metric, self.metric_params

    def _weighting(self):
        return Weighting(self._fit_weights[None], np.array([self.bandwidth_]))
