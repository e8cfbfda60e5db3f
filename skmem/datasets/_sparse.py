"""Samples of a known Gaussian mixture that are short of rows in one place."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from skmem._sklearn import Interval, validate_params
from skmem.datasets._synthetic import draw_mixture


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_sparse": [Interval(Integral, 0, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 2, None, closed="left")],
        "separation": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_sparse_region(
    n_samples=300,
    n_sparse=10,
    *,
    n_features=2,
    n_components=3,
    separation=12.0,
    random_state=None,
):
    """Draw a Gaussian mixture of which one component has been sampled much too little.

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows, those of the sparse component included.
    n_sparse : int, default=10
        Number of rows of component 0, at random places in the sample; the other components share the other rows.
    n_features : int, default=2
        Number of columns.
    n_components : int, default=3
        Number of Gaussians, equally weighted in the true density; at least 2.
    separation : float, default=12.0
        Root mean square distance between two means, in standard deviations of a component.
    random_state : int, RandomState instance or None, default=None
        Seed of means and rows.

    Returns
    -------
    data : SyntheticData
        `planted` holds the indices of the rows of the sparse component, whose label is 0. `log_density` is the
        mixture's of equal weights: what rows there would be likely, had they been sampled as often as all others.

    Raises
    ------
    ValueError
        If `n_sparse` is not smaller than `n_samples`.

    Examples
    --------
    >>> from skmem.datasets import make_sparse_region
    >>> data = make_sparse_region(200, 6, random_state=0)
    >>> print((data.y == 0).sum(), (data.y == 1).sum())
    6 82
    """
    if n_sparse >= n_samples:
        raise ValueError(
            f"n_sparse must be smaller than n_samples={n_samples}, which counts the rows of the "
            f"sparse component; got {n_sparse}."
        )
    rng = check_random_state(random_state)
    data = draw_mixture(n_samples, n_features, n_components, separation, rng)
    y = 1 + rng.randint(n_components - 1, size=n_samples)
    planted = np.sort(rng.permutation(n_samples)[:n_sparse]).astype(np.intp)
    y[planted] = 0
    X = data.X - data.means[data.y] + data.means[y]
    log_density = data.score_samples(X)
    return replace(data, X=X, y=y, y_true=y.copy(), log_density=log_density, planted=planted)
