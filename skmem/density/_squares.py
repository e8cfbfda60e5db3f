"""Moments and Mahalanobis distances of rows under many Gaussians, each from one matrix product.

With the products x_a x_b of all pairs of columns laid out once, a scatter matrix is linear in them, and so is a
squared distance. That is several times faster than one product per component, and rounds where rows are far from
their mean in terms of a component's smallest standard deviation. So `resolve` has to be asked first.
"""

import numpy as np
from sklearn.utils.extmath import row_norms

_MAX_COLUMNS = 32  # with more, the products take more memory and time than they save
_ROUNDING = 1e-10


class Squares:
    """Products of the columns of some rows, around the rows' mean."""

    def __init__(self, X):
        self.origin = X.mean(axis=0)
        centered = X - self.origin
        self.first, self.second = np.triu_indices(X.shape[1])
        products = centered[:, self.first] * centered[:, self.second]
        self.features = np.hstack([products, centered])
        self.reach = row_norms(centered, squared=True).max()

    @classmethod
    def of(cls, X, covariance_type):
        """Squares of the rows where they pay off, else None."""
        pays_off = covariance_type == "full" and X.shape[1] <= _MAX_COLUMNS
        return cls(X) if pays_off and X.dtype == np.float64 else None

    def resolve(self, factors):
        """Whether rounding costs less than 1e-10 in squared distances for these factors of precisions."""
        rounding = (
            np.finfo(factors.dtype).eps * self.reach * np.max(np.sum(factors**2, axis=(1, 2)))
        )
        return bool(rounding < _ROUNDING)

    def distances(self, means, factors):
        """Squared Mahalanobis distances (n_samples, n_components)."""
        precisions = factors @ factors.swapaxes(1, 2)
        means = means - self.origin
        projected = np.einsum("kab,kb->ka", precisions, means)
        quadratic = precisions[:, self.first, self.second] * (1 + (self.first != self.second))
        coefficients = np.hstack([quadratic, -2 * projected])
        return self.features @ coefficients.T + np.sum(projected * means, axis=1)

    def moments(self, mass, totals):
        """Means and covariances of the components, whose rows have `mass` (n_samples, n_components)."""
        sums = (mass.T @ self.features) / totals[:, np.newaxis]
        means = sums[:, self.first.size :]
        n_components, n_columns = means.shape
        covariances = np.empty((n_components, n_columns, n_columns))
        covariances[:, self.first, self.second] = sums[:, : self.first.size]
        covariances[:, self.second, self.first] = sums[:, : self.first.size]
        covariances -= means[:, :, np.newaxis] * means[:, np.newaxis]
        return means + self.origin, covariances
