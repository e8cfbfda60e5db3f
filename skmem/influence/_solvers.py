r"""Solvers of (H + damping I) x = g for many g at once, H a model's curvature matrix.

Each has `damping` and ``inverse_hvp(G)``, which takes and gives arrays (m, n_parameters). Errors are LinAlgErrors,
which are ValueErrors.
"""

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cho_factor, cho_solve, eigvalsh
from scipy.linalg.lapack import dpocon
from scipy.sparse.linalg import LinearOperator, eigsh

_MAX_PARAMETERS = 5000
# Of a solution at least about six digits are left above this reciprocal condition number.
_MIN_RCOND = 1e-10
_RELATIVE_DAMPING = 1e-3


def make_solver(model, options):
    """The solver of a model's curvature that `options` name: `solver`, `damping`, `tol` and `max_iter`.

    Raises
    ------
    ValueError
        If the model has no layers, or too many parameters, for the solver, or its matrix has no inverse.
    """
    match options.solver:
        case "exact":
            return Exact(model, options.damping)
        case "cg":
            return ConjugateGradients(model, options.damping, options.tol, options.max_iter)
        case "ekfac":
            if not hasattr(model, "diagonal"):
                raise ValueError(
                    "solver='ekfac' is for the layers of nets; mixtures and linear models take 'exact' or 'cg'."
                )
            return Diagonal(model, options.damping)
        case "identity":
            return Identity()


class Identity:
    """x = g: as if the curvature were 1 in all directions."""

    damping = 0.0

    def inverse_hvp(self, G):
        """The right-hand sides themselves."""
        return G


class Diagonal:
    """A diagonal matrix, layer by layer.

    "auto" damping is a tenth of the mean eigenvalue of each layer (Grosse et al. 2023). Directions in which no
    training row has a gradient, in a layer without any, have no part in the solution.
    """

    def __init__(self, model, damping):
        layers = model.diagonal()
        self.damping = damping
        if damping == "auto":
            self.damping = {name: 0.1 * float(d.mean()) for name, d in layers.items()}
        parts = [
            (d + (self.damping[name] if damping == "auto" else damping)).ravel()
            for name, d in layers.items()
        ]
        values = np.concatenate(parts)
        if damping != "auto" and not (values > 0).all():
            raise LinAlgError(not_positive(0.0, damping))
        inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
        self.inverse = inverse.astype(np.float32)

    def inverse_hvp(self, G):
        """Right-hand sides divided by the damped diagonal."""
        return G * self.inverse


class Exact:
    """Cholesky's factor of the dense matrix."""

    def __init__(self, model, damping):
        if model.n_parameters > _MAX_PARAMETERS:
            raise ValueError(
                f"solver='exact' takes models of at most {_MAX_PARAMETERS} parameters, got {model.n_parameters}. "
                "solver='cg' holds no matrix, nor does solver='ekfac' for nets."
            )
        hessian = model.hvp(np.eye(model.n_parameters))
        hessian = (hessian + hessian.T) / 2
        self.damping = 0.0 if damping == "auto" else damping
        factor = _factor(hessian, self.damping)
        if factor is None and damping == "auto":
            self.damping = _spectral_damping(hessian)
            factor = _factor(hessian, self.damping)
        if factor is None:
            raise LinAlgError(not_positive(_smallest_eigenvalue(hessian), self.damping))
        self.factor = factor

    def inverse_hvp(self, G):
        """Solutions to about machine precision times the condition number."""
        return cho_solve(self.factor, G.T, check_finite=False).T


def _factor(hessian, damping):
    """Cholesky's factor of the damped matrix, or None where it is singular or indefinite."""
    damped = hessian + damping * np.eye(len(hessian))
    norm = np.abs(damped).sum(axis=0).max()
    try:
        factor = cho_factor(damped, lower=True, overwrite_a=True)
    except LinAlgError:
        return None
    rcond, _ = dpocon(factor[0], norm, uplo="L")
    return factor if rcond > _MIN_RCOND else None


def _spectral_damping(hessian):
    """A thousandth of the mean eigenvalue, if no eigenvalue is negative beyond rounding."""
    mean, smallest = np.trace(hessian) / len(hessian), _smallest_eigenvalue(hessian)
    if not smallest > -_RELATIVE_DAMPING * _RELATIVE_DAMPING * mean:
        raise LinAlgError(not_positive(smallest, 0.0))
    return _RELATIVE_DAMPING * mean


