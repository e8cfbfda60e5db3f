"""What one fit already says of memorization: proxies that rank rows, at the price of no refit."""

import numpy as np
from scipy.stats import rankdata

from skmem._math import difference
from skmem._sklearn import HasMethods, num_samples, validate_params
from skmem.cross_fitting._responses import check_scores
from skmem.cross_fitting._stages import score_stages


@validate_params(
    {
        "estimator": [HasMethods(["score_samples"])],
        "X": ["array-like"],
        "self_influence": [None, dict, HasMethods(["self_influence"]), "array-like"],
    },
    prefer_skip_nested_validation=True,
)
def memorization_proxies(estimator, X, *, self_influence=None):
    r"""Scores of one fitted density that rank its training rows roughly as memorization does.

    In nats, but for `learning_epoch`; higher = more memorized, and the zero means nothing: they are for ranks.

    Parameters
    ----------
    estimator : estimator object
        A fitted density.
    X : {array-like, dataframe} of shape (n_samples, n_features)
        The rows it was fitted to.
    self_influence : object, array-like of shape (n_samples,) or dict, default=None
        Influence of each row on itself: a fitted object with a method `self_influence`, such as
        :class:`skmem.influence.InfluenceFunction` or :class:`skmem.influence.TracIn`, or what it returned; or a dict
        of several by name.

    Returns
    -------
    proxies : dict of str to ndarray of shape (n_samples,)
        Those that the estimator offers; see Notes.

    Raises
    ------
    TypeError
        If the estimator has no `score_samples`.
    ValueError
        If a proxy is not one number for each row, or is nan.

    See Also
    --------
    compare_proxies : How well they rank, beside the best that could be seen.
    combine_ranks : One ranking of several.
    skmem.MemorizationScorer : ``method="proxy"`` brings a proxy to nats by a few fits.

    Notes
    -----
    - `negative_log_density`, of any density: -log p(x_i).
    - `negative_elbo`, with a method `elbo`: minus that lower bound.
    - `accumulated_loss`, with at least two stages (`staged_score_samples`), such as a VAE with `checkpoint_epochs`:
      the mean of -log p(x_i) over stages, or of minus the bounds that `staged_elbo` yields, which cost less and rank
      rows about as well. Each stage costs as much as scoring all rows once; a few are enough.
    - `learning_epoch`, with stages: the first from which on log p(x_i), or its bound, is at least the median over all
      rows and stages, in the unit of `stages_`; inf where there is none. The counterpart of the epoch from which on a
      classifier has the row's label right (Baldock, Maennel and Neyshabur 2021).
    - `leave_one_out`, with `leave_one_out_score_samples`: log p(x_i) minus what it is without the row. It is the
      memorization of a fit without noise where that is exact, and one step of EM of a mixture.
    - `self_influence`, or the names in the dict. With ``InfluenceFunction(net, solver="identity")`` it is, up to a
      factor, what taking back one gradient step on the row does to it; with "ekfac" one Newton step.

    None is memorization: a row may be unlikely because the model has not learned it with or without the row itself.
    For classifiers the accumulated loss was found to agree with it well (Ravikumar et al. 2025).

    References
    ----------
    Baldock, Maennel and Neyshabur, "Deep Learning Through the Lens of Example Difficulty", NeurIPS 2021.
    Ravikumar et al., "Towards Memorization Estimation: Fast, Formal and Free", ICML 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.density import GaussianMixture
    >>> from skmem.memorization import memorization_proxies
    >>> X = load_iris().data
    >>> proxies = memorization_proxies(GaussianMixture(2, random_state=0).fit(X), X)
    >>> {name: values[[106, 0]].round(2).tolist() for name, values in proxies.items()}
    {'negative_log_density': [4.58, -1.57], 'leave_one_out': [0.48, 0.06]}
    """
    name, n_samples = type(estimator).__name__, num_samples(X)
    log_density = _checked(estimator.score_samples(X), n_samples, f"score_samples of {name}")
    proxies = {"negative_log_density": -log_density}
    if hasattr(estimator, "elbo"):
        proxies["negative_elbo"] = -_checked(estimator.elbo(X), n_samples, f"elbo of {name}")
    staged = "staged_elbo" if hasattr(estimator, "staged_elbo") else "staged_score_samples"
    proxies |= _staged(score_stages(estimator, X, "score_samples", name, staged))
    if hasattr(estimator, "leave_one_out_score_samples"):
        proxies["leave_one_out"] = difference(log_density, _left_out(estimator, n_samples))
    if not isinstance(self_influence, dict):
        self_influence = {} if self_influence is None else {"self_influence": self_influence}
    for key, given in self_influence.items():
        values = given.self_influence() if hasattr(given, "self_influence") else given
        proxies[key] = check_proxy(values, n_samples, key)
    return proxies


