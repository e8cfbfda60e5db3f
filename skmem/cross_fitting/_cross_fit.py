"""The two arrays that everything about refitting is a function of."""

from dataclasses import dataclass, fields, replace
from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skmem._random import child_seeds, set_random_state
from skmem._sklearn import HasMethods, StrOptions, num_samples, validate_params
from skmem.cross_fitting._defects import warn_of_defects
from skmem.cross_fitting._fits import FitOptions, make_job, run_fits
from skmem.cross_fitting._responses import RESPONSES, check_scores, resolve_response
from skmem.cross_fitting._splits import train_masks
from skmem.cross_fitting._warn import warn_of_useless_memory

_DTYPES = {
    "train_mask": np.bool_,
    "scores": np.float64,
    "stages": None,
    "staged_scores": np.float64,
}


@dataclass(frozen=True, eq=False, repr=False)
class CrossFit:
    """Which rows each fit was trained on, and how each fit scores every point.

    Log-densities in nats, higher is likelier, the zero that of the estimator's `score_samples`;
    or what else `response` says.

    Parameters
    ----------
    train_mask : ndarray of shape (n_fits, n_samples), dtype bool
        True where the fit was trained on the sample.
    scores : ndarray of shape (n_fits, n_points), dtype float64
        Score of each point by each fit. The points are the samples, unless `cross_fit` was given
        `X_eval`. Finite, or -inf.
    response : {"score_samples", "predict_proba", "predict", "neg_squared_error"}
        What the scores are; see `cross_fit`.
    method : {"closed-form", "refit"}
        Whether the estimator filled in all scores at once, or was refitted, alone or in groups.
    stages : ndarray of shape (n_stages,), default=None
        Stages of the fits, such as epochs, in order; None if there are fewer than two.
    staged_scores : ndarray of shape (n_stages, n_fits, n_points), dtype float64, default=None
        Log-density of each point by each fit as it was at each stage; None without stages. A fit
        that ended before a stage is there with its final `scores`.
    held_out_scores : dict of str to ndarray of shape (n_fits,), default=None
        Further scores of the rows held out of each fit, by the names of scikit-learn's scorers
        that a search was given; None without.

    Raises
    ------
    ValueError
        If the arrays are not 2-d or differ in their number of fits, or `staged_scores` is not of
        one array like `scores` for each stage.

    Notes
    -----
    All arrays are read-only.
    """

    train_mask: np.ndarray
    scores: np.ndarray
    response: str
    method: str
    stages: np.ndarray | None = None
    staged_scores: np.ndarray | None = None
    held_out_scores: dict | None = None

    def __post_init__(self):
        for name, dtype in _DTYPES.items():
            if getattr(self, name) is not None:
                array = np.asarray(getattr(self, name), dtype=dtype).view()
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        shapes = self.train_mask.shape, self.scores.shape
        if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
            raise ValueError(
                "train_mask and scores must be 2-d, with one row for each fit, "
                f"got shapes {shapes[0]} and {shapes[1]}."
            )
        expected = None if self.stages is None else (len(self.stages), *shapes[1])
        shape = None if self.staged_scores is None else self.staged_scores.shape
        if shape != expected:
            raise ValueError(
                "staged_scores must have the shape of stages followed by that of scores, "
                f"{expected}, got {shape}."
            )

    def __reduce__(self):
        # Through the constructor, since pickled arrays come back writable.
        return CrossFit, tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self):
        staged = "" if self.stages is None else f", staged_scores={self.staged_scores.shape}"
        return (
            f"CrossFit(train_mask={self.train_mask.shape}, scores={self.scores.shape}, "
            f"response={self.response!r}, method={self.method!r}{staged})"
        )

    @property
    def n_fits(self):
        """Number of fits."""
        return len(self.train_mask)


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"])],
        "response": [StrOptions({"auto", *RESPONSES})],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "progress": ["boolean"],
        "params": [dict, None],
    },
    prefer_skip_nested_validation=False,
)
def cross_fit(
    estimator,
    X,
    y=None,
    *,
    cv,
    X_eval=None,
    groups=None,
    response="auto",
    memory=None,
    n_jobs=None,
    random_state=None,
    progress=False,
    params=None,
):
    """Fit an estimator on many training sets and score every row by every fit.

    Log-densities in nats, higher is likelier, the zero that of the estimator's `score_samples`;
    or probabilities, from 0 to 1, or minus squared errors, of which 0 is the best.

    Parameters
    ----------
    estimator : estimator object
        A density with a method `score_samples`, a classifier with `predict_proba`, or a regressor.
        A Pipeline or a search around one will do. It is cloned, and left as it is. If it has a method
        ``cross_fit_score_samples(X, train_mask, X_eval=None)``, that fills in the log-densities
        of all fits without refitting; if it has `cross_fit_groups` and `cross_fit_estimators`,
        those make its fits together, see Notes. Where it is refitted and has a method
        ``staged_score_samples(X)`` that yields more than once, every stage is scored too.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Samples. The estimator checks them: a Pipeline may impute missing values.
    y : array-like of shape (n_samples,), default=None
        Targets, given to `fit` if not None.
    cv : int, splitter or iterable of (train, test) indices
        Training sets. An int is shuffled K-fold, stratified by `y` for `predict_proba`, that keeps
        `groups` whole. A splitter, such as LeaveOneOut, GroupKFold or SubsetSplit, is used as it
        stands.
    X_eval : {array-like, sparse matrix, dataframe} of shape (n_points, n_features), default=None
        Points to score; `X` if None. Only for `score_samples`.
    groups : array-like of shape (n_samples,), default=None
        Groups of the samples, each to be held out as a whole.
    response : {"auto", "score_samples", "predict_proba", "predict", "neg_squared_error"}, default="auto"
        What to score rows by: their log-density; the probability of the true label in `y`, zero
        in a fit that has not seen the label; for regressors the log-likelihood of the residual,
        in nats, or minus the squared error. "auto" is the first that the estimator has.
    memory : str, path, joblib.Memory or None, default=None
        Cache of finished fits, from which a run that was stopped resumes. It needs a fixed
        `random_state`. It heeds data, parameters and the versions of scikit-learn and skmem, but
        not the source code of the estimator. Not used where nothing is refitted. Fits made
        together are kept together: what is lost is at most a group.
    n_jobs : int or None, default=None
        Number of fits at once, as in joblib. Every fit runs on one thread, so results do not
        depend on `n_jobs`; use -1 for all cores.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds of an int `cv` and of the fits. Each fit overrides every `random_state`
        of the estimator, however deep, with a seed of its own, as BaggingClassifier does.
    progress : bool, default=False
        Whether to count finished fits on stderr, in a bar if rich is installed.
    params : dict, default=None
        Further parameters of the estimator's `fit`, such as `sample_weight`. Of those with an
        entry for each sample a fit gets the entries of its training rows. No closed form takes
        them: estimators are refitted.

    Returns
    -------
    CrossFit
        Frozen, with `train_mask` (n_fits, n_samples), `scores` (n_fits, n_points), `response` and
        `method`; where fits have stages also `stages` (n_stages,) and `staged_scores`
        (n_stages, n_fits, n_points).

    Raises
    ------
    TypeError
        If the estimator lacks the method for `response`, or `y` is needed and missing.
    ValueError
        If an argument is out of range, a score is nan or +inf, or fits go through different
        stages. What the estimator itself raises arrives with a note that names the fit.

    Warns
    -----
    UserWarning
        If scikit-learn's KernelDensity is wrong on rows held out of the first fit, with the size
        of the error; if `memory` is given without a `random_state`.

    Notes
    -----
    ``scores[k, j]`` is log p(x_j | fit k), and the ``n_fits`` seeds are drawn before the fits: the
    result is bit-equal for any `n_jobs` and joblib backend.

    "predict" takes a regressor f for the normal density of the target around its prediction,
    ``log p(y | x, fit) = -1/2 log(2 pi s^2) - (y - f(x))^2 / (2 s^2)``, s being what
    ``predict(x, return_std=True)`` gives, as of GaussianProcessRegressor or BayesianRidge, or else
    s^2 the fit's mean squared residual over its training rows, as maximum likelihood has it (Hastie,
    Tibshirani & Friedman, *The Elements of Statistical Learning*, section 2.6.3). One that
    nearly interpolates has an s far too small for other rows, and "neg_squared_error" needs none.

    An estimator for which many fits at once are cheaper than one after another, as a small VAE,
    has ``cross_fit_groups(X, train_mask)``, which gives the numbers of the fits to make together
    as a list of integer arrays, and ``cross_fit_estimators(X, train_mask, seeds)``, which returns
    fitted clones, one for each row of a mask. It is called for groups of more than one fit, which
    are the jobs of `n_jobs`. They must be what `fit` would have given, but for rounding, and groups
    must not depend on `n_jobs`. `y` is not passed. A Pipeline does not pass the methods on: it is
    refitted.

    Stages, such as the epochs of a VAE with `checkpoint_epochs`, are called as the estimator's
    `stages_` calls them, or by their positions. They cost no further fit, but
    8 n_stages n_fits n_points bytes, twice while they are put together, and as much in `memory`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.mixture import GaussianMixture
    >>> from skmem.cross_fitting import cross_fit
    >>> X = load_iris().data
    >>> fits = cross_fit(GaussianMixture(2), X, cv=5, random_state=0)
    >>> fits
    CrossFit(train_mask=(5, 150), scores=(5, 150), response='score_samples', method='refit')
    >>> print(f"{fits.scores[~fits.train_mask].mean():.2f} nats a row held out")
    -1.67 nats a row held out
    """
    warn_of_useless_memory(memory, random_state)
    response = resolve_response(estimator, y, response)
    rng = check_random_state(random_state)
    stratify = response == "predict_proba"
    train_mask = train_masks(cv, X, y, groups, stratify=stratify, random_state=rng)
    seeds = child_seeds(rng, len(train_mask))
    options = FitOptions(X_eval, response, memory, n_jobs, progress, params)
    return fill_scores(estimator, X, y, train_mask, seeds, options=options)


