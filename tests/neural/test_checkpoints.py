"""Parameters at chosen epochs, in memory or in files."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris

from skmem import cross_fit
from skmem.neural import VAE

pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")
safetensors = pytest.importorskip("safetensors", reason="the extra torch is not installed")

X = load_iris().data


def staged(folder, **params):
    vae = VAE(2, (8,), max_epochs=4, checkpoint_epochs=2, n_importance_samples=16)
    return vae.set_params(random_state=0, checkpoint_dir=folder, **params)


def files(folder):
    return sorted(path.name for path in folder.rglob("*.safetensors"))


def test_files_hold_what_memory_would(tmp_path):
    in_files, in_memory = staged(tmp_path / "new").fit(X), staged(None).fit(X)
    # one file an epoch, by its number; the folder is made
    assert files(tmp_path) == ["epoch-00002.safetensors", "epoch-00004.safetensors"]
    assert in_files.stages_ == in_memory.stages_ == [2, 4]
    # the place makes no difference
    stages = zip(in_files.staged_score_samples(X), in_memory.staged_score_samples(X), strict=True)
    for from_file, from_memory in stages:
        assert_array_equal(from_file, from_memory)


def test_files_are_read_when_their_stage_is_scored(tmp_path):
    vae = staged(str(tmp_path)).fit(X).partial_fit(X)
    _, second = sorted(tmp_path.rglob("*.safetensors"))
    second.unlink()
    stages = vae.staged_score_samples(X)
    # the first stage needs its own file alone
    assert np.isfinite(next(stages)).all()
    # what is missing is named, and what for
    with pytest.raises(FileNotFoundError, match=rf"after epoch 4 .*{second.name}.*fit again"):
        next(stages)
    # the last stage, like the final parameters, is the net's
    assert np.isfinite(vae.score_samples(X)).all()


def test_bounds_at_stages_are_those_of_shorter_fits():
    vae = staged(None).fit(X)
    bounds = list(vae.staged_elbo(X))
    # the same seed makes the same first epochs, and the same draws are used at every stage
    assert_array_equal(bounds[0], staged(None, max_epochs=2).fit(X).elbo(X))
    assert_array_equal(bounds[1], vae.elbo(X))
    # nothing was kept of a fit without stages
    assert not hasattr(staged(None, checkpoint_epochs=None).fit(X), "staged_elbo")


def test_fits_do_not_read_each_others_files(tmp_path):
    one = staged(tmp_path).fit(X)
    before = list(one.staged_score_samples(X))
    # the same seed and rows, and then other rows: as much alike as two fits can be
    other = clone(one).fit(X).partial_fit(X[:50]).partial_fit(X[:50])
    one.partial_fit(X[50:]).partial_fit(X[50:])
    assert one.stages_ == other.stages_ == [2, 4, 6]
    stages = list(one.staged_score_samples(X)), list(other.staged_score_samples(X))
    assert_array_equal(stages[0][:2], before)
    assert not np.array_equal(stages[0][2], stages[1][2])
    # a new fit of the same estimator starts from nothing, beside the files of the old
    assert one.set_params(max_epochs=2).fit(X).stages_ == [2]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_fit_of_a_cross_fit_has_a_folder(tmp_path, n_jobs):
    fits = cross_fit(staged(tmp_path), X, cv=3, random_state=0, n_jobs=n_jobs)
    in_memory = cross_fit(staged(None), X, cv=3, random_state=0)
    # workers at the same time do not get into each other's way
    assert_array_equal(fits.staged_scores, in_memory.staged_scores)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(files(tmp_path)) == 6


def test_pickles_know_where_their_files_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vae = staged("relative", hidden_layer_sizes=(256,)).fit(X)
    pickled = pickle.dumps(vae)
    # parameters are in the files, not in the pickle
    assert len(pickled) < 0.8 * len(pickle.dumps(staged(None, hidden_layer_sizes=(256,)).fit(X)))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    copy = pickle.loads(pickled)
    # from whatever folder it is read
    assert_array_equal(list(copy.staged_score_samples(X)), list(vae.staged_score_samples(X)))


def test_without_safetensors_fit_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    # before the first epoch, not after it
    with pytest.raises(ImportError, match=r'safetensors is missing: pip install "skmem\[torch\]"'):
        staged(tmp_path).fit(X)
    # memory needs none
    assert staged(None).fit(X).stages_ == [2, 4]
