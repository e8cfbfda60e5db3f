"""The examples run, so that they do not rot; what they print at toy sizes means nothing."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from doc.examples import memorization_path

EXAMPLES = Path(memorization_path.__file__).parent


def test_the_path_has_a_line_for_each_stage(capsys):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    memorization_path.main(["--quick"])
    head, _, *lines = capsys.readouterr().out.splitlines()
    # epochs 1 and 2, with as many numbers as there are names
    assert [line.split("|")[1].strip() for line in lines] == ["1", "2"]
    assert {line.count("|") for line in (head, *lines)} == {9}


def run(name, monkeypatch):
    """Run an example of the gallery as a script, without showing its figures; return its names."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the extra plot is not installed")
    pyplot.switch_backend("agg")
    monkeypatch.setattr(pyplot, "show", lambda: None)
    try:
        return runpy.run_path(str(EXAMPLES / f"plot_{name}.py"))
    finally:
        pyplot.close("all")


def test_scalers_are_ranked_wrongly_by_pipelines_and_rightly_by_transformed_densities(monkeypatch):
    found = run("scalers", monkeypatch)
    piped, changed = (
        [found[side][name].mean() for name in ("MinMaxScaler", "PowerTransformer")]
        for side in ("piped", "changed")
    )
    truth = found["log_true"].mean()
    # What the page says: on average nothing is likelier than the truth, which a Pipeline's numbers pass.
    assert piped[0] > truth > changed[1] > changed[0]
    assert piped[0] > piped[1]


def test_optuna_ends_with_a_front_of_both_objectives(monkeypatch, capsys):
    pytest.importorskip("optuna", reason="optuna is not installed, nor a dependency")
    front = run("optuna", monkeypatch)["front"]
    # Along a front what is likelier memorizes more.
    values = np.array([trial.values for trial in front])
    assert len(front) > 2
    assert np.all(np.diff(values, axis=0) >= 0)
    assert capsys.readouterr().out.count("nats memorized") == len(front)
