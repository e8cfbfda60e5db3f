"""The documentation names everything that there is to name."""

import importlib
import re

import pytest

from skmem import cli
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


PAGES = sorted(
    path for path in (ROOT / "doc").rglob("*.md") if not {"_build", "changes"} & set(path.parts)
)


def fenced_blocks(path):
    """(language, text) of every fenced block."""
    return re.findall(r"^```([^\n`]*)\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_code_is_executed(path):
    for language, text in fenced_blocks(path):
        # pytest runs what stands behind a prompt; other Python would rot unseen
        assert language != "python" or text.startswith(">>> ")
        # and so would a language that is neither text, a directive nor a command
        assert language in {"python", "text", "sh"} or language.startswith("{")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_those_that_there_are(path, capsys):
    text = path.read_text()
    commands = re.findall(r"\bskmem (audit|copying|influence|doctor)\b", text)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    known = capsys.readouterr().out
    for command in set(commands):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        known += capsys.readouterr().out
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) if commands else set()
    # benchmarks have options of their own
    missing = {option for option in options if option not in known} - {"--help", "--mnist"}
    assert missing == set()


def test_every_page_is_in_the_tree():
    trees = "\n".join(
        text for path in PAGES for name, text in fenced_blocks(path) if "toctree" in name
    )
    names = {str(path.relative_to(ROOT / "doc").with_suffix("")) for path in PAGES}
    # a page that no list leads to is not found
    assert names - set(trees.split()) == {"index"}


def test_the_comparison_quotes_the_benchmarks():
    text = (ROOT / "doc" / "comparison.md").read_text()
    measured = (ROOT / "doc" / "benchmarks" / "RESULTS.md").read_text()
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", measured)]
    for quoted in re.findall(r"([\d,]+(?:\.\d+)?)(?: to [\d.]+)? times", text):
        number = quoted.replace(",", "")
        digits = len(number.partition(".")[2])
        # benchmarks are run anew: what is quoted from them must follow
        assert any(f"{x:.{digits}f}" == number for x in numbers), f"{quoted} times"
