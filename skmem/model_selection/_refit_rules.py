"""Which candidate to refit: functions of ``cv_results_`` that return an index, or a mask."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np

from skmem._sklearn import Interval, validate_params

_LOG_DENSITY = "mean_test_log_density"
_ERROR = "standard_error_test_log_density"


def best_log_density(cv_results):
    """Index of the candidate with the highest held-out log-likelihood.

    By ``mean_test_log_density``, in nats; candidates whose fits failed do not count.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_`` of a MemorizationSearchCV.

    Returns
    -------
    index : int
        Index of the candidate.

    Raises
    ------
    ValueError
        If the fits of all candidates failed.

    Examples
    --------
    >>> from skmem.model_selection import best_log_density
    >>> best_log_density({"mean_test_log_density": [-3.0, -2.0, -4.0]})
    1
    """
    return _argmax(_column(cv_results, _LOG_DENSITY))


def best_score(name):
    """Make the rule "the highest mean held-out score of this name"."""
    return partial(_best, column=f"mean_test_{name}")


def _best(cv_results, column):
    return _argmax(_column(cv_results, column))


def within_one_standard_error(cv_results, column="memorization_q95"):
    """Index of the least memorizing candidate within one standard error of the best.

    By `column`, in nats; ties go to the higher log-likelihood.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_`` of a MemorizationSearchCV.
    column : str, default="memorization_q95"
        What stands for memorization: less is better.

    Returns
    -------
    index : int
        Index of the candidate.

    Raises
    ------
    ValueError
        If the fits of all candidates failed, or there is no such column.

    Notes
    -----
    The one-standard-error rule of Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984,
    with memorization in the place of complexity. The standard error is that of the best candidate's mean over rows.

    Examples
    --------
    >>> from skmem.model_selection import within_one_standard_error
    >>> within_one_standard_error({
    ...     "mean_test_log_density": [-2.1, -2.0, -4.0],
    ...     "standard_error_test_log_density": [0.2, 0.2, 0.2],
    ...     "memorization_q95": [1.0, 5.0, 0.0],
    ... })
    0
    """
    best = best_log_density(cv_results)
    log_density = _column(cv_results, _LOG_DENSITY)
    error = np.nan_to_num(_column(cv_results, _ERROR)[best])
    return _least_memorizing(cv_results, column, log_density >= log_density[best] - error)


@validate_params(
    {"bound": [Interval(Real, None, None, closed="both")], "column": [str]},
    prefer_skip_nested_validation=True,
)
def memorization_below(bound, column="memorization_q95"):
    """Make the rule "the highest held-out log-likelihood among candidates that memorize less than `bound`".

    In nats, or in rows for "n_memorized". Where no candidate does, the rule warns and takes the one that memorizes
    least.

    Parameters
    ----------
    bound : float
        All that is allowed, in the unit of `column`.
    column : str, default="memorization_q95"
        What stands for memorization.

    Returns
    -------
    rule : callable
        From ``cv_results_`` to the index of a candidate, for `refit` of a MemorizationSearchCV.

    Raises
    ------
    ValueError
        If `bound` is no number.

    Examples
    --------
    >>> from skmem.model_selection import memorization_below
    >>> rule = memorization_below(3.0)
    >>> rule({"mean_test_log_density": [-2.1, -2.0, -4.0], "memorization_q95": [1.0, 5.0, 0.0]})
    0
    """
    return partial(_below, bound=bound, column=column)


def _below(cv_results, bound, column):
    log_density = _column(cv_results, _LOG_DENSITY)
    memorization = _column(cv_results, column)
    allowed = memorization < bound
    if allowed.any():
        return _argmax(np.where(allowed, log_density, np.nan))
    index = _least_memorizing(cv_results, column, ~np.isnan(log_density))
    warnings.warn(
        f"No candidate has {column} below bound={bound}: the one that memorizes least was chosen instead, "
        f"with {column}={memorization[index]:.4g} at index {index}.",
        UserWarning,
        stacklevel=2,
    )
    return index


def pareto_front(cv_results, column="memorization_q95"):
    """Whether no other candidate is both likelier on held-out rows and less memorizing.

    By ``mean_test_log_density`` and `column`, in nats; candidates whose fits failed are not on the front.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_`` of a MemorizationSearchCV.
    column : str, default="memorization_q95"
        What stands for memorization: less is better.

    Returns
    -------
    on_front : ndarray of shape (n_candidates,) of bool
        True for every candidate that no other is at least as good as in both and better in one.

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> from skmem.model_selection import pareto_front
    >>> pareto_front({
    ...     "mean_test_log_density": [-2.1, -2.0, -4.0],
    ...     "memorization_q95": [1.0, 5.0, 3.0],
    ... })
    array([ True,  True, False])
    """
    gain, cost = _column(cv_results, _LOG_DENSITY), _column(cv_results, column)
    as_good = (gain >= gain[:, None]) & (cost <= cost[:, None])
    better = (gain > gain[:, None]) | (cost < cost[:, None])
    return ~np.any(as_good & better, axis=1) & ~np.isnan(gain) & ~np.isnan(cost)


def pareto_knee(cv_results, column="memorization_q95"):
    """Index of the candidate where the front between likelihood and memorization bends most.

    The one farthest above the straight line between the ends of the front, both axes scaled to it.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_`` of a MemorizationSearchCV.
    column : str, default="memorization_q95"
        What stands for memorization: less is better.

    Returns
    -------
    index : int
        Index of the candidate; of the best log-likelihood if nothing on the front lies above the line.

    Raises
    ------
    ValueError
        If the fits of all candidates failed, or there is no such column.

    Examples
    --------
    >>> from skmem.model_selection import pareto_knee
    >>> pareto_knee({
    ...     "mean_test_log_density": [-9.0, -2.1, -2.0],
    ...     "memorization_q95": [0.0, 1.0, 5.0],
    ... })
    1
    """
    best = best_log_density(cv_results)
    front = pareto_front(cv_results, column)
    gain = _column(cv_results, _LOG_DENSITY)
    cost = _column(cv_results, column)
    usable = front & np.isfinite(gain) & np.isfinite(cost)
    if np.count_nonzero(usable) < 3:
        return best
    above = _to_unit(gain, usable) - _to_unit(cost, usable)
    index = _argmax(np.where(usable, above, np.nan))
    return index if above[index] > 0 else best


def _to_unit(values, used):
    """Values scaled such that those used go from 0 to 1."""
    low, high = values[used].min(), values[used].max()
    with np.errstate(invalid="ignore"):
        return (values - low) / (high - low if high > low else 1.0)


def _least_memorizing(cv_results, column, allowed):
    """Index of the allowed candidate with the least in `column`, the likelier of equals."""
    memorization = _column(cv_results, column)
    allowed = allowed & ~np.isnan(memorization)
    least = memorization == np.min(memorization, where=allowed, initial=np.inf)
    return _argmax(np.where(allowed & least, _column(cv_results, _LOG_DENSITY), np.nan))


def _column(cv_results, name):
    if name not in cv_results:
        raise ValueError(f"column must be one of {sorted(cv_results)}, got {name!r}.")
    return np.asarray(cv_results[name], dtype=np.float64)


def chosen(rule, cv_results, n_candidates):
    """Index of a candidate by a rule, which may be anyone's."""
    index = rule(cv_results)
    if not isinstance(index, Integral) or not 0 <= index < n_candidates:
        raise ValueError(
            f"refit must return the index of a candidate, an int from 0 to {n_candidates - 1}, got {index!r}."
        )
    return int(index)


def _argmax(values):
    """Index of the highest value that is not nan."""
    # Not by nanargmax, which cannot tell nan from -inf.
    usable = np.flatnonzero(~np.isnan(values))
    if not usable.size:
        raise ValueError("No candidate can be chosen: all have nan scores.")
    return int(usable[np.argmax(values[usable])])


# Rules by the names that `refit` of a search may give them.
RULES = {
    "log-density": best_log_density,
    "one-standard-error": within_one_standard_error,
    "pareto-knee": pareto_knee,
}
