"""A search that knows of every candidate how well it generalises and how much it memorizes."""

import time
from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils.validation import validate_data

from skmem._random import child_seeds, set_random_state
from skmem._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    num_samples,
)
from skmem.cross_fitting._fits import FitOptions
from skmem.cross_fitting._responses import resolve_response
from skmem.cross_fitting._warn import warn_of_useless_memory
from skmem.memorization._queries import given
from skmem.memorization._routing import RoutedFit
from skmem.model_selection._queries import BestEstimatorQueries
from skmem.model_selection._refit_rules import RULES, best_score, chosen
from skmem.model_selection._results import report_failures, tabulate, warn_of_spaces
from skmem.model_selection._rounds import DEFAULT_REPEATS, try_all
from skmem.model_selection._scoring import LOG_DENSITY, HeldOutScorer, find_scorers, goes_by


class MemorizationSearchCV(RoutedFit, BestEstimatorQueries, MetaEstimatorMixin, BaseEstimator):
    """Search over parameters by held-out log-likelihood and memorization, both from the same fits.

    In nats: a higher held-out log-likelihood is better; positive memorization = training rows raise their own
    likelihood, 0 = no effect.

    Parameters
    ----------
    estimator : estimator object
        A density with `score_samples`, a classifier with `predict_proba`, a regressor, or a Pipeline around one.
    param_grid : dict or list of dicts
        Names of parameters with lists of values, as for GridSearchCV; with ``search="random"`` also distributions.
    search : {"grid", "random", "halving"}, default="grid"
        All candidates of the grid; `n_iter` random ones; or all on few rows first, of which the likeliest go on to
        more rows, as in HalvingGridSearchCV.
    n_iter : int, default=10
        Number of candidates of a random search.
    factor : int, default=3
        For "halving": one candidate in `factor` goes on, to `factor` times as many rows.
    cv : int, splitter or iterable of (train, test) indices, default=5
        An int is shuffled K-fold, repeated; a splitter is used as it stands. Rows that a fit was not trained on are
        its held-out rows.
    n_repeats : int, default=5
        Repeats of the K-fold of an int `cv`. With a splitter it must be 1 or left alone.
    scoring : str, callable, list, tuple or dict, default=None
        Scorers of scikit-learn for the held-out rows of each fit, as for GridSearchCV, beside their log-density.
        There is no closed form with them: estimators are refitted.
    refit : bool, str or callable, default=True
        Rule by which the candidate is chosen that is fitted on all rows. "log-density" takes the highest held-out
        log-likelihood, the name of a scorer its highest mean; True is the only scorer, or else "log-density".
        "one-standard-error" takes the least memorizing one within a standard error of the highest log-likelihood,
        "pareto-knee" the one where the front of the two bends. A callable goes from `cv_results_` to an index: see
        :func:`memorization_below`. False fits none.
    threshold : float, default=None
        Score above which a row counts in `n_memorized`; None is log(10) nats, and 0.25 for probabilities.
    reduction : {"matched", "pooled", "mean"}, default="matched"
        How fits are averaged; see :func:`skmem.memorization.memorization_score`.
    response : {"auto", "score_samples", "predict_proba", "predict"}, default="auto"
        What rows are scored by, as in :func:`skmem.cross_fit`. With "predict_proba" log-densities are
        log-probabilities of the true label, and memorization is in probability.
    error_score : "raise" or nan, default=nan
        What becomes of a candidate if a fit fails: raise, or go on with a FitFailedWarning and nan for its scores.
    memory : str, path, joblib.Memory or None, default=None
        Cache of finished fits, from which a run that was stopped resumes; it needs a fixed `random_state`.
    n_jobs : int or None, default=None
        Number of fits at once, as in joblib. Results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, the fits and the draws of candidates. All candidates have the same folds and seeds.
    progress : bool, default=False
        Whether to count finished fits on stderr.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A line for each candidate, as of GridSearchCV, ready for a data frame: ``params``, ``param_NAME``,
        ``mean_fit_time`` (with scoring), ``splitK_test_log_density``, ``mean_``, ``std_`` and
        ``rank_test_log_density``; ``memorization_q95``, ``memorization_q999``, ``memorization_max`` and
        ``n_memorized`` with their ``rank_``, 1 being the lowest. Each with its standard error:
        ``standard_error_test_log_density`` over rows, ``standard_error_memorization_q95`` and so on by jackknife
        over repeats, nan with one repeat. ``on_pareto_front`` as of :func:`pareto_front`. For "halving" also
        ``iter`` and ``n_resources``; with `scoring` ``splitK_test_NAME``, ``mean_``, ``std_`` and
        ``rank_test_NAME``, NAME being "score" for one scorer.
    memorization_ : ndarray of shape (n_candidates, n_samples)
        Memorization of each row by each candidate; nan where it was not tried on the row.
    log_density_out_ : ndarray of shape (n_candidates, n_samples)
        Mean log-density of each row over the fits without it; nan where it was not tried on the row.
    best_index_, best_params_, best_score_ : int, dict and float
        The chosen candidate, its parameters and its ``mean_test_log_density``, or the mean of the score that `refit`
        goes by.
    best_estimator_ : estimator object
        The chosen candidate fitted on all rows; not there with ``refit=False``.
    scorer_ : callable, dict of str to callable or None
        The scorers, one alone or by name.
    multimetric_ : bool
        Whether scorers go by names, as they do unless there is one or none.
    refit_time_ : float
        Seconds for that fit.
    n_splits_ : int
        Number of fits of a candidate.
    n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
        Number of features seen in `fit`, and their names where X has names that are all strings.

    See Also
    --------
    skmem.MemorizationScorer : The same for one candidate, with p-values and a noise floor.
    make_memorization_scorer : Memorization as `scoring` of scikit-learn's own searches.

    Notes
    -----
    There are as many fits as GridSearchCV makes with the same splits; each scores the rows it was trained on too,
    and all candidates of a density with a closed form are cross-fitted in one pass each over the distances.

    Likelihoods compare in one space only: search over a scaler inside a TransformedDensity, not a Pipeline.

    Exact copies of a row in other folds hide its memorization and raise its held-out likelihood, so that a search
    prefers candidates that memorize: drop them first, or keep them together by a splitter with `groups`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skmem.density import KernelDensity
    >>> from skmem.model_selection import MemorizationSearchCV, memorization_below
    >>> search = MemorizationSearchCV(
    ...     KernelDensity(),
    ...     {"bandwidth": [0.1, 0.2, 0.4, 0.8]},
    ...     refit=memorization_below(1.0),
    ...     random_state=0,
    ... )
    >>> search.fit(load_iris().data).best_params_
    {'bandwidth': 0.4}
    >>> search.cv_results_["mean_test_log_density"].round(2)
    array([-3.21, -1.9 , -2.72, -4.34])
    >>> search.cv_results_["memorization_q95"].round(2)
    array([10.98,  2.38,  0.48,  0.11])
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "get_params"])],
        "param_grid": [dict, list],
        "search": [StrOptions({"grid", "random", "halving"})],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "factor": [Interval(Integral, 2, None, closed="left")],
        "cv": [Integral, HasMethods(["split"]), "cv_object"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "scoring": [None, str, callable, list, tuple, dict],
        "refit": ["boolean", str, callable],
        "threshold": [None, Interval(Real, 0, None, closed="left")],
        "reduction": [StrOptions({"matched", "pooled", "mean"})],
        "response": [StrOptions({"auto", "score_samples", "predict_proba", "predict"})],
        "error_score": [StrOptions({"raise"}), "nan"],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "progress": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        search="grid",
        n_iter=10,
        factor=3,
        cv=5,
        n_repeats=DEFAULT_REPEATS,
        scoring=None,
        refit=True,
        threshold=None,
        reduction="matched",
        response="auto",
        error_score=np.nan,
        memory=None,
        n_jobs=None,
        random_state=None,
        progress=False,
    ):
        self.estimator = estimator
        self.param_grid = param_grid
        self.search = search
        self.n_iter = n_iter
        self.factor = factor
        self.cv = cv
        self.n_repeats = n_repeats
        self.scoring = scoring
        self.refit = refit
        self.threshold = threshold
        self.reduction = reduction
        self.response = response
        self.error_score = error_score
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.progress = progress

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, groups=None, **params):
        """Try all candidates, choose one, and fit it on all rows.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Targets, for estimators that take them.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, for splitters that keep them together.
        **params : dict
            As for MemorizationScorer: further parameters of the estimator's `fit`. Scores are not weighted.

        Returns
        -------
        self : object
            The search.

        Raises
        ------
        ValueError
            If a parameter is out of range or unknown, or a row is in all fits or in none.
        TypeError
            If the estimator cannot score rows.
        Exception
            What a fit of the first candidate raised, if fits failed for all.

        Warns
        -----
        FitFailedWarning
            If a fit of a candidate failed and `error_score` is nan.
        UserWarning
            If a scorer failed and `error_score` is nan, or candidates differ before the density of a Pipeline.
        """
        response = resolve_response(self.estimator, y, self.response)
        seen = BaseEstimator()
        validate_data(seen, X, skip_check_array=True)
        warn_of_useless_memory(self.memory, self.random_state)
        params = self._routed(params)
        scorers = find_scorers(self.estimator, self.scoring)
        metric = goes_by(self.refit, self.scoring, scorers, RULES)
        scorer = HeldOutScorer(scorers, self.error_score) if scorers else None
        running = self.memory, self.n_jobs, self.progress
        options = FitOptions(None, response, *running, params, scorer=scorer)
        seeds, data = child_seeds(self.random_state, 6), (X, y, groups)
        tried, rounds = try_all(self, data, options, metric, seeds[1:])
        report_failures([e for _, e in tried])
        warn_of_spaces(self.estimator, [e.params for _, e in tried], response)
        self._keep(tried, rounds, num_samples(X), seen)
        self.scorer_ = scorers.get("score", scorers or None)
        if self.refit is not False:
            self._metric = metric
            self._choose(tried, X, y, params, seeds[0])
        return self

    def _keep(self, tried, rounds, n_samples, seen):
        """Replace the results of an earlier fit."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        vars(self).update(vars(seen))
        evaluations = [evaluation for _, evaluation in tried]
        self.cv_results_ = tabulate(evaluations, rounds if self.search == "halving" else None)
        self.memorization_ = np.full((len(tried), n_samples), np.nan)
        self.log_density_out_ = np.full_like(self.memorization_, np.nan)
        for i, (trial, evaluation) in enumerate(tried):
            self.memorization_[i, trial.rows] = evaluation.memorization
            self.log_density_out_[i, trial.rows] = evaluation.row_log_density
        self.n_splits_ = len(tried[0][0].train_mask)
        names = {name for evaluation in evaluations for name in evaluation.split_scores}
        self.multimetric_ = not names <= {LOG_DENSITY, "score"}

    def _choose(self, tried, X, y, params, seed):
        """Choose among the candidates of the last round, and fit on all rows."""
        best = best_score(self._metric)
        rule = self.refit if callable(self.refit) else RULES.get(self.refit, best)
        last = np.flatnonzero([trial is tried[-1][0] for trial, _ in tried])
        table = {name: [column[i] for i in last] for name, column in self.cv_results_.items()}
        self.best_index_ = int(last[chosen(rule, table, len(last))])
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_[f"mean_test_{self._metric}"][self.best_index_])
        start = time.perf_counter()
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        self.best_estimator_ = set_random_state(best, seed).fit(X, *given(y), **params)
        self.refit_time_ = time.perf_counter() - start
