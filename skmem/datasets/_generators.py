"""Samples of a known Gaussian mixture, with rows planted in them on purpose."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from skmem._sklearn import Interval, validate_params
from skmem.datasets._synthetic import draw_mixture

_MIXTURE = {
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "n_features": [Interval(Integral, 1, None, closed="left")],
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "separation": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}
_COUNT = [Interval(Integral, 0, None, closed="left")]


def _choose_planted(name, n_planted, n_samples, rng):
    if n_planted >= n_samples:
        raise ValueError(
            f"{name} must be smaller than n_samples={n_samples}, which counts the planted rows; "
            f"got {n_planted}."
        )
    return np.sort(rng.permutation(n_samples)[:n_planted]).astype(np.intp)


def _with_rows(data, planted, rows, **changes):
    X, log_density = data.X.copy(), data.log_density.copy()
    X[planted] = rows
    log_density[planted] = data.score_samples(rows)
    return replace(data, X=X, log_density=log_density, planted=planted, **changes)


@validate_params(_MIXTURE, prefer_skip_nested_validation=True)
def make_gaussian_mixture(
    n_samples=300, *, n_features=2, n_components=3, separation=6.0, random_state=None
):
    """Draw from a mixture of unit-covariance Gaussians of which the log-density is known.

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows.
    n_features : int, default=2
        Number of columns.
    n_components : int, default=3
        Number of Gaussians, equally weighted.
    separation : float, default=6.0
        Root mean square distance between two means, in standard deviations of a component.
    random_state : int, RandomState instance or None, default=None
        Seed of means and rows.

    Returns
    -------
    data : SyntheticData
        Rows `X`, labels `y`, true `log_density`; nothing is planted.

    Notes
    -----
    ``p(x) = 1/K sum_k N(x; mu_k, I)``, with ``mu_k ~ N(0, separation^2 / (2 d) I)``.

    Examples
    --------
    >>> from skmem.datasets import make_gaussian_mixture
    >>> data = make_gaussian_mixture(1000, random_state=0)
    >>> print(round(data.log_density.mean(), 2))
    -3.87
    """
    rng = check_random_state(random_state)
    return draw_mixture(n_samples, n_features, n_components, separation, rng)


@validate_params(
    {**_MIXTURE, "n_outliers": _COUNT, "distance": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def make_planted_outliers(
    n_samples=300,
    n_outliers=5,
    *,
    distance=10.0,
    n_features=2,
    n_components=3,
    separation=6.0,
    random_state=None,
):
    """Draw a Gaussian mixture in which some rows lie far from every component.

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows, the outliers included.
    n_outliers : int, default=5
        Number of rows planted far out, at random places in the sample.
    distance : float, default=10.0
        Every outlier is at least this far from every component mean, in standard deviations.
    n_features : int, default=2
        Number of columns.
    n_components : int, default=3
        Number of Gaussians, equally weighted.
    separation : float, default=6.0
        Root mean square distance between two means, in standard deviations of a component.
    random_state : int, RandomState instance or None, default=None
        Seed of means, rows and outliers.

    Returns
    -------
    data : SyntheticData
        `planted` holds the outliers' indices; `log_density` is the mixture's, very low there.

    Raises
    ------
    ValueError
        If `n_outliers` is not smaller than `n_samples`.

    Notes
    -----
    Outliers are uniform on a sphere about the origin, of radius ``max_k |mu_k| + distance``: by
    the triangle inequality no mean is nearer to them than `distance`.

    Examples
    --------
    >>> from skmem.datasets import make_planted_outliers
    >>> data = make_planted_outliers(200, 3, random_state=0)
    >>> print(data.planted)
    [ 26  56 170]
    """
    rng = check_random_state(random_state)
    data = draw_mixture(n_samples, n_features, n_components, separation, rng)
    planted = _choose_planted("n_outliers", n_outliers, n_samples, rng)
    directions = rng.normal(size=(n_outliers, n_features))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radius = np.linalg.norm(data.means, axis=1).max() + distance
    return _with_rows(data, planted, radius * directions)


@validate_params(
    {**_MIXTURE, "n_copies": _COUNT, "noise": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def make_planted_copies(
    n_samples=300,
    n_copies=10,
    *,
    noise=0.0,
    n_features=2,
    n_components=3,
    separation=6.0,
    random_state=None,
):
    """Draw a Gaussian mixture in which some rows are copies of other rows.

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows, the copies included.
    n_copies : int, default=10
        Number of rows that are copies, at random places in the sample.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to a copy; 0 gives exact copies.
    n_features : int, default=2
        Number of columns.
    n_components : int, default=3
        Number of Gaussians, equally weighted.
    separation : float, default=6.0
        Root mean square distance between two means, in standard deviations of a component.
    random_state : int, RandomState instance or None, default=None
        Seed of means, rows and copies.

    Returns
    -------
    data : SyntheticData
        `planted` holds the copies' indices, `source` the index of the row behind each (several
        copies may share one; a source is never itself a copy). Labels are those of the source.

    Raises
    ------
    ValueError
        If `n_copies` is not smaller than `n_samples`.

    Examples
    --------
    >>> from skmem.datasets import make_planted_copies
    >>> data = make_planted_copies(200, 3, random_state=0)
    >>> print(abs(data.X[data.planted] - data.X[data.source]).max())
    0.0
    """
    rng = check_random_state(random_state)
    data = draw_mixture(n_samples, n_features, n_components, separation, rng)
    planted = _choose_planted("n_copies", n_copies, n_samples, rng)
    source = rng.choice(np.setdiff1d(np.arange(n_samples), planted), size=n_copies)
    rows = data.X[source] + noise * rng.normal(size=(n_copies, n_features))
    y = data.y.copy()
    y[planted] = y[source]
    return _with_rows(data, planted, rows, y=y, y_true=y.copy(), source=source)


@validate_params(
    {
        **_MIXTURE,
        "n_flipped": _COUNT,
        "n_components": [Interval(Integral, 2, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def make_flipped_labels(
    n_samples=300,
    n_flipped=10,
    *,
    n_features=2,
    n_components=3,
    separation=6.0,
    random_state=None,
):
    """Draw a Gaussian mixture in which some rows carry the label of another component.

    Parameters
    ----------
    n_samples : int, default=300
        Number of rows.
    n_flipped : int, default=10
        Number of rows whose label is wrong.
    n_features : int, default=2
        Number of columns.
    n_components : int, default=3
        Number of Gaussians, and so of labels; at least 2.
    separation : float, default=6.0
        Root mean square distance between two means, in standard deviations of a component.
    random_state : int, RandomState instance or None, default=None
        Seed of means, rows and flips.

    Returns
    -------
    data : SyntheticData
        `planted` holds the indices of the rows at which `y` differs from `y_true`.

    Raises
    ------
    ValueError
        If `n_flipped` is not smaller than `n_samples`.

    Examples
    --------
    >>> from skmem.datasets import make_flipped_labels
    >>> data = make_flipped_labels(200, 3, random_state=0)
    >>> print(sum(data.y != data.y_true))
    3
    """
    rng = check_random_state(random_state)
    data = draw_mixture(n_samples, n_features, n_components, separation, rng)
    planted = _choose_planted("n_flipped", n_flipped, n_samples, rng)
    y = data.y.copy()
    # A shift of 1 .. K-1 modulo K never gives the old label back.
    y[planted] = (y[planted] + rng.randint(1, n_components, size=n_flipped)) % n_components
    return replace(data, y=y, planted=planted)
