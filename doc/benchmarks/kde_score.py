"""Score held-out rows by a kernel density against scikit-learn's tree, one thread each.

scikit-learn's tree may stop early on held-out rows and be wrong, which makes it faster than it should be; the line
after each time says how far either is from sums over all rows.
"""

from functools import partial

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn import neighbors
from sklearn.datasets import load_digits, make_moons
from threadpoolctl import threadpool_limits

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import bounded, faster, paired
from skmem.density import KernelDensity


def moons(n_train, n_held_out):
    X, _ = make_moons(n_train + n_held_out, noise=0.1, random_state=0)
    return X[:n_train], X[n_train:]


def blurred_digits(n_train, n_held_out):
    """Digits drawn with replacement, each with noise of its own."""
    rng = np.random.default_rng(0)
    X = rng.choice(load_digits().data, n_train + n_held_out)
    X += rng.normal(size=X.shape)
    return X[:n_train], X[n_train:]


def brute_force(X_train, X, bandwidth):
    d = X.shape[1]
    log_kernels = -0.5 * cdist(X, X_train, "sqeuclidean") / bandwidth**2
    log_volume = np.log(len(X_train)) + d * (np.log(bandwidth) + 0.5 * np.log(2 * np.pi))
    return logsumexp(log_kernels, axis=1) - log_volume


def against_tree(case, X_train, X, repeats, at_least, n_tree=None):
    """Two lines: times, those of the tree extrapolated from `n_tree` of the rows, and exactness."""
    kde = KernelDensity(bandwidth="silverman").fit(X_train)
    tree = neighbors.KernelDensity(bandwidth=kde.bandwidth_).fit(X_train)
    n_tree = n_tree or len(X)
    seconds = paired(
        partial(kde.score_samples, X), partial(tree.score_samples, X[:n_tree]), repeats=repeats
    )
    seconds *= [1, len(X) / n_tree]
    case += f", {len(X_train)} training rows, {len(X)} held out, h = {kde.bandwidth_:.2g}"
    case += f" (tree: {n_tree} rows, extrapolated)" if n_tree < len(X) else ""
    yield faster(case, seconds, at_least)
    some = np.linspace(0, len(X) - 1, min(len(X), 200)).astype(int)
    exact = brute_force(X_train, X[some], kde.bandwidth_)
    errors = [np.abs(model.score_samples(X[some]) - exact).max() for model in (kde, tree)]
    cells = [f"{error:.2g} nat" for error in errors]
    yield bounded(f"{case}: greatest error", errors[0], 1e-8, "nat", cells)


def main(argv=None):
    args = arguments(argv, __doc__)
    repeats, size = (1, 200) if args.quick else (args.repeats, 4000)
    with threadpool_limits(1):
        lines = [*against_tree("2-d", *moons(size, size // 2), repeats, 3)]
        lines += against_tree("64-d", *blurred_digits(size, size // 4), repeats, 8)
        if args.large:
            size = 400 if args.quick else 200_000
            lines += against_tree("2-d", *moons(size, size), 1, 3, n_tree=size // 200)
        show(__doc__, lines, args)


if __name__ == "__main__":
    main()
