"""Three tables in, rows of numbers in one space of distances out."""

from dataclasses import dataclass
from numbers import Number

import numpy as np
from sklearn.utils import check_array

from skmem._pairs import EuclideanPairs, GowerPairs
from skmem.copying._results import frame_library

METRICS = ("auto", "euclidean", "seuclidean", "gower")
# Beyond this the squares that distances are made of leave the range of floating point.
_LARGEST = 1e150


@dataclass(frozen=True, eq=False)
class Tables:
    """Training, held-out and generated rows in one space; rows at distance 0 are equal."""

    train: np.ndarray
    holdout: np.ndarray | None
    generated: np.ndarray
    metric: str
    n_numeric: int
    libraries: dict  # of the data frames that the tables came in

    def pairs(self, X, Y):
        """Distances between the rows of two tables."""
        if self.metric == "gower":
            return GowerPairs(X, Y, self.n_numeric)
        return EuclideanPairs(X, Y)


def read_tables(
    X_train, X_holdout, X_generated, metric="auto", categorical_features=None, optional=()
):
    """Check the three tables and put them into the space of `metric`, scaled by the training rows.

    A table named in `optional` may be None.

    Raises
    ------
    ValueError
        If a table is None, tables differ in their columns or in the kind of one, hold no rows, a missing or infinite
        number, or categories where the metric needs numbers.
    """
    given = {"X_train": X_train, "X_holdout": X_holdout, "X_generated": X_generated}
    for name, X in given.items():
        if X is None and name not in optional:
            raise ValueError(f"{name} must be a table of rows; got None")
    values, metric, n_numeric = _in_one_space(given, metric, categorical_features)
    holdout = None if X_holdout is None else values[1]
    libraries = {name.removeprefix("X_"): frame_library(X) for name, X in given.items()}
    return Tables(values[0], holdout, values[-1], metric, n_numeric, libraries)


def read_table(X, metric="auto", categorical_features=None):
    """As `read_tables`, of one table, which stands for the training rows and for the generated ones."""
    (rows,), metric, n_numeric = _in_one_space({"X": X}, metric, categorical_features)
    return Tables(rows, None, rows, metric, n_numeric, {"train": frame_library(X)})


def _in_one_space(given, metric, categorical_features):
    """Rows of each table that is given, the metric, and the number of numeric columns before the others."""
    tables = {name: _columns(X, name) for name, X in given.items() if X is not None}
    _same_columns(tables)
    first = list(next(iter(tables.values())))
    marked = _marked(categorical_features, first).union(*map(_declared, given.values()))
    numbers, categories = [], []
    for name in first:
        parts = {table: columns[name] for table, columns in tables.items()}
        if name in marked or _is_categorical(parts, name):
            categories.append(_codes(parts.values()))
        else:
            numbers.append(_numbers(parts, name))
    metric = _metric(metric, categories, marked)
    numbers = [_scaled(column, metric) for column in numbers]
    columns = numbers + categories
    values = [np.column_stack([column[i] for column in columns]) for i in range(len(tables))]
    return values, metric, len(numbers)


def _metric(metric, categories, marked):
    if metric == "auto":
        return "gower" if categories else "euclidean"
    if categories and metric != "gower":
        raise ValueError(
            f"metric={metric!r} needs columns of numbers, {len(categories)} hold categories; "
            "use metric='gower'"
        )
    return metric


def _columns(X, name):
    """The columns of a table by name: arrays of numbers, or of objects where they hold categories."""
    if hasattr(X, "columns") or hasattr(X, "column_names") or isinstance(X, dict):
        columns = dict(X) if isinstance(X, dict) else _frame_columns(X, name)
        if not columns or not len(next(iter(columns.values()))):
            shape = (0, len(columns))
            raise ValueError(
                f"{name} must have at least one row and one column; got shape {shape}"
            )
        return columns
    array = np.asarray(X) if not hasattr(X, "toarray") else X
    dtype = "numeric" if hasattr(X, "toarray") or array.dtype.kind in "biufc" else object
    array = check_array(array, dtype=dtype, ensure_all_finite=False, input_name=name)
    return {j: array[:, j] for j in range(array.shape[1])}


