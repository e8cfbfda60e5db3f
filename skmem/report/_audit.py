"""Audit a table: choose a density, score the memorization of every row, find its nearest row."""

import sys
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skmem._distances import duplicate_groups, nearest_neighbors
from skmem._sklearn import Interval, StrOptions, validate_params
from skmem.datasets import Table
from skmem.memorization import MemorizationScorer
from skmem.report._audit_report import audit_parts
from skmem.report._data_checks import constant_columns
from skmem.report._diagnose import diagnose_table
from skmem.report._models import MODELS
from skmem.report._notebook import notebook

# What these checks find is no trouble once columns have mean 0 and standard deviation 1.
CURED_BY_STANDARDIZING = ("scales", "float32")


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes
    ----------
    table : Table
        What was audited.
    findings : list of Finding
        What the data may be blamed for, but for what standardising has cured; none is an error.
    scale : ndarray of shape (n_columns,)
        What each column was divided by, after its mean was subtracted; ones if nothing was done,
        nan for a constant column, which was left out.
    standardized : bool
        Whether columns were divided by their standard deviation.
    model : str
        Name of the density.
    choice : str
        How its hyper-parameter was chosen.
    scorer : MemorizationScorer
        The fitted scorer; its log-densities are those of the scaled columns, unless the model
        scales columns itself.
    groups : ndarray of shape (n_rows,)
        Rows of the same number are equal.
    nearest : ndarray of shape (n_rows,)
        Position of each row's nearest other row.
    distance : ndarray of shape (n_rows,)
        Distance to it, in the units of the scaled columns.
    """

    table: Table
    findings: list
    scale: np.ndarray
    standardized: bool
    model: str
    choice: str
    scorer: MemorizationScorer
    groups: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray

    def _repr_html_(self):
        return notebook(audit_parts, self)

    @property
    def log_jacobian(self):
        """What takes the scorer's log-densities to the original units, in nats.

        To be added: ``log p(x) = log p_z(z) - sum_j log scale_j`` for scaled columns z. Zero for a
        model that scales columns itself, since it has done so.
        """
        if MODELS[self.model].scales_itself:
            return 0.0
        return -float(np.nansum(np.log(self.scale)))


@validate_params(
    {
        "table": [Table],
        "model": [StrOptions(set(MODELS))],
        "standardize": ["boolean"],
        "cv": [Interval(Integral, 2, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def audit(
    table,
    *,
    model="kde",
    standardize=True,
    cv=10,
    n_repeats=None,
    method="cross-fit",
    n_jobs=None,
    random_state=None,
    progress=False,
):
    """Score the memorization of every row of a table by a density fitted to it.

    Scores are in nats; positive = training on a row raises its own density; 0 = no effect.

    Constant columns are left out, the others standardised. The density's hyper-parameter is chosen
    once, on the distinct rows, and held fixed in every fit.

    Parameters
    ----------
    table : Table
        As :func:`skmem.datasets.load_table` returns it.
    model : {"kde", "knn", "gmm", "vae"}, default="kde"
        Kernel density, k-nearest-neighbour density, Gaussian mixture or variational autoencoder.
        The last needs ``pip install "skmem[torch]"``.
    standardize : bool, default=True
        Whether to divide each column by its standard deviation. The log-densities reported are
        those of the original columns all the same. A "vae" standardises measured columns itself;
        for it this is about distances alone.
    cv : int, default=10
        Number of folds of a repeat.
    n_repeats : int, default=None
        Number of repeats; None is 2 for "vae", whose fits take seconds each, and 10 for others.
    method : {"auto", "cross-fit", "leave-one-out"}, default="cross-fit"
        As in :class:`skmem.MemorizationScorer`; only "cross-fit" gives a noise floor for sure.
    n_jobs : int, default=None
        Number of fits at once.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of the density, of the folds and of every fit.
    progress : bool, default=False
        Whether to say on stderr that the density is being chosen, and to count finished fits.

    Returns
    -------
    audit : Audit
        Scores, and what led to them.

    Raises
    ------
    ImportError
        If the model needs a package that is missing.
    ValueError
        If :func:`skmem.report.diagnose` finds an error in the data.

    Notes
    -----
    With z = (x - mean) / scale, ``log p(x) = log p_z(z) - sum_j log scale_j``. Memorization, a
    difference of two such terms, is the same in either unit.

    Examples
    --------
    >>> from skmem.datasets import load_table
    >>> from skmem.report import audit
    >>> found = audit(load_table("iris"), random_state=0)
    >>> print(round(found.scorer.memorization_.max(), 2))
    19.82
    """
    MODELS[model].require()
    n_folds = len(table.X) if method == "leave-one-out" else cv
    findings = diagnose_table(table, model=model, cv=n_folds)
    refuse_errors(findings)
    if standardize or MODELS[model].scales_itself:
        findings = [f for f in findings if f.check not in CURED_BY_STANDARDIZING]
    Z, scale = _prepare(table.X, standardize)
    groups = duplicate_groups(Z)
    _, first = np.unique(groups, return_index=True)
    n_train = len(Z) - -(-len(Z) // n_folds)
    X = table.X[:, ~np.isnan(scale)] if MODELS[model].scales_itself else Z
    if progress:
        print(f"choosing {MODELS[model].parameter}", file=sys.stderr)
    estimator, choice = MODELS[model].choose(X[first], n_train, random_state)
    n_repeats = MODELS[model].n_repeats if n_repeats is None else n_repeats
    scorer = MemorizationScorer(
        estimator, cv=cv, n_repeats=n_repeats, method=method, refit=False, n_jobs=n_jobs
    ).set_params(random_state=random_state, progress=progress)
    scorer.fit(X)
    distance, nearest = nearest_neighbors(Z, Z, 1, exclude_self=True)
    where = {"nearest": nearest[:, 0], "distance": distance[:, 0], "groups": groups}
    return Audit(table, findings, scale, standardize, model, choice, scorer, **where)


def refuse_errors(findings, more="; skmem doctor says more"):
    """Raise the first error among the findings; `more` says where there is more about it."""
    for finding in findings:
        if finding.severity == "error":
            raise ValueError(f"{finding.what} ({finding.where}): {finding.cure}{more}")


def _prepare(X, standardize):
    """Scale the columns that have spread; return them and every column's scale, nan without spread."""
    constant = constant_columns(X)
    scale = np.where(constant, np.nan, X.std(axis=0) if standardize else 1.0)
    X, kept = X[:, ~constant], scale[~constant]
    return ((X - X.mean(axis=0)) / kept if standardize else X.copy()), scale
