"""Distance of every generated row to its closest training record, calibrated by the held-out rows."""

from dataclasses import dataclass, field

import numpy as np

from skmem._distances import duplicate_groups
from skmem._sklearn import StrOptions, validate_params
from skmem.copying._arguments import DISTANCES, LEVEL, PERMUTATIONS, generator
from skmem.copying._results import Result, make_frame, percent
from skmem.copying._searches import Searches
from skmem.copying._statistics import (
    ADJUSTMENTS,
    conformal_p_values,
    share_of_votes,
    votes,
)
from skmem.copying._tables import read_tables


@dataclass(frozen=True, eq=False)
class ClosestRecords(Result):
    """Each generated row's closest training record, and what held-out rows give.

    Distances are in the units of the metric; 0 is an exact copy.

    Attributes
    ----------
    distances : ndarray of shape (n_generated,)
        Distance to the closest training record.
    ratios : ndarray of shape (n_generated,)
        That distance by the distance to the second-closest distinct record.
    nearest_train : ndarray of shape (n_generated,)
        Position of the closest record, the first of equal ones.
    copies : ndarray of shape (n_generated,)
        Whether the row equals a training row.
    p_values : ndarray of shape (n_generated,)
        Share of the held-out rows, and the row itself, that are as close; nan without any.
    adjusted_p_values : ndarray of shape (n_generated,)
        The same, adjusted for the number of rows.
    suspect : ndarray of shape (n_generated,)
        Whether the adjusted p-value is at most `alpha`.
    holdout_distances : ndarray of shape (n_holdout,)
        Distances of the held-out rows to their closest training record.
    holdout_ratios : ndarray of shape (n_holdout,)
        Their ratios.
    n_copies : int
        Number of generated rows that equal a training row.
    n_holdout_copies : int
        Number of held-out rows that do.
    n_suspects : int
        Number of suspect rows.
    alpha : float
        Level of `suspect`.
    smallest_p_value : float
        ``1 / (n_holdout + 1)``: no row can have less.
    median_distance : float
        Median of `distances`.
    floor_distance : float
        Median of `holdout_distances`.
    share : float
        Share of the generated rows that are nearer to a training row than to any held-out one,
        ties counted half.
    expected_share : float
        What `share` is on average if training and held-out rows are alike to the generator.
    floor : tuple of float
        Its 0.05 and 0.95 quantiles then.
    p_value : float
        Probability of so large a share then.
    library : str
        Of the data frame that `to_frame` makes.
    """

    distances: np.ndarray = field(repr=False)
    ratios: np.ndarray = field(repr=False)
    nearest_train: np.ndarray = field(repr=False)
    copies: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    adjusted_p_values: np.ndarray = field(repr=False)
    suspect: np.ndarray = field(repr=False)
    holdout_distances: np.ndarray = field(repr=False)
    holdout_ratios: np.ndarray = field(repr=False)
    n_copies: int
    n_holdout_copies: int
    n_suspects: int
    alpha: float
    smallest_p_value: float
    median_distance: float
    floor_distance: float
    share: float
    expected_share: float
    floor: tuple
    p_value: float
    library: str = field(repr=False)

    def _sentence(self):
        text = f"{self.n_copies} of {len(self.distances)} generated rows are exact copies"
        if not len(self.holdout_distances):
            return f"{text}; without held-out rows nobody knows which distance is small."
        return (
            f"{text} (of the held-out rows {self.n_holdout_copies} of {len(self.holdout_distances)}); "
            f"{self.n_suspects} are closer to a training row than chance explains; "
            f"{percent(self.share)} are nearer to a training row than to any held-out one, "
            f"{percent(self.expected_share)} expected (p = {self.p_value:.2g})."
        )

    def to_frame(self):
        """Data frame with one line for each generated row.

        Returns
        -------
        frame : DataFrame
            Distance, ratio, closest training row, copy, p-values and mark, of the library that the
            generated rows came in.
        """
        names = ("nearest_train", "copies", "p_values", "adjusted_p_values", "suspect")
        columns = {"distance": self.distances, "ratio": self.ratios}
        return make_frame({**columns, **{n: getattr(self, n) for n in names}}, self.library)


