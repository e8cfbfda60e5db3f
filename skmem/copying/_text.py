"""An audit as a page of text, and as a plain table of HTML."""

from textwrap import fill

import numpy as np

from skmem import _html

_TESTS = {
    "closest_records": "closest records",
    "membership_inference": "membership",
    "data_copying": "data copying",
    "distance_ratios": "distance ratio",
    "authenticity": "authenticity",
    "coverage": "coverage",
}
_WIDTH, _LABEL = 96, 17
_SHOWN = 10


def page(audit, ids=None):
    """The verdict, then a paragraph for each test, then the worst rows, by their `ids` if there are any."""
    lines = [fill(audit.verdict, _WIDTH), ""]
    lines += [_entry(label, text) for label, text in _entries(audit)]
    return "\n".join([*lines, *_suspect_lines(audit, ids or {})])


def table(audit):
    """The same entries as rows of an HTML table, every text escaped."""
    entries = [("verdict", audit.verdict), *_entries(audit)]
    shown = _cells(audit, {})
    return _html.table(entries) + (_html.table(shown, audit.suspects) if shown else "")


def _entries(audit):
    rows = ", ".join(f"{n} {name}" for name, n in audit.sizes.items())
    yield "rows", f"{rows}; {audit.metric} distance"
    for name, label in _TESTS.items():
        result = getattr(audit, name)
        if result is not None:
            yield label, str(result)
    if audit.evidence:
        values = ", ".join(f"{name} {p:.2g}" for name, p in audit.evidence.items())
        yield "evidence", f"p-values adjusted for their number: {values}"
    if audit.memorization is not None:
        yield "memorization", _memorization(audit.memorization)
    for note in audit.notes:
        yield "note", note


def _memorization(summary):
    """What is known of memorization: nothing is where all rows are copied, or none, or no two scores differ."""
    whose = {"copied": "the training rows copied", "others": "the others"}
    medians = {who: summary[name] for name, who in whose.items() if not np.isnan(summary[name])}
    text = "median " + ", ".join(f"{nats:.3g} nats of {who}" for who, nats in medians.items())
    if np.isnan(summary["spearman"]):
        return text
    return f"{text}; its rank correlation with the distance ratio is {summary['spearman']:.2f}"


def _suspect_lines(audit, ids):
    n_rows = len(audit.suspects["generated"])
    if not n_rows:
        return []
    cells = [list(audit.suspects), *_cells(audit, ids)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    which = f"the worst {_SHOWN}" if n_rows > _SHOWN else "the worst first"
    return ["", f"{n_rows} suspect generated rows, {which}:", *lines]


def _cells(audit, ids):
    shown = {name: values[:_SHOWN] for name, values in audit.suspects.items()}
    for name, labels in ids.items():
        shown[name] = labels[shown[name]]
    columns = [[_cell(value) for value in values] for values in shown.values()]
    return list(zip(*columns, strict=True))


def _cell(value):
    if isinstance(value, np.bool_):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, np.floating) else str(value)


def _entry(label, text):
    return fill(text, _WIDTH, initial_indent=label.ljust(_LABEL), subsequent_indent=" " * _LABEL)
