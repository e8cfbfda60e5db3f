"""The commands: what each does with its arguments, and which arguments those are."""

import argparse
import sys
from pathlib import Path

from skmem.datasets import BUNDLED, load_labelled_table, load_table
from skmem.datasets._readers import TextColumn
from skmem.datasets._tables import load_columns
from skmem.report import (
    MODELS,
    PREDICTORS,
    TASKS,
    audit,
    audit_labels,
    copying_of_files,
    diagnose_file,
    explain,
    format_copying,
    format_findings,
    format_influence,
    format_labels,
    format_summary,
    summarize,
    summarize_influence,
    summarize_labels,
    write_audit,
    write_copying,
    write_influence,
    write_labels,
)

OK, FINDINGS = 0, 1


def _audit(args):
    """Score how much a density fitted to DATA memorizes each of its rows, or find rows whose label is likely wrong."""
    _check_model(args)
    if args.label is not None:
        return _audit_labels(args)
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    if args.out is not None:  # before the fits, so that a folder that cannot be costs nothing
        _make_folder(args.out)
    found = audit(
        table,
        model=args.model or "kde",
        cv=args.cv or 10,
        n_repeats=args.repeats,
        method=args.method,
        **_shared(args),
    )
    summary = summarize(found, top=args.top, command=args.line)
    written = [] if args.out is None else write_audit(found, summary, args.out)
    return _show(format_summary(summary), written)


def _audit_labels(args):
    source = {"id_column": args.id_column, "drop": args.drop}
    table, y = load_labelled_table(args.data, args.label, **source)
    if args.out is not None:
        _make_folder(args.out)
    found = audit_labels(
        table,
        y,
        label=args.label,
        task=args.task,
        model=args.model or "auto",
        cv=args.cv or 5,
        n_repeats=args.repeats or 5,
        **_shared(args),
    )
    summary = summarize_labels(found, top=args.top, command=args.line)
    written = [] if args.out is None else write_labels(found, summary, args.out)
    return _show(format_labels(summary), written)


def _check_model(args):
    """Check that the model is one for what is asked, and that labels are asked about where their options are given."""
    of_labels = args.label is not None
    kind, models = ("labels", PREDICTORS) if of_labels else ("densities, or give --label", MODELS)
    if args.model is not None and args.model not in models:
        raise ValueError(
            f"--model must be one of {', '.join(models)} for {kind}; got {args.model}"
        )
    if of_labels and args.method != "cross-fit":
        raise ValueError(f"--method must be cross-fit with --label; got {args.method}")
    if not of_labels and args.task != "auto":
        raise ValueError(
            f"--task is about labels: name their column with --label; got {args.task}"
        )


def _shared(args):
    """What audits of either kind are told."""
    return {
        "standardize": not args.raw,
        "n_jobs": args.jobs,
        "random_state": args.seed,
        "progress": sys.stderr.isatty(),
    }


def _show(text, written):
    print(text)
    if written:
        print(f"\nwritten: {', '.join(map(str, written))}")
    return OK


def _make_folder(path):
    if path.exists() and not path.is_dir():
        raise ValueError(f"--out must be a folder; {str(path)!r} is a file")
    path.mkdir(parents=True, exist_ok=True)


def _audit_arguments(parser):
    add = parser.add_argument
    models = (*MODELS, *PREDICTORS)
    add("--model", choices=models, help=_MODEL_HELP)
    add("--label", metavar="C", help=_LABEL_HELP)
    add("--task", choices=TASKS, default="auto", help=_TASK_HELP)
    add("--cv", type=_integer(2), help="number of folds (default: 10, with --label 5)")
    repeats = (
        "repeats of the folds (default: 10; 2 for vae, whose fits take longer; with --label 5)"
    )
    add("--repeats", type=_integer(1), help=repeats)
    methods = ("auto", "cross-fit", "leave-one-out")
    add("--method", choices=methods, default="cross-fit", help=_METHOD_HELP)
    add("--top", type=_integer(0), default=20, help="rows to list (default: %(default)s)")
    _fit_arguments(parser, "scores.csv, or labels.csv,")


def _fit_arguments(parser, file_name):
    add = parser.add_argument
    add("--seed", type=_integer(0), default=0, help="seed of all chance (default: %(default)s)")
    add("--jobs", type=_jobs, default=None, metavar="N", help="fits at once, -1 for all cores")
    add("--raw", action="store_true", help="do not standardise the columns")
    add("--out", type=_folder, metavar="DIR", help=f"folder for {file_name} and summary.json")


def _influence(args):
    """Say which rows of DATA made other rows, given or generated, likely under a density fitted to it."""
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    query = args.query and _query(args, table.feature_names)
    if args.out is not None:
        _make_folder(args.out)
    found = explain(
        table,
        query,
        model=args.model,
        n_generated=args.generate,
        top=args.top,
        standardize=not args.raw,
        n_jobs=args.jobs,
        random_state=args.seed,
    )
    summary = summarize_influence(found, command=args.line)
    written = [] if args.out is None else write_influence(summary, args.out)
    return _show(format_influence(summary), written)


def _query(args, feature_names):
    """The rows to explain, without columns of text that DATA has left out or does not have."""
    there = load_columns(args.query).columns
    shared = args.id_column if args.id_column in there else None
    id_column = shared if args.query_id_column is None else args.query_id_column
    text = [name for name, column in there.items() if isinstance(column, TextColumn)]
    drop = [name for name in text if name not in feature_names and name != id_column]
    return load_table(args.query, id_column=id_column, drop=drop)


