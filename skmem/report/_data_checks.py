"""What is wrong with a table: each check yields (severity, what, where, cure)."""

from collections import Counter

import numpy as np

from skmem._distances import duplicate_groups

# Beyond this the squares that distances are made of leave the range of floating point.
LARGEST = 1e150
# A column keeps less than three digits of its spread in float32 when eps |x| exceeds this share of it.
_LOST = 1e-3
_SCALE_RATIO = 1e3
# A column with more of its rows than this at one value has a small scale and far outliers.
_ONE_VALUE = 0.99
# Smallest eigenvalue of a correlation matrix that is not taken for a linear dependency.
_DEPENDENT = 1e-5
_MAX_COLUMNS = 1000


def named(items, limit=8):
    """Some items in words, the first few of many."""
    items = [str(item) for item in items]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def counted(n, noun, plural=None):
    """Say ``1 row`` or ``2 rows``."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def _columns(names, which, counts=None):
    which = np.flatnonzero(which)
    tail = [f" ({counts[j]})" if counts is not None else "" for j in which]
    return ("columns " if len(which) > 1 else "column ") + named(
        [f"{names[j]!r}{t}" for j, t in zip(which, tail, strict=True)]
    )


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
        fewer = f"ask for at most {counted(n_rows, 'fold')} (--cv {n_rows})"
        cure = fewer if n_rows > 1 else "collect more rows"
        yield "error", f"fewer rows ({n_rows}) than folds ({cv})", "all rows", cure


def too_few_distinct_rows(X, cv, model, fewest):
    """Find fewer distinct rows in a training fold than `model` can be fitted to."""
    n_train = len(X) - -(-len(X) // cv)
    n_rows = min(n_train, duplicate_groups(X).max() + 1)
    if n_rows < fewest:
        what = f"{model} needs {fewest} distinct rows in every training fold; got {n_rows}"
        yield "error", what, "all rows", "collect more rows, or fit another density (--model kde)"


def repeated_ids(ids):
    """Find ids that name several rows."""
    counts = Counter(map(str, ids))
    repeated = [f"{name!r} ({n} rows)" for name, n in counts.most_common() if n > 1]
    if repeated:
        what = f"ids that name more than one row ({len(repeated)})"
        cure = (
            "name rows by a column without repeats (--id-column): here nobody can tell them apart"
        )
        yield "warning", what, named(repeated), cure


def constant_columns(X):
    """Find which columns hold one value, as a bool array of shape (n_features,)."""
    # The spread of a constant computed from its rounded mean may exceed zero; its range does not.
    return (X.min(axis=0) == X.max(axis=0)) | (X.std(axis=0) == 0)


def constant(X, names):
    """Find columns without spread, which no density can be scaled by."""
    which = constant_columns(X)
    if which.all():
        yield "error", "all rows are equal", "all columns", "there is nothing to estimate"
    elif which.any():
        cure = "drop them: they hold no information and their scale is 0"
        what = f"constant columns ({which.sum()} of {len(names)})"
        yield "warning", what, _columns(names, which), cure


def duplicates(X, ids, numbered):
    """Find exact copies among the rows, which `ids` name or, if `numbered`, count."""
    groups = duplicate_groups(X)
    sizes = np.bincount(groups)
    if sizes.max() > 1 and len(sizes) > 1:  # that all rows are equal is found elsewhere
        n_groups = np.count_nonzero(sizes > 1)
        largest = ids[groups == sizes.argmax()]
        tail = " (counted from 0)" if numbered else ""
        yield (
            "warning",
            f"{sizes[sizes > 1].sum()} rows are exact duplicates, in {counted(n_groups, 'group')}",
            f"the largest group has {len(largest)} rows: {named(largest)}{tail}",
            "keep one of each, or read a group as one: a copy stands in for the row left out",
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
        yield "note", what, _columns(names, lost), cure


def nearly_constant(X, names):
    """Find columns in which all but a few rows hold one value."""
    share = np.mean(np.median(X, axis=0) == X, axis=0)
    which = (share > _ONE_VALUE) & ~constant_columns(X)
    if which.any():
        what = f"columns of one value in more than {_ONE_VALUE:.0%} of rows ({which.sum()})"
        cure = "drop or merge them: standardised, the other values are far out and dominate scores"
        yield "warning", what, _columns(names, which), cure


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
        dependencies = counted(n_dependent, "linear dependency", "linear dependencies")
        cure = "drop one of these columns: along the dependency the density has no width"
        yield "warning", f"nearly exact: {dependencies}", _columns(names, involved), cure


VALUE_CHECKS = (missing, infinite, overflowing)
COMPLETE_CHECKS = (
    constant,
    nearly_constant,
    wide,
    scales,
    float32,
    row_counters,
    collinear,
)
