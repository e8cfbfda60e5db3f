"""What is wrong with a table: each check yields (severity, what, where, cure)."""

import numpy as np

from skmem._distances import duplicate_groups

# Beyond this the squares that distances are made of leave the range of floating point.
LARGEST = 1e150
# A column keeps less than three digits of its spread in float32 when eps |x| exceeds this share of it.
_LOST = 1e-3
_SCALE_RATIO = 1e3
# Smallest eigenvalue of a correlation matrix that is not taken for a linear dependency.
_DEPENDENT = 1e-5
_MAX_COLUMNS = 1000


def named(items, limit=8):
    """Some items in words, the first few of many."""
    items = [str(item) for item in items]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def _columns(names, which, counts=None):
    which = np.flatnonzero(which)
    tail = [f" ({counts[j]})" if counts is not None else "" for j in which]
    return "column " + named([f"{names[j]!r}{t}" for j, t in zip(which, tail, strict=True)])


def _affected(bad, names, what, cure):
    counts = bad.sum(axis=0)
    if counts.any():
        rows = f"{bad.any(axis=1).sum()} of {len(bad)} rows"
        yield "error", f"{what} in {rows}", _columns(names, counts > 0, counts), cure


def missing(X, names):
    """Find missing values."""
    cure = "leave out these rows or columns (--drop), or impute them first"
    return _affected(np.isnan(X), names, "missing values", cure)


def infinite(X, names):
    """Find infinite values."""
    return _affected(np.isinf(X), names, "infinite values", "correct or leave out these rows")


def overflowing(X, names):
    """Find finite values of which the square is not finite."""
    bad = np.isfinite(X) & (np.abs(X) > LARGEST)
    return _affected(bad, names, f"values beyond {LARGEST:g}", "rescale the column")


def too_few_rows(n_rows, cv):
    """Find fewer rows than folds."""
    if n_rows < cv:
        cure = f"collect more rows, or ask for at most {n_rows} folds"
        yield "error", f"fewer rows ({n_rows}) than folds ({cv})", "all rows", cure


def constant_columns(X):
    """Find which columns hold one value, as a bool array of shape (n_features,)."""
    # The spread of a constant computed from its rounded mean may exceed zero; its range does not.
    return (X.min(axis=0) == X.max(axis=0)) | (X.std(axis=0) == 0)


def constant(X, names):
    """Find columns without spread, which no density can be scaled by."""
    which = constant_columns(X)
    what = f"{which.sum()} of {len(names)} columns are constant"
    if which.all():
        yield "error", "all rows are equal", "all columns", "there is nothing to estimate"
    elif which.any():
        cure = "drop them: they hold no information and their scale is 0"
        yield "warning", what, _columns(names, which), cure


def duplicates(X, names):
    """Find exact copies of rows."""
    groups = duplicate_groups(X)
    if groups:
        n_rows = sum(map(len, groups))
        largest = max(groups, key=len)
        yield (
            "warning",
            f"{n_rows} rows are exact duplicates, in {len(groups)} group{'s'[: len(groups) != 1]}",
            f"the largest group has {len(largest)} rows: {named(largest)} (counted from 0)",
            "keep one of each, or read groups as one: a copy hides what the other's absence costs",
        )


def wide(X, names):
    """Find more columns than rows."""
    n_rows, n_columns = X.shape
    if n_columns >= n_rows:
        cure = "reduce the columns (by PCA, say): every row is far from every other"
        what = f"no more rows ({n_rows}) than columns ({n_columns})"
        yield "warning", what, "all columns", cure


def scales(X, names):
    """Find columns of very different scale."""
    spread = X.std(axis=0)
    spread[constant_columns(X)] = np.nan
    if np.isnan(spread).all():
        return
    low, high = np.nanargmin(spread), np.nanargmax(spread)
    ratio = spread[high] / spread[low]
    if ratio > _SCALE_RATIO:
        yield (
            "warning",
            f"standard deviations of columns differ by a factor of {ratio:.3g}",
            f"column {names[low]!r} ({spread[low]:.3g}) to {names[high]!r} ({spread[high]:.3g})",
            "standardise the columns, as skmem audit does unless told --raw",
        )


def float32(X, names):
    """Find values so large for their spread that float32 would lose it."""
    lost = np.finfo(np.float32).eps * np.abs(X).max(axis=0) > _LOST * X.std(axis=0)
    lost &= ~constant_columns(X)
    if lost.any():
        cure = "subtract the column's mean before anything is cast to float32"
        what = "values so large for their spread that float32 would lose them"
        yield "warning", what, _columns(names, lost), cure


def row_counters(X, names):
    """Find columns that count the rows, as an index written beside the data does."""
    counts = np.all(np.diff(X, axis=0) == 1, axis=0) & (len(X) >= 5)
    if counts.any():
        cure = "name rows by it (--id-column) or leave it out (--drop): it is no feature"
        what = "a column counts the rows"
        yield "warning", what, _columns(names, counts), cure


def collinear(X, names):
    """Find columns that others determine, all but exactly."""
    keep = ~constant_columns(X)
    if not 2 <= keep.sum() < min(len(X), _MAX_COLUMNS):
        return
    values, vectors = np.linalg.eigh(np.corrcoef(X[:, keep], rowvar=False))
    n_dependent = np.count_nonzero(values < _DEPENDENT)
    if n_dependent:
        involved = np.zeros(len(names), dtype=bool)
        involved[keep] = np.abs(vectors[:, 0]) > 0.1
        what = f"{n_dependent} near-perfect linear dependenc{'y' if n_dependent == 1 else 'ies'}"
        cure = "drop one of these columns: along the dependency the density has no width"
        yield "warning", what, _columns(names, involved), cure


VALUE_CHECKS = (missing, infinite, overflowing)
COMPLETE_CHECKS = (
    constant,
    duplicates,
    wide,
    scales,
    float32,
    row_counters,
    collinear,
)
