"""Cross-fit a Gaussian mixture 10 x 10: fits that start from the fit to all rows against fits from scratch.

Digits in their first 10 principal components, 10 mixture components, as many workers on each side as there are cores.
What is lost or won by the start shows in the mean log-density of held-out rows, in nats a row.
"""

import os
from functools import partial

from sklearn import mixture
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from doc.benchmarks._common import TEN_BY_TEN, arguments, show
from doc.benchmarks._timing import faster, paired
from skmem import cross_fit
from skmem.density import GaussianMixture


def cross_fit_gmm(X, estimator):
    # Warm fits run on the threads that BLAS may use, cold ones in `n_jobs` processes.
    return cross_fit(estimator, X, cv=TEN_BY_TEN, n_jobs=os.cpu_count(), random_state=0)


def held_out_mean(fits):
    """Mean log-density of rows in fits that did not see them, in nats."""
    return fits.scores[~fits.train_mask].mean()


def main(argv=None):
    args = arguments(argv, __doc__)
    n_rows, k, repeats = (200, 2, 1) if args.quick else (None, 10, args.repeats)
    X = PCA(10, random_state=0).fit_transform(load_digits().data[:n_rows])
    sides = {
        "skmem, warm": GaussianMixture(k),
        "skmem, cold": GaussianMixture(k, cross_fit_start="cold"),
        "scikit-learn": mixture.GaussianMixture(k),
    }
    seconds = paired(*(partial(cross_fit_gmm, X, s) for s in sides.values()), repeats=repeats)
    case = f"digits {len(X)} x {X.shape[1]}, {k} components: warm against"
    lines = [
        faster(f"{case} {name}", seconds[:, [0, j]], at_least=3)
        for j, name in enumerate(sides)
        if j > 0
    ]
    means = [f"{name} {held_out_mean(cross_fit_gmm(X, s)):.3f}" for name, s in sides.items()]
    note = f"Mean log-density of held-out rows, nats a row: {'; '.join(means)}."
    show(__doc__, lines, args, notes=[note])


if __name__ == "__main__":
    main()
