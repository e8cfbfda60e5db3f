"""One thread a fit, in whatever process or thread the fit runs."""

import sys
import threading
from contextlib import ExitStack, contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_running = 0
_restore = ExitStack()


@contextmanager
def single_thread():
    """Limit BLAS, OpenMP and, where it is loaded, torch to one thread.

    OpenMP's limit belongs to the calling thread and is set by each fit. Those of BLAS and torch
    belong to the process: the first of the fits that run side by side in threads sets them and
    the last lifts them, since each restoring what it found would lift the limit of the others.
    """
    controller = _controller(len(sys.modules))
    with controller.limit(limits=1, user_api="openmp"):
        _enter(controller)
        try:
            yield
        finally:
            _leave()


def _enter(controller):
    """Count a fit in."""
    global _running  # noqa: PLW0603  the limit is the process's, and so is its count
    torch = sys.modules.get("torch")
    with _lock:
        if _running == 0:
            _restore.enter_context(controller.limit(limits=1, user_api="blas"))
            if torch is not None:
                _restore.callback(torch.set_num_threads, torch.get_num_threads())
        _running += 1
        if torch is not None:
            torch.set_num_threads(1)


def _leave():
    """Count a fit out."""
    global _running  # noqa: PLW0603
    with _lock:
        _running -= 1
        if _running == 0:
            _restore.close()


@lru_cache(maxsize=1)
def _controller(n_modules):
    """Return the thread pools loaded so far; looked for again only after further imports."""
    return ThreadpoolController()
