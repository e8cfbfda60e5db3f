"""The command line: arguments in, library calls, text out; it computes nothing."""

import argparse
import os
import shlex
import sys
import warnings

from skmem._commands import COMMANDS
from skmem._version import __version__

BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


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


_HELP = """Text files are UTF-8 with a header row; a decimal comma must be a point. Empty fields, NA,
N/A, nan, null and none are missing values: they must be filled in, or their rows or columns left out.
The audit leaves constant columns out and standardises the others, unless told --raw; it writes
log-densities in the original units all the same. Exit status: 0, done; 1, doctor found an error or
copying found copying; 2, bad arguments or data that cannot be read or audited; 130, interrupted."""


def _parser():
    about = "How much does a density memorize each training row?"
    parser = _Parser(prog="skmem", description=about, epilog=_HELP)
    parser.add_argument("--version", action="version", version=f"skmem {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (command, files, arguments) in COMMANDS.items():
        about = command.__doc__
        texts = {"help": about, "description": about, "epilog": _HELP}
        # DATA first, as --drop takes all names that follow.
        sub = commands.add_parser(name, usage=f"skmem {name} {files} [options]", **texts)
        for add_arguments in arguments:
            add_arguments(sub)
        sub.set_defaults(command=command)
    return parser
