"""What the package says when something is wrong."""

import ast
import re

import pytest

from tests.architecture import modules
from tests.messages import LIST, listing, messages


def test_every_message_is_listed():
    # so that a change of one is seen, and read; python -m tests.messages writes the list anew
    assert listing() == LIST.read_text("utf-8")


def texts():
    for file, lines in messages(modules()).items():
        for line in lines:
            kind, _, text = line.partition(": ")
            yield pytest.param(kind, text, id=f"{file}: {line[:60]}")


@pytest.mark.parametrize(("kind", "text"), texts())
def test_messages_read_well(kind, text):
    if kind in {"NotImplementedError", "StopIteration", "KeyboardInterrupt"}:
        return
    # no shouting, no apology, no doubled blanks or stops, and words rather than a bare value
    assert not re.search(r"!|please|sorry|  |\.\.$|,\.|invalid", text, re.IGNORECASE), text
    assert not re.fullmatch(r"\{\w+\}|", text) or kind in {"AttributeError", "error"}, text


def test_messages_are_found_however_they_are_written():
    code = """
def f(x):
    if x: raise ValueError(f"x must be {'a'} b, got {x!r}." "c" + "d")
    warnings.warn("a" " b", UserWarning)
    warn_user(f"{x:.2f} rows")
    raise error
"""
    found = messages({("skmem", "a"): ast.parse(code)})
    # adjoining strings are one, conversions and formats are left out, a name alone says nothing
    assert found == {
        "skmem/a.py": [
            "ValueError: x must be a b, got {x}.cd",
            "warning: a b",
            "warning: {x} rows",
        ]
    }
