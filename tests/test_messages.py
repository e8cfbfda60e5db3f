"""What the package says when something is wrong."""

import ast
import re

import pytest

from tests.architecture import modules
from tests.messages import LIST, listing, messages


def test_every_message_is_listed():
    # so that a change of one is seen, and read; python -m tests.messages writes the list anew
    assert listing() == LIST.read_text("utf-8")


LISTED = messages(modules())


@pytest.mark.parametrize("file", LISTED)
def test_messages_read_well(file):
    for line in LISTED[file]:
        text = re.sub(r"\{.*?\}", "X", line.partition(": ")[2])
        # no shouting, no apology, no doubled blanks or stops
        assert not re.search(r"!|please|sorry|  |\.\.$|,\.|\binvalid\b", text, re.IGNORECASE), line


def test_messages_are_found_however_they_are_written():
    code = """
WHAT = "rows"
def f(x):
    if x: raise ValueError(f"x must be {'a'} b, got {x!r}." "c" + "d")
    warnings.warn("a" " b", UserWarning)
    warn_user(f"{x:.2f} {WHAT}")
    raise error
"""
    found = messages({("skmem", "a"): ast.parse(code)})
    # adjoining strings are one, formats are left out, names of texts are filled in
    assert found == {
        "skmem/a.py": [
            "ValueError: x must be a b, got {x!r}.cd",
            "warning: a b",
            "warning: {x} rows",
        ]
    }
