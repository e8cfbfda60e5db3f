"""Laws of the limit of one thread a fit."""

import sys
import threading
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_info, threadpool_limits

from skmem.cross_fitting import cross_fit
from skmem.cross_fitting._threads import single_thread

X = np.arange(20.0).reshape(10, 2)


def most_threads():
    """Threads of the largest pool that this thread may use."""
    return max(pool["num_threads"] for pool in threadpool_info())


class ThreadCounter(BaseEstimator):
    """Scores rows by the threads that fit and score found at their disposal."""

    def fit(self, X):
        self.n_threads_ = most_threads()
        return self

    def score_samples(self, X):
        return np.full(len(X), max(self.n_threads_, most_threads()))


@pytest.mark.parametrize(
    ("backend", "options"),
    [("loky", {"n_jobs": 1}), ("threading", {"n_jobs": 2}), ("loky", {"n_jobs": 2})],
    ids=["alone", "threads", "processes"],
)
def test_every_fit_has_one_thread(backend, options):
    if options["n_jobs"] == 2 and backend == "loky":
        options = options | {"inner_max_num_threads": 2}
    with threadpool_limits(2), joblib.parallel_config(backend, **options):
        # the counter is right: without the limit it sees two
        assert most_threads() == 2
        assert cross_fit(ThreadCounter(), X, cv=5).scores.max() == 1
        # and the limit ends with the fits
        assert most_threads() == 2


def test_a_fit_that_ends_lifts_no_limit_of_the_fits_beside_it():
    second_in, first_out = threading.Event(), threading.Event()
    seen = []

    def first():
        with single_thread():
            second_in.wait(10)
        first_out.set()

    def second():
        with single_thread():
            second_in.set()
            first_out.wait(10)
            seen.append(most_threads())

    with threadpool_limits(2):
        with single_thread():
            threads = [threading.Thread(target=target) for target in (first, second)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        # the first to leave must not restore two threads while the second is at work
        assert seen == [1]
        assert most_threads() == 2


def test_the_limit_ends_with_an_error():
    with threadpool_limits(2):
        with pytest.raises(ZeroDivisionError), single_thread():
            1 / 0  # noqa: B018
        assert most_threads() == 2


def test_torch_is_limited_where_it_is_loaded(monkeypatch):
    threads = [8]
    torch = SimpleNamespace(get_num_threads=lambda: threads[-1], set_num_threads=threads.append)
    monkeypatch.setitem(sys.modules, "torch", torch)
    with single_thread(), single_thread():
        assert threads[-1] == 1
    # each restores what it found
    assert threads == [8, 1, 1, 1, 8]
