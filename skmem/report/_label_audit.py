"""Audit the labels of a table: choose a classifier or a regressor, cross-fit it, and sort the rows."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from skmem._distances import duplicate_groups
from skmem._random import child_seeds
from skmem._sklearn import Interval, StrOptions, validate_params
from skmem.datasets import Table
from skmem.memorization import LabelIssues, MemorizationScorer, find_label_issues
from skmem.report._audit import CURED_BY_STANDARDIZING, refuse_errors
from skmem.report._diagnose import Finding, diagnose
from skmem.report._label_report import label_parts
from skmem.report._notebook import notebook
from skmem.report._predictors import (
    PREDICTORS,
    TASKS,
    as_labels,
    as_task,
    choose_predictor,
    held_out_predictions,
)


@dataclass(frozen=True, eq=False)
class LabelAudit:
    """What an audit of labels found.

    Attributes
    ----------
    table : Table
        The features.
    y : ndarray of shape (n_rows,)
        The labels: classes, or numbers to predict.
    label : str
        Name of their column.
    task : str
        What they were taken for, and why.
    findings : list of Finding
        What the data may be blamed for; none is an error.
    estimator : estimator object
        The classifier or regressor, not fitted.
    model, choice : str
        What it is, and how it was chosen.
    groups : ndarray of shape (n_rows,)
        Rows of the same number are equal but perhaps for their label; they were left out together.
    cv, n_repeats, random_state : int, int and int or None
        Number of folds, their repeats, and the seed.
    issues : LabelIssues or None
        What labels are taken for; None for numbers.
    scorer : MemorizationScorer or None
        The fitted scorer of numbers, by the likelihood of residuals; None for classes.
    predicted : ndarray of shape (n_rows,)
        Predictions by fits without the row: the likeliest label, or a number.
    """

    table: Table
    y: np.ndarray
    label: str
    task: str
    findings: list
    estimator: Any
    model: str
    choice: str
    groups: np.ndarray
    cv: int
    n_repeats: int
    random_state: Any
    issues: LabelIssues | None
    scorer: MemorizationScorer | None
    predicted: np.ndarray

    def _repr_html_(self):
        return notebook(label_parts, self)


@validate_params(
    {
        "table": [Table],
        "y": ["array-like"],
        "task": [StrOptions(set(TASKS))],
        "model": [StrOptions(set(PREDICTORS))],
        "standardize": ["boolean"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def audit_labels(
    table,
    y,
    *,
    label="label",
    task="auto",
    model="auto",
    standardize=True,
    cv=5,
    n_repeats=5,
    n_jobs=None,
    random_state=None,
    progress=False,
):
    """Find rows of a table of which the label is likely wrong, ambiguous, or right but memorized.

    Log-odds in nats, memorization in probability, for numbers in nats; positive = another label is likelier than the
    given one, or the given one is memorized; 0 = no effect.

    Rows that are equal but for their labels leave together, so that none tells of the other.

    Parameters
    ----------
    table : Table
        The features, as :func:`skmem.datasets.load_labelled_table` returns them.
    y : array-like of shape (n_rows,)
        The labels: text, or numbers.
    label : str, default="label"
        What they are called.
    task : {"auto", "classification", "regression"}, default="auto"
        What the labels are. "auto" takes text and up to 20 different whole numbers for classes, other numbers for
        something to predict.
    model : {"auto", "linear", "forest"}, default="auto"
        Logistic or ridge regression, or a random forest of 100 trees. "auto" is the linear one unless the forest
        predicts rows held out of 5 folds (or `cv`, if fewer) better by more than a standard error.
    standardize : bool, default=True
        Whether to divide each column by its standard deviation for a linear model, anew in every fit.
    cv : int, default=5
        Number of folds of a repeat.
    n_repeats : int, default=5
        Number of repeats.
    n_jobs : int, default=None
        Number of fits at once.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of the model, of the folds and of every fit.
    progress : bool, default=False
        Whether to count finished fits on stderr.

    Returns
    -------
    audit : LabelAudit
        What each row's label is taken for, and what led to it.

    Raises
    ------
    ValueError
        If :func:`skmem.report.diagnose` finds an error in the data, `y` is not one label a row, there is one label
        only, or a class has fewer rows than there are folds, or copies of one row only.

    See Also
    --------
    skmem.memorization.find_label_issues : Which labels are likely wrong, for a classifier of yours.
    skmem.MemorizationScorer : The scores of numbers, with ``response="predict"``.

    Examples
    --------
    >>> from skmem.datasets import load_labelled_table
    >>> from skmem.report import audit_labels
    >>> table, y = load_labelled_table("wine", "target")
    >>> y[[10, 150]] = "class_1"
    >>> found = audit_labels(table, y, model="linear", random_state=0)
    >>> print(found.issues.top(2)[0])
    [ 10 150]
    """
    findings = diagnose(table.X, table.feature_names, cv=cv, ids=table.ids)
    refuse_errors(findings)
    y, words = as_task(as_labels(y, len(table.X)), task)
    groups = duplicate_groups(table.X)
    refuse_errors(_label_findings(y, groups, label, cv), more="")  # the doctor does not see labels
    cured = CURED_BY_STANDARDIZING if standardize or model == "forest" else ()
    findings = [finding for finding in findings if finding.check not in cured]
    leave_together = groups if groups.max() + 1 < len(groups) else None
    seeds = child_seeds(random_state, 3).tolist()
    estimator, *how = choose_predictor(
        table.X, y, model, standardize, leave_together, cv, seeds[0]
    )
    options = {"cv": cv, "n_repeats": n_repeats, "n_jobs": n_jobs, "progress": progress}
    found = (_judged if y.dtype.kind != "f" else _scored)(
        estimator, table.X, y, leave_together, options, seeds[1:]
    )
    settings = (groups, cv, n_repeats, random_state)
    return LabelAudit(table, y, label, words, findings, estimator, *how, *settings, *found)


def _judged(classifier, X, y, groups, options, seeds):
    """Issues of labels that are classes, no scorer, and the likeliest label of each row."""
    issues = find_label_issues(classifier, X, y, groups=groups, random_state=seeds[0], **options)
    return issues, None, issues.classes[issues.probability_out.argmax(axis=1)]


def _scored(regressor, X, y, groups, options, seeds):
    """No issues, the scorer of labels that are numbers, and a prediction of each row."""
    scorer = MemorizationScorer(
        regressor, response="predict", refit=False, random_state=seeds[0], **options
    ).fit(X, y, groups=groups)
    n_folds, n_jobs = options["cv"], options["n_jobs"]
    return None, scorer, held_out_predictions(regressor, X, y, groups, n_folds, seeds[1], n_jobs)


def _label_findings(y, groups, label, cv):
    """What is wrong with labels: too few different ones, or too few rows of one, or none but copies of one row."""
    values, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    where = f"column {label!r}"
    if len(values) < 2:
        what = f"all rows have the label {values[0]}"
        return [Finding("error", what, where, "there is nothing to tell apart")]
    if y.dtype.kind == "f":
        return []
    shown = [f"{value} ({count})" for value, count in zip(values, counts, strict=True)]
    merge = "merge them with others, or leave their rows out"
    found = []
    if (rare := counts < cv).any():
        fewest = counts[rare].min()
        fewer = f"ask for at most {fewest} folds (--cv {fewest}), " if fewest > 1 else ""
        what = f"classes with fewer rows than folds ({cv}): {_first(shown, rare)}"
        found.append(Finding("error", what, where, fewer + merge, "rare_classes"))
    different = np.unique(np.column_stack([codes, groups]), axis=0)[:, 0]
    if (single := np.bincount(different) == 1).any():
        # They leave together, and no fit without them knows their label.
        what = f"classes of copies of one row: {_first(shown, single)}"
        found.append(Finding("error", what, where, merge, "rare_classes"))
    return found


def _first(shown, chosen):
    return ", ".join([shown[i] for i in np.flatnonzero(chosen)[:8]])
