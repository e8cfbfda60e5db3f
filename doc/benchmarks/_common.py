"""What the benchmarks share beside the timing: arguments, data, and what they print."""

import argparse
import os
import platform
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.model_selection import RepeatedKFold
from threadpoolctl import threadpool_info

import skmem

TEN_BY_TEN = RepeatedKFold(n_splits=10, n_repeats=10, random_state=0)
HEADER = """\
| case | skmem | against | result | claim | holds |
|---|---:|---:|---:|---:|---|"""
QUICK = "Toy sizes, to see that everything runs: the numbers mean nothing."
NO_MNIST = "MNIST is left out: `--mnist PATH` names an npz file with X_train (n, 28, 28) of uint8."


def arguments(argv, doc):
    """Parse the command line that all benchmarks share."""
    return make_parser(doc).parse_args(argv)


def make_parser(doc):
    """A parser of what all benchmarks take; `doc` is the module's docstring."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mnist", metavar="PATH", help="npz file with X_train, uint8")
    parser.add_argument("--large", action="store_true", help="also what takes minutes")
    parser.add_argument("--quick", action="store_true", help="toy sizes, once")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds, default 5")
    return parser


def mnist(path, n_rows):
    """The first rows of MNIST, float32 from 0 to 1."""
    with np.load(path) as data:
        X = data["X_train"][:n_rows]
    return X.reshape(len(X), -1) / np.float32(255)


def show(doc, lines, args, notes=()):
    """Print the benchmark's own words, the machine, and the table."""
    notes = [*notes, *([QUICK] if args.quick else [])]
    print(doc.strip(), f"\n\n{machine()}\n\n{HEADER}")
    print(*lines, sep="\n")
    print(*(f"\n{note}" for note in notes), sep="\n")


def machine():
    """The machine, the versions of the libraries, and what does the linear algebra on how many threads."""
    blas = {
        f"{p['internal_api']} {p['version']} ({p.get('architecture')}, {p['num_threads']} threads)"
        for p in threadpool_info()
        if p["user_api"] == "blas"
    }
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in (skmem, np, scipy, sklearn))
    return (
        f"{_cpu_model()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}; "
        f"BLAS {' and '.join(sorted(blas))}."
    )


def _cpu_model():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
