"""A result as a report: one dict, written as a page of HTML or as JSON."""

import json
from numbers import Integral
from pathlib import Path

from skmem._sklearn import Interval, validate_params
from skmem.copying._audit import CopyingAudit
from skmem.report._audit import Audit
from skmem.report._audit_report import audit_parts
from skmem.report._copying_report import copying_parts
from skmem.report._explain import Explanation
from skmem.report._figures import NO_MATPLOTLIB, can_draw, drawn
from skmem.report._html import render, require_jinja2
from skmem.report._influence_report import influence_parts
from skmem.report._label_audit import LabelAudit
from skmem.report._label_report import label_parts
from skmem.report._summarize import plain, versions

REPORT_SCHEMA_VERSION = 1
_PARTS = {
    Audit: audit_parts,
    CopyingAudit: copying_parts,
    Explanation: influence_parts,
    LabelAudit: label_parts,
}
_SUFFIXES = (".html", ".json")


def write_report(result, path, *, command=None, ids=None, image_shape=None, max_rows=1000):
    """Write a result as one file that stands by itself: a page of HTML, or the same as JSON.

    Scores are in nats, distances in the units of the metric; their signs and zeros are said in the page.

    Parameters
    ----------
    result : Audit, CopyingAudit, Explanation or LabelAudit
        What :func:`skmem.report.audit`, :func:`skmem.copying.audit_copying`, :func:`skmem.report.explain` or
        :func:`skmem.report.audit_labels` returned.
    path : str or path-like
        A file whose name ends in ".html" (extra ``report``, figures also need the extra ``plot``) or in ".json".
    command : str, default=None
        What to run to get the result again, to be shown in the report; None is a call with its parameters.
    ids : dict of str to array-like, default=None
        Of an audit for copying: what names the rows of "train" and of "generated". Other results bring their ids.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the images that rows are, to show them; not for copying.
    max_rows : int, default=1000
        Most rows in the table.

    Returns
    -------
    path : Path
        What was written.

    Raises
    ------
    ImportError
        If jinja2 is missing for a page of HTML.
    ValueError
        If there is no report of such a result, or the name of the file ends otherwise.

    Notes
    -----
    ``doc/report_schema.md`` says what the JSON holds; ``skmem/report/report.schema.json`` does so for machines.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from skmem.datasets import load_table
    >>> from skmem.report import audit, write_report
    >>> found = audit(load_table("iris"), random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(found, Path(folder) / "iris.json")
    ...     print(json.loads(path.read_text())["rows"]["rows"][0][:2])
    [41, 41]
    """
    path = check_report(path)
    options = {"command": command, "ids": ids, "image_shape": image_shape, "max_rows": max_rows}
    document = report_document(result, figures=path.suffix == ".html", **options)
    if path.suffix == ".html":
        text = render(document)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def check_report(path):
    """The path, once a report can be written there: in an existing folder, with what its kind needs."""
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise ValueError(
            f"the path of a report must end in {' or '.join(_SUFFIXES)}, got {str(path)!r}"
        )
    if not path.parent.is_dir():
        raise ValueError(
            f"the path of a report must be in a folder that exists, got {str(path)!r}"
        )
    if path.suffix == ".html":
        require_jinja2()
    return path


@validate_params(
    {"max_rows": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True
)
def report_document(result, *, figures, command, ids, image_shape, max_rows):
    """A result as the dict that reports are made of, of plain Python values."""
    make_parts = next((make for kind, make in _PARTS.items() if isinstance(result, kind)), None)
    if make_parts is None:
        names = ", ".join(kind.__name__ for kind in _PARTS)
        raise ValueError(f"result must be one of {names}; got {type(result).__name__}")
    options = {"command": command, "ids": ids, "image_shape": image_shape, "max_rows": max_rows}
    parts = make_parts(result, **options)
    head = {"schema_version": REPORT_SCHEMA_VERSION, "versions": versions()}
    shown = parts["figures"]
    if not figures:
        shown = [{"title": f.title, "caption": f.caption, "alt": f.alt} for f in shown]
    elif can_draw():
        shown = [drawn(figure) for figure in shown]
    else:
        shown = []
    note = NO_MATPLOTLIB if figures and not shown else None
    return plain({**head, **parts, "figures": shown, "figures_note": note})
