"""The copying tests on three files, and what they found written to a folder."""

import csv
import json
import shlex
from pathlib import Path

import numpy as np

from skmem.copying import audit_copying
from skmem.copying._text import page
from skmem.cross_fitting._warn import warn_user
from skmem.datasets._readers import TextColumn
from skmem.datasets._tables import load_columns
from skmem.report._summarize import SCHEMA_VERSION, versions

# So few rows may all differ by chance.
_FEW = 10


def copying_of_files(train, holdout, generated, *, id_column=None, drop=(), raw=False, **options):
    """Audit files for copying.

    Distances are in the units of the metric; 0 is an exact copy.

    Parameters
    ----------
    train, holdout, generated : str or path-like
        Files as :func:`skmem.datasets.load_table` reads them; columns of text are categories.
        `holdout` may be None.
    id_column : str, default=None
        Column that names the rows, in the files that have it.
    drop : sequence of str, default=()
        Columns to leave out.
    raw : bool, default=False
        Whether to leave numbers as they are where there are no categories; otherwise they are divided
        by the training rows' standard deviation.
    **options
        Further arguments of :func:`skmem.copying.audit_copying`.

    Returns
    -------
    audit : CopyingAudit
        What was found.
    ids : dict
        What names the rows of "train" and of "generated".
    """
    paths = {"train": train, "holdout": holdout, "generated": generated}
    read = {
        name: load_columns(path, id_column=id_column, drop=drop)
        for name, path in paths.items()
        if path is not None
    }
    nowhere = frozenset.intersection(*(table.unknown for table in read.values()))
    if nowhere:
        raise ValueError(f"no file has a column {sorted(nowhere)[0]!r}")
    tables = {name: _arrays(table.columns) for name, table in read.items()}
    is_text = any(c.dtype == object for table in tables.values() for c in table.values())
    _refuse_missing(tables, read)
    _warn_of_ids(tables, id_column)
    mixed = is_text or options.get("categorical_features")
    metric = "gower" if mixed else "euclidean" if raw else "seuclidean"
    audit = audit_copying(*map(tables.get, paths), metric=metric, **options)
    return audit, {name: read[name].ids for name in ("train", "generated")}


def format_copying(audit, ids):
    """The audit as a page of text, rows by their ids.

    Distances are in the units of the metric; 0 is an exact copy.

    Parameters
    ----------
    audit : CopyingAudit
        What was found.
    ids : dict
        What names the rows of "train" and of "generated".

    Returns
    -------
    text : str
        The page.
    """
    return page(audit, ids)


def _refuse_missing(tables, read):
    """Name the file, the row and the column of a missing number, and what to do."""
    for table, columns in tables.items():
        for name, column in columns.items():
            missing = [] if column.dtype == object else np.flatnonzero(np.isnan(column))
            if len(missing):
                row = read[table].ids[missing[0]]
                raise ValueError(
                    f"{read[table].name} (--{table}): column {name!r} has no number in row {row} ({len(missing)} such "
                    f"rows); fill them in, remove those rows, or leave the column out with --drop {shlex.quote(name)}"
                )


def _warn_of_ids(tables, id_column):
    """Warn of columns of text that hold another value in each row: names of rows, not categories."""
    for name, column in tables["train"].items():
        n_values = len(set(column.tolist())) if column.dtype == object else 0
        if n_values == len(column) > _FEW:
            quoted = shlex.quote(name)
            instead = "" if id_column else f"name the rows by it with --id-column {quoted} or "
            warn_user(
                f"Column {name!r} holds another text in each row of --train, as names of rows do, and is taken for a "
                f"category, which blurs every distance; {instead}leave it out with --drop {quoted}."
            )


def _arrays(columns):
    return {name: c.categories if isinstance(c, TextColumn) else c for name, c in columns.items()}


def write_copying(audit, ids, folder, command=None):
    """Write ``suspects.csv``, a line for each suspect row, and ``copying.json`` into a folder.

    Distances are in the units of the metric; 0 is an exact copy.

    Parameters
    ----------
    audit : CopyingAudit
        What was found.
    ids : dict
        What names the rows of "train" and of "generated".
    folder : str or path-like
        An existing folder.
    command : str, default=None
        The command line, so that the audit can be repeated.

    Returns
    -------
    files : list of Path
        What was written.
    """
    files = [Path(folder) / name for name in ("suspects.csv", "copying.json")]
    columns = dict(audit.suspects)
    for name, rows in ids.items():
        columns[name] = rows[columns[name]]
    with open(files[0], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(v).tolist() for v in columns.values()), strict=True))
    head = {"schema_version": SCHEMA_VERSION, "command": command, "versions": versions()}
    text = json.dumps({**head, **audit.to_dict()}, indent=2, ensure_ascii=False, allow_nan=False)
    files[1].write_text(text + "\n", encoding="utf-8")
    return files