def combine_ranks(*proxies):
    """Mean rank of each row over several proxies.

    Without unit, from 0 to 1; higher = more memorized.

    Parameters
    ----------
    *proxies : array-like of shape (n_samples,)
        Scores of the same rows, each the higher the more memorized, of one fit or of several;
        ``*memorization_proxies(...).values()`` are all that one fit offers.

    Returns
    -------
    ranks : ndarray of shape (n_samples,)
        Mean over proxies of (rank - 1/2) / n_samples, equal values sharing their mean rank.

    Raises
    ------
    ValueError
        If there is no proxy, one has another number of rows, or one is nan.

    Examples
    --------
    >>> from skmem.memorization import combine_ranks
    >>> combine_ranks([0.1, 7.0, 2.0, 3.0], [5, 9, 6, 8])
    array([0.125, 0.875, 0.375, 0.625])
    """
    if not proxies:
        raise ValueError("proxies must be at least one array, got none.")
    n_samples = num_samples(proxies[0])
    checked = [check_proxy(values, n_samples, f"proxy {k}") for k, values in enumerate(proxies)]
    return np.mean([(rankdata(values) - 0.5) / n_samples for values in checked], axis=0)


def default_proxy(fitted, X):
    """The proxy (n_samples,) of a density that `method="proxy"` takes: the nearest to refits that it offers."""
    offered = memorization_proxies(fitted, X)
    order = ("leave_one_out", "accumulated_loss", "negative_elbo", "negative_log_density")
    return next(offered[name] for name in order if name in offered)


def check_proxy(values, n_samples, source):
    """`values` as a float64 array (n_samples,) without nan; `source` names them in errors."""
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (n_samples,):
        raise ValueError(f"{source} must have shape {(n_samples,)}, got {values.shape}.")
    if np.isnan(values).any():
        raise ValueError(
            f"{source} must not be nan, got {np.isnan(values).sum()} values that are."
        )
    return values


def _left_out(estimator, n_samples):
    """Log-density of each training row without itself; that there are as many as rows is all that can be checked."""
    without = np.asarray(estimator.leave_one_out_score_samples(), dtype=np.float64)
    if without.shape != (n_samples,):
        raise ValueError(
            f"X must be the {len(without)} rows that {type(estimator).__name__} was fitted to, got {n_samples} rows."
        )
    return without


def _checked(log_density, n_samples, source):
    return check_scores(log_density, (n_samples,), source)


def _staged(path):
    """Proxies from the log-densities, or bounds, at each stage, {stage: (n_samples,)}; none of a single stage."""
    if len(path) < 2:
        return {}
    log_densities = np.stack(list(path.values()))
    return {
        "accumulated_loss": -log_densities.mean(axis=0),
        "learning_epoch": _learning_epoch(np.asarray(list(path), dtype=float), log_densities),
    }


def _learning_epoch(stages, log_densities):
    """First stage from which on each row's log-density (n_stages, n_samples) is at least the median of all."""
    is_learned = log_densities >= np.median(log_densities)
    stays = np.logical_and.accumulate(is_learned[::-1])[::-1]
    return np.where(stays[-1], stages[np.argmax(stays, axis=0)], np.inf)