def fill_scores(estimator, X, y, train_mask, seeds, *, options, first=0):
    """Return the CrossFit of an estimator for given masks (n_fits, n_samples) and seeds (n_fits,).

    Scores in the unit of the response: nats, or a probability.

    The seeds are drawn by `child_seeds` before; a closed form is computed with the first of them. The fits before
    the one numbered `first` are taken as done: they are not in the CrossFit.
    """
    response = resolve_response(estimator, y, options.response)
    closed = response == "score_samples" and _has_closed_form(estimator)
    if closed and not options.params and options.scorer is None:
        model = set_random_state(clone(estimator), seeds[0])
        train_mask = train_mask[first:]
        scores = model.cross_fit_score_samples(X, train_mask, X_eval=options.X_eval)
        n_points = num_samples(X if options.X_eval is None else options.X_eval)
        source = f"cross_fit_score_samples of {type(estimator).__name__}"
        scores = check_scores(scores, (len(train_mask), n_points), source)
        return CrossFit(train_mask, scores, response, "closed-form")
    job = make_job(estimator, X, y, options.X_eval, response, options.y_eval, options.params)
    job = replace(job, staged=options.staged, scorer=options.scorer)
    if first == 0:
        warn_of_defects(job, train_mask, seeds)
    running = {"memory": options.memory, "n_jobs": options.n_jobs, "progress": options.progress}
    found = run_fits(job, train_mask, seeds, **running, first=first)
    return CrossFit(train_mask[first:], found[0], response, "refit", *found[1:])


def _has_closed_form(estimator):
    """Whether it fills in scores without fits; where it makes its fits in groups there are fits to run and keep."""
    return hasattr(estimator, "cross_fit_score_samples") and not hasattr(
        estimator, "cross_fit_groups"
    )
