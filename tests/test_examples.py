"""The examples run, so that they do not rot; what they print at toy sizes means nothing."""

import pytest

from doc.examples import memorization_path


def test_the_path_has_a_line_for_each_stage(capsys):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    memorization_path.main(["--quick"])
    head, _, *lines = capsys.readouterr().out.splitlines()
    # epochs 1 and 2, with as many numbers as there are names
    assert [line.split("|")[1].strip() for line in lines] == ["1", "2"]
    assert {line.count("|") for line in (head, *lines)} == {9}
