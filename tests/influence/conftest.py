"""Influence on deep estimators is tested on one thread."""

import sys

import pytest


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)
