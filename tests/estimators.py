"""The estimators that the common tests are about, with what each of them promises."""

import inspect
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.mixture import GaussianMixture as ScikitLearnMixture
from sklearn.preprocessing import RobustScaler, StandardScaler

from skmem import MemorizationScorer, density, memorization, model_selection, neural

mixture = ScikitLearnMixture(2, random_state=0)
kernel = density.KernelDensity(bandwidth="silverman")

# Constructor arguments under which the laws are tested; a class that is not named here is tested
# with its defaults. scikit-learn's checks see the first ones of a density, and all of the others.
SETTINGS = {
    "KernelDensity": [
        {"bandwidth": 0.7},
        {"bandwidth": "silverman"},
        {"bandwidth": "loo"},
        {"bandwidth": 2.0, "kernel": "epanechnikov"},
    ],
    "KNeighborsDensity": [{"n_neighbors": 3}, {"n_neighbors": 4, "algorithm": "ball_tree"}],
    "GaussianMixture": [
        {"random_state": 0},
        {"n_components": 2, "reg_covar": 0, "tol": 1e-12, "max_iter": 1000, "random_state": 0},
    ],
    "SampledDensity": [
        {"generator": mixture, "n_samples": 300, "random_state": 0},
        {"generator": kernel, "density": kernel, "n_samples": 200, "random_state": 0},
    ],
    "VAE": [
        {
            "latent_dim": 1,
            "hidden_layer_sizes": (8,),
            "max_epochs": 5,
            "device": "cpu",
            "random_state": 0,
        },
    ],
    "MemorizedRegions": [{}, {"min_cluster_size": 2, "quantile": 0.5}],
    "MemorizationFilter": [
        {},
        {"scorer": MemorizationScorer(random_state=0, cv=3, n_repeats=2, method="cross-fit")},
    ],
    "TransformedDensity": [
        {"transformer": StandardScaler(), "density": density.KernelDensity(bandwidth=0.7)},
        {"transformer": RobustScaler(), "density": density.GaussianMixture(random_state=0)},
    ],
    "MemorizationScorer": [
        {"random_state": 0},
        {"method": "cross-fit", "cv": 3, "n_repeats": 3, "random_state": 0},
        {"method": "cross-fit", "cv": 2, "n_repeats": 5, "tol": 1e9, "reduction": "pooled"},
        {"method": "proxy", "cv": 3, "random_state": 0},
    ],
    "MemorizationSearchCV": [
        {
            "estimator": density.KernelDensity(),
            "param_grid": {"bandwidth": [0.5, 2.0]},
            "cv": 3,
            "n_repeats": 2,
            "random_state": 0,
        },
    ],
}

# scikit-learn's checks that an estimator fails, each with the reason.
EXPECTED_FAILURES = {}

# Scores follow from the fit to other rows by an update that leaves out later EM steps: in nats.
LEAVE_ONE_OUT_TOLERANCE = {"GaussianMixture": 1e-5}
# Both fits stop near the same optimum, but not at the same point of it: in nats.
CROSS_FIT_TOLERANCE = {"GaussianMixture": 1e-5}
TOLERANCE = 1e-8

# What leave-one-out keeps as fitted instead of finding it again without the row.
KEPT_WITHOUT_A_ROW = {"KernelDensity": lambda fitted: {"bandwidth": fitted.bandwidth_}}

# Bandwidths that are numbers have the unit of the data; everything else follows the data.
HAS_A_LENGTH = {
    "KernelDensity": lambda params: not isinstance(params["bandwidth"], str),
    "GaussianMixture": lambda params: params["reg_covar"] > 0,
    "SampledDensity": lambda params: hasattr(params["generator"], "reg_covar"),
}

# A bandwidth found from the data depends on how the rows came by their weights: rules of thumb count
# effective rows, and leaving one out leaves it out whole or one copy of it.
# A scaler that takes no weights counts every row once.
WEIGHTS_COUNT_ROWS = {
    "KernelDensity": lambda params: not isinstance(params["bandwidth"], str),
    "TransformedDensity": lambda params: isinstance(params["transformer"], StandardScaler),
}

# Densities whose score is a total, as in scikit-learn; all others have means.
TOTAL_SCORE = {"KernelDensity"}

# Importance sampling has an error, though the same draws for all points.
INTEGRAL_TOLERANCE = {"VAE": 1e-2}

# Each fit of a cross-fit has a seed of its own; tests of these estimators give both sides the same.
CROSS_FITS_BY_SEEDS = {"VAE"}

# Estimators that need an extra.
NEEDS_TORCH = {"VAE"}

# Functions of the data that do not integrate to one, and so have nothing to draw from either.
NOT_NORMALISED = {"KNeighborsDensity"}


def classes(package):
    """Estimators that a package exports today."""
    exported = [getattr(package, name) for name in getattr(package, "__all__", ())]
    return [c for c in exported if inspect.isclass(c) and issubclass(c, BaseEstimator)]


def instances(package):
    """``(name, estimator)`` for every setting of every estimator of a package."""
    for cls in classes(package):
        for params in SETTINGS.get(cls.__name__, [{}]):
            words = [f"{key}={value}" for key, value in params.items() if key != "random_state"]
            yield f"{cls.__name__}({', '.join(words)})", cls(**params)


DENSITIES = dict(instances(density)) | dict(instances(neural))
ESTIMATORS = [cls(**SETTINGS.get(cls.__name__, [{}])[0]) for cls in classes(density)]
ESTIMATORS += [estimator for _, estimator in instances(memorization)]
ESTIMATORS += [estimator for _, estimator in instances(model_selection)]


def parametrized(densities):
    """Parametrise a test over named densities; those that need an extra are skipped without it."""
    missing = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
    return pytest.mark.parametrize(
        "density",
        [
            pytest.param(d, id=name, marks=missing if type(d).__name__ in NEEDS_TORCH else ())
            for name, d in densities.items()
        ],
    )


def expected_failed_checks(estimator):
    """``{check: reason}`` for scikit-learn's `parametrize_with_checks`."""
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


def promise(table, estimator, default=None):
    """What `table` says of an estimator."""
    return table.get(type(estimator).__name__, default)


def two_clusters(n_samples=24, n_features=3, seed=0):
    """Rows of two Gaussian clusters, far enough apart that nothing is left to chance."""
    rng = np.random.default_rng(seed)
    centers = np.where(np.arange(n_samples)[:, None] % 2, 8.0, 0.0)
    return centers + rng.normal(size=(n_samples, n_features)) * np.linspace(0.8, 1.2, n_features)


def refit_scores(estimator, X_train, X, **params):
    """Scores of `X` by a fresh fit: the slow way to everything."""
    return clone(estimator).set_params(**params).fit(X_train).score_samples(X)
