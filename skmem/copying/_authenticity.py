"""Share of generated rows that are farther from their nearest training row than that row's neighbour is."""

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import hypergeom

from skmem._sklearn import validate_params
from skmem.copying._arguments import DISTANCES, require_rows
from skmem.copying._results import Result, make_frame, percent
from skmem.copying._searches import Searches
from skmem.copying._statistics import wilson_interval
from skmem.copying._tables import read_tables


@dataclass(frozen=True, eq=False)
class Authenticity(Result):
    """Share of authentic generated rows, and of held-out rows by the same rule.

    From 0 to 1; a perfect copier has 0; real rows have `floor`.

    Attributes
    ----------
    authentic : ndarray of shape (n_generated,)
        Whether each generated row is authentic.
    nearest_train : ndarray of shape (n_generated,)
        Position of its nearest training row.
    share : float
        Share of authentic generated rows.
    floor : float
        Share of authentic held-out rows; nan without any.
    floor_interval : tuple of float
        Wilson's 0.95 interval of `floor`.
    p_value : float
        Probability of so few authentic rows if they are drawn as the held-out ones are.
    library : str
        Of the data frame that `to_frame` makes.
    """

    authentic: np.ndarray = field(repr=False)
    nearest_train: np.ndarray = field(repr=False)
    share: float
    floor: float
    floor_interval: tuple
    p_value: float
    library: str = field(repr=False)

    def _sentence(self):
        text = f"{percent(self.share)} of the generated rows are authentic"
        if np.isnan(self.floor):
            return f"{text}; without held-out rows nobody knows what real rows would give."
        return f"{text}, of the held-out ones {percent(self.floor)} (p = {self.p_value:.2g})."

    def to_frame(self):
        """Data frame with one line for each generated row.

        Returns
        -------
        frame : DataFrame
            With authentic and nearest_train.
        """
        columns = {"authentic": self.authentic, "nearest_train": self.nearest_train}
        return make_frame(columns, self.library)


@validate_params(DISTANCES, prefer_skip_nested_validation=True)
def authenticity(X_train, X_holdout, X_generated, *, metric="auto", categorical_features=None):
    """Share of generated rows that lie farther from the training rows than these from each other.

    From 0 to 1; lower is nearer to the training rows; the zero is that of copies alone.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made. `X_holdout` may be None; then there is no floor and no p-value.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.

    Returns
    -------
    result : Authenticity
        The share, that of held-out rows, and which rows are authentic.

    Raises
    ------
    ValueError
        If `X_train` has fewer than 2 rows, tables differ in their columns, or hold missing or
        infinite numbers.

    Notes
    -----
    A generated row g is authentic iff ``d(g, x_i) > min_{j != i} d(x_i, x_j)``, x_i its nearest
    training row [1]_. Real rows fall short of 1 too, by how much depends on the data: about one half
    is usual, so the share means something beside `floor` only. The p-value is Fisher's: given
    how many rows of both kinds are authentic, which ones are generated is chance.

    References
    ----------
    .. [1] A. M. Alaa, B. van Breugel, E. Saveliev and M. van der Schaar, "How faithful is your
       synthetic data?", ICML 2022.

    Examples
    --------
    The training rows are 2 apart. The first generated row is 1 from one of them, the second 3.

    >>> from skmem.copying import authenticity
    >>> print(authenticity([[0], [2]], [[8]], [[1], [5]]).share)
    0.5
    """
    options = metric, categorical_features, ("X_holdout",)
    tables = read_tables(X_train, X_holdout, X_generated, *options)
    require_rows(tables.train, "X_train", 2, "each needs a neighbour")
    return authentic_share(Searches(tables))


def authentic_share(searches):
    """As `authenticity`, from the searches."""
    authentic = _authentic(searches, "generated")
    floor, interval, p_value = np.nan, (np.nan, np.nan), np.nan
    if searches.tables.holdout is not None:
        control = _authentic(searches, "holdout")
        n, n_control = len(authentic), len(control)
        floor = float(control.mean())
        interval = tuple(map(float, wilson_interval(control.sum(), n_control)))
        both = authentic.sum() + control.sum()
        p_value = float(hypergeom.cdf(authentic.sum(), n + n_control, both, n))
    nearest = searches.to_train("generated").indices[:, 0]
    library = searches.tables.libraries["generated"]
    share = float(authentic.mean())
    return Authenticity(authentic, nearest, share, floor, interval, p_value, library)


def _authentic(searches, name):
    """Whether each row is farther from its nearest training row than that one from its own nearest."""
    found = searches.to_train(name)
    spacing = searches.within_train().distances[:, 0]
    return found.distances[:, 0] > spacing[found.indices[:, 0]]
