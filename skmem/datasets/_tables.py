"""Tables of numbers from files and from scikit-learn's bundled data."""

import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from pathlib import Path

import numpy as np

from skmem.datasets._readers import READERS, IndexColumn, TextColumn

BUNDLED = ("digits", "iris", "wine", "breast_cancer", "diabetes")


@dataclass(frozen=True, eq=False)
class Table:
    """A table of numbers, and where it came from.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The numbers, as float64; a missing value is nan.
    feature_names : list of str
        One name per column.
    ids : ndarray of shape (n_rows,)
        What names each row: the id column, the index of a data frame, or row numbers from 0.
    name : str
        File name, or name of the bundled data.
    notes : tuple of str, default=()
        What reading did to the data, in words, such as an image stack flattened.
    """

    X: np.ndarray
    feature_names: list
    ids: np.ndarray
    name: str
    notes: tuple = ()

    def __repr__(self):
        n_rows, n_columns = self.X.shape
        return f"Table({self.name!r}, {n_rows} rows, {n_columns} columns)"


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns read from a file, of numbers and of text, and where they came from."""

    columns: dict  # by name; arrays of numbers, a TextColumn where a column holds text
    ids: np.ndarray
    name: str
    notes: tuple
    unknown: frozenset  # names that were to be left out or to name the rows, and are not there


class TextColumnError(ValueError):
    """Columns hold text where numbers are needed.

    Parameters
    ----------
    columns : dict
        For each such column, by name, an example of its text and where it stands.
    id_column : str, default=None
        One of them that could name the rows.
    """

    def __init__(self, columns, id_column=None):
        self.columns = dict(columns)
        shown = "; ".join(f"{name!r} ({what})" for name, what in list(self.columns.items())[:5])
        more = f" and {len(self.columns) - 5} more" if len(self.columns) > 5 else ""
        cure = f"leave out with --drop {shlex.join(self.columns)} (in Python drop=)"
        if id_column is not None:
            cure += f" or name rows by one with --id-column {shlex.quote(id_column)} (id_column=)"
        super().__init__(f"columns must be numeric, these hold text: {shown}{more}; {cure}")


def load_table(source, *, id_column=None, drop=()):
    """Read a table of numbers from a file, or one of scikit-learn's bundled data sets.

    Parameters
    ----------
    source : str or path-like
        A ``.csv``, ``.tsv``, ``.parquet``, ``.npy`` or ``.npz`` file, or one of "digits", "iris",
        "wine", "breast_cancer" and "diabetes".
        Delimited text is UTF-8 with a header row; empty fields, NA and nan are missing values,
        true and false count as 1 and 0. Of an ``.npz`` the array `X` is taken, or else its first
        numeric array of two or more dimensions. Arrays of more than two dimensions are flattened
        to one row per entry of the first.
    id_column : str, default=None
        Column that names the rows; it is not a feature. By default the index that pandas stored in
        a ``.parquet`` file names them, if it is one column, or else they are numbered from 0. The
        index is never a feature.
    drop : sequence of str, default=()
        Columns to leave out.

    Returns
    -------
    table : Table
        The numbers `X`, with `feature_names`, `ids`, `name` and `notes`.

    Raises
    ------
    TextColumnError
        If a column that is neither dropped nor the id column holds text; it is a ValueError.
    ValueError
        If the file cannot be read as a table, or a named column does not exist.
    ImportError
        If a ``.parquet`` file is given without pyarrow.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from skmem.datasets import load_table
    >>> table = load_table("iris", drop=["petal width (cm)"])
    >>> print(table.X.shape)
    (150, 3)
    """
    read = load_columns(source, id_column=id_column, drop=drop)
    _check_known([*_listed_names(drop), id_column], read)
    return _as_table(read, id_column)


def load_labelled_table(source, label, *, id_column=None, drop=()):
    """Read a table of numbers and the column that holds its labels, or its targets.

    Parameters
    ----------
    source : str or path-like
        As in :func:`load_table`. Of the bundled data sets the column is "target".
    label : str
        Column of the labels: text, or numbers. It is not a feature.
    id_column : str, default=None
        Column that names the rows.
    drop : sequence of str, default=()
        Columns to leave out.

    Returns
    -------
    table : Table
        The other columns.
    y : ndarray of shape (n_rows,)
        The labels: str, or int64 where all are whole numbers, or float64.

    Raises
    ------
    ValueError
        As for :func:`load_table`; if there is no such column, it is also dropped or the id column, or a label is
        missing.

    Examples
    --------
    >>> from skmem.datasets import load_labelled_table
    >>> table, y = load_labelled_table("wine", "target")
    >>> print(table.X.shape, y[:2])
    (178, 13) ['class_0' 'class_0']
    """
    named = [*_listed_names(drop), id_column]
    if label in named:
        raise ValueError(
            f"label must name a column of its own, got {label!r}, which names the rows or is left out"
        )
    read = load_columns(source, id_column=id_column, drop=drop, label=label)
    _check_known([*named, label], read)
    values = read.columns.pop(label)
    if not read.columns:
        raise ValueError(f"no column is left as a feature beside the label {label!r}")
    return _as_table(read, id_column), _as_labels(values, label, read.ids)


def _check_known(names, read):
    """Refuse names that the source does not have."""
    for name in names:
        if name in read.unknown:
            there = _listed(list(read.columns))
            raise ValueError(f"there is no column {name!r}; the columns are {there}")


def _as_labels(column, name, ids):
    """A column as labels, none of them missing."""
    is_text = isinstance(column, TextColumn)
    if is_text and all(
        isinstance(value, Real) for value in column.values
    ):  # as an index holds them
        is_text, column = False, column.values
    values = column.categories if is_text else np.asarray(column, dtype=np.float64)
    missing = np.equal(values, None) if is_text else ~np.isfinite(values)
    if missing.any():
        rows = ", ".join(map(str, ids[missing][:8]))
        raise ValueError(
            f"no label may be missing or infinite; of column {name!r} {missing.sum()} of {len(ids)} are "
            f"(rows {rows}): fill them in, or leave out these rows"
        )
    return values.astype(str) if is_text else _as_ids(values)


def _as_table(read, id_column):
    """The Table of columns that are all numbers."""
    text = {name: c for name, c in read.columns.items() if isinstance(c, TextColumn)}
    if text:
        naming = [name for name, c in text.items() if len(set(map(str, c.values))) == len(c)]
        naming = naming[0] if naming and id_column is None else None
        raise TextColumnError({name: c.example for name, c in text.items()}, naming)
    X = np.column_stack(list(read.columns.values())).astype(np.float64)
    return Table(X, list(read.columns), read.ids, read.name, read.notes)


def load_columns(source, *, id_column=None, drop=(), label=None):
    """Read columns of numbers and of text, one of them a `label`; otherwise as `load_table`.

    Names that do not exist are returned, not refused: other files may have them. Bundled data have a column "target"
    only where there is a label.
    """
    path = Path(source)
    if str(source) in BUNDLED:
        names, columns, notes = _bundled(str(source), label is not None)
    elif path.suffix.lower() in READERS:
        names, columns, notes = READERS[path.suffix.lower()](path, id_column)
    else:
        raise ValueError(
            f"source must be a {', '.join(READERS)} file or one of {', '.join(BUNDLED)}; "
            f"got {str(source)!r}{_suggestion(source)}"
        )
    drop = _listed_names(drop)
    id_column, left_out = _index_apart(names, columns, id_column, (*drop, label))
    if left_out:
        notes = [*notes, f"index of the data frame left out: {_listed(left_out)}"]
    unknown = frozenset({*drop, id_column, label} - {*names, None})
    ids, kept = _split_off(names, columns, id_column, {*drop, *left_out})
    return Columns(kept, ids, path.name, tuple(notes), unknown)


def _listed_names(names):
    return [names] if isinstance(names, str) else list(names)


def _suggestion(source):
    close = get_close_matches(str(source).lower(), BUNDLED, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _index_apart(names, columns, id_column, drop):
    """The id column, which a single index is where none is named, and the index columns left over.

    Those that `drop` names, a label among them, are neither.
    """
    index = [n for n, c in zip(names, columns, strict=True) if isinstance(c, IndexColumn)]
    if id_column is None and len(index) == 1 and index[0] not in drop:
        return index[0], []
    return id_column, [name for name in index if name != id_column and name not in drop]


def _bundled(name, with_target):
    import sklearn.datasets

    data = getattr(sklearn.datasets, f"load_{name}")()
    names, columns, target = [str(n) for n in data.feature_names], list(data.data.T), data.target
    if not with_target:
        return names, columns, []
    if np.asarray(data.get("target_names", [])).dtype.kind == "U":
        values = np.asarray(data.target_names)[target].tolist()
        target = TextColumn.of(values, repr(values[0]))
    return [*names, "target"], [*columns, target], []


def _split_off(names, columns, id_column, drop):
    """Row ids, and the columns that are left as features, by name."""
    by_name = dict(zip(names, columns, strict=True))
    if not columns or not len(columns[0]):
        raise ValueError("the table must have at least one row below its header, got no rows")
    n_rows = len(columns[0])
    ids = _as_ids(by_name[id_column]) if id_column in by_name else np.arange(n_rows)
    kept = {name: by_name[name] for name in names if name != id_column and name not in drop}
    if not kept:
        raise ValueError(f"no column is left as a feature, of {_listed(names)}")
    return ids, kept


def _as_ids(column):
    if isinstance(column, TextColumn):
        return column.values
    whole = np.all(np.isfinite(column) & (column == np.rint(column)))
    return column.astype(np.int64) if whole and np.abs(column).max() < 2**53 else column


def _listed(names):
    more = f", ... ({len(names)} in all)" if len(names) > 20 else ""
    return ", ".join(repr(name) for name in names[:20]) + more
