"""Devices: which fit goes where, and what is said of one that is not there."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import cross_fit
from skmem.cross_fitting._devices import set_device
from skmem.neural import VAE

X = load_iris().data
GPUS = ["cuda:0", "cuda:1", "cuda:2"]


class Recorder(BaseEstimator):
    """Scores every row by the number of its device."""

    def __init__(self, device="cpu"):
        self.device = device

    def fit(self, X, y=None):
        self.number_ = float(self.device.removeprefix("cuda:"))
        return self

    def score_samples(self, X):
        return np.full(len(X), self.number_)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_fits_take_turns(n_jobs):
    fits = cross_fit(Recorder(GPUS), X, cv=7, random_state=0, n_jobs=n_jobs)
    # by the fit's number, so that neither the worker nor the luck of a seed decides
    assert fits.scores[:, 0].tolist() == [0, 1, 2, 0, 1, 2, 0]
    # a device that is named is kept
    assert (cross_fit(Recorder("cuda:1"), X, cv=2).scores == 1).all()


def test_lists_are_found_however_deep():
    pipeline = set_device(make_pipeline(StandardScaler(), VAE(device=GPUS)), 4)
    assert pipeline[-1].device == "cuda:1"
    # what lists no devices is left alone; an empty list is for the estimator to refuse
    assert set_device(StandardScaler(), 1).get_params() == StandardScaler().get_params()
    assert set_device(VAE(device=[]), 1).device == []


def test_a_list_gives_the_scores_of_its_devices():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    vae = VAE(2, (8,), max_epochs=2, n_importance_samples=16, random_state=0)
    one = cross_fit(vae, X, cv=3, random_state=0).scores
    two = cross_fit(vae.set_params(device=["cpu", "cpu"]), X, cv=3, random_state=0).scores
    # with equal devices the list changes nothing, but that fits are made one by one
    assert_allclose(two, one, rtol=1e-4)
    # a fit by itself takes the first
    assert vae.fit(X).net_.device == "cpu"


def test_the_first_device_of_a_list_is_taken(monkeypatch):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    from skmem.neural._devices import resolve_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "empty", lambda *args, device: None)
    assert resolve_device(["cuda:1", "cuda:0"]) == "cuda:1"
    assert resolve_device("auto") == "cuda"
    # all are checked, so that not the second fit of a cross-fit is the first to fail
    with pytest.raises(ValueError, match=r"device='cuda:2' needs a GPU .* sees 2"):
        resolve_device(GPUS)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", "device='cuda' needs a GPU that torch sees, and it sees 0; device='auto' takes"),
        (["cpu", "cuda:1"], "device='cuda:1' needs a GPU that torch sees, and it sees 0"),
        ([], r"device must be a name or a list of at least one, got \[\]"),
        (["cpu", 1], r"device must be a name or a list of at least one, got \['cpu', 1\]"),
        ("xla", "device='xla' is not there for torch: "),
        ("gpu", "device must be one that torch knows, got 'gpu'"),
    ],
)
def test_devices_that_are_not_there_are_refused_by_name(device, message, monkeypatch):
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    # whether or not the tests run beside a GPU
    with pytest.raises(ValueError, match=message):
        VAE(device=device).fit(X)
