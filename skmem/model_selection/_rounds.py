"""Which candidates are tried on how many rows, round after round."""

import math
from dataclasses import replace

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state

from skmem._random import child_seeds
from skmem._sklearn import num_samples, rows_of_params, safe_indexing
from skmem.cross_fitting._sides import check_both_sides, find_repeats
from skmem.cross_fitting._splits import is_fold_number, repeats_of, train_masks
from skmem.model_selection._candidates import Trial, try_candidates

DEFAULT_REPEATS = 5
_MIN_ROWS_PER_FOLD = 10
# A row, or its target, is ten times as likely because it was seen; a label is 25 % more probable (Feldman & Zhang).
_THRESHOLDS = {"score_samples": math.log(10), "predict_proba": 0.25, "predict": math.log(10)}


def try_all(search, data, options, metric, seeds):
    """Pairs (trial, evaluation) of all candidates in all rounds, and the number and rows of each one's round.

    `data` is X, y and groups; `metric` is the held-out score that halving goes by; `seeds` are those of the draws, the
    folds, the fits, the reduction and the rows.
    """
    wanted = _candidates(search, int(seeds[0]))
    tried, rounds = [], []
    for number, rows in enumerate(_rows_of_rounds(search, data, len(wanted), int(seeds[4]))):
        trial = _trial(search, data, rows, options, seeds)
        evaluations = try_candidates(search.estimator, wanted, trial, search.error_score)
        tried += [(trial, evaluation) for evaluation in evaluations]
        rounds += [(number, len(rows))] * len(wanted)
        wanted = [wanted[i] for i in _survivors(evaluations, metric, search.factor)]
    return tried, rounds


def _candidates(search, seed):
    """The candidates' parameters, a list of dicts: all of a grid, or random draws."""
    if search.search == "random":
        return list(ParameterSampler(search.param_grid, search.n_iter, random_state=seed))
    return list(ParameterGrid(search.param_grid))


def _rows_of_rounds(search, data, n_candidates, seed):
    """Rows of each round, sorted: all in the only one, or ever more of them and all in the last.

    Successive halving keeps one candidate in `factor` of each round, until that many or fewer are left. Rounds of
    fewer than ten rows a fold are left out.
    """
    n_samples, factor = num_samples(data[0]), search.factor
    if search.search != "halving":
        return [np.arange(n_samples)]
    if not is_fold_number(search.cv) and not hasattr(search.cv, "get_n_splits"):
        raise ValueError(
            "search='halving' splits ever more rows, so cv must be an int or a splitter, "
            f"got {type(search.cv).__name__}."
        )
    n_folds = search.cv if is_fold_number(search.cv) else search.cv.get_n_splits(*data)
    order = check_random_state(seed).permutation(n_samples)
    n_rounds = 1
    while factor**n_rounds < n_candidates:  # a logarithm of 125 to base 5 is above 3
        n_rounds += 1
    sizes = [int(n_samples / factor**i) for i in reversed(range(n_rounds))]
    least = min(n_samples, _MIN_ROWS_PER_FOLD * n_folds)
    return [np.sort(order[:size]) for size in sizes if size >= least]


def _trial(search, data, rows, options, seeds):
    """What the candidates of a round are tried on."""
    whole = len(rows) == num_samples(data[0])
    X, y, groups = (a if a is None or whole else safe_indexing(a, rows) for a in data)
    masks = train_masks(
        search.cv,
        X,
        y,
        groups,
        n_repeats=repeats_of(search.cv, search.n_repeats, DEFAULT_REPEATS),
        stratify=options.response == "predict_proba",
        random_state=int(seeds[1]),
    )
    check_both_sides(masks)
    threshold = _THRESHOLDS[options.response] if search.threshold is None else search.threshold
    fit_seeds = child_seeds(int(seeds[2]), len(masks))
    options = replace(options, params=rows_of_params(data[0], options.params, rows))
    fits = masks, find_repeats(masks), fit_seeds, options
    return Trial(X, y, rows, *fits, search.reduction, threshold, int(seeds[3]))


def _survivors(evaluations, metric, factor):
    """Positions of the candidates that go on: one in `factor`, by the highest held-out `metric`, failed ones last."""
    values = np.array([np.mean(e.split_scores.get(metric, np.nan)) for e in evaluations])
    n_kept = math.ceil(len(values) / factor)
    return np.sort(np.argsort(-values, kind="stable")[:n_kept])