def _damping_from_ends(model):
    """0 where the fit is at its optimum; else what keeps the condition number under about a thousand."""
    if hasattr(model, "mean_gradient"):
        return 0.0
    size = (model.n_parameters, model.n_parameters)
    hessian = LinearOperator(
        size, matvec=lambda v: model.hvp(v.reshape(1, -1))[0], dtype=np.float64
    )
    start = np.random.default_rng(0).normal(size=model.n_parameters)
    ends = eigsh(hessian, k=2, which="BE", tol=0.01, v0=start, return_eigenvectors=False)
    return float(_RELATIVE_DAMPING * ends.max() + 2 * max(0.0, -ends.min()))


def _smallest_eigenvalue(hessian):
    return eigvalsh(hessian, subset_by_index=[0, 0])[0]


def not_positive(smallest, damping):
    """What a damped matrix without inverse means, and what to do; `smallest` bounds its undamped eigenvalues."""
    if abs(smallest) < 1e-8:
        return (
            f"The Hessian is singular with damping={damping:g}: some direction of the parameters has no effect on the "
            "loss. Set damping > 0, or take a model whose parameters the rows identify."
        )
    return (
        f"The Hessian has an eigenvalue of at most {smallest:.2g}, with damping={damping:g}: the estimator is not at "
        "a minimum of its loss on X_train. Fit it to convergence (a smaller tol, a larger max_iter) on just these "
        f"rows, set damping > {max(-smallest, 0):.2g}, or take solver='ekfac' for a net, which is seldom at a minimum."
    )


class ConjugateGradients:
    """The method of conjugate gradients, for which the matrix is never formed."""

    def __init__(self, model, damping, tol, max_iter):
        self.damping = _damping_from_ends(model) if damping == "auto" else damping
        self.model, self.tol, self.max_iter = model, tol, max_iter

    def inverse_hvp(self, G):
        """Solutions whose relative residuals are at most `tol`."""
        return self.solve(G)[0]

    def solve(self, G):
        """(solutions, relative residuals) for the rows of `G`.

        Raises
        ------
        LinAlgError
            If the matrix has negative curvature, or `max_iter` iterations are not enough.
        """
        size, X, n_iter = np.linalg.norm(G, axis=1), np.zeros_like(G), 0
        size = np.where(size > 0, size, 1.0)
        R, residuals = G.copy(), np.ones(len(G))
        # The residual that is updated drifts from the true one: begin again until that is small too.
        while (residuals > self.tol).any() and n_iter < self.max_iter:
            n_iter += self._descend(X, R, self.tol * size, self.max_iter - n_iter)
            R = G - self._product(X)
            residuals = np.linalg.norm(R, axis=1) / size
        if not (residuals <= self.tol).all():
            raise LinAlgError(
                f"Conjugate gradients did not converge in max_iter={self.max_iter} iterations: relative residual "
                f"{residuals.max():.2g} > tol={self.tol:g}. Set damping > 0, or raise max_iter or tol."
            )
        return X, residuals

    def _product(self, V):
        return self.model.hvp(V) + self.damping * V

    def _descend(self, X, R, target, max_iter):
        """Improve `X` in place from its residuals `R` until those are below `target`; the number of iterations."""
        P, squares = R.copy(), np.einsum("ij,ij->i", R, R)
        for n_iter in range(max_iter):
            rows = np.flatnonzero(np.sqrt(squares) > 0.5 * target)
            if not rows.size:
                return n_iter
            p = P[rows]
            product = self._product(p)
            step = squares[rows] / self._curvatures(p, product)
            X[rows] += step[:, None] * p
            R[rows] -= step[:, None] * product
            new = np.einsum("ij,ij->i", R[rows], R[rows])
            P[rows] = R[rows] + (new / squares[rows])[:, None] * p
            squares[rows] = new
        return max_iter

    def _curvatures(self, P, product):
        curvatures = np.einsum("ij,ij->i", P, product)
        if not (curvatures > 0).all():
            along = curvatures / np.einsum("ij,ij->i", P, P)
            raise LinAlgError(not_positive(along.min() - self.damping, self.damping))
        return curvatures
