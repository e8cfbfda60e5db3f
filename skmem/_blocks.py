"""Row blocks of bounded memory, run on as many threads as BLAS may use."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import scipy.linalg  # noqa: F401  loads scipy's own BLAS, so that the controller below sees it
from sklearn import get_config
from sklearn.utils import gen_batches
from threadpoolctl import ThreadpoolController

# Larger blocks leave the caches and gain nothing (measured on 2 to 784 columns).
_CACHE_BYTES = 8 * 2**20


@lru_cache(maxsize=1)
def _controller():
    return ThreadpoolController()


def n_threads():
    """Threads that BLAS may use here: the one limit that joblib's workers and `threadpool_limits` both set."""
    info = _controller().select(user_api="blas").info()
    return max((library["num_threads"] for library in info), default=1)


def row_blocks(n_rows, row_bytes, most_bytes=_CACHE_BYTES):
    """Slices that cover `n_rows`, each holding at most a core's share of `working_memory`, and of `most_bytes`.

    The slices do not depend on the number of threads in use, so neither do results computed on them.
    """
    share = get_config()["working_memory"] * 2**20 / (os.cpu_count() or 1)
    rows = int(min(share, most_bytes) // max(1, row_bytes))
    # scikit-learn's generator refuses no rows at all.
    return list(gen_batches(n_rows, max(1, rows))) if n_rows else []


def one_openmp_thread():
    """Context in which scikit-learn's loops take one thread: idle ones spin, in the way of others' work."""
    return _controller().limit(limits=1, user_api="openmp")


def map_blocks(function, blocks):
    """``[function(block) for block in blocks]``, one thread a block, BLAS on one thread inside each."""
    workers = min(n_threads(), len(blocks))
    with _controller().limit(limits=1, user_api="blas"):
        if workers <= 1:
            return [function(block) for block in blocks]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(function, blocks))
