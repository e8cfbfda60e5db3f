"""An audit of labels as a plain dict, as text, and as files."""

from textwrap import wrap

import numpy as np

from skmem.memorization._label_issues import KINDS
from skmem.report._data_checks import counted
from skmem.report._format import WIDTH, aligned, check_lines, entry, identifier, number
from skmem.report._summarize import SCHEMA_VERSION, plain, versions, write_results

MEANING = {
    "mislabelled": "likely mislabelled: another label is likelier, on the average of with and without the row",
    "ambiguous": "ambiguous: without the row its two likeliest labels are close",
    "atypical": "atypical, but right: only fits with the row give it its label",
}
MEMORIZED = "of the highest memorization: numbers that rows like them do not suggest"
_MOST_NAMED = 8
CLASS_RULE = (
    "probability: of the given and of the suggested label, by fits without the row; log-odds in nats, on "
    "the average of with and without the row: positive = another label is likelier; memorization: probability of the "
    "given label with the row minus without it."
)
NUMBER_RULE = (
    "Memorization is in nats: log-likelihood of the row's residual by fits with the row minus without it; positive = "
    "only who has seen the row knows its number; 0 = no effect. predicted: by a fit without the row."
)
_CLASS_HEADER = {
    "id": "id",
    "label": "given",
    "suggested_label": "suggested",
    "probability_out": "probability",
    "suggested_probability_out": "of suggested",
    "log_odds": "log-odds",
    "memorization": "memorization",
}
_NUMBER_HEADER = {
    "id": "id",
    "label": "given",
    "predicted": "predicted",
    "memorization": "memorization",
    "standard_error": "std. error",
    "p_value": "p-value",
}
_NAMES = ("id", "label", "suggested_label")


def summarize_labels(audit, *, top=20, command=None):
    """Summarise an audit of labels as a dict of plain Python values.

    Log-odds in nats, memorization in probability, for numbers in nats; positive = another label is likelier, or the
    given one is memorized; 0 = no effect.

    Parameters
    ----------
    audit : LabelAudit
        What :func:`skmem.report.audit_labels` returned.
    top : int, default=20
        Number of rows to list, of each kind.
    command : str, default=None
        The command line, so that the audit can be repeated.

    Returns
    -------
    summary : dict
        With the keys schema_version, command, versions, data, findings, model, method, counts (rows of each kind;
        for numbers those above the noise floors) and top (rows of each kind; for numbers those most memorized).
    """
    is_number = audit.issues is None
    return plain(
        {
            "schema_version": SCHEMA_VERSION,
            "command": command,
            "versions": versions(),
            "data": _data(audit),
            "findings": [vars(finding) for finding in audit.findings],
            "model": {
                "name": audit.model,
                "choice": audit.choice,
                "parameters": audit.estimator.get_params(),
            },
            "method": {
                "cv": audit.cv,
                "n_repeats": audit.n_repeats,
                "random_state": audit.random_state,
            },
            "counts": _above_noise(audit.scorer) if is_number else _counts(audit.issues),
            "top": _top(audit, top),
        }
    )


def _data(audit):
    sizes, ids = np.bincount(audit.groups), audit.table.ids
    differ = _contradicting(audit)
    return {
        "name": audit.table.name,
        "notes": audit.table.notes,
        "n_rows": len(audit.y),
        "n_columns": len(audit.table.feature_names),
        "label": audit.label,
        "task": audit.task,
        "n_duplicate_rows": sizes[sizes > 1].sum(),
        "n_contradicting_rows": np.count_nonzero(differ),
        "contradicting": ids[differ][:_MOST_NAMED].tolist(),
    }


def _contradicting(audit):
    """Whether each row is equal to one of another label, (n_rows,)."""
    codes = np.unique(audit.y, return_inverse=True)[1]
    pairs = np.unique(np.column_stack([audit.groups, codes]), axis=0)
    return np.bincount(pairs[:, 0])[audit.groups] > 1


def _counts(issues):
    return {kind: np.count_nonzero(issues.kind == kind) for kind in KINDS}


def _above_noise(scorer):
    return {
        f"above_noise_floor_{level:g}": np.count_nonzero(scorer.memorization_ > floor)
        for level, floor in scorer.noise_floor_.items()
    }


def _top(audit, n_rows):
    """Rows of each kind, of numbers the most memorized ones."""
    columns = label_columns(audit)
    if audit.issues is None:
        rows = {"memorized": audit.scorer.top(n_rows)[0]}
    else:
        rows = {kind: audit.issues.top(n_rows, kind)[0] for kind in MEANING}
    return {
        kind: [
            {"row": r, **{name: column[r] for name, column in columns.items()}} for r in of_kind
        ]
        for kind, of_kind in rows.items()
    }


