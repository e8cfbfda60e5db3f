"""The commands: what each does with its arguments."""

import sys

from skmem._arguments import (
    audit_arguments,
    copying_arguments,
    data_arguments,
    doctor_arguments,
    influence_arguments,
    model_arguments,
)
from skmem.datasets import load_labelled_table, load_table
from skmem.datasets._readers import TextColumn
from skmem.datasets._tables import load_columns
from skmem.inspection._style import check_images
from skmem.report import (
    MODELS,
    PREDICTORS,
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
    write_report,
)
from skmem.report._write_report import check_report

OK, FINDINGS = 0, 1


def _audit(args):
    """Score how much a density fitted to DATA memorizes each of its rows, or find rows whose label is likely wrong."""
    _check_model(args)
    if args.label is not None:
        return _audit_labels(args)
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    _prepare_output(args, table)
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
    written += _write_reports(found, args)
    return _show(format_summary(summary), written)


def _audit_labels(args):
    source = {"id_column": args.id_column, "drop": args.drop}
    table, y = load_labelled_table(args.data, args.label, **source)
    _prepare_output(args, table)
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
    written += _write_reports(found, args)
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


def _prepare_output(args, table=None):
    """Make the folder, and see that reports can be written, before fits are spent on them."""
    if getattr(args, "image_shape", None):
        check_images(table.X[:1], args.image_shape)
    if args.out is not None:
        _make_folder(args.out)
    for path in args.report:
        check_report(path)


def _write_reports(found, args, **options):
    shape = getattr(args, "image_shape", None)
    options = {"command": args.line, "image_shape": shape, **options}
    return [write_report(found, path, **options) for path in args.report]


def _make_folder(path):
    if path.exists() and not path.is_dir():
        raise ValueError(f"--out must be a folder; {str(path)!r} is a file")
    path.mkdir(parents=True, exist_ok=True)


def _influence(args):
    """Say which rows of DATA made other rows, given or generated, likely under a density fitted to it."""
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    query = args.query and _query(args, table.feature_names)
    _prepare_output(args, table)
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
    written += _write_reports(found, args)
    return _show(format_influence(summary), written)


def _query(args, feature_names):
    """The rows to explain, without columns of text that DATA has left out or does not have."""
    there = load_columns(args.query).columns
    shared = args.id_column if args.id_column in there else None
    id_column = shared if args.query_id_column is None else args.query_id_column
    text = [name for name, column in there.items() if isinstance(column, TextColumn)]
    drop = [name for name in text if name not in feature_names and name != id_column]
    return load_table(args.query, id_column=id_column, drop=drop)


def _doctor(args):
    """Say what will go wrong with DATA before anything is fitted; status 1 if there is an error."""
    findings, table = diagnose_file(
        args.data, id_column=args.id_column, drop=args.drop, model=args.model, cv=args.cv
    )
    print(format_findings(findings, table))
    return FINDINGS if any(finding.severity == "error" for finding in findings) else OK


def _copying(args):
    """Say whether generated rows copy training rows, and which; status 1 if they do."""
    _prepare_output(args)
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
    written += _write_reports(found, args, ids=ids)
    _show(format_copying(found, ids), written)
    return FINDINGS if found.copying else OK


# By name: what a command does, what it is given first, and the arguments it takes.
COMMANDS = {
    "audit": (_audit, "DATA", (data_arguments, audit_arguments)),
    "copying": (_copying, "--train A [--holdout B] --generated C", (copying_arguments,)),
    "influence": (_influence, "DATA", (data_arguments, model_arguments, influence_arguments)),
    "doctor": (_doctor, "DATA", (data_arguments, model_arguments, doctor_arguments)),
}
