"""Reductions of cross-fits with any masks: random subsets, leave-one-out, or any splitter's.

``scores`` and ``train_mask`` are (n_fits, n_rows). Every row needs a fit with it and one without it. Under no
memorization which fits have the row is a random labelling of exchangeable scores.
"""

import numpy as np

from skmem._math import difference

_N_DRAWS = 199
_N_GROUPS = 10


def average_in_and_out(scores, train_mask, average, matched, rng=None, n_draws=20):
    """Averages over the fits with and without each row, two arrays (n_rows,).

    Matched: random subsets of equal size on either side, m = min(n_in, n_out), their averages averaged.
    """
    if not matched:
        return average(scores, axis=0, where=train_mask), average(
            scores, axis=0, where=~train_mask
        )
    size = np.minimum(train_mask.sum(axis=0), (~train_mask).sum(axis=0))
    sides = []
    for side in (train_mask, ~train_mask):
        if np.all(side.sum(axis=0) == size):
            sides.append(average(scores, axis=0, where=side))
            continue
        draws = (_random_rank(side, rng) < size for _ in range(n_draws))
        sides.append(np.mean([average(scores, axis=0, where=draw) for draw in draws], axis=0))
    return tuple(sides)


def standard_error(scores, train_mask, average):
    """Jackknife of in minus out over ten groups of fits, (n_rows,).

    nan where a row would be left without a fit on either side, or the fits are fewer than the groups.
    """
    n_fits = len(scores)
    if n_fits < _N_GROUPS:
        return np.full(scores.shape[1], np.nan)
    without = []
    for group in range(_N_GROUPS):
        kept = np.arange(n_fits) % _N_GROUPS != group
        in_and_out = average_in_and_out(scores[kept], train_mask[kept], average, matched=False)
        without.append(difference(*in_and_out))
    with np.errstate(invalid="ignore"):
        return np.sqrt((_N_GROUPS - 1) * np.var(without, axis=0))


def p_values(scores, train_mask, average, rng):
    """Share of random relabellings of the fits whose "fits without the row" average no higher than the actual ones.

    The actual labelling counts as one, so no p-value is below 1 / 200.
    """
    out = average(scores, axis=0, where=~train_mask)
    as_low = np.ones(scores.shape[1])
    for _ in range(_N_DRAWS):
        drawn = average(scores, axis=0, where=~train_mask[rng.permutation(len(scores))])
        as_low += drawn <= out + 1e-12 * np.abs(out)
    return as_low / (_N_DRAWS + 1)


def null_scores(scores, train_mask, average, rng, n_draws=20):
    """In minus out where both sides are disjoint random fits with the row, equally many, (n_draws, n_rows).

    nan where fewer than two fits have the row.
    """
    n_in = train_mask.sum(axis=0)
    size = np.minimum(n_in // 2, len(scores) - n_in)
    null = np.empty((n_draws, scores.shape[1]))
    for draw in null:
        rank = _random_rank(train_mask, rng)
        stand_in = average(scores, axis=0, where=rank < size)
        rest = average(scores, axis=0, where=(rank >= size) & (rank < 2 * size))
        draw[:] = difference(rest, stand_in)
    return null


def _random_rank(side, rng):
    """Rank of every fit in a random order of the fits where `side` is true; the others come after them."""
    key = np.where(side, rng.uniform(size=side.shape), np.inf)
    return np.argsort(np.argsort(key, axis=0), axis=0)
