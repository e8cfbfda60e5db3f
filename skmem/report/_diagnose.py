"""What will go wrong with these rows and this estimator, said before an hour of fitting."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_array

from skmem._sklearn import get_feature_names
from skmem.datasets import TextColumnError, load_table
from skmem.report._data_checks import (
    COMPLETE_CHECKS,
    LARGEST,
    VALUE_CHECKS,
    duplicates,
    named,
    too_few_rows,
)
from skmem.report._estimator_checks import ESTIMATOR_CHECKS
from skmem.report._models import MODELS

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that will go wrong.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        Whether it stops a fit or falsifies it, blurs what is found, or is good to know.
    what : str
        What is the case.
    where : str
        Columns, rows or parameters.
    cure : str
        What to do about it.
    """

    severity: str
    what: str
    where: str
    cure: str


def diagnose(X, feature_names=None, estimator=None, *, cv=10):
    """Say what will go wrong when `estimator` is cross-fitted on `X`, without fitting anything.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows; missing and infinite values are findings here, not errors.
    feature_names : sequence of str, default=None
        Names of the columns; by default those of `X`, or x0, x1 and so on.
    estimator : estimator instance, default=None
        What is to be fitted; None asks about the data alone.
    cv : int, default=10
        Number of folds that each repeat of cross-fitting will use.

    Returns
    -------
    findings : list of Finding
        Errors first, then warnings, then notes. What needs numbers, such as constant columns, is
        looked for in the rows without missing, infinite or overflowing values.

    Raises
    ------
    ValueError
        If `X` is not a table of numbers, or has other columns than `feature_names`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmem.report import diagnose
    >>> findings = diagnose(load_digits().data)
    >>> print(findings[0].what)
    constant columns (3 of 64)
    """
    names = get_feature_names(X) if feature_names is None else feature_names
    X = check_array(X, dtype=np.float64, ensure_all_finite=False)
    names = [f"x{j}" for j in range(X.shape[1])] if names is None else [str(n) for n in names]
    if len(names) != X.shape[1]:
        raise ValueError(f"feature_names must name {X.shape[1]} columns; got {len(names)} names")
    found = [*_data_findings(X, names), *too_few_rows(len(X), cv)]
    if estimator is not None:
        n_train = len(X) - -(-len(X) // cv)
        found += [f for check in ESTIMATOR_CHECKS for f in check(estimator, len(X), n_train)]
    findings = [Finding(*finding) for finding in found]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _data_findings(X, names):
    for check in VALUE_CHECKS:
        yield from check(X, names)
    usable = np.abs(X) <= LARGEST
    some = usable.any(axis=0)
    rows = np.flatnonzero(usable[:, some].all(axis=1))
    if len(rows) and some.any():
        complete = X[np.ix_(rows, some)]
        names = [name for name, has_values in zip(names, some, strict=True) if has_values]
        yield from duplicates(complete, rows)
        for check in COMPLETE_CHECKS:
            yield from check(complete, names)


def diagnose_file(source, *, id_column=None, drop=(), model="kde", cv=10):
    """Say what will go wrong when a file is audited; columns of text are a finding like others.

    Parameters
    ----------
    source : str or path-like
        As in :func:`skmem.datasets.load_table`.
    id_column : str, default=None
        Column that names the rows.
    drop : sequence of str, default=()
        Columns to leave out.
    model : {"kde", "knn", "gmm"}, default="kde"
        Density that is to be fitted.
    cv : int, default=10
        Number of folds.

    Returns
    -------
    findings : list of Finding
        Errors first, then warnings, then notes.
    table : Table or None
        The numeric columns; None where there are none.

    Raises
    ------
    ValueError
        If the file cannot be read as a table.
    """
    try:
        table, text = load_table(source, id_column=id_column, drop=drop), []
    except TextColumnError as error:
        shown = [f"{name!r} ({example})" for name, example in error.columns.items()]
        cure = "leave them out (--drop NAME), name rows by one (--id-column NAME), or encode them"
        text = [Finding("error", f"text columns ({len(shown)})", named(shown), cure)]
        try:
            table = load_table(source, id_column=id_column, drop=[*drop, *error.columns])
        except ValueError:  # no column is left
            return text, None
    found = diagnose(table.X, table.feature_names, MODELS[model].simplest(), cv=cv)
    return text + found, table
