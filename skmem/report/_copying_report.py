"""The parts of a report about an audit for copying: the verdict, figures, suspect pairs, and how they were made."""

import numpy as np

from skmem.inspection import CopyingDisplay
from skmem.report._figures import Figure
from skmem.report._tables import column, labelled, table

_VERDICTS = {
    True: ("copying was found", "alert"),
    False: ("no copying was shown", "calm"),
    None: ("nothing can be concluded", "open"),
}
_TESTS = {
    "closest_records": "closest records",
    "membership_inference": "membership inference",
    "data_copying": "data copying",
    "distance_ratios": "distance ratios",
    "authenticity": "authenticity",
    "coverage": "coverage",
}
_LIMITS = (
    "What no test shows may be there all the same: rows that resemble a training row in ways the distance "
    "does not measure, or a generator that reveals rows when asked otherwise. This is no privacy guarantee."
)


def copying_parts(audit, *, command, max_rows, image_shape, ids):
    """Everything in the report that is about this result, by the names of the schema."""
    label, tone = _VERDICTS[audit.copying]
    sizes = ", ".join(f"{n} {name}" for name, n in audit.sizes.items())
    return {
        "kind": "copying",
        "title": "Do the generated rows copy the training rows?",
        "verdict": {"label": label, "tone": tone},
        "summary": [audit.verdict, *audit.notes, _LIMITS],
        "key_figures": _key_figures(audit),
        "figures": _figures(audit),
        "rows": _rows(audit, ids, max_rows),
        "method": [
            ["rows", sizes],
            ["distance", audit.metric],
            *([label, str(getattr(audit, name))] for name, label in _done(audit)),
        ],
        "parameters": {"metric": audit.metric, "alpha": audit.alpha, **audit.parameters},
        "command": command or _code(audit),
        "results": audit.to_dict(),
    }


def _done(audit):
    return [(name, label) for name, label in _TESTS.items() if getattr(audit, name) is not None]


def _key_figures(audit):
    columns = [column("evidence of copying in"), column("p-value, adjusted", numeric=True)]
    columns.append(column(f"at most {audit.alpha:g}"))
    rows = [[name, p, "yes" if p <= audit.alpha else "no"] for name, p in audit.evidence.items()]
    caption = "The p-values that the verdict rests on, adjusted by Holm for their number"
    return table(caption, columns, rows)


def _figures(audit):
    kinds = ["records"]
    if audit.distance_ratios is not None:
        kinds.append("ratios")
    if audit.data_copying is not None:
        kinds.append("cells")
    display = CopyingDisplay.from_results(audit)
    alts = _alts(audit)
    return [Figure(display, *_CAPTIONS[kind], alts[kind], {"kind": kind}) for kind in kinds]


_CAPTIONS = {
    "records": (
        "How close generated rows come to training rows",
        "Share of rows whose closest training row is at most so close, as a share of the distance to the "
        "second-closest. A curve of generated rows that rises on the left, before that of the held-out rows, "
        "is that of copies; a jump at 0 is exact ones.",
    ),
    "ratios": (
        "Distance ratios of the training rows",
        "Training rows by the distance to their nearest held-out row over that to their nearest generated row. "
        "A hump far to the right is rows that were copied.",
    ),
    "cells": (
        "Where in the data rows are copied",
        "Each mark is a cell, a region of the data: how much nearer to training rows its generated rows lie than "
        "its held-out rows, in standard deviations. Diamonds are the cells that copy after Holm's adjustment.",
    ),
}


def _alts(audit):
    records, n = audit.closest_records, audit.sizes
    alts = {
        "records": (
            f"Cumulative shares of {n['generated']} generated and {n.get('holdout', 0)} held-out rows. "
            f"{records.n_copies} generated rows are at distance 0 and {records.n_suspects} are suspect."
        )
    }
    if audit.distance_ratios is not None:
        alts["ratios"] = f"Histogram. {audit.distance_ratios}"
    if audit.data_copying is not None:
        alts["cells"] = f"Cells in the order of their z. {audit.data_copying}"
    return alts


def _rows(audit, ids, max_rows):
    ids = ids or {}
    suspects = {name: values[:max_rows] for name, values in audit.suspects.items()}
    labels = {
        "generated": "generated row",
        "train": "training row",
        "distance": "distance",
        "ratio": "to second-closest",
        "p_value": "p-value",
        "adjusted_p_value": "p-value, adjusted",
        "copy": "exact copy",
    }
    if "memorization" in suspects:
        labels["memorization"] = "memorization of the training row (nats)"
    for table_name in ("generated", "train"):
        if table_name in ids:
            suspects[table_name] = np.asarray(ids[table_name])[suspects[table_name]]
    suspects["copy"] = np.where(suspects["copy"], "yes", "no")
    n_rows = len(audit.suspects["copy"])
    caption = f"Copies and suspect rows, the worst first: {len(suspects['copy'])} of {n_rows}"
    shown = [suspects[name] for name in labels]
    return labelled(caption, labels, shown, ("generated", "train", "copy"), n_total=n_rows)


def _code(audit):
    given = {"metric": audit.metric, "alpha": audit.alpha, **audit.parameters}
    words = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"skmem.copying.audit_copying(X_train, X_holdout, X_generated, {words})"