@validate_params(
    {
        **DISTANCES,
        **PERMUTATIONS,
        **LEVEL,
        "statistic": [StrOptions({"ratio", "distance"})],
        "adjustment": [StrOptions(set(ADJUSTMENTS))],
    },
    prefer_skip_nested_validation=True,
)
def distance_to_closest_record(
    X_train,
    X_holdout,
    X_generated,
    *,
    metric="auto",
    categorical_features=None,
    statistic="ratio",
    adjustment="benjamini-hochberg",
    alpha=0.05,
    n_permutations=999,
    random_state=None,
):
    """Find the closest training record of every generated row, and say which are too close.

    Distances are in the units of the metric; smaller is closer; 0 is an exact copy.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made. `X_holdout` may be None; then there are no p-values.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.
    statistic : {"ratio", "distance"}, default="ratio"
        What p-values rank: the ratio of the distances to the closest and second-closest record,
        or the distance itself. Where rows are dense every row is close, and a generator that
        makes too many rows there copies none: the ratio does not mind, the distance does.
    adjustment : {"benjamini-hochberg", "holm"}, default="benjamini-hochberg"
        How p-values are adjusted for their number: `alpha` bounds the expected share of wrong
        suspects, or the probability of any.
    alpha : float, default=0.05
        Level at which a row is suspect.
    n_permutations : int, default=999
        Number of permutations behind `p_value`.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    result : ClosestRecords
        Distances, ratios, closest records and p-values of the generated rows.

    Raises
    ------
    ValueError
        If tables differ in their columns, or hold missing or infinite numbers.

    Notes
    -----
    ``p = (1 + #{h : s(h) <= s(g)}) / (n_holdout + 1)``, s the statistic: the conformal p-value of
    the hypothesis that g is drawn as the held-out rows are. Ties count against suspicion, so that a
    value which is common among real rows is no copy. Such p-values share their calibration, which
    Benjamini and Hochberg's method allows [1]_. None is below ``1 / (n_holdout + 1)``: to mark k
    of n rows takes a holdout of about ``n / (alpha k)`` rows. `copies` needs no p-value.

    The second-closest record is the second among *distinct* training rows; where all are equal, the
    ratio is the distance.

    `share` compares training and held-out rows by the generated ones. Its null hypothesis is that
    the generator did not depend on which real rows it was trained on: it may be as bad as it likes.

    References
    ----------
    .. [1] S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal
       p-values", Annals of Statistics 51 (2023).

    Examples
    --------
    >>> from skmem.copying import distance_to_closest_record
    >>> X_train, X_holdout = [[0.0], [4.0], [10.0]], [[1.0], [7.0], [9.0]]
    >>> result = distance_to_closest_record(X_train, X_holdout, [[4.0], [3.0]], random_state=0)
    >>> print(result.distances, result.ratios.round(2), result.p_values)
    [0. 1.] [0.   0.33] [0.25 0.75]
    """
    options = metric, categorical_features, ("X_holdout",)
    tables = read_tables(X_train, X_holdout, X_generated, *options)
    rng = generator(random_state)
    return closest_records(Searches(tables), statistic, adjustment, alpha, n_permutations, rng)


def closest_records(searches, statistic, adjustment, alpha, n_permutations, rng):
    """As `distance_to_closest_record`, from the searches."""
    rows = _calibrated(searches, statistic, adjustment)
    with_holdout = searches.tables.holdout is not None
    shares = _shares(searches, n_permutations, rng) if with_holdout else _NO_SHARES
    n_control = len(rows["holdout_distances"])
    suspect = rows["adjusted_p_values"] <= alpha
    return ClosestRecords(
        **rows,
        **shares,
        suspect=suspect,
        n_copies=int(rows["copies"].sum()),
        n_holdout_copies=int((rows["holdout_distances"] == 0).sum()),
        n_suspects=int(suspect.sum()),
        alpha=alpha,
        smallest_p_value=1 / (n_control + 1) if n_control else np.nan,
        median_distance=float(np.median(rows["distances"])),
        floor_distance=float(np.median(rows["holdout_distances"])) if n_control else np.nan,
        library=searches.tables.libraries["generated"],
    )


def _calibrated(searches, statistic, adjustment):
    """What there is to say of single rows."""
    found = searches.to_train("generated")
    distances, ratios = found.distances[:, 0], _ratios(found)
    control, control_ratios = np.empty(0), np.empty(0)
    p_values = adjusted = np.full(len(distances), np.nan)
    if searches.tables.holdout is not None:
        in_control = searches.to_train("holdout")
        control, control_ratios = in_control.distances[:, 0], _ratios(in_control)
        ranked = (control_ratios, ratios) if statistic == "ratio" else (control, distances)
        p_values = conformal_p_values(*ranked)
        adjusted = ADJUSTMENTS[adjustment](p_values)
    return {
        "distances": distances,
        "ratios": ratios,
        "nearest_train": found.indices[:, 0],
        "copies": _copies(searches.tables.train, searches.tables.generated),
        "p_values": p_values,
        "adjusted_p_values": adjusted,
        "holdout_distances": control,
        "holdout_ratios": control_ratios,
    }


def _ratios(found):
    """Distance to the closest by that to the second-closest record; the distance if there is one record."""
    return found.distances[:, 0] / (found.distances[:, 1] if found.distances.shape[1] > 1 else 1.0)


def _copies(train, generated):
    """Whether each generated row equals a training row, by hashing."""
    groups = duplicate_groups(np.concatenate([train, generated]))
    return np.isin(groups[len(train) :], groups[: len(train)])


_NO_SHARES = {
    "share": float("nan"),
    "expected_share": float("nan"),
    "floor": (float("nan"), float("nan")),
    "p_value": float("nan"),
}


def _shares(searches, n_permutations, rng):
    """Share of the generated rows that are nearer to the training rows, and what chance gives."""
    found, control = searches.to_train("generated"), searches.across("generated", "holdout")
    train, real = searches.rows("train"), searches.rows("holdout")
    return share_of_votes(*votes(found, control, train, real), n_permutations, rng)
