"""Cross-fit a kernel density 10 x 10: one pass over the distances against one fit after another.

scikit-learn's hundred fits are extrapolated from 4 of them, the dense log-sum-exps from 10; these get their matrix of
log-kernels for nothing. MNIST is held against the matrix product of its rows with themselves: with those of a copy,
and as ``X @ X.T``, of which numpy computes one half and mirrors it.
"""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn import neighbors
from sklearn.datasets import load_digits

from doc.benchmarks._common import NO_MNIST, TEN_BY_TEN, arguments, mnist, show
from doc.benchmarks._timing import bounded, faster, paired, seconds_and_memory, within
from skmem import cross_fit
from skmem.density import KernelDensity

MNIST_BANDWIDTH = 3.0


def cross_fit_kde(X, bandwidth=MNIST_BANDWIDTH):
    return cross_fit(KernelDensity(bandwidth=bandwidth), X, cv=TEN_BY_TEN)


def sklearn_fits(X, bandwidth, masks):
    for mask in masks:
        neighbors.KernelDensity(bandwidth=bandwidth).fit(X[mask]).score_samples(X)


def log_kernel(X, X_eval, bandwidth):
    """Log of the kernel of every pair of rows, a matrix (n_points, n_samples)."""
    log_volume = X.shape[1] * (np.log(bandwidth) + 0.5 * np.log(2 * np.pi))
    return -0.5 * cdist(X_eval, X, "sqeuclidean") / bandwidth**2 - log_volume


def dense_fits(log_kernels, masks):
    """Log-density of every point in every fit, from the matrix of log-kernels."""
    fits = [logsumexp(log_kernels[:, mask], axis=1) - np.log(mask.sum()) for mask in masks]
    return np.stack(fits)


def digits(X, bandwidth, repeats):
    fits = cross_fit_kde(X, bandwidth)
    log_kernels, masks = log_kernel(X, X, bandwidth), fits.train_mask
    difference = np.abs(fits.scores - dense_fits(log_kernels, masks)).max()
    seconds = paired(
        partial(cross_fit_kde, X, bandwidth),
        partial(sklearn_fits, X, bandwidth, masks[::25]),
        partial(dense_fits, log_kernels, masks[::10]),
        repeats=repeats,
    )
    seconds *= [1, 25, 10]
    case = f"digits {len(X)} x {X.shape[1]}, h = {bandwidth:.3g}"
    yield faster(f"{case}: scikit-learn's fits", seconds[:, [0, 1]], at_least=200)
    yield faster(f"{case}: dense log-sum-exps", seconds[:, [0, 2]], at_least=30)
    yield bounded(f"{case}: greatest difference from these", difference, 1e-8, "nat")


def against_matrix_product(X, repeats):
    other = X.copy()
    seconds = paired(
        partial(cross_fit_kde, X), lambda: X @ other.T, lambda: X @ X.T, repeats=repeats
    )
    case = f"MNIST {len(X)} x {X.shape[1]}, float32, h = {MNIST_BANDWIDTH:g}"
    yield within(f"{case}: X @ X.copy().T", seconds[:, [0, 1]], at_most=2)
    yield within(f"{case}: X @ X.T, one half computed", seconds[:, [0, 2]], at_most=2)
    fits, some = cross_fit_kde(X), slice(100)
    dense = dense_fits(log_kernel(X, X[some], MNIST_BANDWIDTH), fits.train_mask[::25])
    difference = np.abs(fits.scores[::25, some] - dense).max()
    yield bounded(f"{case}: greatest difference from float64", difference, 1e-3, "nat")


def large(X):
    seconds, memory = seconds_and_memory(cross_fit_kde, X)
    case = f"MNIST {len(X)} x {X.shape[1]}, float32: memory beside X"
    yield bounded(case, memory, 2, "GiB", cells=(f"{seconds:.3g} s", ""))


def main(argv=None):
    args = arguments(argv, __doc__)
    repeats = 1 if args.quick else args.repeats
    X = load_digits().data[: 200 if args.quick else None]
    bandwidths = [1.0, KernelDensity(bandwidth="loo").fit(X).bandwidth_]
    lines = [line for h in bandwidths for line in digits(X, h, repeats)]
    if args.mnist:
        lines += against_matrix_product(mnist(args.mnist, 100 if args.quick else 10_000), repeats)
    if args.mnist and args.large:
        lines += large(mnist(args.mnist, 100 if args.quick else 60_000))
    show(__doc__, lines, args, notes=[] if args.mnist else [NO_MNIST])


if __name__ == "__main__":
    main()
