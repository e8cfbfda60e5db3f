"""An audit as a plain dict that JSON can hold, and as a table of all its rows."""

import csv
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from skmem._version import __version__
from skmem.report._models import MODELS

SCHEMA_VERSION = 1
_QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
_MAX_GROUPS, _MAX_MEMBERS = 3, 8
_PACKAGES = ("numpy", "scipy", "scikit-learn", "joblib")


def summarize(audit, *, top=20, command=None):
    """Summarise an audit as a dict of plain Python values.

    Scores are in nats; positive = training on a row raises its own density; 0 = no effect.

    Parameters
    ----------
    audit : Audit
        What :func:`skmem.report.audit` returned.
    top : int, default=20
        Number of rows of the highest memorization to list.
    command : str, default=None
        The command line, so that the audit can be repeated.

    Returns
    -------
    summary : dict
        With the keys schema_version, command, versions, data, findings, model, method, quantiles,
        above_noise_floor and top. A value that is not a number is None, infinities are the strings
        "inf" and "-inf", so that strict JSON holds it.

    Examples
    --------
    >>> from skmem.datasets import load_table
    >>> from skmem.report import audit, summarize
    >>> summary = summarize(audit(load_table("iris"), random_state=0), top=1)
    >>> print(summary["top"][0]["id"], round(summary["top"][0]["memorization"], 2))
    41 19.82
    """
    return plain(
        {
            "schema_version": SCHEMA_VERSION,
            "command": command,
            "versions": versions(),
            "data": _data(audit),
            "findings": [vars(finding) for finding in audit.findings],
            "model": _model(audit),
            "method": _method(audit.scorer),
            "quantiles": _quantiles(audit.scorer),
            "above_noise_floor": _above(audit.scorer),
            "top": _top(audit, top),
        }
    )


def versions():
    """Versions of skmem, Python, and what the numbers come from."""
    packages = {name: version(name) for name in _PACKAGES}
    return {"skmem": __version__, "python": platform.python_version(), **packages}


def _data(audit):
    names, sizes = audit.table.feature_names, np.bincount(audit.groups)
    constant = np.isnan(audit.scale)
    return {
        "name": audit.table.name,
        "notes": audit.table.notes,
        "n_rows": len(audit.table.X),
        "n_columns": len(names),
        "constant_columns": [name for name, out in zip(names, constant, strict=True) if out],
        "n_duplicate_rows": sizes[sizes > 1].sum(),
        "n_duplicate_groups": np.count_nonzero(sizes > 1),
        "largest_groups": _largest_groups(audit.groups, audit.table.ids),
        "standardized": audit.standardized,
        "log_jacobian": audit.log_jacobian,
    }


def _largest_groups(groups, ids):
    """The largest groups of equal rows: their size, and the ids of their first rows."""
    sizes = np.bincount(groups)
    largest = [g for g in np.argsort(-sizes, kind="stable")[:_MAX_GROUPS] if sizes[g] > 1]
    members = [ids[groups == group][:_MAX_MEMBERS].tolist() for group in largest]
    return [
        {"n_rows": sizes[group], "ids": of_group}
        for group, of_group in zip(largest, members, strict=True)
    ]


def _model(audit):
    estimator, parameter = audit.scorer.estimator, MODELS[audit.model].parameter
    return {
        "name": audit.model,
        "estimator": type(estimator).__name__,
        "chosen": {parameter: getattr(estimator, parameter)},
        "parameters": estimator.get_params(deep=False),
        "choice": audit.choice,
        "scales_itself": MODELS[audit.model].scales_itself,
    }


def _method(scorer):
    names = ("method", "cv", "n_repeats", "reduction", "random_state")
    requested = {name: getattr(scorer, name) for name in names}
    # Leave-one-out alone may know that there is no noise: where it is an exact closed form.
    exact = scorer.method_ == "leave-one-out" and not np.isnan(scorer.noise_floor_[0.95])
    return {
        "used": scorer.method_,
        "exact": exact,
        "n_fits": scorer.n_fits_,
        **requested,
    }


def _noise_floor(scorer):
    """The noise floor, empty where there is no noise between fits to speak of."""
    return {} if np.isnan(scorer.p_values_).all() else scorer.noise_floor_


def _quantiles(scorer):
    floor = _noise_floor(scorer)
    # Sorted values, not interpolated ones: between infinities there is nothing to interpolate.
    values = np.quantile(scorer.memorization_, _QUANTILES, method="inverted_cdf")
    return [
        {"level": level, "memorization": value, "noise_floor": floor.get(level)}
        for level, value in zip(_QUANTILES, values, strict=True)
    ]


def _above(scorer):
    n_rows = len(scorer.memorization_)
    return [
        {
            "level": level,
            "n_rows": np.count_nonzero(scorer.memorization_ > floor),
            "expected_by_noise": (1 - level) * n_rows,
        }
        for level, floor in _noise_floor(scorer).items()
    ]


def _top(audit, n_rows):
    rows, _ = audit.scorer.top(n_rows)
    columns = score_columns(audit)
    return [
        {"row": row, **{name: values[row] for name, values in columns.items()}} for row in rows
    ]


def score_columns(audit):
    """Every row's scores by name, log-densities in the original units, nats.

    Rows of the same `group` are equal; `copies` counts the others.
    """
    scorer = audit.scorer
    return {
        "id": audit.table.ids,
        "memorization": scorer.memorization_,
        "standard_error": scorer.standard_error_,
        "p_value": scorer.p_values_,
        "log_density_in": scorer.log_density_in_ + audit.log_jacobian,
        "log_density_out": scorer.log_density_out_ + audit.log_jacobian,
        "nearest_id": audit.table.ids[audit.nearest],
        "nearest_distance": audit.distance,
        "copies": np.bincount(audit.groups)[audit.groups] - 1,
        "group": audit.groups,
    }


def write_audit(audit, summary, folder):
    """Write ``scores.csv``, a line for each row, and ``summary.json`` into a folder.

    Log-densities and memorization are in nats, distances in the units of the scaled columns.

    Parameters
    ----------
    audit : Audit
        What :func:`skmem.report.audit` returned.
    summary : dict
        What :func:`skmem.report.summarize` made of it.
    folder : str or path-like
        An existing folder.

    Returns
    -------
    files : list of Path
        What was written.
    """
    return write_results(score_columns(audit), summary, folder, "scores.csv")


def write_results(columns, summary, folder, name):
    """Write columns as a file of that name, and ``summary.json``, into a folder; return their paths."""
    files = [Path(folder) / each for each in (name, "summary.json")]
    with open(files[0], "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    files[1].write_text(text + "\n", encoding="utf-8")
    return files


def plain(value):
    """Make `value` of dict, list, str, int, float, bool and None alone."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value if isinstance(value, str | int | float | None) else str(value)
