"""Influence on deep estimators where torch is missing."""

import sys

import pytest
from sklearn.datasets import load_iris

from skmem.influence import TracIn
from skmem.neural import VAE


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skorch", None)
    # constructing needs nothing; fit says what to install
    with pytest.raises(ImportError, match=r'pip install "skmem\[torch\]"'):
        TracIn(VAE()).fit(load_iris().data)