def _influence_arguments(parser):
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--query", metavar="FILE", help="rows to explain, of the columns of DATA")
    rows.add_argument("--generate", type=_integer(1), metavar="N", help="explain N rows drawn")
    add = parser.add_argument
    query_id_help = (
        "column of FILE that names its rows (default: that of --id-column, if it is there)"
    )
    add("--query-id-column", metavar="C", help=query_id_help)
    top_help = "proponents and opponents of each row to list (default: %(default)s)"
    add("--top", type=_integer(1), default=5, metavar="K", help=top_help)
    _fit_arguments(parser, "influence.csv")


def _doctor(args):
    """Say what will go wrong with DATA before anything is fitted; status 1 if there is an error."""
    findings, table = diagnose_file(
        args.data, id_column=args.id_column, drop=args.drop, model=args.model, cv=args.cv
    )
    print(format_findings(findings, table))
    return FINDINGS if any(finding.severity == "error" for finding in findings) else OK


def _doctor_arguments(parser):
    parser.add_argument("--cv", type=_integer(2), default=10, help=_CV_HELP)


def _copying(args):
    """Say whether generated rows copy training rows, and which; status 1 if they do."""
    if args.out is not None:
        _make_folder(args.out)
    found, ids = copying_of_files(
        args.train,
        args.holdout,
        args.generated,
        id_column=args.id_column,
        drop=args.drop,
        raw=args.raw,
        categorical_features=args.categorical,
        alpha=args.alpha,
        random_state=args.seed,
    )
    written = [] if args.out is None else write_copying(found, ids, args.out, args.line)
    print(format_copying(found, ids))
    if written:
        print(f"\nwritten: {', '.join(map(str, written))}")
    return FINDINGS if found.copying else OK


def _copying_arguments(parser):
    add = parser.add_argument
    add("--train", required=True, metavar="A", help="rows that the generator was trained on")
    add("--holdout", metavar="B", help="real rows that it did not see; without, no p-values")
    add("--generated", required=True, metavar="C", help="rows that it made")
    add("--id-column", metavar="C", help=_COPYING_ID_HELP)
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help="columns to leave out")
    categorical = "columns of numbers that name categories, beside those of text"
    add("--categorical", nargs="+", action="extend", metavar="C", help=categorical)
    add("--raw", action="store_true", help="do not standardise the columns")
    add("--alpha", type=_level, default=0.05, help="level of findings (default: %(default)s)")
    add("--seed", type=_integer(0), default=0, help="seed of permutations (default: %(default)s)")
    add("--out", type=_folder, metavar="DIR", help="folder for suspects.csv and copying.json")


def _data_arguments(parser):
    add = parser.add_argument
    files = ".csv, .tsv, .parquet, .npy or .npz file"
    add("data", metavar="DATA", help=f"{files}, or one of {', '.join(BUNDLED)}")
    add("--id-column", metavar="C", help="column that names the rows")
    drop_help = "columns to leave out; to be given after DATA"
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help=drop_help)


def _model_arguments(parser):
    help = "density to fit (default: %(default)s)"
    parser.add_argument("--model", choices=MODELS, default="kde", help=help)


_MODEL_HELP = """density to fit (default: kde); with --label: linear, a logistic or ridge regression, forest,
or auto, the linear one unless a forest predicts held-out rows clearly better (default: auto)"""
_LABEL_HELP = """column of labels: look for rows whose label is likely wrong, ambiguous, or right but
memorized, by cross-fits of a classifier, or of a regressor where it holds numbers; of bundled data
it is called target"""
_TASK_HELP = """what the labels are; auto: text and up to 20 different whole numbers are classes,
other numbers are to be predicted (default: %(default)s)"""
_COPYING_ID_HELP = """column that names the rows, where a file has it; left among the categories it
would blur every distance"""
_CV_HELP = "number of folds (default: %(default)s)"
_METHOD_HELP = """cross-fit: fit without one fold of the rows at a time, over and over, and compare
fits with and without a row; leave-one-out: compare the fit to all rows with that to all but the row,
by formula, without a noise floor; auto: leave-one-out where it is exact, else cross-fit
(default: %(default)s)"""


def _jobs(text):
    if (value := int(text)) == 0:
        raise argparse.ArgumentTypeError("must be at least 1, or -1 for all cores, got 0")
    return value


def _level(text):
    if not 0 < (value := float(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and below 1, got {value:g}")
    return value


def _folder(text):
    if not text:
        raise argparse.ArgumentTypeError("must name a folder, got ''")
    return Path(text)


def _integer(minimum):
    def integer(text):
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}, got {value}")
        return value

    return integer


# By name: what a command does, what it is given first, and the arguments it takes.
COMMANDS = {
    "audit": (_audit, "DATA", (_data_arguments, _audit_arguments)),
    "copying": (_copying, "--train A [--holdout B] --generated C", (_copying_arguments,)),
    "influence": (_influence, "DATA", (_data_arguments, _model_arguments, _influence_arguments)),
    "doctor": (_doctor, "DATA", (_data_arguments, _model_arguments, _doctor_arguments)),
}
