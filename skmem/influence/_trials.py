"""What a solver can do, tried on a few training rows before the queries, and whether the fit was at its optimum."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from skmem.influence._solvers import ConjugateGradients, Identity

TRIED = ("residuals_", "optimality_gap_")
_N_ROWS = 8
# Nats for each parameter. Fitted to other rows of the same distribution, a model is about one from the maximum.
_LARGE_GAP = 0.1


def trial(model, solver):
    """Attributes by name: relative residuals where there are any, and nats to the maximum of the likelihood."""
    found = {}
    if isinstance(solver, ConjugateGradients):
        step = -(-model.n_rows // _N_ROWS)
        _, found["residuals_"] = solver.solve(model.train_gradients(slice(None, None, step)))
    if hasattr(model, "mean_gradient") and not isinstance(solver, Identity):
        found["optimality_gap_"] = gap = _optimality_gap(model, solver)
        if gap > _LARGE_GAP * model.n_parameters:
            _warn_of_other_rows(gap)
    return found


def _optimality_gap(model, solver):
    slope = model.mean_gradient()
    newton = solver.inverse_hvp(slope[None])[0]
    return float(0.5 * model.n_rows * slope @ newton)


def _warn_of_other_rows(gap):
    warnings.warn(
        f"The estimator is {gap:.3g} nats from the maximum of the log-likelihood of X_train: X_train must be the rows "
        "that it was fitted to, without sample weights, and the fit must have converged (a smaller tol, a larger "
        "max_iter).",
        ConvergenceWarning,
        stacklevel=4,
    )
