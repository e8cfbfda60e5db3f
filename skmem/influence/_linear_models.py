"""Derivatives of linear models: the log-probability of a class, the Gaussian log-density of a target."""

import numpy as np
from scipy.linalg import null_space
from scipy.special import softmax

from skmem._blocks import row_blocks


class LinearModel:
    """Rows' gradients under linear scores f = [x, 1] B with a quadratic penalty, and the Hessian of the mean loss.

    Coordinates are coefficients of columns that are scaled to unit variance and, where there is an intercept,
    centred. A subclass gives the derivatives with respect to f, one column for each of `n_scores` linear scores, and
    the `penalty` (n_scores,) of a coefficient b of `X` in the mean loss: penalty b^2 / 2. Intercepts have none.
    """

    curvature, penalises_rows = "Hessian", False

    def __init__(self, estimator, X, y):
        self.estimator, self.X, self.y = estimator, X, y
        self.n_rows = len(X)
        self.intercept = bool(estimator.fit_intercept)
        self.origin = X.mean(axis=0) if self.intercept else np.zeros(X.shape[1])
        spread = np.sqrt(np.mean((X - self.origin) ** 2, axis=0))
        self.scale = np.where(spread > 0, spread, 1.0)
        self.n_scores, penalty = self._sizes()
        penalties = np.append(1 / self.scale**2, [0.0] * self.intercept)
        self.penalty = penalty[:, None] * penalties
        self.n_parameters = self.penalty.size
        self.row_bytes = 16 * self.n_parameters

    def gradients(self, X, y):
        """Gradients (n, n_parameters) of the log-density of the targets of rows."""
        slopes = self._slopes(X, y)
        return (slopes[:, :, None] * self._inputs(X)[:, None]).reshape(len(X), -1)

    def own_gradients(self, rows):
        """The same for training rows."""
        return self.gradients(self.X[rows], self.y[rows])

    def train_gradients(self, rows):
        """What each training row adds to n times minus the mean loss: the same, for the penalty stays."""
        return self.own_gradients(rows)

    def mean_gradient(self):
        """Minus the gradient (n_parameters,) of the mean loss."""
        rows = row_blocks(self.n_rows, self.row_bytes)
        total = sum(self.train_gradients(block).sum(axis=0) for block in rows)
        return total / self.n_rows - (self.penalty * self._coefficients()).ravel()

    def hvp(self, V):
        """Products (m, n_parameters) of the Hessian of the mean loss with each row of `V`."""
        V = V.reshape(len(V), *self.penalty.shape)
        out = self.penalty * V
        for rows in row_blocks(self.n_rows, 16 * self.n_scores * (len(V) + self.n_scores)):
            inputs = self._inputs(self.X[rows])
            along = np.einsum("msd,nd->mns", V, inputs, optimize=True)
            bent = np.einsum("mns,nst->mtn", along, self._curvatures(self.X[rows]), optimize=True)
            out += bent @ inputs / self.n_rows
        return out.reshape(len(V), -1)

    def _inputs(self, X):
        scaled = (X - self.origin) / self.scale
        return np.column_stack([scaled, np.ones(len(X))]) if self.intercept else scaled

    def _coefficients(self):
        """The fitted B (n_scores, n_inputs), but for intercepts: those have no penalty."""
        coef = self._score_coefficients() * self.scale
        return np.column_stack([coef, np.zeros(len(coef))]) if self.intercept else coef


class LogisticModel(LinearModel):
    """Log-probability of a row's class under a LogisticRegression.

    The scores of three and more classes add up to zero, as the penalty makes them, so that no direction is without
    effect: the coordinates are along an orthonormal basis of such scores. Two classes have one score.
    """

    def _sizes(self):
        n_classes = len(self.estimator.classes_)
        two = n_classes == 2
        self.basis = np.array([[0.0], [1.0]]) if two else null_space(np.ones((1, n_classes)))
        n_scores = self.basis.shape[1]
        return n_scores, np.full(n_scores, self._strength() / self.n_rows)

    def _strength(self):
        params = self.estimator.get_params(deep=False)
        return 0.0 if params.get("penalty", "l2") is None else 1 / self.estimator.C

    def _score_coefficients(self):
        coef = self.estimator.coef_.astype(np.float64)
        return coef if len(coef) == 1 else self.basis.T @ coef

    def _slopes(self, X, y):
        label = np.eye(len(self.basis))[y]
        return (label - self._probabilities(X)) @ self.basis

    def _curvatures(self, X):
        p = self._probabilities(X)
        mean = p @ self.basis
        second = np.einsum("nc,cs,ct->nst", p, self.basis, self.basis, optimize=True)
        return second - mean[:, :, None] * mean[:, None]

    def _probabilities(self, X):
        f = X @ self.estimator.coef_.T.astype(np.float64) + self.estimator.intercept_
        return softmax(np.column_stack([np.zeros(len(f)), f]) if f.shape[1] == 1 else f, axis=1)


class RidgeModel(LinearModel):
    """Log-density of a row's target(s) under a Ridge: normal around the prediction, with one fixed variance.

    The variance is the mean squared residual of the training rows. It is held fixed.
    """

    def _sizes(self):
        n_targets = self.y.shape[1]
        self.variance = np.mean((self.y - self._predictions(self.X)) ** 2)
        if not self.variance > np.finfo(np.float64).eps * np.mean(self.y**2):
            raise ValueError(
                "The Ridge must leave residuals in y, whose mean square is the variance of the log-density; got "
                f"{self.variance:.3g} for n_samples = {len(self.y)}."
            )
        alpha = np.broadcast_to(np.asarray(self.estimator.alpha, dtype=np.float64), n_targets)
        return n_targets, alpha / (self.variance * self.n_rows)

    def _score_coefficients(self):
        return np.atleast_2d(self.estimator.coef_).astype(np.float64)

    def _slopes(self, X, y):
        return (y - self._predictions(X)) / self.variance

    def _curvatures(self, X):
        same = np.eye(self.n_scores) / self.variance
        return np.broadcast_to(same, (len(X), *same.shape))

    def _predictions(self, X):
        return X @ self._score_coefficients().T + self.estimator.intercept_
