"""Reductions of cross-fits with any masks: random subsets, or any splitter's.

``scores`` and ``train_mask`` are (n_fits, n_rows). Every row needs a fit with it and one without it. Under no
memorization which fits have the row is a random labelling of exchangeable scores.
"""

import numpy as np

from skmem._math import difference
from skmem.cross_fitting._sides import draw_equal_sides, draw_subset
from skmem.memorization._folds import is_as_low

_N_DRAWS = 199
_N_GROUPS = 10


def average_sides(scores, sides, average, matched, rng=None, n_draws=20):
    """Averages over the fits on either of two sides, each a mask like `train_mask`, two arrays (n_rows,).

    Matched: over random subsets of as many fits as the smaller side has, their averages averaged.
    """
    if not matched:
        return tuple(average(scores, axis=0, where=side) for side in sides)
    return tuple(
        np.mean([average(scores, axis=0, where=chosen) for chosen in draws], axis=0)
        for draws in draw_equal_sides(sides, rng, n_draws)
    )


def without_each_group(scores, train_mask, average):
    """In minus out, not matched, without each of ten groups of fits in turn, (10, n_rows).

    nan where a row would be left without a fit on either side, or the fits are fewer than the groups.
    """
    n_fits, n_rows = scores.shape
    if n_fits < _N_GROUPS:
        return np.full((_N_GROUPS, n_rows), np.nan)
    without = []
    for group in range(_N_GROUPS):
        kept = np.arange(n_fits) % _N_GROUPS != group
        sides = train_mask[kept], ~train_mask[kept]
        without.append(difference(*average_sides(scores[kept], sides, average, matched=False)))
    return np.stack(without)


def p_values(scores, train_mask, average, rng):
    """Share of random relabellings of the fits whose "fits without the row" average no higher than the actual ones.

    The actual labelling counts as one, so no p-value is below 1 / 200.
    """
    out = average(scores, axis=0, where=~train_mask)
    as_low = np.ones(scores.shape[1])
    for _ in range(_N_DRAWS):
        relabelled = train_mask[rng.permutation(len(scores))]
        as_low += is_as_low(average(scores, axis=0, where=~relabelled), out)
    return as_low / (_N_DRAWS + 1)


def null_scores(scores, train_mask, average, matched, rng, n_draws=20):
    """In minus out where some of the fits with the row stand in for those without it, (n_draws, n_rows).

    The actual fits without the row take no part, lest a memorized row raise the noise. Fewer fits on the two sides
    make for more noise, which the last line takes back. nan where fewer than two fits have the row.
    """
    n_in = train_mask.sum(axis=0)
    n_out = len(scores) - n_in
    size = np.minimum(n_in // 2, n_out)
    null = np.empty((n_draws, len(n_in)))
    for draw in null:
        stand_in = draw_subset(train_mask, size, rng)
        sides = train_mask & ~stand_in, stand_in
        draw[:] = difference(*average_sides(scores, sides, average, matched, rng, n_draws=5))
    with np.errstate(divide="ignore"):
        return null * np.sqrt((1 / n_in + 1 / n_out) / (1 / (n_in - size) + 1 / size))
