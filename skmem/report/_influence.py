"""Explanations as a plain dict, as text, and as files."""

import csv
import json
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap

import numpy as np

from skmem.report._data_checks import counted
from skmem.report._format import aligned, entry, identifier, number
from skmem.report._models import MODELS
from skmem.report._summarize import SCHEMA_VERSION, plain, versions

SIGN_RULE = (
    "Influence is in nats: log-density of the row minus its log-density without the training row; positive = "
    "proponent, negative = opponent, 0 = no effect."
)
SHARE_RULE = "share: of the row's likelihood, what its proponents carry."
DOMINATED = (
    "*: dominated by one training row, whose influence is at least {:g} times the next. Held-out rows may be so too: "
    "explain some (--query) to compare."
)
_WIDTH = 96
_MOST_ROWS = 20


def summarize_influence(explanation, *, command=None):
    """Summarise an explanation as a dict of plain Python values.

    Influences in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    explanation : Explanation
        What :func:`skmem.report.explain` returned.
    command : str, default=None
        The command line, so that it can be repeated.

    Returns
    -------
    summary : dict
        With the keys schema_version, command, versions, data, query, model, method, dominance, n_dominated and rows.
    """
    found = explanation.explanations
    return plain(
        {
            "schema_version": SCHEMA_VERSION,
            "command": command,
            "versions": versions(),
            "data": _size(explanation.table),
            "query": {**_size(explanation.query), "generated": explanation.generated},
            "model": _model(explanation),
            "method": explanation.method,
            "dominance": found.dominance,
            "n_dominated": np.count_nonzero(found.dominated),
            "rows": [_row(explanation, row) for row in range(len(explanation.query.ids))],
        }
    )


def _model(explanation):
    parameter, estimator = MODELS[explanation.model].parameter, explanation.estimator
    return {
        "name": explanation.model,
        "estimator": type(estimator).__name__,
        "chosen": {parameter: getattr(estimator, parameter)},
        "choice": explanation.choice,
        "standardized": explanation.standardized,
    }


def _row(explanation, row):
    found, ids = explanation.explanations, explanation.table.ids
    return {
        "row": row,
        "id": explanation.query.ids[row],
        "share": found.share[row],
        "ratio": found.ratio[row],
        "dominated": found.dominated[row],
        "proponents": _ranked(ids, found.proponents[row], found.proponent_influence[row], 1),
        "opponents": _ranked(ids, found.opponents[row], found.opponent_influence[row], -1),
    }


def _size(table):
    return {"name": table.name, "n_rows": len(table.X), "n_columns": table.X.shape[1]}


def _ranked(ids, rows, influence, sign):
    """Those of the rows whose influence has the sign: the k-th highest may be no proponent."""
    return [
        {"row": row, "id": ids[row], "influence": nats}
        for row, nats in zip(rows.tolist(), influence.tolist(), strict=True)
        if sign * nats > 0
    ]


def format_influence(summary):
    """Write a summary of explanations as text.

    Influences in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    summary : dict
        What :func:`skmem.report.summarize_influence` returned.

    Returns
    -------
    text : str
        Lines of less than 100 characters, about the first 20 rows explained.
    """
    rules = (SIGN_RULE, SHARE_RULE, DOMINATED.format(summary["dominance"]))
    header = ("id", "share", "proponent", "nats", "opponent", "nats")
    rows = summary["rows"]
    paragraphs = [
        [line for label, text in influence_facts(summary) for line in entry(label, text)],
        [line for rule in rules for line in wrap(rule, _WIDTH)],
        aligned(header, [line for row in rows[:_MOST_ROWS] for line in _lines(row)]),
        [f"and {len(rows) - _MOST_ROWS} rows more, which --out writes"] * (len(rows) > _MOST_ROWS),
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def influence_facts(summary):
    """What was explained and how, as (label, text)."""
    data, query, model = summary["data"], summary["query"], summary["model"]
    chosen = ", ".join(f"{name}={number(value)}" for name, value in model["chosen"].items())
    n_dominated, n_query = summary["n_dominated"], counted(query["n_rows"], "row")
    explained = query["name"] if query["generated"] else f"{query['name']} ({n_query})"
    size = f"{counted(data['n_rows'], 'row')}, {counted(data['n_columns'], 'column')}"
    return [
        ("data", f"{data['name']}: {size}"),
        ("explained", explained),
        ("model", f"{model['estimator']}({chosen}): {model['choice']}"),
        ("method", summary["method"]),
        ("dominated", f"{n_dominated} of {n_query} by one training row"),
    ]


def _lines(row):
    """Cells of the lines of one explained row: one for each rank."""
    mark = "*" if row["dominated"] else ""
    share = "-" if row["share"] is None else f"{100 * row['share']:.0f} %"
    head = (identifier(row["id"]), share + mark)
    pairs = list(zip_longest(row["proponents"], row["opponents"])) or [(None, None)]
    for rank, pair in enumerate(pairs):
        cells = (cell for side in pair for cell in _cells(side))
        yield (*(("", "") if rank else head), *cells)


def _cells(other):
    return ("", "") if other is None else (identifier(other["id"]), number(other["influence"]))


def write_influence(summary, folder):
    """Write ``influence.csv``, a line for each pair of rows, and ``summary.json`` into a folder.

    Influences in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    summary : dict
        What :func:`skmem.report.summarize_influence` returned.
    folder : str or path-like
        An existing folder.

    Returns
    -------
    files : list of Path
        What was written.
    """
    files = [Path(folder) / name for name in ("influence.csv", "summary.json")]
    with open(files[0], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = ("id", "role", "rank", "train_row", "train_id", "influence", "share", "dominated")
        writer.writerow(names)
        for row in summary["rows"]:
            for role in ("proponents", "opponents"):
                for rank, other in enumerate(row[role], start=1):
                    pair = (other["row"], other["id"], other["influence"])
                    known = (row["share"], row["dominated"])
                    writer.writerow((row["id"], role[:-1], rank, *pair, *known))
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    files[1].write_text(text + "\n", encoding="utf-8")
    return files
