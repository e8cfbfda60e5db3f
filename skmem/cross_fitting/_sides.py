"""Which fits stand on either side of a comparison: those with a row, and those without it."""

import numpy as np


def check_both_sides(train_mask):
    """Check that every row is in some fit and out of another.

    Raises
    ------
    ValueError
        If a row is in all fits or in none.
    """
    for name, side in (("among the training rows", train_mask), ("held out", ~train_mask)):
        missing = np.flatnonzero(~side.any(axis=0))
        if missing.size:
            raise ValueError(
                f"Every row must be {name} of at least one fit, but {missing.size} rows are not "
                f"(row {missing[0]} is the first); use more fits."
            )


def find_repeats(train_mask):
    """Number of fits in each repeat, or None where held-out folds do not partition the rows.

    Repeats must be of equal size and stand one after another.
    """
    left_out = np.cumsum(~train_mask, axis=0)
    complete = np.flatnonzero((left_out == left_out[:, :1]).all(axis=1) & (left_out[:, 0] > 0))
    n_folds = complete[0] + 1 if complete.size else 0
    if n_folds < 2 or train_mask.shape[0] % n_folds:
        return None
    per_repeat = train_mask.reshape(-1, n_folds, train_mask.shape[1])
    return int(n_folds) if ((~per_repeat).sum(axis=1) == 1).all() else None


def draw_equal_sides(sides, rng, n_draws=20):
    """Random choices of equally many fits on two sides, a list of masks (n_fits, n_rows) for each.

    As many as the smaller side has, row by row; the smaller side itself is its one choice.
    """
    counts = [side.sum(axis=0) for side in sides]
    size = np.minimum(*counts)
    draws = []
    for side, count in zip(sides, counts, strict=True):
        is_whole = np.all(count == size)
        draws.append(
            [side] if is_whole else [draw_subset(side, size, rng) for _ in range(n_draws)]
        )
    return draws


def draw_subset(side, size, rng):
    """For each row `size` random fits among those where `side` is true, (n_fits, n_rows) of bool."""
    order = rng.permutation(len(side))
    shuffled = side[order]
    chosen = np.empty_like(side)
    chosen[order] = shuffled & (np.cumsum(shuffled, axis=0) <= size)
    return chosen


def choose_sides(train_mask, matched, rng):
    """Fits to average on the side with each row and on that without it, a list of masks like `train_mask` for each.

    Averages over the masks of a list are averaged. Matched are equally many fits on both sides: where held-out folds
    partition the rows, those whose fold is the s-th after the row's own, s = 1, 2, ...; random subsets if not.
    """
    if not matched:
        return [train_mask], [~train_mask]
    n_folds = find_repeats(train_mask)
    if n_folds is None:
        return draw_equal_sides((train_mask, ~train_mask), rng)
    own_fold = (~train_mask).reshape(-1, n_folds, train_mask.shape[1])
    after = [np.roll(own_fold, s, axis=1).reshape(train_mask.shape) for s in range(1, n_folds)]
    return after, [~train_mask]
