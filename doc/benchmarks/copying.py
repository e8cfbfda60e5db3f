"""All copying tests on three tables against two nearest-neighbour searches by scikit-learn, and against others.

The tables are of standard normal rows, 20 columns, one size each; nothing is copied, so every search is at its
slowest. Two searches are from the generated to the training rows and back, by brute force, as scikit-learn chooses
for 20 columns; the audit passes over the distances of six pairs of tables. Other packages are compared where they are
installed, at sizes that they manage.
"""

import contextlib
import io
from functools import partial
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import bounded, faster, paired, seconds_and_memory, within
from skmem.copying import audit_copying, coverage, distance_to_closest_record, find_duplicates

N_COLUMNS = 20
NAMES = [f"x{j}" for j in range(N_COLUMNS)]


def tables(n_rows):
    return np.random.default_rng(0).normal(size=(3, n_rows, N_COLUMNS))


def audit(X):
    return audit_copying(*X, random_state=0)


def two_searches(X_train, X_generated):
    for rows, queries in ((X_train, X_generated), (X_generated, X_train)):
        NearestNeighbors(n_neighbors=1, algorithm="brute").fit(rows).kneighbors(queries)


def against_searches(n_rows, repeats, at_most):
    X = tables(n_rows)
    seconds = paired(partial(audit, X), partial(two_searches, X[0], X[2]), repeats=repeats)
    return within(f"audit, 3 x {n_rows} x {N_COLUMNS}, two searches", seconds, at_most=at_most)


def memory(n_rows):
    _, gib = seconds_and_memory(audit, tables(n_rows))
    cells = f"{gib:.2g} GiB", f"all distances {8 * n_rows**2 / 2**30:.2g} GiB"
    return bounded(f"audit, 3 x {n_rows} x {N_COLUMNS}, memory", gib, 2, "GiB", cells)


def duplicates(n_rows, repeats):
    """Near copies against all pairs within a radius, joined; groups must be the same."""
    X = tables(n_rows)[0]
    X[: n_rows // 10] = X[n_rows // 2 : n_rows // 2 + n_rows // 10] + 1e-4
    theirs, ours = partial(radius_groups, X, 0.01), partial(find_duplicates, X, 0.01)
    seconds = paired(ours, theirs, repeats=repeats)
    case = f"find_duplicates, {n_rows} x {N_COLUMNS}, radius search"
    n_different = int(np.sum(ours().labels != theirs()))
    return [faster(case, seconds, at_least=1), bounded(f"{case}, rows", n_different, 0, "")]


def radius_groups(X, radius):
    """Groups of rows, numbered by first appearance, by scikit-learn's radius search."""
    graph = NearestNeighbors(radius=radius, algorithm="brute").fit(X).radius_neighbors_graph(X)
    return connected_components(graph, directed=False)[1]


def against_prdc(n_rows, repeats):
    from prdc import compute_prdc

    X = tables(n_rows)
    theirs = quietly(partial(compute_prdc, X[0], X[2], 5))
    seconds = paired(partial(coverage, X[0], None, X[2]), theirs, repeats=repeats)
    case = f"coverage, {n_rows} x {N_COLUMNS}, prdc"
    ours = coverage(X[0], None, X[2]).to_dict()
    gap = max(abs(ours[name] - value) for name, value in theirs().items())
    return [faster(case, seconds, at_least=1), bounded(f"{case}, difference", gap, 1e-12, "")]


def against_sdmetrics(n_rows, repeats):
    from sdmetrics.single_table import DCROverfittingProtection

    train, holdout, generated = map(frame, tables(n_rows))
    metadata = {"columns": {name: {"sdtype": "numerical"} for name in NAMES}}
    theirs = quietly(
        partial(DCROverfittingProtection.compute_breakdown, train, generated, holdout, metadata)
    )
    ours = partial(distance_to_closest_record, train, holdout, generated, metric="gower")
    seconds = paired(ours, theirs, repeats=repeats)
    case = f"closest records, {n_rows} x {N_COLUMNS}, Gower, SDMetrics"
    return [faster(case, seconds, at_least=1)]


def against_syntheval(n_rows, repeats):
    from syntheval import SynthEval

    train, holdout, generated = map(frame, tables(n_rows))
    evaluator = SynthEval(train, holdout, verbose=False)
    theirs = quietly(partial(evaluator.evaluate, generated, NAMES[0], dcr={}, nndr={}))
    ours = partial(distance_to_closest_record, train, holdout, generated, metric="gower")
    seconds = paired(ours, theirs, repeats=repeats)
    case = f"closest records, {n_rows} x {N_COLUMNS}, Gower, SynthEval"
    return [faster(case, seconds, at_least=1)]


def frame(X):
    import pandas as pd

    return pd.DataFrame(X, columns=NAMES)


def quietly(function):
    """`function` without what it prints, and without the files that it leaves where it is called."""

    def quiet():
        with (
            contextlib.redirect_stdout(io.StringIO()),
            TemporaryDirectory() as folder,
            contextlib.chdir(folder),
        ):
            return function()

    return quiet


OTHERS = {"prdc": against_prdc, "sdmetrics": against_sdmetrics, "syntheval": against_syntheval}


def main(argv=None):
    args = arguments(argv, __doc__)
    repeats = 1 if args.quick else args.repeats
    lines = [against_searches(300 if args.quick else 20_000, repeats, at_most=3)]
    lines += [memory(300 if args.quick else 20_000)]
    lines += duplicates(300 if args.quick else 10_000, repeats)
    if args.large:
        lines += [against_searches(400 if args.quick else 100_000, min(repeats, 2), at_most=3)]
        lines += [memory(400 if args.quick else 100_000)]
    notes = []
    for name, against in OTHERS.items():
        if find_spec(name):
            lines += against(200 if args.quick else 2_000, repeats)
        else:
            notes.append(f"{name} is left out: it is not installed.")
    show(__doc__, lines, args, notes=notes)


if __name__ == "__main__":
    main()
