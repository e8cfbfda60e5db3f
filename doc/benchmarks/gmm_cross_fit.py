"""Cross-fit a Gaussian mixture 10 x 10: fits that start from the fit to all rows against fits from scratch.

Digits in their first 10 principal components, 10 mixture components, as many workers on each side as there are cores.
EM takes few or many steps by the luck of its start, so every round has a seed of its own. What is lost or won by the
common start shows in the mean log-density of held-out rows, over all rounds.
"""

import os
from functools import partial
from itertools import count

import numpy as np
from sklearn import mixture
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from doc.benchmarks._common import TEN_BY_TEN, arguments, show
from doc.benchmarks._timing import faster, paired
from skmem import cross_fit
from skmem.density import GaussianMixture


def next_round(estimator, X, n_workers, seeds, held_out):
    """Cross-fit with the next seed, and append the mean log-density of held-out rows."""
    options = {"cv": TEN_BY_TEN, "n_jobs": n_workers, "random_state": next(seeds)}
    fits = cross_fit(estimator, X, **options)
    held_out.append(fits.scores[~fits.train_mask].mean())


def main(argv=None):
    args = arguments(argv, __doc__)
    n_rows, k, repeats = (200, 2, 1) if args.quick else (None, 10, 2 * args.repeats)
    X = PCA(10, random_state=0).fit_transform(load_digits().data[:n_rows])
    sides = {
        "warm": GaussianMixture(k),
        "skmem, cold": GaussianMixture(k, cross_fit_start="cold"),
        "scikit-learn": mixture.GaussianMixture(k),
    }
    n_workers = 2 if args.quick else os.cpu_count()
    held_out = {name: [] for name in sides}
    calls = [
        partial(next_round, estimator, X, n_workers, count(), held_out[name])
        for name, estimator in sides.items()
    ]
    # Warm fits run on the threads that BLAS may use, cold ones in processes.
    with threadpool_limits(n_workers):
        seconds = paired(*calls, repeats=repeats)
    case = f"digits {len(X)} x {X.shape[1]}, {k} components: warm against"
    lines = [
        faster(f"{case} {name}", seconds[:, [0, j]], at_least=3)
        for j, name in enumerate(sides)
        if j > 0
    ]
    means = [f"{name} {np.mean(values):.3f}" for name, values in held_out.items()]
    note = f"Mean log-density of held-out rows, nats a row: {'; '.join(means)}."
    show(__doc__, lines, args, notes=[note])


if __name__ == "__main__":
    main()
