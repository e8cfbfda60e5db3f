"""What all results share: a text, a dict of plain values, and how a frame is made."""

from dataclasses import fields

import numpy as np

from skmem import _frames, _html


class Result:
    """A frozen result; a subclass is a frozen dataclass and says `_sentence`."""

    def __str__(self):
        return self._sentence()

    def _repr_html_(self):
        figures = [(name, value) for name, value in self.to_dict().items() if not _is_long(value)]
        return _html.paragraphs([self]) + _html.table(figures)

    def to_dict(self):
        """Figures as plain Python values.

        Arrays of one value per row are left out; `to_frame` has them.

        Returns
        -------
        figures : dict
            By the names of the attributes; nan is None, an interval a list.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.repr}
        return plain(values)


def _is_long(value):
    return isinstance(value, dict)


def plain(value):
    """Make `value` of dict, list, str, int, float, bool and None alone."""
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value


def frame_library(X):
    """The library of a data frame; pandas for whatever else."""
    return _frames.describe_rows(X).backend


def make_frame(columns, library="pandas"):
    """Data frame of a dict of columns, by a library of that name."""
    return _frames.make_frame(columns, _frames.RowLabels(library))


def percent(share):
    """A share in words."""
    return f"{100 * share:.3g} %"
