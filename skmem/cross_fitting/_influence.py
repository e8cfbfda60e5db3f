"""The influence of every row on every point from a cross-fit's two arrays, by matrix products."""

import math

import numpy as np
from sklearn.utils import check_random_state

from skmem._blocks import map_blocks, row_blocks
from skmem._distances import duplicate_groups
from skmem._math import difference, logmeanexp
from skmem.cross_fitting._responses import is_logarithmic
from skmem.cross_fitting._sides import check_both_sides, choose_sides, find_repeats

_CHANCE = 0.01  # that so many repeats as an error asks for still leave two rows alike


def influence_from_fits(fits, reduction, random_state):
    """Average of the scores of each point over the fits with each row minus that without it, (n_samples, n_points).

    Its diagonal is `memorization_score` by the same reduction and seed.
    """
    train_mask, scores = fits.train_mask, fits.scores
    check_both_sides(train_mask)
    _check_told_apart(train_mask, scores)
    sides = choose_sides(train_mask, reduction == "matched", check_random_state(random_state))
    logarithmic = is_logarithmic(fits.response) and reduction != "mean"
    sums = _LogMeans(scores) if logarithmic else _Means(scores)
    out = np.empty((train_mask.shape[1], scores.shape[1]))

    def fill(rows):
        inside, outside = (
            sum(sums(chosen[:, rows]) for chosen in side) / len(side) for side in sides
        )
        out[rows] = difference(inside, outside)

    map_blocks(fill, row_blocks(len(out), 48 * scores.shape[1]))
    return out


class _LogMeans:
    """Log of the mean density of each point over some fits, (n_rows, n_points), but for a constant of the point."""

    def __init__(self, scores):
        self.scores, self.top = scores, scores.max(axis=0)
        self.top[np.isneginf(self.top)] = 0.0
        self.densities = np.exp(scores - self.top)
        info = np.finfo(np.float64)
        self.least = len(scores) * info.tiny / info.eps
        self.is_possible = np.isfinite(scores).any(axis=0)

    def __call__(self, chosen):
        """`chosen` (n_fits, n_rows) says which fits to average for each row."""
        sums = chosen.T.astype(np.float64) @ self.densities
        # Beside a fit that finds the point far likelier, the others may underflow.
        lost = np.nonzero((sums < self.least) & self.is_possible)
        with np.errstate(divide="ignore"):
            means = np.log(sums, out=sums)
        means -= np.log(chosen.sum(axis=0))[:, np.newaxis]
        for block in row_blocks(len(lost[0]), 32 * len(chosen)):
            row, point = lost[0][block], lost[1][block]
            again = logmeanexp(self.scores[:, point], axis=0, where=chosen[:, row])
            means[row, point] = again - self.top[point]
        return means


class _Means:
    """Mean score of each point over some fits, (n_rows, n_points)."""

    def __init__(self, scores):
        impossible = np.isneginf(scores)
        self.scores = np.where(impossible, 0.0, scores)
        self.impossible = impossible.astype(np.float64) if impossible.any() else None

    def __call__(self, chosen):
        """`chosen` (n_fits, n_rows) says which fits to average for each row."""
        chosen = chosen.T.astype(np.float64)
        means = chosen @ self.scores / chosen.sum(axis=1, keepdims=True)
        if self.impossible is not None:
            means[chosen @ self.impossible > 0] = -np.inf
        return means


def _check_told_apart(train_mask, scores):
    """Refuse rows that are in the same fits throughout, unless they are copies and so score the same in all."""
    group = duplicate_groups(np.packbits(train_mask, axis=0).T)
    first = np.unique(group, return_index=True)[1][group]
    alike = np.flatnonzero(first < np.arange(len(group)))
    if scores.shape[1] == train_mask.shape[1]:
        is_copy = np.isclose(scores[:, alike], scores[:, first[alike]], rtol=1e-9, atol=1e-9)
        is_finite = np.isfinite(scores[:, alike])
        alike = alike[~(is_copy & is_finite).all(axis=0)]
    if not alike.size:
        return
    raise ValueError(
        f"cross_fit must tell every row from all others, but {alike.size} rows are not told from an earlier one: rows "
        f"{first[alike[0]]} and {alike[0]}, to name two, are in the same fits throughout. {_need(train_mask)}"
    )


def _need(train_mask):
    """How many repeats, or fits, it takes in words."""
    n_fits, n_rows = train_mask.shape
    n_pairs = n_rows * (n_rows - 1) / 2
    n_folds = find_repeats(train_mask)
    if n_folds is not None:
        sizes = (~train_mask[:n_folds]).sum(axis=1)
        together, made = np.sum(sizes * (sizes - 1)) / (2 * n_pairs), n_fits // n_folds
        unit = f"repeats of {n_folds} random folds (n_repeats)"
    else:
        share, made = train_mask.mean(), n_fits
        together, unit = share**2 + (1 - share) ** 2, "fits to random subsets (n_subsets)"
    needed = math.ceil(math.log(n_pairs / _CHANCE) / -math.log(together))
    return (
        f"It takes {max(needed, made + 1)} {unit}, got {made}; rows that a splitter keeps together, such as "
        "groups, stay alike in any number."
    )
