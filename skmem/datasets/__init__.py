"""Synthetic data of which the truth is known, and tables read from files."""

from skmem.datasets._generators import (
    make_flipped_labels,
    make_gaussian_mixture,
    make_planted_copies,
    make_planted_outliers,
)
from skmem.datasets._sparse import make_sparse_region
from skmem.datasets._synthetic import SyntheticData
from skmem.datasets._tables import BUNDLED, Table, TextColumnError, load_labelled_table, load_table

__all__ = [
    "SyntheticData",
    "make_gaussian_mixture",
    "make_planted_outliers",
    "make_planted_copies",
    "make_flipped_labels",
    "make_sparse_region",
    "BUNDLED",
    "Table",
    "TextColumnError",
    "load_table",
    "load_labelled_table",
]
