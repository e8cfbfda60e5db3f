"""The parts of a report about an audit of labels: sentences, figures, the rows, and how they were made."""

import numpy as np

from skmem.inspection import MemorizationDisplay
from skmem.report._data_checks import counted
from skmem.report._figures import Figure
from skmem.report._format import identifier, number, printable
from skmem.report._label_summary import (
    CLASS_RULE,
    MEANING,
    NUMBER_RULE,
    found_in_words,
    label_columns,
    label_facts,
    summarize_labels,
)
from skmem.report._tables import column, labelled, table

_LABELS = {
    "id": "id",
    "label": "given label",
    "kind": "finding",
    "suggested_label": "suggested label",
    "predicted": "predicted without the row",
    "probability_out": "probability of the given",
    "suggested_probability_out": "probability of the suggested",
    "log_odds": "log-odds (nats)",
    "memorization": "memorization",
    "standard_error": "standard error (nats)",
    "p_value": "p-value",
}
_LIMITS = (
    "A finding is where to look, not a verdict: a rare row whose label is right may look like an error, and an "
    "error that other rows share may not."
)


def label_parts(audit, *, command, max_rows, image_shape, ids):
    """Everything in the report that is about this result, by the names of the schema."""
    summary = summarize_labels(audit, top=0, command=command)
    head = ("schema_version", "command", "versions", "top")
    return {
        "kind": "labels",
        "title": f"Labels of {audit.table.name} that may be wrong",
        "verdict": None,
        "summary": list(_sentences(audit, summary)),
        "key_figures": _key_figures(summary["counts"]),
        "figures": _figures(audit),
        "rows": _rows(audit, max_rows),
        "method": [[label, printable(text)] for label, text in label_facts(summary)],
        "parameters": {**summary["method"], **summary["model"]["parameters"]},
        "command": command or _code(audit),
        "results": {name: value for name, value in summary.items() if name not in head},
    }


def _sentences(audit, summary):
    data = summary["data"]
    yield (
        f"Column {printable(audit.label)} of {data['name']} was predicted for each of its "
        f"{counted(data['n_rows'], 'row')} by fits of {summary['model']['name']} that did not see it: "
        f"{found_in_words(summary['counts'])}."
    )
    rule = NUMBER_RULE if audit.issues is None else CLASS_RULE
    yield rule[0].upper() + rule[1:]
    yield _LIMITS


def _key_figures(counts):
    rows = [[MEANING.get(kind, kind.replace("_", " ")), n] for kind, n in counts.items()]
    return table("What was found", [column("finding"), column("rows", numeric=True)], rows)


def _figures(audit):
    is_number = audit.issues is None
    source = audit.scorer if is_number else audit.issues
    scores = source.memorization_ if is_number else source.memorization
    floor = audit.scorer.noise_floor_[0.95] if is_number else 0
    unit = "nats" if is_number else "probability"
    display = MemorizationDisplay(
        memorization=scores,
        log_density=np.zeros(len(scores)),
        noise_floor=floor if floor > 0 else None,
        unit=unit,
    )
    low, high = (number(float(value)) for value in (scores.min(), scores.max()))
    caption = (
        "Number of rows by how much their label is memorized, on a logarithmic scale: how much likelier the label "
        "is to fits that saw the row."
    )
    alt = f"Histogram. {caption} Scores run from {low} to {high} ({unit})."
    return [Figure(display, "How labels are memorized", caption, alt, {"kind": "distribution"})]


def _rows(audit, max_rows):
    columns = label_columns(audit)
    by = "memorization" if audit.issues is None else "log_odds"
    order = np.argsort(-columns[by], kind="stable")[:max_rows]
    labels = {name: label for name, label in _LABELS.items() if name in columns}
    shown = [columns[name][order] for name in labels]
    text = ["id", "kind"] + [n for n in labels if columns[n].dtype.kind not in "fiu"]
    n_rows = len(audit.y)
    caption = f"Rows by {labels[by]}: {min(max_rows, n_rows)} of {n_rows}"
    return labelled(caption, labels, shown, text, sorted_by=by, n_total=n_rows)


def _code(audit):
    given = {"cv": audit.cv, "n_repeats": audit.n_repeats, "random_state": audit.random_state}
    words = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"skmem.report.audit_labels(table, y, label={identifier(audit.label)!r}, {words})"
