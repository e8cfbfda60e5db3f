"""The documentation names everything that there is to name."""

import importlib
import re

from tests.architecture import ROOT
from tests.test_docstrings import public_modules

API = (ROOT / "doc" / "api.rst").read_text()


def listed_names():
    """Import path of every name in the lists of the page."""
    lists = re.findall(
        r"currentmodule:: (\S+)\n\n.. autosummary::\n(.*?)\n\n((?:   \S+\n)+)", API, re.DOTALL
    )
    return [f"{module}.{name}" for module, _, names in lists for name in names.split()]


def find(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_page_lists_every_public_class_and_function():
    listed = [find(path) for path in listed_names()]
    public = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in public_modules()
        for name in getattr(module, "__all__", ())
    }
    missing = [path for path, obj in public.items() if callable(obj) and obj not in listed]
    # what is not on the page is not found
    assert missing == []
    # nor listed twice, under two names
    assert len(set(listed)) == len(listed)


def test_the_page_names_every_public_constant():
    constants = [
        f"{module.__name__}.{name}"
        for module in public_modules()
        for name in getattr(module, "__all__", ())
        if not callable(getattr(module, name)) and name.isupper()
    ]
    # lists are of what has a docstring; the rest stands in the text
    assert [path for path in constants if f"``{path}``" not in API] == []
