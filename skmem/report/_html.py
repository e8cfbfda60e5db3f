"""The dict of a report as one page of HTML that needs nothing else; every text in it is escaped."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from skmem.report._format import number, printable

_TITLES = {
    "audit": "Memorization audit",
    "copying": "Copying audit",
    "influence": "Influence",
    "labels": "Label audit",
}


def require_jinja2():
    """The module jinja2.

    Raises
    ------
    ImportError
        If it is not installed; it names the command to run.
    """
    try:
        import jinja2
    except ImportError as error:
        raise ImportError('a report needs jinja2: pip install "skmem[report]"') from error
    return jinja2


def render(document):
    """The page, a str."""
    jinja2 = require_jinja2()
    texts = {kind: _file(f"report.{kind}") for kind in ("css", "js")}
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    template = environment.from_string(_file("report.html"))
    hashes = {kind: _hash(text) for kind, text in texts.items()}
    return template.render(**document, label=_TITLES[document["kind"]], texts=texts, hashes=hashes)


def _file(name):
    return (files("skmem.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text):
    """What a browser checks our style and script by, so that it runs no other."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _cell(value, numeric):
    """What is shown of a value; a number in four digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return number(value) if numeric else printable(value)
