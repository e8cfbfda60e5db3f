"""Explain rows by a table: choose and fit a density, find what made each row likely."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from skmem._distances import duplicate_groups
from skmem._random import child_seeds, plain_seed, set_random_state
from skmem._sklearn import Interval, StrOptions, validate_params
from skmem.datasets import Table
from skmem.influence import InfluenceFunction, SampleExplanations, TracIn, explain_samples
from skmem.report._audit import refuse_errors
from skmem.report._data_checks import constant_columns, named
from skmem.report._diagnose import diagnose_table
from skmem.report._influence_report import influence_parts
from skmem.report._models import MODELS
from skmem.report._notebook import notebook

_N_CHECKPOINTS = 5
_MAX_EXACT = 5000  # parameters of which the whole Hessian is made
# An influence function is about the optimum, so EM has to get there.
_CONVERGED = {"tol": 1e-7, "max_iter": 2000}


@dataclass(frozen=True, eq=False)
class Explanation:
    """What made some rows likely.

    Attributes
    ----------
    table : Table
        The training rows.
    query : Table
        The rows explained: those given, or generated ones, in the units of the table.
    generated : bool
        Whether they were generated.
    standardized : bool
        Whether columns were divided by their standard deviation.
    model : str
        Name of the density.
    choice : str
        How its hyper-parameter was chosen.
    estimator : estimator object
        The fitted density.
    method : str
        How influence was computed, in words.
    explanations : SampleExplanations
        Proponents and opponents of each row.
    random_state : int or None, default=None
        The seed, where it was a number.
    """

    table: Table
    query: Table
    generated: bool
    standardized: bool
    model: str
    choice: str
    estimator: Any
    method: str
    explanations: SampleExplanations
    random_state: int | None = None

    def _repr_html_(self):
        return notebook(influence_parts, self)


@validate_params(
    {
        "table": [Table],
        "query": [Table, None],
        "model": [StrOptions(set(MODELS))],
        "n_generated": [Interval(Integral, 1, None, closed="left"), None],
        "top": [Interval(Integral, 1, None, closed="left")],
        "standardize": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def explain(
    table,
    query=None,
    *,
    model="kde",
    n_generated=None,
    top=5,
    standardize=True,
    n_jobs=None,
    random_state=None,
):
    """Find the rows of a table that made other rows likely under a density fitted to it.

    Influences are in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    table : Table
        Training rows, as :func:`skmem.datasets.load_table` returns them.
    query : Table, default=None
        Rows to explain, of the same columns.
    model : {"kde", "knn", "gmm", "vae"}, default="kde"
        The density, chosen as in :func:`skmem.report.audit`.
    n_generated : int, default=None
        Number of rows to draw from the density and to explain, instead of `query`.
    top : int, default=5
        Number of proponents and of opponents of each row.
    standardize : bool, default=True
        Whether to divide each column by its standard deviation in `table`; a "vae" standardises measured columns
        itself.
    n_jobs : int, default=None
        Number of fits at once, where the density is refitted.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of the density, of its fit and of the draws.

    Returns
    -------
    explanation : Explanation
        Proponents and opponents, and what led to them.

    Raises
    ------
    ImportError
        If the model needs a package that is missing.
    ValueError
        If not just one of `query` and `n_generated` is given, `top` is more than there are training rows, the columns
        differ, the model cannot generate, or :func:`skmem.report.diagnose` finds an error in the table.

    Examples
    --------
    >>> from skmem.datasets import load_table
    >>> from skmem.report import explain
    >>> iris = load_table("iris")
    >>> print(explain(iris, iris, top=1, random_state=0).explanations.proponents[106])
    [106]
    """
    _check_request(query, n_generated, top, len(table.X))
    MODELS[model].require()
    refuse_errors(diagnose_table(table, model=model, cv=len(table.X)))
    columns = _Columns.of(table.X, standardize and not MODELS[model].scales_itself)
    Z, seeds = columns.forward(table.X), child_seeds(random_state, 4)
    first = np.unique(duplicate_groups(Z), return_index=True)[1]
    estimator, choice = MODELS[model].choose(Z[first], len(Z) - 1, int(seeds[0]))
    fitted = set_random_state(_adapted(estimator, model), seeds[1]).fit(Z)
    if query is None:
        points = _generated(fitted, model, n_generated, int(seeds[2]))
        query = _named(columns.backward(points), table)
    else:
        query = _matched(query, table)
        points = columns.forward(query.X)
    source, method = _influence_source(fitted, Z)
    options = {"k": top, "n_jobs": n_jobs, "random_state": int(seeds[3])}
    explanations = explain_samples(source, Z, points, **options)
    how = (n_generated is not None, standardize, model, choice, fitted, method)
    return Explanation(table, query, *how, explanations, plain_seed(random_state))


def _check_request(query, n_generated, top, n_train):
    if (query is None) == (n_generated is None):
        raise ValueError(
            f"Give just one of query and n_generated, got {query!r} and {n_generated!r}."
        )
    if top > n_train:
        raise ValueError(f"top must be at most the number of training rows, {n_train}, got {top}.")


@dataclass(frozen=True)
class _Columns:
    """How columns are scaled, the constant ones left out."""

    constant: np.ndarray
    values: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X, standardize):
        constant = constant_columns(X)
        kept = X[:, ~constant]
        mean, scale = (kept.mean(axis=0), kept.std(axis=0)) if standardize else (0.0, 1.0)
        return cls(constant, X[0], mean, scale)

    def forward(self, X):
        return (X[:, ~self.constant] - self.mean) / self.scale

    def backward(self, Z):
        X = np.tile(self.values, (len(Z), 1))
        X[:, ~self.constant] = Z * self.scale + self.mean
        return X


def _adapted(estimator, model):
    """The estimator, keeping what its influence is computed from."""
    if model == "gmm" and estimator.n_components > 1:
        return estimator.set_params(**_CONVERGED)
    if model == "vae":
        step = max(1, estimator.max_epochs // _N_CHECKPOINTS)
        return estimator.set_params(checkpoint_epochs=step)
    return estimator


def _influence_source(fitted, Z):
    """What `explain_samples` is to ask, and what that is in words."""
    if hasattr(fitted, "leave_one_out_influence"):
        return fitted, "leave-one-out in closed form, exact with the choice of the model held"
    if hasattr(fitted, "n_components"):
        d = Z.shape[1]
        n_parameters = fitted.n_components * (1 + d + d * (d + 1) // 2) - 1
        solver = "exact" if n_parameters <= _MAX_EXACT else "cg"
        words = f"influence function, first order in 1 / n_train (Hessian, solver {solver})"
        return InfluenceFunction(fitted, solver=solver).fit(Z), words
    tracin = TracIn(fitted).fit(Z)
    n = len(tracin.weights_)
    return (
        tracin,
        f"TracIn over {n} checkpoints: ranks can be trusted more than sizes, and shares not",
    )


def _generated(fitted, model, n_rows, seed):
    """Rows drawn from a fitted density."""
    if not hasattr(fitted, "sample"):
        raise ValueError(
            f"model must be able to generate rows, {model} is not; give rows to explain (--query FILE)"
        )
    if model == "gmm":  # scikit-learn's takes no seed but its own
        return set_random_state(fitted, seed).sample(n_rows)[0]
    return fitted.sample(n_rows, random_state=seed)


def _named(X, table):
    name = f"{len(X)} rows drawn from the model"
    return Table(X, table.feature_names, np.arange(len(X)), name)


def _matched(query, table):
    """The query with the columns of the table, in their order."""
    missing = [name for name in table.feature_names if name not in query.feature_names]
    if missing:
        raise ValueError(
            f"{query.name} must have the columns of {table.name}, it lacks {named(map(repr, missing))}"
        )
    order = [query.feature_names.index(name) for name in table.feature_names]
    return Table(query.X[:, order], table.feature_names, query.ids, query.name, query.notes)
