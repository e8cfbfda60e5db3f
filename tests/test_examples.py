"""The examples run, so that they do not rot, and end by saying what they show."""

import ast
import runpy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from doc.examples import memorization_path
from tests.architecture import ROOT

GALLERY = sorted((ROOT / "doc" / "examples").glob("plot_*.py"))
# What an example may import beside the package and what it depends on, and the extra that brings it.
EXTRAS = {"skmem.neural": ("torch", "torch"), "optuna": ("optuna", "doc")}


@pytest.fixture
def figures(monkeypatch):
    """matplotlib.pyplot without a screen and without figures."""
    plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plot is not installed")
    plt.switch_backend("agg")
    plt.close("all")
    yield plt
    plt.close("all")


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_the_gallery_runs(path, figures, capsys):
    source = path.read_text()
    for name, (package, extra) in EXTRAS.items():
        if name in source and not find_spec(package):
            pytest.skip(f"{package} is not installed: extra {extra}")
    runpy.run_path(str(path))
    # an argument has a figure, and something in it
    drawn = [figures.figure(number) for number in figures.get_fignums()]
    assert drawn
    assert all(figure.get_axes() for figure in drawn)


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_an_example_ends_with_what_its_figure_shows(path):
    last = path.read_text().rstrip().splitlines()[-1]
    # a figure without a sentence leaves the conclusion to chance
    assert last.startswith("# ")
    assert last.endswith(".")
    # the title and the question come first
    assert ast.get_docstring(ast.parse(path.read_text())).splitlines()[1].startswith("===")


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
