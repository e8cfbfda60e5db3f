"""Which doctests can be run here, and on how many threads."""

import sys
from importlib.util import find_spec

import pytest

# Files of skmem.neural, and the examples in them, need the extra torch; so do examples of TracIn.
HAS_TORCH = find_spec("torch") and find_spec("skorch")
collect_ignore_glob = [] if HAS_TORCH else ["skmem/neural/_*.py", "skmem/influence/_tracin.py"]
# Of doc the pages are tested; examples and benchmarks have tests of their own, what is built has none.
collect_ignore_glob += ["doc/*.py", "doc/_build/*", "doc/auto_examples/*", "doc/generated/*"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Deep estimators are tested on one thread."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)
