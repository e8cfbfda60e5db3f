"""Summaries and findings as plain text of less than 100 columns."""

from textwrap import wrap

from skmem.report._data_checks import counted, named

WIDTH = 96
_LABEL = 12
_ID_WIDTH = 24
SAID_ELSEWHERE = ("constant", "duplicates")
_NEARLY_ALL = 0.9
SO_WHAT = (
    "Nearly all rows are above the floor. A density, and a kernel density always, holds on to its rows "
    "to some degree: the floor tells noise from effect, rank and size tell which rows to look at."
)
SIGN_RULE = "Memorization is in nats; positive = training on the row raises its own density; 0 = no effect."


def format_summary(summary):
    """Write a summary as text.

    Scores are in nats; positive = training on a row raises its own density; 0 = no effect.

    Parameters
    ----------
    summary : dict
        What :func:`skmem.report.summarize` returned.

    Returns
    -------
    text : str
        Lines of less than 100 characters.
    """
    paragraphs = [
        _fact_lines(summary),
        [SIGN_RULE],
        _quantile_lines(summary),
        _top_lines(summary["top"], summary["data"]["standardized"]),
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def format_findings(findings, table=None):
    """Write findings as text.

    Parameters
    ----------
    findings : list of Finding
        What :func:`skmem.report.diagnose` returned.
    table : Table, default=None
        The data, to be named in the first line.

    Returns
    -------
    text : str
        Lines of less than 100 characters.
    """
    head = []
    if table is not None:
        n_rows, n_columns = table.X.shape
        head = [f"{table.name}: {counted(n_rows, 'row')}, {counted(n_columns, 'numeric column')}"]
        head += [f"note: {note}" for note in table.notes]
    paragraphs = [head] if head else []
    for finding in findings:
        paragraphs.append(
            [
                *entry(finding.severity, finding.what),
                *entry("  where", finding.where),
                *entry("  cure", finding.cure),
            ]
        )
    if not findings:
        paragraphs.append(["Nothing was found that would go wrong."])
    return "\n\n".join("\n".join(lines) for lines in paragraphs)


def facts(summary):
    """What was audited and how, as (label, text); a text without a label goes on with the one before."""
    data, model = summary["data"], summary["model"]
    chosen = ", ".join(f"{name}={_short(value)}" for name, value in model["chosen"].items())
    size = f"{counted(data['n_rows'], 'row')}, {counted(data['n_columns'], 'column')}"
    entries = [("data", f"{data['name']}: {size}"), *(("", note) for note in data["notes"])]
    if data["constant_columns"]:
        names = named(map(repr, data["constant_columns"]))
        entries.append(("left out", f"constant columns: {names}"))
    return [
        *entries,
        ("duplicates", _duplicates(data)),
        ("scale", _scale(data, model)),
        ("model", f"{model['estimator']}({chosen})"),
        ("", f"{model['choice']}; held fixed in every fit"),
        ("method", _method(summary["method"], " and ".join(model["chosen"]))),
    ]


def _fact_lines(summary):
    lines = [line for label, text in facts(summary) for line in entry(label, text)]
    return lines + check_lines(summary["findings"])


def check_lines(findings):
    """One line for each finding that has no line of its own in the summary."""
    width = WIDTH - _LABEL
    texts = [
        _shortened(f"{finding['severity']}: {finding['what']} ({finding['where']})", width)
        for finding in findings
        if finding["check"] not in SAID_ELSEWHERE
    ]
    if texts:
        texts.append("(skmem doctor says what to do about it)")
    labels = ["data checks"] + [""] * len(texts)
    return [label.ljust(_LABEL) + text for label, text in zip(labels, texts, strict=False)]


def _duplicates(data):
    if not data["n_duplicate_rows"]:
        return "none"
    members = [
        f"{named(map(identifier, group['ids']))} ({group['n_rows']} rows)"
        for group in data["largest_groups"]
    ]
    return (
        f"{data['n_duplicate_rows']} rows in {counted(data['n_duplicate_groups'], 'group')} of equal "
        "rows; a copy lowers the memorization of the others; the largest: " + "; ".join(members)
    )


def _scale(data, model):
    if model["scales_itself"]:
        distances = "standardised columns" if data["standardized"] else "columns as they are"
        return (
            f"{model['estimator']} standardises measured columns itself, and gives log-densities in "
            f"the original units, probabilities of counted columns; distances are of {distances}"
        )
    if not data["standardized"]:
        return "columns as they are; distances and log-densities are in their units"
    return (
        "columns standardised to mean 0 and standard deviation 1; the log-Jacobian of that, "
        f"{data['log_jacobian']:+.4g} nats, is added to every log-density to give it in the "
        "original units; differences are the same in either"
    )


def _method(method, held):
    fits = counted(method["n_fits"], "fit")
    if method["exact"]:
        return f"leave-one-out ({fits}): exact with {held} held fixed, so no noise between fits"
    if method["used"] == "leave-one-out" and method["n_fits"] > 1:
        return (
            f"leave-one-out ({fits}): one to all rows and one without each, seed "
            f"{method['random_state']}; how much noise between fits is in the scores is not known"
        )
    if method["used"] == "leave-one-out":
        return (
            f"leave-one-out ({fits}): an approximation, one EM step without the row in place of a "
            "refit; how far off it is, is not known"
        )
    return (
        f"cross-fit ({method['used']}): {fits}, {method['cv']} folds x "
        f"{counted(method['n_repeats'], 'repeat')}, seed {method['random_state']}"
    )


def _quantile_lines(summary):
    rows = [
        (
            "max" if q["level"] == 1 else f"{q['level']:g}",
            *map(number, (q["memorization"], q["noise_floor"])),
        )
        for q in summary["quantiles"]
    ]
    lines = aligned(("quantile", "memorization", "noise floor"), rows)
    for above in summary["above_noise_floor"]:
        lines.append(
            f"{counted(above['n_rows'], 'row')} above the {above['level']:g} noise floor; "
            f"noise alone would put {above['expected_by_noise']:.4g} there"
        )
    if nearly_all_above(summary):
        lines += wrap(SO_WHAT, WIDTH)
    return lines


def nearly_all_above(summary):
    """Whether nearly all rows are above a noise floor, which needs a word."""
    n_rows = summary["data"]["n_rows"]
    return any(above["n_rows"] >= _NEARLY_ALL * n_rows for above in summary["above_noise_floor"])


def _top_lines(top, standardized):
    if not top:
        return []
    header = ("id", "memorization", "std. error", "p-value", "nearest id", "distance")
    keys = ("memorization", "standard_error", "p_value")
    rows = [
        (
            identifier(row["id"]),
            *(number(row[key]) for key in keys),
            identifier(row["nearest_id"]),
            number(row["nearest_distance"]),
        )
        for row in top
    ]
    unit = "standardised units" if standardized else "units of the columns"
    return [
        f"{counted(len(top), 'row')} of the highest memorization; distance to the nearest other row, "
        f"in {unit}",
        *aligned(header, rows),
    ]


def aligned(header, rows):
    """Right-aligned columns under their header."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    ]


def entry(label, text):
    """A label and its text, wrapped beside it."""
    indent = " " * _LABEL
    lines = wrap(printable(text), WIDTH, initial_indent=indent, subsequent_indent=indent)
    return [label.ljust(_LABEL) + lines[0][_LABEL:], *lines[1:]] if lines else [label]


def _short(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def number(value):
    """A number of four digits, a dash for none, other values as they are."""
    return "-" if value is None else f"{float(value):.4g}"


def identifier(value):
    """What names a row, not too long."""
    return _shortened(value, _ID_WIDTH)


def _shortened(value, width):
    text = printable(value)
    return text if len(text) <= width else text[: width - 3] + "..."


def printable(value):
    """Text without the characters that would move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in str(value))
