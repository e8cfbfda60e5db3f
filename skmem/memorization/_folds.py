"""Reductions of cross-fits whose held-out folds partition the rows, repeat after repeat.

All work on one arrangement of the scores, ``rotated`` of shape (n_folds, n_repeats, n_rows): ``rotated[s, r, i]`` is
the score of row i by the fit of repeat r whose held-out fold is s after the row's own. So ``rotated[0]`` are the fits
without the row, and under no memorization all n_folds entries of a repeat are exchangeable.
"""

import numpy as np

from skmem._math import difference, logmeanexp, logmeanexp_without_each

_N_DRAWS = 999


def rotate(scores, train_mask, n_folds):
    """Scores by fold after the row's own, (n_folds, n_repeats, n_rows), from (n_fits, n_rows)."""
    n_rows = train_mask.shape[1]
    own_fold = np.argmin(train_mask.reshape(-1, n_folds, n_rows), axis=1)
    fold = (own_fold + np.arange(n_folds)[:, None, None]) % n_folds
    fit = fold + n_folds * np.arange(own_fold.shape[0])[:, None]
    return np.take(scores, fit * n_rows + np.arange(n_rows))


def average_in_and_out(rotated, average, matched):
    """Averages over the fits with and without each row, two arrays (n_rows,)."""
    if matched:
        per_fold = average(rotated, axis=1)
        return per_fold[1:].mean(axis=0), per_fold[0]
    return average(rotated[1:], axis=(0, 1)), average(rotated[0], axis=0)


def without_each_repeat(rotated, average, matched):
    """In minus out without each repeat in turn, (n_repeats, n_rows); nan with one repeat."""
    n_repeats, n_rows = rotated.shape[1:]
    if n_repeats < 2:
        return np.full((n_repeats, n_rows), np.nan)
    if matched:
        by_repeat = _without_each(rotated, average)
        return difference(by_repeat[1:].mean(axis=0), by_repeat[0])
    # Repeats are of equal size: the average over their fits with the row is that of the repeats' averages.
    sides = np.stack([average(rotated[1:], axis=0), rotated[0]])
    return difference(*_without_each(sides, average))


def _without_each(values, average):
    """Averages along axis 1 without each entry in turn, in an array like `values`."""
    if average is logmeanexp:
        return logmeanexp_without_each(values, axis=1)
    kept = (np.delete(values, r, axis=1) for r in range(values.shape[1]))
    return np.stack([average(some, axis=1) for some in kept], axis=1)


def p_values(rotated, average, rng):
    """Share of all choices of one fit per repeat that average to no more than the fits without the row, (n_rows,).

    Exact under no memorization. All n_folds ** n_repeats choices are counted where they are fewer than 1,000, and a
    random 999 besides the actual one where they are not.
    """
    n_folds, n_repeats, n_rows = rotated.shape
    out = average(rotated[0], axis=0)
    enumerate_all = n_folds**n_repeats <= _N_DRAWS
    if enumerate_all:
        choices = np.indices((n_folds,) * n_repeats).reshape(n_repeats, -1).T
    else:
        choices = rng.randint(n_folds, size=(_N_DRAWS, n_repeats))
    as_low = np.zeros(n_rows)
    for choice in choices:
        as_low += is_as_low(average(rotated[choice, np.arange(n_repeats)], axis=0), out)
    return as_low / len(choices) if enumerate_all else (as_low + 1) / (len(choices) + 1)


def is_as_low(drawn, actual):
    """Whether averages are no higher than the actual ones: equal choices may round differently."""
    rounding = np.where(np.isfinite(actual), 1e-12 * np.abs(actual), 0.0)
    return drawn <= actual + rounding


def null_scores(rotated, average, matched, rng, n_draws=20):
    """In minus out where a fit with the row stands in for the one without it, (n_draws, n_rows).

    nan with two folds and one repeat, and with two folds where a row scores -inf.
    """
    pool, factor = _exchangeable(rotated)
    n_pool, n_repeats, n_rows = pool.shape
    null = np.empty((n_draws, n_rows))
    for draw in null:
        shift = rng.randint(n_pool, size=n_repeats)
        fold = (shift + np.arange(n_pool)[:, None]) % n_pool
        exchanged = pool[fold, np.arange(n_repeats)]
        draw[:] = difference(*average_in_and_out(exchanged, average, matched))
    return null * factor


def _exchangeable(rotated):
    """Scores without a trace of memorization, arranged like `rotated`, and by what factor they are too quiet.

    A memorized row must not raise the noise. So the fits without the row take no part, and there is one fit fewer
    to average on the side with the row. With two folds no other fit has the row: both sides lose their mean.
    """
    n_folds, n_repeats = rotated.shape[:2]
    if n_folds > 2:
        return rotated[1:], np.sqrt((1 + 1 / (n_folds - 1)) / (1 + 1 / (n_folds - 2)))
    with np.errstate(invalid="ignore"):
        centred = rotated - rotated.mean(axis=1, keepdims=True)
    return centred, np.sqrt(n_repeats / (n_repeats - 1)) if n_repeats > 1 else np.nan
