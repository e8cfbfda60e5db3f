"""One region of memorized rows, and many as a table."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Region:
    """Memorized rows that lie together.

    Scores in the unit of the scorer, nats for log-densities; positive = memorized, 0 = no effect.

    Attributes
    ----------
    rows : ndarray of shape (size,)
        Positions of its memorized rows.
    mean_score : float
        Their mean memorization.
    typical_row : int
        Position of the one nearest to their median.
    typical_values : dict
        Value of each feature in that row.
    rule : str
        Conditions on features that hold there, such as ``age > 71 and bmi <= 22``.
    recall : float
        Share of its rows that the rule holds for.
    precision : float
        Share of its rows among all rows that the rule holds for.
    n_support : int
        Number of rows that are in it or among the nearest neighbours of its rows.
    n_needed : int or None
        Number of new rows there that would bring the median of its scores to the threshold; None if no number would.
    gain : float
        What `n_new` new rows there would take off the sum of its rows' scores.
    """

    rows: np.ndarray
    mean_score: float
    typical_row: int
    typical_values: dict
    rule: str
    recall: float
    precision: float
    n_support: int
    n_needed: int | None
    gain: float

    @property
    def size(self):
        """Number of its memorized rows."""
        return len(self.rows)

    def __str__(self):
        needed = (
            "no number of rows" if self.n_needed is None else f"about {self.n_needed} more rows"
        )
        return (
            f"{self.size} rows, mean score {self.mean_score:.2f}, such as row {self.typical_row}: {self.rule} "
            f"({self.recall:.0%} of them, {self.precision:.0%} of the rows that it holds for); {needed} needed"
        )


def region_columns(regions):
    """Values of all regions by the names of the columns."""
    plain = ("size", "mean_score", "n_support", "n_needed", "gain", "rule", "recall", "precision")
    columns = {name: [getattr(region, name) for region in regions] for name in plain}
    columns["n_needed"] = [np.nan if n is None else float(n) for n in columns["n_needed"]]
    columns["typical_row"] = [region.typical_row for region in regions]
    names = regions[0].typical_values if regions else ()
    return columns | {name: [r.typical_values[name] for r in regions] for name in names}
