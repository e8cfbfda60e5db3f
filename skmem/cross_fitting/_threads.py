"""One thread a fit, in whatever process or thread the fit runs."""

import sys
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@contextmanager
def single_thread():
    """Limit BLAS, OpenMP and, where it is loaded, torch to one thread.

    Hold it around fits that run side by side in threads, and within each of them: the limit of
    BLAS belongs to the process, where a fit that ends must not lift it for the others; that of
    OpenMP belongs to the calling thread.
    """
    torch = sys.modules.get("torch")
    with _controller(len(sys.modules)).limit(limits=1):
        if torch is None:
            yield
            return
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(n_threads)


@lru_cache(maxsize=1)
def _controller(n_modules):
    """Return the thread pools loaded so far; looked for again only after further imports."""
    return ThreadpoolController()
