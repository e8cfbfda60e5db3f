"""What will go wrong with these rows and this estimator, said before an hour of fitting."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_array

from skmem._sklearn import get_feature_names
from skmem.report._data_checks import COMPLETE_CHECKS, LARGEST, VALUE_CHECKS, too_few_rows
from skmem.report._estimator_checks import ESTIMATOR_CHECKS

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
    >>> print([(finding.severity, finding.what) for finding in findings])
    [('warning', '3 of 64 columns are constant')]
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
    complete = X[:, some][usable[:, some].all(axis=1)]
    if len(complete):
        names = [name for name, has_values in zip(names, some, strict=True) if has_values]
        for check in COMPLETE_CHECKS:
            yield from check(complete, names)
