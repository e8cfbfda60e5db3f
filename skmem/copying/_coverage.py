"""Precision, recall, density and coverage of generated rows, beside those of held-out rows."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skmem._sklearn import Interval, validate_params
from skmem.copying._arguments import DISTANCES, require_rows
from skmem.copying._results import Result
from skmem.copying._searches import Searches
from skmem.copying._tables import read_tables

_FIGURES = ("precision", "recall", "density", "coverage")


@dataclass(frozen=True, eq=False)
class Coverage(Result):
    """Precision, recall, density and coverage of the generated rows.

    Shares from 0 to 1, but for the density; higher is better; real rows have `floor`.

    Attributes
    ----------
    precision : float
        Share of the generated rows that are in the ball of a training row.
    recall : float
        Share of the training rows that are in the ball of a generated row.
    density : float
        Balls of training rows that a generated row is in, on average, by `n_neighbors`; about 1
        for real rows.
    coverage : float
        Share of the training rows whose ball holds a generated row.
    floor : dict
        The same four figures of the held-out rows, nan without any.
    n_neighbors : int
        A ball reaches to the n-th nearest row of its own table.
    n_compared : int
        Number of generated, and of held-out, rows behind recall and coverage.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    floor: dict
    n_neighbors: int
    n_compared: int

    def _sentence(self):
        figures = ", ".join(f"{name} {getattr(self, name):.3f}" for name in _FIGURES)
        floor = ", ".join(f"{value:.3f}" for value in self.floor.values())
        if np.isnan(self.floor["precision"]):
            return f"{figures}; without held-out rows nobody knows what real rows would have."
        return f"{figures}; held-out rows {floor}."


@validate_params(
    {
        **DISTANCES,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def coverage(
    X_train,
    X_holdout,
    X_generated,
    *,
    n_neighbors=5,
    metric="auto",
    categorical_features=None,
    random_state=None,
):
    """Precision, recall, density and coverage: do generated rows look real, and are all kinds there?

    Shares from 0 to 1, but for the density; higher is better; `floor` is what real rows have.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made. `X_holdout` may be None; then there is no floor.
    n_neighbors : int, default=5
        A ball around a row reaches to its n-th nearest row in the same table.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows left out where one table is larger.

    Returns
    -------
    result : Coverage
        The four figures, and those of the held-out rows.

    Raises
    ------
    ValueError
        If a table has no more than `n_neighbors` rows, tables differ in their columns, or hold
        missing or infinite numbers.

    Notes
    -----
    With ``B(r)`` the closed ball around r that reaches to its k-th nearest row in its own table, n
    training rows x and g generated rows y: precision is the share of y in any B(x), recall the share of
    x in any B(y) [1]_; density is ``1/(k g) sum_y #{x : y in B(x)}``, coverage the share of x with some y
    in B(x) [2]_. Recall and coverage grow with g. So that they can be compared with the floor, of
    the larger of the held-out and generated tables as many rows are taken as the smaller has.

    A copier has the highest figures: these say how good generated rows are, not how new.

    References
    ----------
    .. [1] T. Kynkaanniemi, T. Karras, S. Laine, J. Lehtinen and T. Aila, "Improved precision and
       recall metric for assessing generative models", NeurIPS 2019.
    .. [2] M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo, "Reliable fidelity and diversity metrics for
       generative models", ICML 2020.

    Examples
    --------
    Balls around 0, 1 and 5 reach 1, 1 and 4 far: 1.5 is in the last two, 9.5 in none.

    >>> from skmem.copying import coverage
    >>> result = coverage([[0], [1], [5]], None, [[1.5], [9.5]], n_neighbors=1)
    >>> print(result.precision, result.density)
    0.5 1.0
    """
    options = metric, categorical_features, ("X_holdout",)
    tables = read_tables(X_train, X_holdout, X_generated, *options)
    for name in ("train", "holdout", "generated"):
        rows = getattr(tables, name)
        if rows is not None:
            require_rows(rows, f"X_{name}", n_neighbors + 1, f"as n_neighbors={n_neighbors}")
    return four_figures(Searches(tables, n_neighbors, random_state))


def four_figures(searches):
    """As `coverage`, from the searches."""
    floor = dict.fromkeys(_FIGURES, float("nan"))
    if searches.tables.holdout is not None:
        floor = _figures(searches, "holdout")
    n_compared = len(searches.cut("generated"))
    figures = _figures(searches, "generated")
    return Coverage(
        **figures, floor=floor, n_neighbors=searches.n_neighbors, n_compared=n_compared
    )


def _figures(searches, name):
    radii = searches.within_train().distances[:, -1]
    n_balls = searches.to_train(name).n_balls
    found = searches.from_train_to_cut(name)
    return {
        "precision": float(np.mean(n_balls > 0)),
        "recall": float(np.mean(found.n_balls > 0)),
        "density": float(n_balls.mean() / searches.n_neighbors),
        "coverage": float(np.mean(found.distances[:, 0] <= radii)),
    }
