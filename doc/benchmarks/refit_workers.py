"""Refit an estimator for every mask with two workers against one.

Every fit runs on one thread, whatever the number of workers, so the two give the same scores to the last bit.
"""

from functools import partial
from time import process_time

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import faster, paired
from skmem import cross_fit

N_FITS = 6


def main(argv=None):
    args = arguments(argv, __doc__)
    n_rows, k, repeats = (200, 2, 1) if args.quick else (30_000, 30, min(args.repeats, 3))
    X, _ = make_blobs(n_rows, 10, centers=k, cluster_std=3.0, random_state=0)
    refit = partial(cross_fit, GaussianMixture(k), X, cv=N_FITS, random_state=0)
    start = process_time()
    alone = refit(n_jobs=1)
    cpu = (process_time() - start) / N_FITS
    seconds = paired(partial(refit, n_jobs=2), partial(refit, n_jobs=1), repeats=repeats)
    case = f"GaussianMixture({k}) on {n_rows} x 10, {N_FITS} fits of {cpu:.2g} CPU seconds"
    lines = [faster(f"{case}: two workers against one", seconds, at_least=1.8)]
    equal = np.array_equal(alone.scores, refit(n_jobs=2).scores)
    show(
        __doc__, lines, args, notes=[f"Scores equal to the last bit: {'yes' if equal else 'no'}."]
    )


if __name__ == "__main__":
    main()
