"""The command line: arguments in, library calls, text out; it computes nothing."""

import argparse
import os
import shlex
import sys
import warnings
from pathlib import Path

from skmem._version import __version__
from skmem.datasets import BUNDLED, load_table
from skmem.report import (
    MODELS,
    audit,
    diagnose_file,
    explain,
    format_findings,
    format_influence,
    format_summary,
    summarize,
    summarize_influence,
    write_audit,
    write_influence,
)

OK, FINDINGS, BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        if "required: DATA" in message:
            message += "; it comes before --drop, which takes all names that follow"
        _complain("error", message)
        sys.exit(BAD_INPUT)


def main(argv=None):
    """Run a command of skmem.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None means those of the process.

    Returns
    -------
    status : int
        0, or for ``skmem doctor`` 1 if an error was found; 2 for bad input, 130 if interrupted.
    """
    argv = sys.argv[1:] if argv is None else argv
    args = _parser().parse_args(argv)
    args.line = shlex.join(["skmem", *argv])
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn_once(set())
            status = args.command(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; so must what is buffered, or its flush at exit would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, OSError, ImportError) as error:
        _complain("error", error)
        return BAD_INPUT
    return status


def _complain(kind, message):
    print(f"skmem: {kind}: {' '.join(str(message).split())}", file=sys.stderr)


def _warn_once(seen):
    def show(message, category, filename, lineno, file=None, line=None):
        if str(message) not in seen:
            seen.add(str(message))
            _complain("warning", message)

    return show


def _audit(args):
    """Score how much a density fitted to DATA memorizes each of its rows."""
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    if args.out is not None:  # before the fits, so that a folder that cannot be costs nothing
        _make_folder(args.out)
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
    return _show(format_summary(summary), written)


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


def _influence(args):
    """Say which rows of DATA made other rows, given or generated, likely under a density fitted to it."""
    table = load_table(args.data, id_column=args.id_column, drop=args.drop)
    query = args.query and load_table(args.query, id_column=args.query_id_column)
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


def _influence_arguments(parser):
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--query", metavar="FILE", help="rows to explain, of the columns of DATA")
    rows.add_argument("--generate", type=_integer(1), metavar="N", help="explain N rows drawn")
    add = parser.add_argument
    add("--query-id-column", metavar="C", help="column of FILE that names its rows")
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


def _data_arguments(parser):
    add = parser.add_argument
    files = ".csv, .tsv, .parquet, .npy or .npz file"
    add("data", metavar="DATA", help=f"{files}, or one of {', '.join(BUNDLED)}")
    add("--model", choices=MODELS, default="kde", help="density to fit (default: %(default)s)")
    add("--id-column", metavar="C", help="column that names the rows")
    drop_help = "columns to leave out; to be given after DATA"
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help=drop_help)


_CV_HELP = "number of folds (default: %(default)s)"
_METHOD_HELP = """cross-fit: fit without one fold of the rows at a time, over and over, and compare
fits with and without a row; leave-one-out: compare the fit to all rows with that to all but the row,
by formula, without a noise floor; auto: leave-one-out where it is exact, else cross-fit
(default: %(default)s)"""
_HELP = """Text files are UTF-8 with a header row; a decimal comma must be a point. Empty fields, NA,
N/A, nan, null and none are missing values: they must be filled in, or their rows or columns left out.
The audit leaves constant columns out and standardises the others, unless told --raw; it writes
log-densities in the original units all the same. Exit status: 0, done; 1, doctor found an error; 2,
bad arguments or data that cannot be read or audited; 130, interrupted."""

# By name: what a command does, and the arguments it adds.
_COMMANDS = {
    "audit": (_audit, (_audit_arguments,)),
    "influence": (_influence, (_influence_arguments,)),
    "doctor": (_doctor, (_doctor_arguments,)),
}


def _parser():
    about = "How much does a density memorize each training row?"
    parser = _Parser(prog="skmem", description=about, epilog=_HELP)
    parser.add_argument("--version", action="version", version=f"skmem {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (command, arguments) in _COMMANDS.items():
        about = command.__doc__
        texts = {"help": about, "description": about, "epilog": _HELP}
        # DATA first, as --drop takes all names that follow.
        sub = commands.add_parser(name, usage=f"skmem {name} DATA [options]", **texts)
        for add_arguments in (_data_arguments, *arguments):
            add_arguments(sub)
        sub.set_defaults(command=command)
    return parser


def _jobs(text):
    if (value := int(text)) == 0:
        raise argparse.ArgumentTypeError("must be at least 1, or -1 for all cores, got 0")
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
