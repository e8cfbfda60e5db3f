"""A sample of a Gaussian mixture together with the truth it was drawn from."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp


@dataclass(frozen=True, eq=False)
class SyntheticData:
    """A sample together with the truth it was drawn from.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,)
        Labels, some of them wrong if labels were flipped.
    y_true : ndarray of shape (n_samples,)
        Mixture component each row was drawn from.
    log_density : ndarray of shape (n_samples,)
        Log-density of the mixture at each row, in nats.
    means : ndarray of shape (n_components, n_features)
        Component means; the components have equal weights and unit covariance.
    planted : ndarray of shape (n_planted,)
        Indices of the planted rows, ascending.
    source : ndarray of shape (n_planted,), default=None
        For planted copies, the index of the row that each was copied from.
    """

    X: np.ndarray
    y: np.ndarray
    y_true: np.ndarray
    log_density: np.ndarray
    means: np.ndarray
    planted: np.ndarray
    source: np.ndarray | None = None

    def score_samples(self, X):
        """Log-density of the mixture at each row of `X`.

        In nats; higher is likelier; zero is a density of one.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points to score.

        Returns
        -------
        log_density : ndarray of shape (n_points,)
            The truth that an estimator fitted on this sample should approach.
        """
        return _mixture_log_density(np.asarray(X, dtype=np.float64), self.means)


def _mixture_log_density(X, means):
    square = np.stack([np.sum((X - mean) ** 2, axis=1) for mean in means])
    n_components, n_features = means.shape
    constant = np.log(n_components) + 0.5 * n_features * np.log(2 * np.pi)
    return logsumexp(-0.5 * square, axis=0) - constant


def draw_mixture(n_samples, n_features, n_components, separation, rng):
    """Draw component means, then rows; two means are `separation` apart in root mean square."""
    # E|a - b|^2 = 2 d s^2 for two means drawn with standard deviation s in each of d coordinates.
    means = rng.normal(scale=separation / np.sqrt(2 * n_features), size=(n_components, n_features))
    y = rng.randint(n_components, size=n_samples)
    X = means[y] + rng.normal(size=(n_samples, n_features))
    nothing = np.empty(0, dtype=np.intp)
    return SyntheticData(X, y, y.copy(), _mixture_log_density(X, means), means, nothing)
