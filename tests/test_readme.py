"""What the README says is so."""

import re

from tests.architecture import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language):
    """Fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_example_prints_what_is_shown(capsys):
    (code,), (output,) = blocks("python"), blocks("text")
    exec(compile(code, "README.md", "exec"), {})
    # a reader who pastes the block gets these very lines
    assert capsys.readouterr().out == output


def test_the_example_is_short():
    (code,) = blocks("python")
    # a first example is read in one look
    assert len(code.splitlines()) <= 12


def test_the_two_commands_are_there():
    start, test = blocks("sh")
    # each starts from nothing but a checkout; .ci/run takes the second from under its heading
    assert start.startswith("pip install -c constraints.txt . && skmem")
    assert test in README.partition("\n## Test\n")[2]
    # one line: the shell goes on after a line whose install failed before its "&&"
    assert test.count("\n") == 1
    assert test.endswith("&& python -m pytest\n")


def test_every_name_of_a_file_exists():
    named = re.findall(r"`((?:doc/)?[\w./]+\.(?:md|txt|py)|LICENSE|\.ci/run)`", README)
    named += re.findall(r"\]\(([^)]+)\)", README)
    # links do not rot silently
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_constraints_hold_what_is_required():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    setup = (ROOT / "setup.cfg").read_text()
    required = set(re.findall(r"^    ([\w-]+)>=[\d.]+$", setup, flags=re.MULTILINE))
    # a release of a dependency must not break a build of a commit that passed
    assert required - {"skorch", "safetensors", "pynndescent", "dask", "distributed"} <= set(
        pinned
    )