def _frame_columns(X, name):
    try:
        import narwhals as nw
    except ImportError as error:
        raise ImportError(
            f'{name} is a data frame, which needs narwhals: pip install "skmem[frames]"'
        ) from error
    columns = {}
    for series in nw.from_native(X, eager_only=True).iter_columns():
        kind = series.dtype
        if kind.is_numeric() or kind == nw.Boolean:
            wanted = nw.Float32 if kind == nw.Float32 else nw.Float64
            columns[series.name] = series.cast(wanted).to_numpy()
        elif kind in (nw.String, nw.Categorical, nw.Enum, nw.Object, nw.Unknown):
            columns[series.name] = np.array(series.to_list(), dtype=object)
        else:
            raise ValueError(
                f"{name}: column {series.name!r} must hold numbers or categories; got {kind}"
            )
    return columns


def _declared(X):
    """Names of a frame's columns that are categories by their type, whatever they hold."""
    if not (hasattr(X, "columns") or hasattr(X, "column_names")):
        return set()
    import narwhals as nw

    schema = nw.from_native(X, eager_only=True).schema
    return {name for name, kind in schema.items() if kind in (nw.Categorical, nw.Enum)}


def _same_columns(tables):
    first = list(next(iter(tables.values())))
    for name, columns in tables.items():
        if len(columns) != len(first):
            raise ValueError(
                f"{name} must have the {len(first)} columns of X_train; got {len(columns)}"
            )
        if set(columns) != set(first):
            odd = sorted(map(str, set(columns) ^ set(first)))
            raise ValueError(
                f"{name} must have the columns of X_train; these are in one alone: {odd}"
            )


def _marked(categorical_features, names):
    """Names of the columns that the user calls categories, given by name, position or mask."""
    if categorical_features is None:
        return set()
    marks = np.asarray(categorical_features)
    if marks.dtype == bool and len(marks) == len(names):
        return {name for name, mark in zip(names, marks, strict=True) if mark}
    if marks.dtype.kind in "iu" and all(-len(names) <= j < len(names) for j in marks):
        return {names[j] for j in marks}
    if set(marks.tolist()) <= set(names):
        return set(marks.tolist())
    raise ValueError(
        f"categorical_features must be names or positions of columns, or a mask of {len(names)}; "
        f"got {categorical_features!r}"
    )


def _is_categorical(parts, name):
    kinds = {table: not _all_numbers(values) for table, values in parts.items()}
    if len(set(kinds.values())) > 1:
        text = [table for table, is_text in kinds.items() if is_text]
        raise ValueError(
            f"column {name!r} holds categories in {' and '.join(text)} and numbers elsewhere; "
            "name it in categorical_features to compare it as categories"
        )
    return next(iter(kinds.values()))


def _all_numbers(values):
    return values.dtype != object or all(isinstance(v, Number) or _missing(v) for v in values)


def _missing(value):
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _codes(parts):
    """Equal values get equal codes, as floats; a missing value is a category of its own."""
    seen = {}
    return [
        np.array([seen.setdefault(None if _missing(v) else v, len(seen)) for v in part.tolist()])
        for part in parts
    ]


def _numbers(parts, name):
    """The parts as float64, all rounded to float32 where one of them is: a copy stays one then."""
    coarse = any(part.dtype in (np.float32, np.float16) for part in parts.values())
    for table, part in parts.items():
        values = (
            np.array([np.nan if _missing(v) else v for v in part])
            if part.dtype == object
            else part
        )
        with np.errstate(over="ignore"):
            values = values.astype(np.float32) if coarse else values
        values = values.astype(np.float64)
        bad = np.flatnonzero(~(np.abs(values) < _LARGEST))
        if bad.size:
            raise ValueError(
                f"{table}: numbers must be finite and below {_LARGEST:g} in size; column {name!r} "
                f"has {values[bad[0]]} in row {bad[0]} ({bad.size} such rows)"
            )
        parts[table] = values
    return list(parts.values())


def _scaled(parts, metric):
    """Columns in units of the training rows' standard deviation or range; a constant is left as it is."""
    train = parts[0]
    spread = np.ptp(train)
    if metric == "euclidean" or not spread:
        return parts
    scale = spread if metric == "gower" else train.std() or spread
    return [part / scale for part in parts]
