"""One reader per kind of file: a path in; column names, columns and notes out.

The id column is handed on unread: as numbers, 007 would become 7 and long ones lose digits.
"""

import csv
import json
import re
from dataclasses import dataclass

import numpy as np

# How people write a missing value and a truth value in delimited text, in lower case.
_MISSING = ("", "na", "n/a", "nan", "null", "none")
_TRUTH = {"true": 1.0, "false": 0.0}
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+(e[-+]?\d+)?\s*", re.IGNORECASE)
# The name that pandas gives an index without one.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column that is not numeric: its values, and an example in words."""

    values: np.ndarray
    example: str = ""

    @classmethod
    def of(cls, values, example=""):
        """Hold `values` as they are."""
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):  # at once, lists would be taken for rows
            array[i] = value
        return cls(array, example)

    def __len__(self):
        return len(self.values)

    @property
    def categories(self):
        """The values, None where one is missing."""
        missing = [v is None or str(v).strip().lower() in _MISSING for v in self.values]
        return np.where(missing, None, self.values)


class IndexColumn(TextColumn):
    """A column that was the index of a data frame: it names the rows and is no feature."""


def _read_delimited(path, delimiter, id_column):
    try:
        # utf-8-sig drops the byte-order mark that spreadsheets write.
        with open(path, encoding="utf-8-sig", newline="") as file:
            names, rows, lines = _read_lines(file, path, delimiter)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be UTF-8 text, byte {error.start} is not ({error.reason}); save it as "
            "UTF-8 or convert it: iconv -f LATIN1 -t UTF-8, if that is its encoding"
        ) from None
    fields = zip(*rows, strict=True) if rows else ((),) * len(names)
    columns = [
        TextColumn.of(column) if name == id_column else _parse_column(column, lines)
        for name, column in zip(names, fields, strict=True)
    ]
    # Such a header may be the first row of a file without one.
    counted = "the first line is taken for a header: it counts the columns"
    return names, columns, [counted] if all(map(_is_number, names)) else []


def _read_lines(file, path, delimiter):
    first = file.readline()
    # Spreadsheets of countries with a decimal comma separate fields by semicolons.
    if delimiter not in first and ";" in first:
        delimiter = ";"
    file.seek(0)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        names = _column_names(next(reader, []), path)
        return names, *_read_rows(reader, path, len(names))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None


def _column_names(header, path):
    names = [name.strip() or f"column_{j}" for j, name in enumerate(header)]
    if not names:
        raise ValueError(
            f"{path} must begin with a header row that names the columns; it is empty"
        )
    # A header of numbers is taken for data, unless it counts the columns as array writers do.
    counts = [str(j) for j in range(len(names) + 1)]
    if all(map(_is_number, header)) and names not in (counts[:-1], counts[1:]):
        raise ValueError(
            f"{path} must begin with a header row that names the columns; "
            "its first line holds numbers"
        )
    return _unique(names, path)


def _unique(names, path):
    seen = set()
    for name in names:
        if name in seen:
            raise ValueError(
                f"{path}: column names must be unique; {name!r} occurs more than once"
            )
        seen.add(name)
    return names


def _read_rows(reader, path, n_columns):
    rows, lines = [], []
    for row in reader:
        if not row:  # a blank line
            continue
        if len(row) != n_columns:
            raise ValueError(
                f"{path}, line {reader.line_num}: a row must have {n_columns} fields "
                f"as the header has; got {len(row)}{_surplus(row, n_columns, reader.dialect)}"
            )
        rows.append(row)
        lines.append(reader.line_num)
    return rows, lines


def _surplus(row, n_columns, dialect):
    """Say what too many fields come from, where commas separate them."""
    if len(row) <= n_columns or dialect.delimiter != ",":
        return ""
    return "; a decimal comma must be a point, text with commas in quotes"


def _number(text):
    text = text.strip().lower()
    if text in _MISSING:
        return np.nan
    if text in _TRUTH:
        return _TRUTH[text]
    if "_" in text:  # Python would read 1_000 as a number; nobody writes data so
        raise ValueError
    return float(text)


def _is_number(text):
    try:
        return not np.isnan(_number(text))
    except ValueError:
        return False


def _parse_column(fields, lines):
    numbers = np.empty(len(fields))
    for i, text in enumerate(fields):
        try:
            numbers[i] = _number(text)
        except ValueError:
            comma = ", a decimal comma must be a point" if _DECIMAL_COMMA.fullmatch(text) else ""
            return TextColumn.of(fields, f"{text[:30]!r} on line {lines[i]}{comma}")
    return numbers


def _read_csv(path, id_column):
    return _read_delimited(path, ",", id_column)


def _read_tsv(path, id_column):
    return _read_delimited(path, "\t", id_column)


def _read_parquet(path, id_column):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            'reading .parquet files needs pyarrow: pip install "skmem[frames]"'
        ) from None
    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path} cannot be read as parquet: {error}") from None
    names = _unique([str(name) for name in table.column_names], path)
    unread = dict.fromkeys(_index_names(table.schema, names), IndexColumn)
    unread.setdefault(id_column, TextColumn)
    columns = [
        unread[name].of(column.to_pylist()) if name in unread else _arrow_column(column)
        for name, column in zip(names, table.columns, strict=True)
    ]
    return names, columns, []


def _index_names(schema, names):
    """Names of the columns that were the index of the pandas frame, as its metadata say."""
    metadata = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    stored = metadata.get("index_columns", [])  # names, and a dict for a range that is not stored
    return [name for name in names if name in stored or _UNNAMED_INDEX.fullmatch(name)]


def _arrow_column(column):
    import pyarrow as pa

    kind = column.type
    numeric = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if any(is_kind(kind) for is_kind in numeric):
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        # safe=False: integers beyond 2^53 are rounded, as they are everywhere else.
        single = pa.types.is_float32(kind)
        return _floats(column.cast(kind if single else pa.float64(), safe=False).to_numpy())
    return TextColumn.of(column.to_pylist(), f"of type {kind}")


def _load(path):
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as a numeric array: {error}") from None


def _read_npy(path, id_column):
    return _array_columns(_load(path), path.name, [])


def _read_npz(path, id_column):
    with _load(path) as archive:
        keys = ["X"] if "X" in archive.files else archive.files
        for key in keys:
            try:
                array = archive[key]
            except ValueError:  # an array of objects
                continue
            if array.ndim >= 2 and _is_numeric(array):
                notes = [f"array {key!r} taken, of {', '.join(archive.files)}"]
                return _array_columns(array, key, notes if len(archive.files) > 1 else [])
    raise ValueError(f"{path} must hold a numeric array of two or more dimensions; got {keys}")


def _is_numeric(array):
    return array.dtype.kind in "biuf"


def _array_columns(array, name, notes):
    if not _is_numeric(array) or array.ndim == 0:
        raise ValueError(
            f"{name} must be a numeric array of one or more dimensions; "
            f"got dtype {array.dtype} and shape {array.shape}"
        )
    if array.ndim != 2:
        flat = array.reshape(len(array), int(np.prod(array.shape[1:])))
        notes = [*notes, f"array of shape {array.shape} flattened to {flat.shape}"]
        array = flat
    return [f"x{j}" for j in range(array.shape[1])], list(_floats(array).T), notes


def _floats(array):
    """The numbers as float64, or float32 where they are: what compares tables must know."""
    return array if array.dtype == np.float32 else array.astype(np.float64)


READERS = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
    ".npy": _read_npy,
    ".npz": _read_npz,
}
