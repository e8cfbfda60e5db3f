"""The influence of 20,000 training rows on 1,000 points, in closed form, against the distances it is made of.

Both sides use all threads they find. A kernel density needs all distances: scikit-learn's `euclidean_distances`.
One of k nearest neighbours needs the k + 1 nearest rows of each point: scikit-learn's `NearestNeighbors`, and a
matrix to write into.
"""

from functools import partial

import numpy as np
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from doc.benchmarks._common import NO_MNIST, arguments, mnist, show
from doc.benchmarks._timing import paired, within
from skmem.density import KernelDensity, KNeighborsDensity

K = 5


def search_and_write(searcher, X, n_train):
    distances, _ = searcher.kneighbors(X)
    return np.full((len(X), n_train), distances.max())


def against_distances(name, X_train, X, repeats):
    """Lines of a kernel and of a neighbour density, at a bandwidth of the size of distances between rows."""
    case = f"{name} {len(X_train)} x {len(X)}, {X.shape[1]} columns"
    bandwidth = float(np.median(euclidean_distances(X_train[:100], X[:100]))) / 3
    kernels = KernelDensity(bandwidth=bandwidth).fit(X_train)
    neighbors = KNeighborsDensity(K).fit(X_train)
    searcher = NearestNeighbors(n_neighbors=K + 1).fit(X_train)
    pairs = {
        "kernel density": (kernels, partial(euclidean_distances, X_train, X)),
        f"{K} neighbours": (neighbors, partial(search_and_write, searcher, X, len(X_train))),
    }
    for kind, (density, other) in pairs.items():
        seconds = paired(partial(density.leave_one_out_influence, X), other, repeats=repeats)
        yield within(f"{case}, {kind}", seconds, at_most=2)


def main(argv=None):
    args = arguments(argv, __doc__)
    repeats = 1 if args.quick else args.repeats
    n_train, n_points = (200, 20) if args.quick else (20_000, 1_000)
    rng, lines = np.random.default_rng(0), []
    for n_columns in (8, 64):
        X = rng.normal(size=(n_train + n_points, n_columns))
        lines += against_distances("noise", X[:n_train], X[n_train:], repeats)
    if args.mnist:
        n_train, n_points = (20, 10) if args.quick else (n_train, n_points)
        X = mnist(args.mnist, n_train + n_points).astype(np.float64)
        lines += against_distances("MNIST", X[:n_train], X[n_train:], repeats)
    show(__doc__, lines, args, notes=[] if args.mnist else [NO_MNIST])


if __name__ == "__main__":
    main()
