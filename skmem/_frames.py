"""Scores as a data frame of the kind that the rows came in."""

from dataclasses import dataclass
from typing import Any

import numpy as np

_BACKENDS = ("pandas", "polars", "pyarrow")


@dataclass(frozen=True)
class RowLabels:
    """Where rows came from: the data-frame library, and the index where it has one."""

    backend: str = "pandas"
    index: Any = None


def describe_rows(X):
    """Labels of the rows of `X`."""
    homes = [cls.__module__.partition(".")[0] for cls in type(X).__mro__]
    library = next((home for home in homes if home in _BACKENDS), None)
    return RowLabels(library or "pandas", X.index if library == "pandas" else None)


def make_frame(columns, rows=RowLabels()):
    """Data frame of a dict of columns, labelled by the RowLabels `rows`; of pandas if they are not given."""
    try:
        import narwhals as nw

        columns = {name: np.asarray(values) for name, values in columns.items()}
        frame = nw.from_dict(columns, backend=rows.backend).to_native()
    except ImportError as error:
        raise ImportError(
            f'a data frame needs narwhals and {rows.backend}: pip install "skmem[frames]"'
        ) from error
    if rows.index is not None:
        frame.index = rows.index
    return frame
