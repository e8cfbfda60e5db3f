"""Paragraphs and tables of HTML for notebooks; every text is escaped."""

from html import escape


def paragraphs(texts):
    """Each text in a paragraph."""
    return "".join(f"<p>{escape(str(text))}</p>" for text in texts)


def table(rows, header=(), caption=""):
    """A table of cells of text; without a header the first cell of a row is its name."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in header)
    head = f"<thead><tr>{head}</tr></thead>" if header else ""
    caption = f"<caption>{escape(str(caption))}</caption>" if caption else ""
    body = "".join(f"<tr>{''.join(_cells(row, bool(header)))}</tr>" for row in rows)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>"


def _cells(row, has_header):
    for j, value in enumerate(row):
        named = j == 0 and not has_header
        begin, end = ('<th scope="row">', "</th>") if named else ("<td>", "</td>")
        yield f"{begin}{escape(str(value))}{end}"
