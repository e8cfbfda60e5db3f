"""Laws of the progress line."""

import sys

import joblib
import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from skmem.cross_fitting import cross_fit
from skmem.cross_fitting._progress import track

X = np.random.RandomState(0).standard_normal((20, 2))


@pytest.fixture
def no_rich(monkeypatch):
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)


def test_silence_is_the_default(capsys):
    cross_fit(GaussianMixture(), X, cv=3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_lines_count_up_to_the_number_of_fits(no_rich, capsys, n_jobs):
    with joblib.parallel_config("threading"):
        result = cross_fit(
            GaussianMixture(), X, cv=3, progress=True, n_jobs=n_jobs, random_state=0
        )
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "\rfit 1/3\rfit 2/3\rfit 3/3\n"
    # looking on changes nothing
    silent = cross_fit(GaussianMixture(), X, cv=3, random_state=0)
    assert np.array_equal(result.scores, silent.scores)


def test_lines_count_results_as_they_arrive(no_rich, capsys):
    results = track(iter("ab"), 2, show=True)
    assert next(results) == "a"
    assert capsys.readouterr().err == "\rfit 1/2"


def test_a_bar_is_shown_where_rich_is_installed(capsys):
    pytest.importorskip("rich")
    cross_fit(GaussianMixture(), X, cv=3, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err
