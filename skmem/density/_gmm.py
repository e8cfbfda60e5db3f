"""scikit-learn's Gaussian mixture with sample weights, leave-one-out and cross-fitted scores."""

from functools import partial

import numpy as np
from sklearn import mixture
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._blocks import map_blocks
from skmem._sklearn import StrOptions, fit_context
from skmem.density._checks import check_train_mask, check_weights
from skmem.density._em import Options, log_gaussians
from skmem.density._gaussian_influence import GaussianInfluence
from skmem.density._gmm_downdates import leave_one_out_log_density
from skmem.density._gmm_start import (
    best_run,
    check_n_rows,
    fitted_mixture,
    starts_warm,
    warm_scores,
    warn_not_converged,
)
from skmem.density._squares import Squares


class GaussianMixture(GaussianInfluence, mixture.GaussianMixture):
    r"""Mixture of Gaussians fitted by weighted expectation-maximisation.

    In nats per row; higher is better; the zero depends on the units of the columns (a density, not a probability).

    scikit-learn's :class:`~sklearn.mixture.GaussianMixture`, every parameter, attribute and method of it, with
    `sample_weight` and what memorization needs: leave-one-out and cross-fitted scores.

    Parameters
    ----------
    n_components : int, default=1
        Number of components.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        One matrix for each component, one for all, one variance for each component and column, or for each component.
    tol : float, default=1e-3
        EM stops when the lower bound changes by less than this, in nats per row.
    reg_covar : float, default=1e-6
        Added to every variance; in squared units of the columns, and not scaled by the weights.
    max_iter : int, default=100
        Largest number of EM iterations.
    n_init : int, default=1
        Number of starts, of which the best is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        Where the responsibilities come from at the start.
    weights_init : array-like of shape (n_components,), default=None
        Component weights at the start, instead of those from `init_params`.
    means_init : array-like of shape (n_components, n_features), default=None
        Means at the start, instead of those from `init_params`.
    precisions_init : array-like, default=None
        Inverse covariances at the start, in the shape of ``precisions_``, instead of those from `init_params`.
    random_state : int, RandomState instance or None, default=None
        Seed of the start, and of `sample`.
    warm_start : bool, default=False
        Whether `fit` goes on from the previous fit.
    verbose : int, default=0
        What to print: 1, the iterations; 2, also the change of the bound and the time.
    verbose_interval : int, default=10
        Number of iterations between two prints.
    cross_fit_start : {"warm", "cold"}, default="warm"
        Whether the fits of a cross-fit start from the fit to all rows. With "cold" (or ``max_iter=0``) the method
        :meth:`cross_fit_score_samples` is absent, so that every fit is made from scratch.

    Attributes
    ----------
    weights_, means_ : ndarray of shape (n_components,), (n_components, n_features)
        Component weights and means.
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Covariances, their inverses and the Cholesky factors of these; for "full" of shape (n_components, n_features,
        n_features), "tied" (n_features, n_features), "diag" (n_components, n_features), "spherical" (n_components,).
    converged_, n_iter_ : bool, int
        Whether the best start converged, and its number of iterations.
    lower_bound_, lower_bounds_ : float, list of float
        Weighted mean log-density of the training rows at the last E-step and at each, in nats per row.
    n_features_in_, feature_names_in_ : int, ndarray of shape (n_features_in_,)
        Number of columns seen in `fit`, and their names if all are strings.

    Notes
    -----
    A weight counts rows: integer weights are repeated rows, rows of weight zero are left out before anything is
    drawn, and the weights' scale is irrelevant (they are divided by their mean). With mass
    :math:`a_{ik} = w_i r_{ik}` of row i in component k, r the responsibilities, the M-step is

    .. math:: N_k = \sum_i a_{ik}, \quad \mu_k = \frac{1}{N_k} \sum_i a_{ik} x_i, \quad
              \Sigma_k = \frac{1}{N_k} \sum_i a_{ik} (x_i - \mu_k)(x_i - \mu_k)^T + \text{reg} I.

    Without weights the fit is scikit-learn's from the same `random_state`, to rounding, but for a component left
    without rows: it becomes the Gaussian of all rows with weight zero to rounding, not one at the origin. A fit keeps
    the training rows (a reference, private) for :meth:`leave_one_out_score_samples`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.density import GaussianMixture
    >>> X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> density = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> memorization = density.score_samples(X) - density.leave_one_out_score_samples()
    >>> print(memorization[0].round(2))
    3.48
    """

    _parameter_constraints: dict = {
        **mixture.GaussianMixture._parameter_constraints,
        "cross_fit_start": [StrOptions({"warm", "cold"})],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        cross_fit_start="warm",
    ):
        super().__init__(
            n_components=n_components,
            covariance_type=covariance_type,
            tol=tol,
            reg_covar=reg_covar,
            max_iter=max_iter,
            n_init=n_init,
            init_params=init_params,
            weights_init=weights_init,
            means_init=means_init,
            precisions_init=precisions_init,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
            verbose_interval=verbose_interval,
        )
        self.cross_fit_start = cross_fit_start

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture to the rows of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored; here for scikit-learn's conventions.
        sample_weight : array-like of shape (n_samples,), default=None
            Number of rows that each row stands for, up to a common factor; None means ones.

        Returns
        -------
        self : GaussianMixture
            The fitted mixture.

        Raises
        ------
        ValueError
            If a weight is negative, too few rows have a positive one, or a covariance is not positive definite.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        sample_weight = check_weights(sample_weight, X, dtype=X.dtype)
        used = sample_weight > 0
        check_n_rows(used.sum(), self.n_components, "fit")
        rows = X if used.all() else X[used]
        best = best_run(self, rows, sample_weight[used] / sample_weight[used].mean())
        if self.max_iter > 0 and not best.converged:
            warn_not_converged("Best performing initialization")
        self._set_parameters(tuple(best.mixture[:4]))
        self.converged_, self.lower_bound_ = best.converged, best.lower_bound
        self.lower_bounds_, self.n_iter_ = best.lower_bounds, len(best.lower_bounds)
        self._fit_X, self._fit_mass = X, np.zeros((len(X), self.n_components), dtype=X.dtype)
        self._fit_mass[used] = best.mass
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags

    def _estimate_log_prob(self, X, **_):
        # scikit-learn 1.9 loses the digits that an offset takes, and of whole numbers all but the whole ones.
        X = X if X.dtype.kind == "f" else X.astype(np.float64)
        return log_gaussians(X, fitted_mixture(self))

    @property
    def leave_one_out_is_exact(self):
        """Whether :meth:`leave_one_out_score_samples` equals refits: with one component, of which EM was run."""
        return self.n_components == 1 and self.max_iter > 0

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture and return the most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored; here for scikit-learn's conventions.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Component of each row.
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def leave_one_out_score_samples(self):
        r"""Log-density of each training row under the mixture without that row, by a one-step update.

        In nats per row; higher is better; the zero is that of `score_samples`, its value for rows of weight zero.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In the order of the rows given to `fit`. With its weight a row leaves whole, however many it stands for.

        Raises
        ------
        NotFittedError
            If the mixture is not fitted.

        Notes
        -----
        Responsibilities stay as in the last M-step, the row's share leaves the sufficient statistics of every
        component, and the row is scored with the M-step's parameters without it, `reg_covar` included:

        .. math:: N' = N - a, \quad x - \mu' = \frac{N}{N'} (x - \mu), \quad
                  \Sigma' = \frac{1}{N'} \Big(S - \frac{a N}{N'} (x - \mu)(x - \mu)^T\Big) + \text{reg} I,

        by the matrix determinant lemma and the Sherman-Morrison formula. With one component this is the refit
        itself; with more it is its first EM step, and the steps it leaves out matter where components overlap.
        A component that lives on the row alone (keeps less than 1.5e-8 of its mass) is dropped.
        """
        check_is_fitted(self)
        fitted = fitted_mixture(self)
        return leave_one_out_log_density(self._fit_X, self._fit_mass, fitted, self.reg_covar)

    @available_if(starts_warm)
    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        """Log-density of each row of `X_eval` under one mixture for each row of `train_mask`.

        In nats per row; higher is better; the zero is that of `score_samples`.

        A clone of the mixture is fitted once to all of `X`. From there EM goes on with the rows of each fit alone
        until `tol` or `max_iter`; a component whose rows are all held out is dropped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to train on.
        train_mask : ndarray of shape (n_fits, n_samples), dtype bool
            Fit k is trained on sample i.
        X_eval : array-like of shape (n_points, n_features), default=None
            Rows to score; None means `X`.

        Returns
        -------
        scores : ndarray of shape (n_fits, n_points)
            Log-densities.

        Raises
        ------
        ValueError
            If `train_mask` does not fit `X`, or a fit has fewer rows than two or than `n_components`.

        Notes
        -----
        All fits share one start, so they differ by their rows and not by a lucky start. The price: an optimum
        found with the held-out rows may be one that needs them, and a large `tol` stops before they are forgotten.
        ``cross_fit_start="cold"`` pays for independent fits. With one component both are equal.
        """
        full = clone(self)
        X = validate_data(full, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        train_mask = check_train_mask(train_mask, len(X))
        X_eval = X if X_eval is None else validate_data(full, X_eval, dtype=X.dtype, reset=False)
        for k, n_rows in enumerate(train_mask.sum(axis=1)):
            check_n_rows(n_rows, self.n_components, f"fit {k} of train_mask")
        map_blocks(full.fit, [X])  # one block: BLAS has one thread here too, whatever their number
        shared = fitted_mixture(full), Options.of(self), Squares.of(X, self.covariance_type)
        score = partial(warm_scores, X, X_eval, *shared)
        scores, converged = zip(*map_blocks(score, train_mask), strict=True)
        if not all(converged):
            warn_not_converged(f"{converged.count(False)} of {len(converged)} fits")
        return np.stack(scores)
