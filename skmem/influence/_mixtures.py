r"""Derivatives of a Gaussian mixture's log-density, in coordinates in which the complete information is 1.

Around the fitted parameters, with :math:`\Sigma_k = L_k L_k^T` and :math:`V` an orthonormal basis of what is
orthogonal to :math:`\sqrt\pi`, the unconstrained parameters w, a, s stand for

    pi   proportional to   pi_k exp(V_k w / sqrt(pi_k))
    mu_k     =  mu_k + L_k a_k / sqrt(pi_k)
    Sigma_k  =  L_k exp(sqrt(2 / pi_k) S_k) L_k^T,       S_k the symmetric matrix with coordinates s_k

At the fit, the score of row x in component k alone is u_k = (V_k / sqrt(pi_k), z / sqrt(pi_k), S's part of
(z z^T - I) / sqrt(2 pi_k)) with z = L_k^-1 (x - mu_k), the gradient of log p(x) is the mean of u_k under the
responsibilities, and the Hessian of the mean loss is 1 minus the mean over rows of their covariance under the
responsibilities (the missing information: Louis 1982).
"""

import numpy as np
from scipy.linalg import null_space

from skmem._blocks import row_blocks
from skmem.density._em import Mixture, e_step, lacks_rows


class MixtureModel:
    """Rows' gradients under a fitted mixture, and the Hessian of the mean loss over its training rows.

    `reg_covar` counts as one more squared deviation of every training row, in all directions: so EM counts it.
    """

    curvature, penalises_rows = "Hessian", True

    def __init__(self, estimator, X):
        self.mixture = _float64(estimator, len(X))
        self.X, self.reg_covar = X, estimator.reg_covar
        self.n_rows = len(X)
        weights = self.mixture.weights
        self.weight_scores = null_space(np.sqrt(weights)[None]) / np.sqrt(weights)[:, None]
        self.indices, self.n_parameters = _indices(self.mixture)
        self.row_bytes = 32 * self.n_parameters

    def gradients(self, X):
        """Gradients (n, n_parameters) of the log-density of rows."""
        return self._gradients(X, 0.0)

    def train_gradients(self, rows):
        """What each training row adds to the equations that the fit solves, divided by its share 1/n."""
        return self._gradients(self.X[rows], self.reg_covar)

    def own_gradients(self, rows):
        """Gradients of the log-density of training rows."""
        return self.gradients(self.X[rows])

    def mean_gradient(self):
        """Minus the gradient (n_parameters,) of the mean loss."""
        blocks = row_blocks(self.n_rows, self.row_bytes)
        return sum(self.train_gradients(rows).sum(axis=0) for rows in blocks) / self.n_rows

    def hvp(self, V):
        """Products (m, n_parameters) of the Hessian of the mean loss with each row of `V`."""
        out = V.copy()
        widest = max(map(len, self.indices))
        row_bytes = 8 * len(self.indices) * (2 * widest + 3 * len(V))
        for rows in row_blocks(self.n_rows, row_bytes):
            r, scores = self._component_scores(self.X[rows], 0.0)
            along = [u @ V[:, k].T for u, k in zip(scores, self.indices, strict=True)]
            center = sum(r[:, [k]] * t for k, t in enumerate(along))
            for k, (u, index) in enumerate(zip(scores, self.indices, strict=True)):
                out[:, index] -= (r[:, [k]] * (along[k] - center)).T @ u / self.n_rows
        return out

    def _gradients(self, X, reg_covar):
        r, scores = self._component_scores(X, reg_covar)
        out = np.zeros((len(X), self.n_parameters))
        for k, (u, index) in enumerate(zip(scores, self.indices, strict=True)):
            out[:, index] += r[:, [k]] * u
        return out

    def _component_scores(self, X, reg_covar):
        """Responsibilities (n, n_components), and for each component its u (n, len(index))."""
        weights, means, _, factors, kind = self.mixture
        _, responsibilities = e_step(X, self.mixture)
        scores = []
        for k, (weight, mean) in enumerate(zip(weights, means, strict=True)):
            factor = factors if kind == "tied" else factors[k]
            z = (X - mean) @ factor if kind in ("full", "tied") else (X - mean) * factor
            shape = _shape_scores(z, _spread(factor, X.shape[1], reg_covar), kind)
            shape /= np.sqrt(2 if kind == "tied" else 2 * weight)
            fixed = np.broadcast_to(self.weight_scores[k], (len(X), len(weights) - 1))
            scores.append(np.hstack([fixed, z / np.sqrt(weight), shape]))
        return responsibilities, scores


def _float64(estimator, n_rows):
    """The mixture of `estimator` in double precision, without components that have no rows."""
    parameters = [np.asarray(a, dtype=np.float64) for a in estimator._get_parameters()]
    mixture = Mixture(*parameters, estimator.covariance_type)
    kept = ~lacks_rows(mixture.weights * n_rows)
    tied = estimator.covariance_type == "tied"
    kept_parameters = [a if tied and i > 1 else a[kept] for i, a in enumerate(mixture[:4])]
    return Mixture(*kept_parameters, estimator.covariance_type)


def _indices(mixture):
    """For each component, the positions of its parameters; and the number of all parameters."""
    n_components, n_features = mixture.means.shape
    sizes = {"diag": n_features, "spherical": 1}
    n_shape = sizes.get(mixture.covariance_type, n_features * (n_features + 1) // 2)
    weights = np.arange(n_components - 1)
    indices, start = [], len(weights) + n_components * n_features
    for k in range(n_components):
        means = len(weights) + k * n_features + np.arange(n_features)
        shape = start + np.arange(n_shape)
        indices.append(np.concatenate([weights, means, shape]))
        if mixture.covariance_type != "tied":
            start += n_shape
    return indices, indices[-1][-1] + 1


def _spread(factor, n_features, reg_covar):
    """`reg_covar` times L^-1 L^-T, which is what it adds to z z^T."""
    if np.ndim(factor) < 2:
        return reg_covar * np.diag(np.broadcast_to(factor, n_features) ** 2)
    return reg_covar * factor.T @ factor


def _shape_scores(z, spread, kind):
    """Coordinates of z z^T + spread - I in an orthonormal basis of the matrices that the kind allows."""
    n_features = z.shape[1]
    if kind in ("full", "tied"):
        a, b = np.triu_indices(n_features)
        products = z[:, a] * z[:, b] + spread[a, b] - (a == b)
        return products * np.where(a == b, 1.0, np.sqrt(2.0))
    squares = z**2 + np.diag(spread) - 1
    return squares if kind == "diag" else squares.sum(axis=1, keepdims=True) / np.sqrt(n_features)
