"""Tables of a report as plain dicts."""


def column(label, *, name=None, numeric=False):
    """A column of a table: how it is called in `rows`, what stands above it, and whether it holds numbers."""
    return {"name": name or label, "label": label, "numeric": numeric}


def table(caption, columns, rows, *, sorted_by=None, n_total=None):
    """A table: its cells row by row, the column that it is sorted by, and how many rows there are in all."""
    return {
        "caption": caption,
        "columns": columns,
        "rows": rows,
        "sorted_by": sorted_by,
        "n_total": len(rows) if n_total is None else n_total,
    }


def labelled(caption, labels, values, text=(), **options):
    """A table of arrays, one for each of ``{name: label}``; those named in `text` hold no numbers."""
    columns = [
        column(label, name=name, numeric=name not in text) for name, label in labels.items()
    ]
    rows = [list(row) for row in zip(*(v.tolist() for v in values), strict=True)]
    return table(caption, columns, rows, **options)
