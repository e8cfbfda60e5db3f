"""How the benchmarks measure: calls in turn, ratios within a round, memory in a process of its own."""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np


@dataclass(frozen=True)
class Line:
    """One line of a table: what was measured, and the bound that it is claimed to keep."""

    case: str
    skmem: str
    other: str
    result: str
    claim: str
    held: bool

    def __str__(self):
        cells = (self.case, self.skmem, self.other, self.result, self.claim)
        held = "" if self.claim == "none" else "yes" if self.held else "**no**"
        return f"| {' | '.join(cells)} | {held} |"


def paired(*calls, repeats):
    """Seconds (repeats, n_calls) of the calls made in turn, A B A B, after a round that is not counted."""
    seconds = np.empty((repeats + 1, len(calls)))
    for row in seconds:
        for j, call in enumerate(calls):
            start = perf_counter()
            call()
            row[j] = perf_counter() - start
    return seconds[1:]


def faster(case, seconds, at_least):
    """Line for a claim "so many times faster"; `seconds` are (repeats, 2), skmem's first."""
    ratio = np.median(seconds[:, 1] / seconds[:, 0])
    bound = f">= {at_least:g} times faster"
    return Line(case, *_medians(seconds), f"{ratio:.1f} times faster", bound, ratio >= at_least)


def within(case, seconds, at_most):
    """Line for a claim "no more than so many times as long as"; `seconds` as in `faster`."""
    ratio = np.median(seconds[:, 0] / seconds[:, 1])
    bound = f"<= {at_most:g} times as long"
    return Line(case, *_medians(seconds), f"{ratio:.2f} times as long", bound, ratio <= at_most)


def bounded(case, value, at_most, unit, cells=("", "")):
    """Line for a claim on one number, with what skmem and the other give in `cells`."""
    bound = f"<= {at_most:g} {unit}"
    return Line(case, *cells, f"{value:.2g} {unit}", bound, bool(value <= at_most))


def _medians(seconds):
    return [f"{median:.3g} s" for median in np.median(seconds, axis=0)]


def seconds_and_memory(function, X):
    """Seconds of ``function(X)``, and the GiB it needs at its peak beside `X`, its result included.

    `function` runs in a new process, so what this one holds or has freed does not count.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X.npy")
        np.save(path, X)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_measure, function, path).result()


def _measure(function, path):
    X = np.load(path)
    before, start = _peak_memory(), perf_counter()
    result = function(X)
    seconds = perf_counter() - start
    del result
    return seconds, (_peak_memory() - before) / 2**30


def _peak_memory():
    """Bytes of this process at its peak."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where getrusage counts the parent's memory too
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 2**10
    import resource  # on Unix alone

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 2**10
