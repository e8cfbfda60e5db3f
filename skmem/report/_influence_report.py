"""The parts of a report about explanations: sentences, figures, proponents and opponents, and how they were made."""

import numpy as np

from skmem.inspection import InfluenceDisplay
from skmem.report._data_checks import counted
from skmem.report._figures import Figure
from skmem.report._format import identifier, number, printable
from skmem.report._influence import SIGN_RULE, influence_facts, summarize_influence
from skmem.report._tables import column, table

_N_FIGURES, _MOST_EXPLAINED = 3, 20
_CAPTION = (
    "Training rows of the strongest influence on the row: bars or images with positive nats raised its likelihood "
    "(proponents), those with negative nats lowered it (opponents)."
)


def influence_parts(explanation, *, command, max_rows, image_shape, ids):
    """Everything in the report that is about this result, by the names of the schema."""
    summary = summarize_influence(explanation, command=command)
    head = ("schema_version", "command", "versions")
    return {
        "kind": "influence",
        "title": f"Which rows of {explanation.table.name} made other rows likely?",
        "verdict": None,
        "summary": list(_sentences(summary)),
        "key_figures": _key_figures(summary),
        "figures": _figures(explanation, image_shape),
        "rows": _rows(summary, max_rows),
        "method": [[label, printable(text)] for label, text in influence_facts(summary)],
        "parameters": {**_settings(explanation), **explanation.estimator.get_params(deep=False)},
        "command": command or _code(explanation),
        "results": {name: value for name, value in summary.items() if name not in head},
    }


def _sentences(summary):
    data, query, model = summary["data"], summary["query"], summary["model"]
    what = "drawn from the model" if query["generated"] else f"of {query['name']}"
    yield (
        f"{counted(query['n_rows'], 'row')} {what} {'was' if query['n_rows'] == 1 else 'were'} explained by the "
        f"{counted(data['n_rows'], 'row')} of {data['name']} that a {model['estimator']} was fitted to. {SIGN_RULE}"
    )
    n, of = summary["n_dominated"], query["n_rows"]
    yield (
        f"{n} of {counted(of, 'row')} {'is' if n == 1 else 'are'} dominated by a single training row, whose influence "
        f"is at least {summary['dominance']:g} times that of the next. Held-out rows may be so too: explain some of "
        "them to compare."
    )


def _key_figures(summary):
    columns = [
        column("row explained"),
        column("share of its likelihood that its proponents carry", numeric=True),
        column("first influence over the second", numeric=True),
        column("dominated"),
    ]
    rows = [
        [row["id"], row["share"], row["ratio"], "yes" if row["dominated"] else "no"]
        for row in summary["rows"][:_MOST_EXPLAINED]
    ]
    n_rows = len(summary["rows"])
    which = "" if n_rows == len(rows) else f", the first {len(rows)} of {n_rows}"
    return table(f"The rows explained{which}", columns, rows, n_total=n_rows)


def _figures(explanation, image_shape):
    found = explanation.explanations
    ids = np.array([identifier(name) for name in explanation.table.ids], dtype=object)
    figures = []
    for i, name in enumerate(explanation.query.ids[:_N_FIGURES]):
        display = InfluenceDisplay(
            query=explanation.query.X[i],
            rows=np.concatenate([found.proponents[i], found.opponents[i][::-1]]),
            influence=np.concatenate(
                [found.proponent_influence[i], found.opponent_influence[i][::-1]]
            ),
            X_train=explanation.table.X,
            image_shape=image_shape,
            ids=ids,
        )
        strongest = identifier(explanation.table.ids[found.proponents[i][0]])
        alt = (
            f"Influences on row {identifier(name)}; its strongest proponent is row {strongest}, with "
            f"{number(float(found.proponent_influence[i][0]))} nats."
        )
        figures.append(Figure(display, f"What made row {identifier(name)} likely", _CAPTION, alt))
    return figures


def _rows(summary, max_rows):
    columns = [
        column("row explained", name="id"),
        column("role", name="role"),
        column("rank", name="rank", numeric=True),
        column("training row", name="train_id"),
        column("influence (nats)", name="influence", numeric=True),
    ]
    rows = [
        [row["id"], role[:-1], rank, other["id"], other["influence"]]
        for row in summary["rows"]
        for role in ("proponents", "opponents")
        for rank, other in enumerate(row[role], start=1)
    ]
    caption = f"Proponents and opponents: {min(len(rows), max_rows)} of {len(rows)} lines"
    return table(caption, columns, rows[:max_rows], n_total=len(rows))


def _settings(explanation):
    return {
        "model": explanation.model,
        "top": explanation.explanations.proponents.shape[1],
        "standardize": explanation.standardized,
        "random_state": explanation.random_state,
    }


def _code(explanation):
    words = ", ".join(f"{name}={value!r}" for name, value in _settings(explanation).items())
    rows = f"n_generated={len(explanation.query.X)}" if explanation.generated else "query"
    return f"skmem.report.explain(table, {rows}, {words})"
