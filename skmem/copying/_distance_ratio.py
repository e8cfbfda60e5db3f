"""Per training row: is the nearest generated row nearer than the nearest held-out one?"""

from dataclasses import dataclass, field

import numpy as np

from skmem._sklearn import validate_params
from skmem.copying._arguments import DISTANCES, PERMUTATIONS, generator
from skmem.copying._results import Result, make_frame, percent
from skmem.copying._searches import Searches
from skmem.copying._statistics import share_of_votes, votes
from skmem.copying._tables import read_tables


@dataclass(frozen=True, eq=False)
class DistanceRatios(Result):
    """Ratio of each training row's distances to the held-out and to the generated rows.

    Above 1 a generated row is nearer than every held-out one; 1 is a tie.

    Attributes
    ----------
    ratios : ndarray of shape (n_train,)
        Distance to the nearest held-out row by that to the nearest generated row; inf where a
        generated row is a copy, 1 where a held-out row is one too.
    distances_to_holdout : ndarray of shape (n_train,)
        Distance to the nearest held-out row.
    distances_to_generated : ndarray of shape (n_train,)
        Distance to the nearest generated row.
    nearest_generated : ndarray of shape (n_train,)
        That row's position.
    share : float
        Share of the training rows that have a generated row nearer, ties counted half.
    expected_share : float
        What `share` is on average if the generated rows are drawn as the held-out ones are.
    floor : tuple of float
        Its 0.05 and 0.95 quantiles then.
    p_value : float
        Probability of so large a share then.
    library : str
        Of the data frame that `to_frame` makes.
    """

    ratios: np.ndarray = field(repr=False)
    distances_to_holdout: np.ndarray = field(repr=False)
    distances_to_generated: np.ndarray = field(repr=False)
    nearest_generated: np.ndarray = field(repr=False)
    share: float
    expected_share: float
    floor: tuple
    p_value: float
    library: str = field(repr=False)

    def _sentence(self):
        return (
            f"A generated row is nearer than any held-out one to {percent(self.share)} of the training "
            f"rows; {percent(self.expected_share)} is what real rows give (up to "
            f"{percent(self.floor[1])}, p = {self.p_value:.2g})."
        )

    def to_frame(self):
        """Data frame with one line for each training row.

        Returns
        -------
        frame : DataFrame
            With ratio, both distances, and the position of the nearest generated row.
        """
        names = ("distances_to_holdout", "distances_to_generated", "nearest_generated")
        return make_frame(
            {"ratio": self.ratios, **{n: getattr(self, n) for n in names}}, self.library
        )


@validate_params({**DISTANCES, **PERMUTATIONS}, prefer_skip_nested_validation=True)
def nearest_neighbor_distance_ratio(
    X_train,
    X_holdout,
    X_generated,
    *,
    metric="auto",
    categorical_features=None,
    n_permutations=999,
    random_state=None,
):
    """Compare each training row's distance to the held-out rows with that to the generated ones.

    Ratios have no unit; above 1 the generated rows are nearer; 1 is a tie.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        Distance: Euclidean; Euclidean of columns divided by the training rows' standard
        deviation; or Gower's for tables with categories, the mean over columns of differences
        divided by the training rows' range, and of 0 or 1 for categories. "auto" is "gower" if a
        column holds categories, else "euclidean".
    categorical_features : array-like, default=None
        Columns that hold categories, by name, position or mask, beside those that hold text.
    n_permutations : int, default=999
        Number of permutations behind `p_value`.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    result : DistanceRatios
        The ratios, and the share above 1 with what chance gives.

    Raises
    ------
    ValueError
        If tables differ in their columns, or hold missing or infinite numbers.

    Notes
    -----
    ``ratio_i = min_h d(x_i, h) / min_g d(x_i, g)``, each training row by its own minima [1]_. Larger
    sets are nearer: with m held-out and g generated rows drawn alike, a generated row is the
    nearest of all with probability ``g / (m + g)``, which `expected_share` is. The p-value permutes
    which rows are called generated; it is exact if they are drawn as the held-out ones are, and
    ratios are best compared for m = g.

    References
    ----------
    .. [1] G. J. J. van den Burg and C. K. I. Williams, "On memorization in probabilistic deep
       generative models", NeurIPS 2021.

    Examples
    --------
    The nearest held-out rows are 1 and 2 away, the nearest generated ones 0.5 and 4.

    >>> from skmem.copying import nearest_neighbor_distance_ratio
    >>> result = nearest_neighbor_distance_ratio([[0], [10]], [[1], [12]], [[0.5], [14]], random_state=0)
    >>> print(result.ratios)
    [2.  0.5]
    """
    tables = read_tables(X_train, X_holdout, X_generated, metric, categorical_features)
    return distance_ratios(Searches(tables), n_permutations, generator(random_state))


def distance_ratios(searches, n_permutations, rng):
    """As `nearest_neighbor_distance_ratio`, from the searches."""
    generated, holdout = searches.from_train("generated"), searches.from_train("holdout")
    near, far = generated.distances[:, 0], holdout.distances[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(near == far, 1.0, far / near)
    made, real = searches.rows("generated"), searches.rows("holdout")
    shares = share_of_votes(*votes(generated, holdout, made, real), n_permutations, rng)
    return DistanceRatios(
        ratios=ratios,
        distances_to_holdout=far,
        distances_to_generated=near,
        nearest_generated=generated.indices[:, 0],
        **shares,
        library=searches.tables.libraries["train"],
    )
