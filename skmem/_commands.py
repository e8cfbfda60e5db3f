"""The commands: what each does with its arguments, and which arguments those are."""

import argparse
import sys
from pathlib import Path

from skmem.datasets import BUNDLED, load_table
from skmem.datasets._readers import TextColumn
from skmem.datasets._tables import load_columns
from skmem.inspection._style import check_images
from skmem.report import (
    MODELS,
    audit,
    copying_of_files,
    diagnose_file,
    explain,
    format_findings,
    format_influence,
    format_summary,
    summarize,
    summarize_influence,
    write_audit,
    write_copying,
    write_influence,
    write_report,
)
from skmem.report._write_report import check_report

OK, FINDINGS = 0, 1


def _audit(args):
    """Score how much a density fitted to DATA memorizes each of its rows."""
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    _prepare_output(args, table)
    found = audit(
        table,
        model=args.model,
        standardize=not args.raw,
        cv=args.cv,
        n_repeats=args.repeats,
        method=args.method,
        n_jobs=args.jobs,
        random_state=args.seed,
        progress=sys.stderr.isatty(),
    )
    summary = summarize(found, top=args.top, command=args.line)
    written = [] if args.out is None else write_audit(found, summary, args.out)
    written += _write_reports(found, args)
    return _show(format_summary(summary), written)


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


def _audit_arguments(parser):
    add = parser.add_argument
    add("--cv", type=_integer(2), default=10, help=_CV_HELP)
    add(
        "--repeats",
        type=_integer(1),
        default=10,
        help="repeats of the folds (default: %(default)s)",
    )
    methods = ("auto", "cross-fit", "leave-one-out")
    add("--method", choices=methods, default="cross-fit", help=_METHOD_HELP)
    add("--top", type=_integer(0), default=20, help="rows to list (default: %(default)s)")
    _fit_arguments(parser, "scores.csv")


def _fit_arguments(parser, file_name):
    add = parser.add_argument
    add("--seed", type=_integer(0), default=0, help="seed of all chance (default: %(default)s)")
    add("--jobs", type=_jobs, default=None, metavar="N", help="fits at once, -1 for all cores")
    add("--raw", action="store_true", help="do not standardise the columns")
    add("--out", type=_folder, metavar="DIR", help=f"folder for {file_name} and summary.json")
    add("--report", type=Path, action="append", default=[], metavar="FILE", help=_REPORT_HELP)
    shape_help = "show rows as images of H times W pixels in the report"
    add("--image-shape", nargs=2, type=_integer(1), metavar=("H", "W"), help=shape_help)


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
    _show(found, written)
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
    add("--report", type=Path, action="append", default=[], metavar="FILE", help=_REPORT_HELP)


def _data_arguments(parser):
    add = parser.add_argument
    files = ".csv, .tsv, .parquet, .npy or .npz file"
    add("data", metavar="DATA", help=f"{files}, or one of {', '.join(BUNDLED)}")
    add("--model", choices=MODELS, default="kde", help="density to fit (default: %(default)s)")
    add("--id-column", metavar="C", help="column that names the rows")
    drop_help = "columns to leave out; to be given after DATA"
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help=drop_help)


_COPYING_ID_HELP = """column that names the rows, where a file has it; left among the categories it
would blur every distance"""
_REPORT_HELP = """file to write a report to: a page of HTML that stands by itself if its name ends in .html,
the same as JSON if in .json; may be given more than once"""
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
    "influence": (_influence, "DATA", (_data_arguments, _influence_arguments)),
    "doctor": (_doctor, "DATA", (_data_arguments, _doctor_arguments)),
}
