"""Search for a bandwidth or a number of components, with memorization of every row, against GridSearchCV.

10 x 10 cross-validation for 20 bandwidths on digits, 5 x 2 for 10 mixtures, with the same splits on both sides.
GridSearchCV gives no memorization; with train scores it visits as many scores as memorization needs, which is
extrapolated from one of the bandwidths. Its estimators are skmem's.

What bounds skmem are the widest third of the bandwidths: there every pair of rows counts, and for each of these a
product of the matrix of kernels with the 100 training masks has to be made. Narrower ones need few pairs.
"""

from functools import partial

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, RepeatedKFold

from doc.benchmarks._common import TEN_BY_TEN, arguments, show
from doc.benchmarks._timing import bounded, faster, paired, within
from skmem.density import GaussianMixture, KernelDensity
from skmem.model_selection import MemorizationSearchCV

FIVE_BY_TWO = RepeatedKFold(n_splits=5, n_repeats=2, random_state=0)


def mean_log_density(density, X, y=None):
    return np.mean(density.score_samples(X))


def ours(density, grid, cv, X):
    return MemorizationSearchCV(density, grid, cv=cv, random_state=0, error_score="raise").fit(X)


def theirs(density, grid, cv, X, train=False):
    search = GridSearchCV(density, grid, scoring=mean_log_density, cv=cv, return_train_score=train)
    return search.fit(X)


def bandwidths(X, repeats):
    values = list(np.geomspace(0.5, 8.0, 20))
    problem = KernelDensity(), {"bandwidth": values}, TEN_BY_TEN, X
    few = KernelDensity(), {"bandwidth": values[10:11]}, TEN_BY_TEN, X
    seconds = paired(
        partial(ours, *problem),
        partial(theirs, *problem),
        partial(theirs, *few, train=True),
        repeats=repeats,
    )
    seconds *= [1, 1, 20]
    case = f"digits {len(X)} x {X.shape[1]}, 20 bandwidths, 100 fits each"
    yield faster(f"{case}: with train scores", seconds[:, [0, 2]], at_least=100)
    yield faster(f"{case}: without", seconds[:, [0, 1]], at_least=15)
    yield from agreement(case, problem)


def mixtures(X, repeats):
    X = PCA(10, random_state=0).fit_transform(X)
    grid = {"n_components": list(range(1, 11))}
    problem = GaussianMixture(random_state=0, max_iter=500), grid, FIVE_BY_TWO, X
    seconds = paired(partial(ours, *problem), partial(theirs, *problem), repeats=repeats)
    case = f"10 principal components of {len(X)} digits, 1 to 10 components, 10 fits each"
    yield within(case, seconds, at_most=1)


def agreement(case, problem):
    """Line for the greatest difference of held-out means, the same winner being part of the claim."""
    a, b = ours(*problem), theirs(*problem)
    scores = a.cv_results_["mean_test_log_density"], b.cv_results_["mean_test_score"]
    difference = np.abs(scores[0] - scores[1]).max()
    if a.best_params_ != b.best_params_:
        difference = np.inf
    yield bounded(f"{case}: greatest difference, same winner", difference, 1e-8, "nat")


def main(argv=None):
    args = arguments(argv, __doc__)
    X = load_digits().data[: 200 if args.quick else None]
    repeats = 1 if args.quick else args.repeats
    show(__doc__, [*bandwidths(X, repeats), *mixtures(X, repeats)], args)


if __name__ == "__main__":
    main()
