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
    repeated_ids,
    too_few_distinct_rows,
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
    check : str, default=""
        Name of the check that found it, such as "duplicates", for programs to go by.
    """

    severity: str
    what: str
    where: str
    cure: str
    check: str = ""


def diagnose(X, feature_names=None, estimator=None, *, cv=10, ids=None):
    """Say what will go wrong when `estimator` is cross-fitted on `X`, without fitting anything.

    Parameters
    ----------
    X : {array-like, dataframe} of shape (n_samples, n_features)
        The rows; missing and infinite values, and columns of text in a data frame, are findings here, not errors.
    feature_names : sequence of str, default=None
        Names of the columns; by default those of `X`, or x0, x1 and so on.
    estimator : estimator instance, default=None
        What is to be fitted; None asks about the data alone.
    cv : int, default=10
        Number of folds that each repeat of cross-fitting will use.
    ids : array-like of shape (n_samples,), default=None
        Names of the rows; by default they are counted from 0.

    Returns
    -------
    findings : list of Finding
        Errors first, then warnings, then notes. What needs numbers, such as constant columns, is
        looked for in the rows without missing, infinite or overflowing values.

    Raises
    ------
    ValueError
        If `X` is an array that does not hold numbers, or has other columns than `feature_names` or other rows
        than `ids`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmem.report import diagnose
    >>> findings = diagnose(load_digits().data)
    >>> print(findings[0].what)
    constant columns (3 of 64)
    """
    if feature_names is None and (text := _text_columns(X)):
        numbers = [name for name in X.columns if name not in text]
        rest = diagnose(X[numbers], None, estimator, cv=cv, ids=ids) if numbers else []
        return [_text_finding(text, "leave them out, or encode them"), *rest]
    names = get_feature_names(X) if feature_names is None else feature_names
    X = check_array(X, dtype=np.float64, ensure_all_finite=False)
    names = [f"x{j}" for j in range(X.shape[1])] if names is None else [str(n) for n in names]
    if len(names) != X.shape[1]:
        raise ValueError(f"feature_names must name {X.shape[1]} columns; got {len(names)} names")
    ids = np.arange(len(X)) if ids is None else np.asarray(ids)
    if len(ids) != len(X):
        raise ValueError(f"ids must name {len(X)} rows; got {len(ids)} ids")
    findings = [*_data_findings(X, names, ids), *_run(too_few_rows, len(X), cv)]
    if estimator is not None:
        n_train = len(X) - -(-len(X) // cv)
        for check in ESTIMATOR_CHECKS:
            findings += _run(check, estimator, len(X), n_train)
    return _by_severity(findings)


def _text_columns(X):
    """Columns of a data frame that hold no numbers, by name, with an example of each."""
    if not hasattr(X, "dtypes") or not hasattr(X, "columns") or not len(X):
        return {}
    return {
        name: f"such as {str(np.asarray(X[name])[0])!r}"
        for name in X.columns
        if not _is_numeric(X[[name]])
    }


def _is_numeric(column):
    try:
        check_array(column, dtype=np.float64, ensure_all_finite=False)
    except (TypeError, ValueError):
        return False
    return True


def _text_finding(text, cure):
    shown = [f"{name!r} ({example})" for name, example in text.items()]
    return Finding("error", f"text columns ({len(shown)})", named(shown), cure, "text_columns")


def _run(check, *args):
    return [Finding(*found, check.__name__) for found in check(*args)]


def _by_severity(findings):
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _data_findings(X, names, ids):
    for check in VALUE_CHECKS:
        yield from _run(check, X, names)
    yield from _run(repeated_ids, ids)
    usable = np.abs(X) <= LARGEST
    some = usable.any(axis=0)
    rows = np.flatnonzero(usable[:, some].all(axis=1))
    if len(rows) and some.any():
        complete = X[np.ix_(rows, some)]
        names = [name for name, has_values in zip(names, some, strict=True) if has_values]
        numbered = np.array_equal(ids, np.arange(len(ids)))
        yield from _run(duplicates, complete, ids[rows], numbered)
        for check in COMPLETE_CHECKS:
            yield from _run(check, complete, names)


def diagnose_table(table, *, model="kde", cv=10):
    """Say what will go wrong when a table is audited.

    Parameters
    ----------
    table : Table
        As :func:`skmem.datasets.load_table` returns it.
    model : {"kde", "knn", "gmm", "vae"}, default="kde"
        Density that is to be fitted.
    cv : int, default=10
        Number of folds.

    Returns
    -------
    findings : list of Finding
        Errors first, then warnings, then notes.
    """
    findings = diagnose(table.X, table.feature_names, cv=cv, ids=table.ids)
    fewest = MODELS[model].fewest_rows
    findings += _run(too_few_distinct_rows, table.X, cv, model, fewest)
    return _by_severity(findings + _run(missing_packages, model))


def missing_packages(model):
    """Find that a model needs what is not installed."""
    try:
        MODELS[model].require()
    except ImportError as error:
        what, _, cure = str(error).rpartition(": ")
        yield "error", what, f"model {model}", cure


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
    model : {"kde", "knn", "gmm", "vae"}, default="kde"
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
        cure = "leave them out (--drop NAME), name rows by one (--id-column NAME), or encode them"
        text = [_text_finding(error.columns, cure)]
        try:
            table = load_table(source, id_column=id_column, drop=[*drop, *error.columns])
        except ValueError:  # no column is left
            return text, None
    return text + diagnose_table(table, model=model, cv=cv), table
