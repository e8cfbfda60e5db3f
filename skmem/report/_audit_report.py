"""The parts of a report about an audit of memorization: sentences, figures, the rows, and how they were made."""

import numpy as np

from skmem.inspection import MemorizationDisplay
from skmem.inspection._style import check_images
from skmem.report._data_checks import counted
from skmem.report._figures import Figure
from skmem.report._format import (
    SAID_ELSEWHERE,
    SIGN_RULE,
    SO_WHAT,
    facts,
    identifier,
    nearly_all_above,
    number,
    printable,
)
from skmem.report._summarize import score_columns, summarize
from skmem.report._tables import column, labelled, table

_LIMITS = (
    "A low score is no proof of privacy: this is one model on one table, and nothing here bounds what another "
    "model, or somebody who queries this one, may learn of a row."
)


def audit_parts(audit, *, command, max_rows, image_shape, ids):
    """Everything in the report that is about this result, by the names of the schema."""
    summary = summarize(audit, top=0, command=command)
    results = {
        name: value
        for name, value in summary.items()
        if name not in ("schema_version", "command", "versions", "top")
    }
    return {
        "kind": "audit",
        "title": f"Memorization of the rows of {audit.table.name}",
        "verdict": None,
        "summary": list(_sentences(audit, summary)),
        "key_figures": _key_figures(summary),
        "figures": _figures(audit, image_shape),
        "rows": _rows(audit, max_rows),
        "method": _method(summary),
        "parameters": {**_settings(audit), **summary["model"]["parameters"]},
        "command": command or _code(audit),
        "results": results,
    }


def _sentences(audit, summary):
    data, model, scores = summary["data"], summary["model"], audit.scorer.memorization_
    worst = int(np.argmax(scores))
    median, highest = (number(summary["quantiles"][i]["memorization"]) for i in (0, -1))
    size = f"{counted(data['n_rows'], 'row')} and {counted(data['n_columns'], 'column')}"
    fits = counted(summary["method"]["n_fits"], "fit")
    yield (
        f"{data['name']} has {size}. A {model['estimator']} was fitted to it ({fits}), and each row's "
        "log-density with the row among the training rows compared with that without it."
    )
    yield (
        f"Half of the rows are memorized by {median} nats or more. Row {identifier(audit.table.ids[worst])} is "
        f"memorized most, by {highest} nats. {SIGN_RULE}"
    )
    yield from _noise_sentences(summary)
    if data["n_duplicate_rows"]:
        yield (
            f"{data['n_duplicate_rows']} rows are exact copies of others; a copy lowers the score of the "
            "row that it copies."
        )
    yield _LIMITS


def _noise_sentences(summary):
    n_rows = summary["data"]["n_rows"]
    for above in summary["above_noise_floor"]:
        yield (
            f"{counted(above['n_rows'], 'row')} of {n_rows} exceed the {above['level']:g} noise "
            f"floor; noise alone would put {above['expected_by_noise']:.4g} there."
        )
    if nearly_all_above(summary):
        yield SO_WHAT


def _key_figures(summary):
    rows = [
        [_level(q["level"]), q["memorization"], q["noise_floor"]] for q in summary["quantiles"]
    ]
    columns = [
        column("of all rows"),
        column("memorization (nats)", numeric=True),
        column("noise floor (nats)", numeric=True),
    ]
    return table(
        "Quantiles of memorization, and of noise alone where that is known", columns, rows
    )


def _level(level):
    return "highest" if level == 1 else f"quantile {level:g}"


def _figures(audit, image_shape):
    scorer, floor = audit.scorer, audit.scorer.noise_floor_[0.95]
    images = None if image_shape is None else check_images(audit.table.X, image_shape)
    display = MemorizationDisplay(
        memorization=scorer.memorization_,
        log_density=scorer.log_density_in_ + audit.log_jacobian,
        noise_floor=floor if floor > 0 else None,
        images=images,
        ids=np.array([identifier(name) for name in audit.table.ids], dtype=object),
    )
    return [
        Figure(display, title, caption, _alt(kind, scorer, caption), {"kind": kind})
        for kind, title, caption in _KINDS
        if kind != "top" or images is not None
    ]


_KINDS = (
    (
        "distribution",
        "How memorization is distributed",
        "Number of rows by their memorization, on a logarithmic scale. What lies to the right of the "
        "dashed line, where there is one, is more than noise puts there in one row of twenty.",
    ),
    (
        "log-density",
        "Memorization against log-density",
        "Each dot is a row. Rows high up are memorized most; how likely a row is does not tell which those are.",
    ),
    (
        "top",
        "The most memorized rows",
        "The rows of the highest memorization as images, each with its id and its score in nats.",
    ),
)


def _alt(kind, scorer, caption):
    scores = scorer.memorization_
    low, middle, high = (number(float(v)) for v in (scores.min(), np.median(scores), scores.max()))
    what = {"distribution": "Histogram", "log-density": "Scatter plot", "top": "Images"}[kind]
    return f"{what}. {caption} Scores run from {low} to {high} nats; the median is {middle}."


def _rows(audit, max_rows):
    columns = score_columns(audit)
    order = np.argsort(-audit.scorer.memorization_, kind="stable")[:max_rows]
    labels = {
        "row": "row",
        "id": "id",
        "memorization": "memorization (nats)",
        "standard_error": "standard error (nats)",
        "p_value": "p-value",
        "log_density_in": "log-density with the row (nats)",
        "log_density_out": "log-density without it (nats)",
        "nearest_id": "nearest row",
        "nearest_distance": "distance to it",
        "copies": "exact copies",
    }
    n_rows = len(audit.table.X)
    values = {"row": np.arange(n_rows), **columns}
    caption = f"Rows by memorization: {'all' if len(order) == n_rows else 'the highest'} {len(order)} of {n_rows}"
    shown = [values[name][order] for name in labels]
    text = ("id", "nearest_id")
    return labelled(caption, labels, shown, text, sorted_by="memorization", n_total=n_rows)


def _method(summary):
    findings = [
        (f"data check, {finding['severity']}", f"{finding['what']} ({finding['where']})")
        for finding in summary["findings"]
        if finding["check"] not in SAID_ELSEWHERE
    ]
    return [[label, printable(text)] for label, text in (*facts(summary), *findings)]


def _code(audit):
    words = ", ".join(f"{name}={value!r}" for name, value in _settings(audit).items())
    return f"skmem.report.audit(table, {words})"


def _settings(audit):
    names = ("cv", "n_repeats", "method", "random_state")
    settings = {name: getattr(audit.scorer, name) for name in names}
    return {"model": audit.model, "standardize": audit.standardized, **settings}
