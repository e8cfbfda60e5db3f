"""What fits are known by in the cache: their estimator's parameters, torch modules among them."""

import copy
import pickle

import joblib
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

from skmem import cross_fit
from skmem.cross_fitting._keys import estimator_key
from skmem.neural import VAE

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("skorch", reason="the extra torch is not installed")

from skmem.neural._likelihoods import Gaussian  # noqa: E402
from skmem.neural._modules import mlp_autoencoder  # noqa: E402

X = load_iris().data


def own(n_outputs=4):
    torch.manual_seed(0)
    return mlp_autoencoder(4, 2, (3,), Gaussian(n_outputs, 1e-3))


def key(module, **params):
    return joblib.hash(estimator_key(make_pipeline(VAE(2, module=module, **params))))


def test_equal_modules_have_equal_keys_wherever_they_are():
    module = own()
    first = key(module)
    assert key(copy.deepcopy(module)) == key(pickle.loads(pickle.dumps(module))) == first
    # seeds have an entry of their own in the cache
    assert key(module, random_state=3) == first
    # the estimator keeps its module
    vae = VAE(2, module=module)
    estimator_key(vae)
    assert vae.module is module


def test_other_values_settings_and_parameters_have_other_keys():
    other, setting = own(), own()
    other.decoder.trunk[0].weight.data[0, 0] += 1.0
    setting.width += 1
    modules = [own(), other, setting, own(5), own().double(), own().bfloat16(), None]
    keys = [*map(key, modules), key(own(), beta=0.5)]
    assert len(set(keys)) == len(keys)


def test_fits_of_a_module_are_found_again(tmp_path, monkeypatch):
    def scores():
        vae = VAE(2, module=own(), max_epochs=2, n_importance_samples=16)
        return cross_fit(vae, X, cv=3, memory=tmp_path, random_state=0).scores

    first = scores()
    monkeypatch.setattr(VAE, "_train", None)
    # an equal module, elsewhere in memory: no fit is made
    assert_array_equal(scores(), first)
