"""Cross-fit a k-nearest-neighbour density 10 x 10 against one neighbour search by scikit-learn.

Both sides search for the same k by the same algorithm, on all threads they find. skmem measures distances in float64;
scikit-learn keeps float32, and is shown with both.
"""

from functools import partial

from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from doc.benchmarks._common import NO_MNIST, TEN_BY_TEN, arguments, mnist, show
from doc.benchmarks._timing import paired, within
from skmem import cross_fit
from skmem.density import KNeighborsDensity

K = 5


def cross_fit_knn(X):
    return cross_fit(KNeighborsDensity(K, algorithm="brute"), X, cv=TEN_BY_TEN)


def search(X):
    return NearestNeighbors(n_neighbors=K, algorithm="brute").fit(X).kneighbors(X)


def against_search(name, X, repeats):
    seconds = paired(partial(cross_fit_knn, X), partial(search, X), repeats=repeats)
    case = f"{name} {len(X)} x {X.shape[1]}, {X.dtype}, k = {K}"
    return within(case, seconds, at_most=1.5)


def main(argv=None):
    args = arguments(argv, __doc__)
    repeats = 1 if args.quick else args.repeats
    X = load_digits().data[: 200 if args.quick else None]
    lines = [against_search("digits", X, repeats)]
    if args.mnist:
        X = mnist(args.mnist, 100 if args.quick else 10_000)
        lines += [against_search("MNIST", X.astype("float64"), repeats)]
        lines += [against_search("MNIST", X, repeats)]
    show(__doc__, lines, args, notes=[] if args.mnist else [NO_MNIST])


if __name__ == "__main__":
    main()