def label_columns(audit):
    """Every row's label and what is said of it, by name.

    Rows of the same `group` are equal but perhaps for their label.
    """
    head = {"id": audit.table.ids, "label": audit.y}
    scores = _scores(audit.scorer) if audit.issues is None else _judgements(audit.issues)
    return {**head, **scores, "predicted": audit.predicted, "group": audit.groups}


def _scores(scorer):
    return {
        "memorization": scorer.memorization_,
        "standard_error": scorer.standard_error_,
        "p_value": scorer.p_values_,
        "log_density_in": scorer.log_density_in_,
        "log_density_out": scorer.log_density_out_,
    }


def _judgements(issues):
    each, labels = np.arange(len(issues.label)), (issues.label, issues.suggested_label)
    given, other = (np.searchsorted(issues.classes, label) for label in labels)
    return {
        "kind": issues.kind,
        "suggested_label": issues.suggested_label,
        "probability_out": issues.probability_out[each, given],
        "suggested_probability_out": issues.probability_out[each, other],
        "log_odds": issues.log_odds,
        "memorization": issues.memorization,
    }


def format_labels(summary):
    """Write a summary of an audit of labels as text.

    Log-odds in nats, memorization in probability, for numbers in nats; positive = another label is likelier, or the
    given one is memorized; 0 = no effect.

    Parameters
    ----------
    summary : dict
        What :func:`skmem.report.summarize_labels` returned.

    Returns
    -------
    text : str
        Lines of less than 100 characters.
    """
    paragraphs = [
        _fact_lines(summary),
        *(_table(kind, rows) for kind, rows in summary["top"].items()),
    ]
    is_number = "memorized" in summary["top"]
    rule = wrap(NUMBER_RULE if is_number else CLASS_RULE, WIDTH)
    return "\n\n".join("\n".join(lines) for lines in [*paragraphs, rule] if lines)


def label_facts(summary):
    """What was audited and how, as (label, text); a text without a label goes on with the one before."""
    data, method = summary["data"], summary["method"]
    size = f"{counted(data['n_rows'], 'row')}, {counted(data['n_columns'], 'column')}"
    copies = f"{data['n_duplicate_rows']} rows equal another; such rows leave the fits together"
    return [
        ("data", f"{data['name']}: {size}"),
        *(("", note) for note in data["notes"]),
        ("label", f"column {data['label']!r}, {data['task']}"),
        ("duplicates", copies if data["n_duplicate_rows"] else "none"),
        *_contradiction(data),
        ("model", summary["model"]["name"]),
        ("", summary["model"]["choice"]),
        (
            "method",
            f"cross-fit: {method['cv']} folds x {counted(method['n_repeats'], 'repeat')}, seed "
            f"{method['random_state']}",
        ),
        ("found", found_in_words(summary["counts"])),
    ]


def _fact_lines(summary):
    lines = [line for label, text in label_facts(summary) for line in entry(label, text)]
    return lines + check_lines(summary["findings"])


def _contradiction(data):
    if not data["n_contradicting_rows"]:
        return []
    n_rows, ids = data["n_contradicting_rows"], data["contradicting"]
    names = ", ".join(map(identifier, ids)) + (", ..." if n_rows > len(ids) else "")
    return [("", f"{n_rows} of them equal a row of another label: {names}")]


def found_in_words(counts):
    if "mislabelled" in counts:
        return ", ".join(f"{n} {kind}" for kind, n in counts.items())
    levels = [name.rpartition("_")[2] for name in counts]
    return ", ".join(
        f"{counted(n, 'row')} above the {level} noise floor"
        for level, n in zip(levels, counts.values(), strict=True)
    )


def _table(kind, rows):
    """Lines of one kind of rows; none where there are no rows."""
    if not rows:
        return []
    header = _NUMBER_HEADER if kind == "memorized" else _CLASS_HEADER
    cells = [[_cell(name, row[name]) for name in header] for row in rows]
    return [
        f"{counted(len(rows), 'row')} {MEANING.get(kind, MEMORIZED)}",
        *aligned(tuple(header.values()), cells),
    ]


def _cell(name, value):
    is_name = name in _NAMES or isinstance(value, str)
    return identifier(value) if is_name else number(value)


def write_labels(audit, summary, folder):
    """Write ``labels.csv``, a line for each row, and ``summary.json`` into a folder.

    Log-odds in nats, memorization in probability, for numbers in nats; 0 = no effect.

    Parameters
    ----------
    audit : LabelAudit
        What :func:`skmem.report.audit_labels` returned.
    summary : dict
        What :func:`skmem.report.summarize_labels` made of it.
    folder : str or path-like
        An existing folder.

    Returns
    -------
    files : list of Path
        What was written.
    """
    return write_results(label_columns(audit), summary, folder, "labels.csv")
