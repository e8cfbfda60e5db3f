"""The meta-estimator: how much does each training row raise its own likelihood?"""

from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from skmem._random import child_seeds, set_random_state
from skmem._sklearn import HasMethods, Interval, StrOptions, fit_context
from skmem.cross_fitting._fits import FitOptions
from skmem.cross_fitting._responses import RESPONSES, resolve_response
from skmem.cross_fitting._warn import warn_of_useless_memory
from skmem.density import KernelDensity
from skmem.memorization._calibration import by_proxy, calibration_design
from skmem.memorization._estimates import (
    DEFAULT_REPEATS,
    EXTRA_ATTRIBUTES,
    Design,
    cross_fitted,
    default_density,
    with_row_scores,
)
from skmem.memorization._influence import InfluenceQuery, Training
from skmem.memorization._leave_one_out import leave_one_out, leaves_one_out
from skmem.memorization._queries import RefittedQueries, ScoreQueries, given
from skmem.memorization._routing import RoutedFit


class MemorizationScorer(
    RoutedFit, ScoreQueries, InfluenceQuery, RefittedQueries, MetaEstimatorMixin, BaseEstimator
):
    """Memorization of every training row by a density, or any estimator that scores rows.

    In nats, for labels and squared errors in their unit; positive = the training row raises its own score (it is
    memorized), 0 = no effect.

    Parameters
    ----------
    estimator : estimator object, default=None
        What memorizes: a density with `score_samples`, a classifier with `predict_proba`, a regressor, or a Pipeline
        or search around one. A Pipeline that ends in a density is scored in the space of that step, which moves from
        fit to fit: to scale rows take a :class:`~skmem.density.TransformedDensity`. None is a KernelDensity with the
        bandwidth of the highest leave-one-out likelihood of X, the same in all fits.
    cv : int, splitter or iterable of (train, test) indices, default=10
        For cross-fitting: an int is shuffled K-fold, repeated; a splitter is used as it stands, with its own seed.
    n_repeats : int, default=10
        Repeats of the K-fold of an int `cv`, for "cross-fit". With a splitter it must be 1 or left alone.
    method : {"auto", "cross-fit", "leave-one-out", "proxy"}, default="auto"
        "leave-one-out" compares the fit on all rows with the one on all rows but one: in closed form where the
        estimator has `leave_one_out_score_samples`, by n_samples refits where not. In closed form the bandwidth of a
        KernelDensity stays the one found on all rows, and a mixture takes one step of EM. "cross-fit" averages over
        many fits with and without each row, which gives the noise too. "auto" takes leave-one-out where that has an
        exact closed form, and cross-fits otherwise or where `cv` is a splitter or `tol` is given. "proxy" ranks rows
        by one fit, and takes from one repeat of `cv` folds how many nats rows of that rank have on average.
    reduction : {"matched", "pooled", "mean"}, default="matched"
        How fits are averaged; see :func:`skmem.memorization.memorization_score`.
    response : {"auto", "score_samples", "predict_proba", "predict", "neg_squared_error"}, default="auto"
        What rows are scored by, as in :func:`skmem.cross_fit`: log-density (nats), probability of the true label,
        log-likelihood of a regressor's residual (nats), minus its square (squared units of `y`).
    memory : str, path, joblib.Memory or None, default=None
        Cache of finished fits, from which a run that was stopped resumes; it needs a fixed `random_state`.
    n_jobs : int or None, default=None
        Number of fits at once, as in joblib. Results do not depend on it.
    tol : float, default=None
        Stop adding repeats of an int `cv` when the standard error of each of the 5 % highest finite scores is at most
        `tol`, in their unit. At least 3 repeats are made, unless `n_repeats` is less, and at most `n_repeats`: then a
        ConvergenceWarning says how far off they are.
    refit : bool, default=True
        Whether to fit the estimator on all rows too, as `estimator_`, to which `score_samples`, `score`, `sample`,
        `predict` and `predict_proba` go. Leave-one-out and proxies always do.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and of every fit.
    progress : bool, default=False
        Whether to count finished fits on stderr.
    proxy : "auto" or callable, default="auto"
        For "proxy": a function of the fitted estimator and X whose values rank the rows, higher = more memorized, such
        as one made with :func:`~skmem.memorization.memorization_proxies`. "auto" is the first there is of
        `leave_one_out`, `accumulated_loss`, `negative_elbo` and `negative_log_density`; of a classifier or
        regressor, minus the score of the row.

    Attributes
    ----------
    memorization_ : ndarray of shape (n_samples,)
        Memorization score: `log_density_in_` minus `log_density_out_`. For "proxy" it is a mean over rows of about the
        same rank, which rises with `proxy_`, and `log_density_out_` is what follows from it.
    standard_error_ : ndarray of shape (n_samples,)
        Its standard error, by jackknife over repeats; nan where a score is infinite or there is one repeat only. For
        leave-one-out zero in exact closed form, and else nan: not known; nan for proxies. `memorization_score` says
        what it covers.
    p_values_ : ndarray of shape (n_samples,)
        Chance that fits without the row score it as low as they did, were it not memorized: by rank among the fits
        with it. nan for leave-one-out and proxies.
    noise_floor_ : dict of float to float
        Quantiles 0.95 and 0.999 over rows of the score under exchange of in and out. For leave-one-out like
        `standard_error_`.
    log_density_in_, log_density_out_ : ndarray of shape (n_samples,)
        Average log-density of the row, or what else it is scored by, over fits with it, and over fits without it.
    row_memorization_ : ndarray of shape (n_samples,)
        What `memorization_` would be if the other rows of the group stayed when the row goes; there only where
        `groups` are given and `cv` is an int.
    groups_ : ndarray of shape (n_samples,)
        The groups, there with `row_memorization_`.
    stages_ : ndarray of shape (n_stages,)
        Stages of the fits, such as epochs. These and the paths are there only where the estimator is refitted and
        has a method `staged_score_samples` that yields more than once, as a VAE with `checkpoint_epochs`.
    memorization_path_, log_density_in_path_, log_density_out_path_ : ndarray of shape (n_stages, n_samples)
        `memorization_`, `log_density_in_` and `log_density_out_` at each stage. Means over rows of the last two are
        the curves of training and of held-out rows.
    proxy_ : ndarray of shape (n_samples,)
        What "proxy" ranked the rows by, there only then.
    cross_fit_ : CrossFit or None
        The raw scores of all fits; None for closed-form leave-one-out. For "proxy" those it was calibrated by.
    estimator_ : estimator object
        The estimator fitted on all rows.
    method_ : {"leave-one-out", "closed-form", "refit", "proxy"}
        What was done.
    response_ : {"score_samples", "predict_proba", "predict", "neg_squared_error"}
        What rows were scored by.
    n_fits_ : int
        Number of fits that the scores rest on.
    n_repeats_ : int
        Number of repeats made: fewer than `n_repeats` where `tol` was reached.
    n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
        Number of features seen in `fit`, and their names where X has names that are all strings.

    See Also
    --------
    skmem.cross_fit : The fits alone.
    skmem.memorization.memorization_score : From the fits to the scores.
    skmem.memorization.compare_proxies : How well proxies rank rows.

    Notes
    -----
    The score of van den Burg & Williams, "On Memorization in Probabilistic Deep Generative Models", NeurIPS 2021,

        M_i = log p(x_i | all rows) - log p(x_i | all rows but i),

    each density averaged over the algorithm's randomness. It says how much the model depends on the row, not that
    the row can be read off the model, and a small score is no proof of privacy. Copies of a row lower one another's
    scores: look for duplicates first.

    For classifiers it is the score of Feldman & Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020, for
    regressors the same of the target y_i given x_i: by log p(y_i | x_i), or by the squared error, which is what a
    fit without the row has more of.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem import MemorizationScorer
    >>> scorer = MemorizationScorer(random_state=0).fit(load_iris().data)
    >>> scorer.method_
    'leave-one-out'
    >>> rows, nats = scorer.top(3)
    >>> rows, nats.round(2)
    (array([106,  41, 109]), array([8.02, 6.01, 5.83]))
    """

    _parameter_constraints = {
        "estimator": [None, HasMethods(["fit", "get_params"])],
        "cv": [Integral, HasMethods(["split"]), "cv_object"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "method": [StrOptions({"auto", "cross-fit", "leave-one-out", "proxy"})],
        "reduction": [StrOptions({"matched", "pooled", "mean"})],
        "response": [StrOptions({"auto", *RESPONSES})],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "n_jobs": [Integral, None],
        "tol": [None, Interval(Real, 0, np.inf, closed="both")],
        "refit": ["boolean"],
        "random_state": ["random_state"],
        "progress": ["boolean"],
        "proxy": [StrOptions({"auto"}), callable],
    }

    def __init__(
        self,
        estimator=None,
        *,
        cv=10,
        n_repeats=DEFAULT_REPEATS,
        method="auto",
        reduction="matched",
        response="auto",
        memory=None,
        n_jobs=None,
        tol=None,
        refit=True,
        random_state=None,
        progress=False,
        proxy="auto",
    ):
        self.estimator = estimator
        self.cv = cv
        self.n_repeats = n_repeats
        self.method = method
        self.reduction = reduction
        self.response = response
        self.memory = memory
        self.n_jobs = n_jobs
        self.tol = tol
        self.refit = refit
        self.random_state = random_state
        self.progress = progress
        self.proxy = proxy

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, groups=None, **params):
        """Score the memorization of every row of `X`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Targets, for estimators that take them.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, such as copies of one another, that leave and stay together: a score is then that of the
            row when its group goes. An int `cv` costs twice as many fits with them, for `row_memorization_`; for
            "proxy" it takes none.
        **params : dict
            Further parameters of the estimator's `fit`, such as `sample_weight`, or ``step__sample_weight`` for a
            Pipeline. Each fit gets the entries of its training rows; no cross-fit has a closed form then.

        Returns
        -------
        self : object
            The scorer.

        Raises
        ------
        ValueError
            If a parameter is out of range, a row is in all fits or in none, or `groups` are not one label for each
            row, of at least two kinds.
        TypeError
            If the estimator cannot score rows.
        """
        response = resolve_response(self._estimator(), y, self.response)
        seen = BaseEstimator()
        validate_data(seen, X, skip_check_array=True)
        params = self._routed(params)
        # A clone, so that influence makes the same fits again whatever becomes of the parameter.
        estimator = (
            default_density(X, **params) if self.estimator is None else clone(self.estimator)
        )
        warn_of_useless_memory(self.memory, self.random_state)
        seeds = child_seeds(self.random_state, 5)
        options = FitOptions(None, response, self.memory, self.n_jobs, self.progress, params)
        training = Training(estimator, X, y, response, self.reduction, seeds, params)
        return self._keep(*self._estimate(training, groups, options), training, seen)

    def _estimate(self, training, groups, options):
        """The Estimate, and the estimator fitted on all rows, or None."""
        estimator, X, y, seeds = training.estimator, training.X, training.y, training.seeds

        def fit_all():
            unfitted = set_random_state(clone(estimator), seeds[0])
            return unfitted.fit(X, *given(y), **training.params)

        if self.method == "proxy":
            design = calibration_design(self, groups, seeds[2:])
            fitted = fit_all()
            data = X, y, groups
            return by_proxy(estimator, fitted, data, self.proxy, design, options), fitted
        if leaves_one_out(self, estimator, training.response, groups):
            fitted = fit_all()
            score = partial(leave_one_out, estimator, fitted, X, y, options, seeds[1])
            return with_row_scores(score, groups), fitted
        design = Design(self.cv, self.n_repeats, self.reduction, self.tol, seeds[2:])
        score = partial(cross_fitted, estimator, X, y, design, options)
        estimate = with_row_scores(score, groups) if design.is_k_fold else score(groups)
        return estimate, fit_all() if self.refit else None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._estimator())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.target_tags.required = inner.target_tags.required
        tags.input_tags = deepcopy(inner.input_tags)
        return tags

    def _estimator(self):
        return KernelDensity() if self.estimator is None else self.estimator

    def _keep(self, estimate, fitted, training, seen):
        """Replace the results of an earlier fit, all at once: a fit that fails leaves them as they were."""
        for name in ("estimator_", "n_features_in_", "feature_names_in_", *EXTRA_ATTRIBUTES):
            vars(self).pop(name, None)
        vars(self).update(vars(seen))
        if fitted is not None:
            self.estimator_ = fitted
        self._training, self.response_ = training, training.response
        vars(self).update(estimate.attributes())
        return self
