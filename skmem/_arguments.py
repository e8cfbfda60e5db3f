"""Which arguments the commands take."""

import argparse
from pathlib import Path

from skmem.datasets import BUNDLED
from skmem.report import MODELS, PREDICTORS, TASKS


def audit_arguments(parser):
    """Arguments of the audit."""
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
    add("--report", type=Path, action="append", default=[], metavar="FILE", help=_REPORT_HELP)
    shape_help = "show rows as images of H times W pixels in the report"
    add("--image-shape", nargs=2, type=_integer(1), metavar=("H", "W"), help=shape_help)


def influence_arguments(parser):
    """Arguments of influence."""
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


def doctor_arguments(parser):
    """Arguments of the doctor."""
    parser.add_argument("--cv", type=_integer(2), default=10, help=_CV_HELP)


def copying_arguments(parser):
    """Arguments of copying."""
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


def data_arguments(parser):
    """The table, and what its columns are."""
    add = parser.add_argument
    files = ".csv, .tsv, .parquet, .npy or .npz file"
    add("data", metavar="DATA", help=f"{files}, or one of {', '.join(BUNDLED)}")
    add("--id-column", metavar="C", help="column that names the rows")
    drop_help = "columns to leave out; to be given after DATA"
    add("--drop", nargs="+", action="extend", default=[], metavar="C", help=drop_help)


def model_arguments(parser):
    """The density."""
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
