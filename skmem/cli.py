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
    copying_of_files,
    diagnose_file,
    format_findings,
    format_summary,
    summarize,
    write_audit,
    write_copying,
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
        0, or 1 if ``skmem doctor`` found an error or ``skmem copying`` copying; 2 for bad input, 130 if
        interrupted.
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
    print(format_summary(summary))
    if written:
        print(f"\nwritten: {', '.join(map(str, written))}")
    return OK


def _make_folder(path):
    if path.exists() and not path.is_dir():
        raise ValueError(f"--out must be a folder; {str(path)!r} is a file")
    path.mkdir(parents=True, exist_ok=True)


def _audit_arguments(parser):
    add = parser.add_argument
    add(
        "--repeats",
        type=_integer(1),
        default=10,
        help="repeats of the folds (default: %(default)s)",
    )
    methods = ("auto", "cross-fit", "leave-one-out")
    add("--method", choices=methods, default="cross-fit", help=_METHOD_HELP)
    add("--top", type=_integer(0), default=20, help="rows to list (default: %(default)s)")
    add(
        "--seed", type=_integer(0), default=0, help="seed of folds and fits (default: %(default)s)"
    )
    add("--jobs", type=_jobs, default=None, metavar="N", help="fits at once, -1 for all cores")
    add("--raw", action="store_true", help="do not standardise the columns")
    add("--out", type=_folder, metavar="DIR", help="folder for scores.csv and summary.json")


def _doctor(args):
    """Say what will go wrong with DATA before anything is fitted; status 1 if there is an error."""
    findings, table = diagnose_file(
        args.data, id_column=args.id_column, drop=args.drop, model=args.model, cv=args.cv
    )
    print(format_findings(findings, table))
    return FINDINGS if any(finding.severity == "error" for finding in findings) else OK


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
    print(found)
    if written:
        print(f"\nwritten: {', '.join(map(str, written))}")
    return FINDINGS if found.copying else OK


def _copying_arguments(parser):
    add = parser.add_argument
    add("--train", required=True, metavar="A", help="rows that the generator was trained on")
    add("--holdout", metavar="B", help="real rows that it did not see; without, no p-values")
    add("--generated", required=True, metavar="C", help="rows that it made")
    add("--id-column", metavar="C", help="column that names the rows, where a file has it")
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
    add("--model", choices=MODELS, default="kde", help="density to fit (default: %(default)s)")
    add("--cv", type=_integer(2), default=10, help="number of folds (default: %(default)s)")
    add("--id-column", metavar="C", help="column that names the rows")
    drop_help = "columns to leave out; to be given after DATA"
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help=drop_help)


_METHOD_HELP = """cross-fit: fit without one fold of the rows at a time, over and over, and compare
fits with and without a row; leave-one-out: compare the fit to all rows with that to all but the row,
by formula, without a noise floor; auto: leave-one-out where it is exact, else cross-fit
(default: %(default)s)"""
_HELP = """Text files are UTF-8 with a header row; a decimal comma must be a point. Empty fields, NA,
N/A, nan, null and none are missing values: they must be filled in, or their rows or columns left out.
The audit leaves constant columns out and standardises the others, unless told --raw; it writes
log-densities in the original units all the same. Exit status: 0, done; 1, doctor found an error or
copying found copying; 2, bad arguments or data that cannot be read or audited; 130, interrupted."""

# By name: what a command does, and the arguments it adds.
_COMMANDS = {
    "audit": (_audit, "DATA", (_data_arguments, _audit_arguments)),
    "copying": (_copying, "--train A --holdout B --generated C", (_copying_arguments,)),
    "doctor": (_doctor, "DATA", (_data_arguments,)),
}


def _parser():
    about = "How much does a density memorize each training row?"
    parser = _Parser(prog="skmem", description=about, epilog=_HELP)
    parser.add_argument("--version", action="version", version=f"skmem {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (command, files, arguments) in _COMMANDS.items():
        about = command.__doc__
        texts = {"help": about, "description": about, "epilog": _HELP}
        # DATA first, as --drop takes all names that follow.
        sub = commands.add_parser(name, usage=f"skmem {name} {files} [options]", **texts)
        for add_arguments in arguments:
            add_arguments(sub)
        sub.set_defaults(command=command)
    return parser


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
