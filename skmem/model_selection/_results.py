"""From evaluated candidates to ``cv_results_``, as scikit-learn's searches have it."""

import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline

from skmem.model_selection._candidates import SUMMARIES
from skmem.model_selection._refit_rules import pareto_front
from skmem.model_selection._scoring import LOG_DENSITY


def tabulate(evaluations, rounds):
    """Return ``cv_results_`` of Evaluations, all with the same number of fits.

    `rounds` is the number of the round and the number of rows of each, for successive halving, or None.
    """
    n_splits = len(evaluations[0].split_scores[LOG_DENSITY])
    table = {"mean_fit_time": np.array([e.seconds for e in evaluations]) / n_splits}
    if rounds is not None:
        table["iter"], table["n_resources"] = np.array(rounds).T
    table |= _parameters([e.params for e in evaluations])
    for name in dict.fromkeys(name for e in evaluations for name in e.split_scores):
        failed = np.full(n_splits, np.nan)
        table |= _test_scores(
            name, np.array([e.split_scores.get(name, failed) for e in evaluations])
        )
    table["standard_error_test_log_density"] = np.array(
        [_error_of_mean(e.row_log_density) for e in evaluations]
    )
    summaries = np.array([e.summaries for e in evaluations])
    errors = np.array([e.standard_errors for e in evaluations])
    for j, name in enumerate(SUMMARIES):
        table[name] = summaries[:, j]
        table[f"standard_error_{name}"] = errors[:, j]
        table[f"rank_{name}"] = _rank(summaries[:, j])
    return table | {"on_pareto_front": pareto_front(table)}


def _test_scores(name, splits):
    """Columns of the held-out scores (n_candidates, n_fits) of a name, higher being better."""
    table = {f"split{k}_test_{name}": splits[:, k] for k in range(splits.shape[1])}
    table[f"mean_test_{name}"] = splits.mean(axis=1)
    with np.errstate(invalid="ignore"):
        table[f"std_test_{name}"] = splits.std(axis=1)
    table[f"rank_test_{name}"] = _rank(-table[f"mean_test_{name}"])
    return table


def _parameters(candidates):
    """``params`` and a masked array ``param_NAME`` for every name."""
    table = {}
    for name in sorted({name for params in candidates for name in params}):
        column = np.ma.MaskedArray(np.empty(len(candidates), dtype=object), mask=True)
        for i, params in enumerate(candidates):
            if name in params:
                column[i] = params[name]
        table[f"param_{name}"] = column
    return table | {"params": candidates}


def _error_of_mean(values):
    """Standard error of the mean over rows; nan where that is infinite."""
    with np.errstate(invalid="ignore"):
        return np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan


def _rank(values):
    """Ranks from 1, the lowest first; candidates that failed are last."""
    found = ~np.isnan(values)
    ranks = np.full(len(values), np.count_nonzero(found) + 1, dtype=np.int32)
    ranks[found] = rankdata(values[found], "min")
    return ranks


def report_failures(evaluations):
    """Warn of candidates of which a fit failed; where all did, raise the first one's exception with a note."""
    failed = [e for e in evaluations if e.error is not None]
    if not failed:
        return
    first = failed[0]
    if len(failed) == len(evaluations):
        first.error.add_note(
            f"Fits failed for all {len(failed)} candidates; the first is {first.params}."
        )
        raise first.error
    warnings.warn(
        f"Fits failed for {len(failed)} of {len(evaluations)} candidates, and their scores are nan. "
        f"The first, {first.params}: {type(first.error).__name__}: {first.error}",
        FitFailedWarning,
        stacklevel=4,
    )


def warn_of_spaces(estimator, candidates, response):
    """Warn where candidates differ before the density of a Pipeline: their densities are of other variables."""
    if response != "score_samples" or not isinstance(estimator, Pipeline):
        return
    density = estimator.steps[-1][0]
    before = {name for params in candidates for name in params if name.split("__")[0] != density}
    differing = [n for n in sorted(before) if len({repr(p.get(n)) for p in candidates}) > 1]
    if differing:
        warnings.warn(
            f"Candidates differ in {', '.join(differing)}, before the density: their log-likelihoods are of other "
            "variables and do not compare; search over a TransformedDensity, which counts the change of variables.",
            stacklevel=4,
        )
