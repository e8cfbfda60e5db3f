"""The parts of a report as a notebook shows a result: its sentences, and the first rows."""

from skmem import _html
from skmem.report._format import number, printable

N_ROWS = 10


def notebook(make_parts, result):
    """HTML of a result, of the parts that its report is made of."""
    parts = make_parts(result, command=None, max_rows=N_ROWS, image_shape=None, ids=None)
    tables = [parts["key_figures"], parts["rows"]]
    shown = "".join(_table(table) for table in tables if table["rows"])
    return _html.paragraphs([parts["title"], *parts["summary"]]) + shown


def _table(table):
    numeric = [column["numeric"] for column in table["columns"]]
    rows = [
        [
            number(value) if is_number else printable(value)
            for value, is_number in zip(row, numeric, strict=True)
        ]
        for row in table["rows"]
    ]
    header = [column["label"] for column in table["columns"]]
    return _html.table(rows, header, table["caption"])
