"""Refit an estimator for every mask with two workers against one.

Every fit runs on one thread, whatever the number of workers, so the two give the same scores to the last bit. EM runs
for a fixed number of steps, so that no worker has the longer fits.
"""

import warnings
from functools import partial
from time import process_time

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import faster, paired
from skmem import cross_fit

N_FITS = 4


def refit(X, estimator, results, n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of steps is wanted
        fits = cross_fit(estimator, X, cv=N_FITS, random_state=0, n_jobs=n_jobs)
    results.append(fits.scores)


def main(argv=None):
    args = arguments(argv, __doc__)
    n_rows, k, n_steps = (200, 2, 3) if args.quick else (10_000, 20, 120)
    repeats = 1 if args.quick else min(args.repeats, 3)
    X, _ = make_blobs(n_rows, 10, centers=k, cluster_std=3.0, random_state=0)
    estimator, results = GaussianMixture(k, tol=0, max_iter=n_steps), []
    call = partial(refit, X, estimator, results)
    start = process_time()  # of this process: that of two workers is their own
    seconds = paired(partial(call, n_jobs=2), partial(call, n_jobs=1), repeats=repeats)
    cpu = (process_time() - start) / (N_FITS * (repeats + 1))
    case = f"{N_FITS} fits of {cpu:.2g} CPU seconds, GaussianMixture({k}) on {n_rows} x 10"
    lines = [faster(f"{case}: two workers against one", seconds, at_least=1.8)]
    equal = all(np.array_equal(scores, results[0]) for scores in results)
    show(
        __doc__, lines, args, notes=[f"Scores equal to the last bit: {'yes' if equal else 'no'}."]
    )


if __name__ == "__main__":
    main()
