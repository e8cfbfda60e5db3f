"""The k-nearest-neighbour density, with exact leave-one-out and cross-fitted scores."""

from itertools import chain
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.neighbors import VALID_METRICS
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._distances import NeighborIndex, duplicate_groups
from skmem._math import log_unit_ball_volume
from skmem._sklearn import Interval, StrOptions, fit_context
from skmem.density._checks import check_train_mask
from skmem.density._group_densities import NeighborGroups
from skmem.density._kth_neighbor import (
    check_distinct,
    check_format,
    check_found,
    check_n_neighbors,
    check_pairwise,
    count_members,
    kth_neighbors,
    neighbor_graph,
)
from skmem.density._neighbor_influence import NeighborInfluence

_SEARCH_PARAMETERS = ("metric", "metric_params", "algorithm", "n_jobs")


class KNeighborsDensity(NeighborInfluence, NeighborGroups):
    """Density from the distance to the k-th nearest training row.

    Scores are log-densities in nats; higher is denser; 0 is density 1 in the units of `X`.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours k, fewer than the training rows.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        How neighbours are searched, as in `sklearn.neighbors.NearestNeighbors`. It changes the
        time taken, not the scores.
    metric : str or callable, default="euclidean"
        A metric of `sklearn.neighbors.NearestNeighbors`. With "precomputed", `X` holds distances:
        a dense matrix, or a sparse neighbour graph such as
        ``KNeighborsTransformer(mode="distance")`` gives. In a graph the stored entries are the
        neighbours, stored zeros among them.
    metric_params : dict, default=None
        Further arguments of the metric.
    n_dims : int, default=None
        Dimension d of the space. None is the number of columns of `X`; it must be given with
        ``metric="precomputed"``, where the columns do not tell.
    n_jobs : int, default=None
        Jobs of a tree search.

    Attributes
    ----------
    n_samples_fit_ : int
        Number of training rows, N.
    n_dims_ : int
        Dimension d in use.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Notes
    -----
    The density is [1]_

        p(x) = k / (N V_d R_k(x)^d),

    R_k(x) the distance from x to its k-th nearest training row, V_d the volume of the *Euclidean*
    unit ball in d dimensions, whatever the metric: with another metric all scores are off by
    the one constant log V_d - log V_metric, which cancels from memorization and influence.

    **A training row is its own neighbour.** Scored again by `score_samples`, it is at distance 0
    from itself, so its R_k is the distance to its (k-1)-th nearest *other* row, and its score is
    higher than that of a new row at nearly the same place. `leave_one_out_score_samples` is free
    of this; the difference of the two is the memorization of the row.

    **Copies.** Where R_k(x) = 0, because k or more training rows equal x, k is raised to the first
    neighbour m > k at a positive distance: p(x) = m / (N V_d R_m(x)^d). One warning counts such
    rows. With ``n_neighbors=1`` every training row is one of them.

    **There is no** `sample`. The k-nearest-neighbour density falls off as ``|x|^-d`` and does not
    integrate to one, so there is no distribution to draw from. For the same reason its scores
    compare rows and fits, not families of models.

    References
    ----------
    .. [1] D. O. Loftsgaarden and C. P. Quesenberry, "A nonparametric estimate of a multivariate
       density function", Annals of Mathematical Statistics 36 (1965), 1049-1051.

    Examples
    --------
    Four points on a line; the second-nearest row to 1.5 is 0.5 away: 2 / (4 * 2 * 0.5) = 0.5.

    >>> import numpy as np
    >>> from skmem.density import KNeighborsDensity
    >>> X = np.array([[0.0], [1.0], [2.0], [4.0]])
    >>> density = KNeighborsDensity(n_neighbors=2).fit(X)
    >>> density.score_samples([[1.5]]).round(4)
    array([-0.6931])
    >>> memorization = density.score_samples(X) - density.leave_one_out_score_samples()
    >>> memorization.round(4)
    array([ 0.4055, -0.2877,  0.4055,  0.1178])
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "metric": [StrOptions(set(chain.from_iterable(VALID_METRICS.values()))), callable],
        "metric_params": [dict, None],
        "n_dims": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_neighbors=5,
        *,
        algorithm="auto",
        metric="euclidean",
        metric_params=None,
        n_dims=None,
        n_jobs=None,
    ):
        self.n_neighbors = n_neighbors
        self.algorithm = algorithm
        self.metric = metric
        self.metric_params = metric_params
        self.n_dims = n_dims
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Store the training rows for searching.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; if precomputed their distances or graph, (n_samples, n_samples).
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        self : KNeighborsDensity
            The fitted density.

        Raises
        ------
        ValueError
            If `n_neighbors` is not below the number of rows, if all rows are equal, or, with
            ``metric="precomputed"``, if `X` is not square, a row of it has fewer than
            `n_neighbors` neighbours, or `n_dims` is None.
        """
        X = self._validate(X, reset=True)
        n_samples, n_columns = X.shape
        check_n_neighbors(self.n_neighbors, n_samples)
        if self.metric == "precomputed":
            check_pairwise(X, self.n_dims)
            self._group = np.arange(n_samples)
            self._neighbors = neighbor_graph(X, self.n_neighbors)
        else:
            # Copies are searched once: there may be many of each row in a table of few values.
            self._group = duplicate_groups(X)
            check_distinct(self._group, np.ones((1, n_samples), dtype=bool))
            first = np.unique(self._group, return_index=True)[1]
            params = self.get_params()
            self._neighbors = NeighborIndex(X[first], **{p: params[p] for p in _SEARCH_PARAMETERS})
        self.n_samples_fit_ = n_samples
        self.n_dims_ = n_columns if self.n_dims is None else self.n_dims
        return self

    def score_samples(self, X):
        """Log-density of each row of `X`.

        In nats; higher is denser; 0 is density 1 in the units of the training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score; with ``metric="precomputed"`` their distances to the training rows, of
            shape (n_samples, n_samples_fit). A training row counts as its own neighbour.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Log-densities.

        Raises
        ------
        ValueError
            If `X` has other columns than in `fit`, or a row no neighbour at a positive distance.
        """
        return self._scores(self._check_query(X))[0]

    def leave_one_out_score_samples(self):
        """Log-density of each training row by all the others.

        In nats; higher is denser; 0 is density 1 in the units of the training rows.

        Returns
        -------
        scores : ndarray of shape (n_samples_fit,)
            ``log(k / ((N - 1) V_d R^d))`` with R the distance to the k-th nearest *other* row.

        Raises
        ------
        ValueError
            If precomputed and a row lacks a k-th other neighbour at a positive distance.
        """
        check_is_fitted(self)
        return self._scores(exclude_self=True)[0]

    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        """Log-density of every point by every fit of `train_mask`, without refitting.

        In nats; higher is denser; 0 is density 1 in the units of `X`. `self` is left as it is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to train on; with ``metric="precomputed"`` of shape (n_samples, n_samples).
        train_mask : array-like of bool, shape (n_fits, n_samples)
            ``train_mask[k, i]``: fit k is trained on row i.
        X_eval : array-like of shape (n_points, n_features), default=None
            Points to score; None scores the rows of `X`. With ``metric="precomputed"`` their
            distances to all rows, of shape (n_points, n_samples).

        Returns
        -------
        scores : ndarray of shape (n_fits, n_points)
            Equal to those of a refit on each ``X[train_mask[k]]``; a row is its own neighbour
            in the fits that saw it.

        Raises
        ------
        ValueError
            If a fit has no more than `n_neighbors` rows, if its rows are all equal, or if
            `train_mask` is not a boolean array of that shape.
        """
        model = clone(self).fit(X)
        train_mask = check_train_mask(train_mask, model.n_samples_fit_)
        for fit, n_members in enumerate(train_mask.sum(axis=1)):
            check_n_neighbors(self.n_neighbors, n_members, f" in fit {fit} of train_mask")
        check_distinct(model._group, train_mask, " in fit {fit} of train_mask")
        X_eval = None if X_eval is None else model._check_query(X_eval)
        return model._scores(X_eval, train_mask)

    def _scores(self, X=None, train_mask=None, exclude_self=False):
        """Log-densities, (n_fits, n_points), of checked points, by default the training rows."""
        k, d = self.n_neighbors, self.n_dims_
        if train_mask is None:
            train_mask = np.ones((1, self.n_samples_fit_), dtype=bool)
        neighbors, points = self._neighbors, X
        if self.metric == "precomputed":
            neighbors = neighbors if X is None else neighbor_graph(X, k)
            points = np.arange(neighbors.distances.shape[0])
        elif X is None:
            points = neighbors.X

        def search(rows, m):
            return neighbors.query(points[rows], m)

        members = count_members(train_mask, self._group)
        own = np.arange(len(points)) if exclude_self else None
        sizes = (len(points), neighbors.n_available)
        log_radius, rank = kth_neighbors(search, *sizes, members, k, own)
        if X is None and len(points) < self.n_samples_fit_:
            log_radius, rank = log_radius[:, self._group], rank[:, self._group]
        check_found(log_radius, rank, k)
        log_k = np.log(np.arange(1, rank.max() + 1)).take(rank - 1)  # few ranks occur
        n_members = train_mask.sum(axis=1, keepdims=True) - exclude_self
        return log_k - d * log_radius - (np.log(n_members) + log_unit_ball_volume(d))

    def _check_query(self, X):
        check_is_fitted(self)
        return self._validate(X, reset=False)

    def _validate(self, X, reset):
        precomputed = self.metric == "precomputed"
        if precomputed:
            check_format(X)
        return validate_data(
            self,
            X,
            dtype=(np.float64, np.float32),
            accept_sparse="csr" if precomputed else False,
            ensure_non_negative=precomputed,
            reset=reset,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        for name in ("pairwise", "sparse", "positive_only"):
            setattr(tags.input_tags, name, self.metric == "precomputed")
        return tags
