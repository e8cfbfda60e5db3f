"""Rows of a table that are copies of one another, exact or near."""

from dataclasses import dataclass, field
from numbers import Real

import numpy as np

from skmem._scan import nearest_in_blocks
from skmem._sklearn import Interval, validate_params
from skmem.copying._arguments import DISTANCES
from skmem.copying._near_pairs import chained_groups
from skmem.copying._results import Result, make_frame
from skmem.copying._tables import read_table


@dataclass(frozen=True, eq=False)
class Duplicates(Result):
    """Groups of rows that are copies of one another, exact or within a distance.

    Distances are in the units of the metric; 0 is an exact copy.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,)
        Group of each row, numbered by first appearance; a row without a copy is a group of its own. To be given to
        ``MemorizationScorer().fit(X, groups=labels)``.
    groups : tuple of ndarray
        Positions of the rows of each group of two or more, the largest group first.
    nearest : ndarray of shape (n_rows,)
        Position of the nearest other row of the group; -1 for a row without a copy.
    distances : ndarray of shape (n_rows,)
        Distance to it; nan for a row without a copy.
    n_rows : int
        Number of rows of the table.
    n_duplicates : int
        Number of rows in groups of two or more.
    n_exact : int
        Number of those that equal another row.
    n_groups : int
        Number of groups of two or more.
    threshold : float
        Largest distance of a near copy.
    metric : str
        The distance.
    library : str
        Of the data frame that `to_frame` makes.
    """

    labels: np.ndarray = field(repr=False)
    groups: tuple = field(repr=False)
    nearest: np.ndarray = field(repr=False)
    distances: np.ndarray = field(repr=False)
    n_rows: int
    n_duplicates: int
    n_exact: int
    n_groups: int
    threshold: float
    metric: str
    library: str = field(repr=False)

    def _sentence(self):
        near = self.threshold > 0
        what = f"within {self.threshold:g} of another row" if near else "equal to another row"
        if not self.groups:
            return f"none of {self.n_rows} rows is {what}."
        exact = f" ({self.n_exact} equal to one)" if near else ""
        return (
            f"{self.n_duplicates} of {self.n_rows} rows are {what}{exact}; groups: {self.n_groups}, "
            f"rows in the largest: {len(self.groups[0])}."
        )

    def to_frame(self):
        """Data frame with one line for each row that has a copy, group after group.

        Returns
        -------
        frame : DataFrame
            Row, group (its position in `groups`), size of the group, nearest other row and the distance to it, of the
            library that the table came in.
        """
        rows = np.concatenate([np.empty(0, dtype=np.intp), *self.groups])
        sizes = np.array([len(group) for group in self.groups], dtype=np.intp)
        columns = {
            "row": rows,
            "group": np.repeat(np.arange(len(sizes)), sizes),
            "size": np.repeat(sizes, sizes),
            "nearest": self.nearest[rows],
            "distance": self.distances[rows],
        }
        return make_frame(columns, self.library)


@validate_params(
    {"threshold": [Interval(Real, 0, None, closed="left")], **DISTANCES},
    prefer_skip_nested_validation=True,
)
def find_duplicates(X, threshold=0.0, *, metric="auto", categorical_features=None):
    """Find the rows of a table that equal another row, or are near one.

    Distances are in the units of the metric; 0 is an exact copy.

    Parameters
    ----------
    X : {array-like, dataframe} of shape (n_samples, n_features)
        The table, of numbers or categories.
    threshold : float, default=0.0
        Largest distance of a near copy; 0 finds equal rows alone.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        The distance. "seuclidean" divides each column by its standard deviation. "gower", from 0 to 1, is the mean
        over columns of differences by the range and of mismatches of categories. "auto" is "gower" where a column
        holds categories, and else "euclidean", in the units of the columns.
    categorical_features : array-like, default=None
        Columns of categories, besides those that hold text: names, positions or a mask.

    Returns
    -------
    duplicates : Duplicates
        Frozen, with a group label for each row, the groups, and a data frame of the rows concerned.

    Raises
    ------
    ValueError
        If an argument is out of range, or the table has no rows or a missing or infinite number.

    Notes
    -----
    Groups are chains: a row is in the group of each row within the threshold, so the ends of a chain may be farther
    apart than that. Equal rows are found by hashing. Near pairs are found by a sweep along the direction in which the
    rows spread most, and measured from differences; its time grows with the number of pairs that are as near as the
    threshold in that direction, all pairs at worst, and its memory with the number of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.copying import find_duplicates
    >>> found = find_duplicates(load_iris().data)
    >>> print(found)
    2 of 150 rows are equal to another row; groups: 1, rows in the largest: 2.
    >>> found.groups
    (array([101, 142]),)
    """
    table = read_table(X, metric, categorical_features)
    rows = table.train
    labels = chained_groups(table, threshold)
    members = np.flatnonzero(np.bincount(labels)[labels] > 1)
    nearest, distances = np.full(len(rows), -1), np.full(len(rows), np.nan)
    if members.size:
        among = table.pairs(rows[members], rows[members])
        found = nearest_in_blocks(among, 1, exclude_self=True)
        nearest[members] = members[found.indices[:, 0]]
        distances[members] = found.distances[:, 0]
    groups = _groups(labels, members)
    counts = len(rows), len(members), int(np.sum(distances == 0)), len(groups)
    source = float(threshold), table.metric, table.libraries["train"]
    return Duplicates(labels, groups, nearest, distances, *counts, *source)


def _groups(labels, members):
    """Rows of each group among the `members`, the largest first, then the one that appears first."""
    order = members[np.argsort(labels[members], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []
    return tuple(sorted(groups, key=lambda group: -len(group)))
