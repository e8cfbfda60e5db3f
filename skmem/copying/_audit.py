"""All copying tests on three tables, from one set of searches, and what follows from them."""

from dataclasses import dataclass, field
from numbers import Integral

import numpy as np

from skmem._random import child_seeds, plain_seed
from skmem._sklearn import HasMethods, Interval, StrOptions, validate_params
from skmem.copying import _text
from skmem.copying._arguments import DISTANCES, LEVEL, PERMUTATIONS, generator
from skmem.copying._authenticity import Authenticity, authentic_share
from skmem.copying._coverage import Coverage, four_figures
from skmem.copying._data_copying import DataCopying, data_copying
from skmem.copying._distance_ratio import DistanceRatios, distance_ratios
from skmem.copying._evidence import (
    adjusted_evidence,
    holdout_notes,
    memorization_of,
    seen_notes,
    verdict,
)
from skmem.copying._membership import MembershipInference, distance_membership
from skmem.copying._records import ClosestRecords, closest_records
from skmem.copying._results import Result, make_frame
from skmem.copying._searches import Searches
from skmem.copying._tables import read_tables

_RATES = (0.001, 0.01, 0.1)


@dataclass(frozen=True, eq=False)
class CopyingAudit(Result):
    """What the copying tests found, and what follows.

    Printed, it is a page; a notebook shows a table.

    Attributes
    ----------
    verdict : str
        One sentence.
    copying : bool or None
        Whether copying was found at level `alpha`; None where nothing can be concluded.
    evidence : dict
        The p-values that `copying` rests on, adjusted by Holm for their number: of exact copies,
        of close rows, of the share of rows nearer to training rows, of membership inference.
    sizes : dict
        Numbers of training, held-out and generated rows.
    metric : str
        Distance in use.
    alpha : float
        Level of `copying` and of suspect rows.
    closest_records : ClosestRecords
        As from :func:`distance_to_closest_record`.
    membership_inference : MembershipInference or None
        As from :func:`membership_inference`, by distances.
    distance_ratios : DistanceRatios or None
        As from :func:`nearest_neighbor_distance_ratio`.
    data_copying : DataCopying or None
        As from :func:`data_copying_test`.
    authenticity : Authenticity or None
        As from :func:`authenticity`.
    coverage : Coverage or None
        As from :func:`coverage`.
    memorization : dict or None
        With a density: median leave-one-out memorization, in nats, of the training rows copied and of
        the others, and Spearman's correlation of memorization and distance ratio.
    notes : tuple of str
        What could not be done or concluded, and why.
    suspects : dict
        The generated rows that are copies or suspect, the worst first, in arrays: generated and
        train (positions), distance, ratio, p_value, adjusted_p_value, copy, and with a density
        memorization of the training row, in nats.
    parameters : dict
        `statistic`, `n_neighbors`, `n_permutations` and `random_state`, as they were given.
    library : str
        Of the data frame that `to_frame` makes.
    """

    verdict: str
    copying: bool | None
    evidence: dict
    sizes: dict
    metric: str
    alpha: float
    closest_records: ClosestRecords
    membership_inference: MembershipInference | None
    distance_ratios: DistanceRatios | None
    data_copying: DataCopying | None
    authenticity: Authenticity | None
    coverage: Coverage | None
    memorization: dict | None
    notes: tuple
    suspects: dict
    parameters: dict
    library: str = field(repr=False)

    def _sentence(self):
        return _text.page(self)

    def _repr_html_(self):
        return _text.table(self)

    def to_frame(self):
        """Data frame with one line for each suspect generated row, the worst first.

        Returns
        -------
        frame : DataFrame
            What `suspects` holds.
        """
        return make_frame(self.suspects, self.library)


@validate_params(
    {
        **DISTANCES,
        **PERMUTATIONS,
        **LEVEL,
        "density": [HasMethods(["score_samples", "leave_one_out_score_samples"]), None],
        "statistic": [StrOptions({"ratio", "distance"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def audit_copying(
    X_train,
    X_holdout,
    X_generated,
    *,
    density=None,
    metric="auto",
    categorical_features=None,
    statistic="ratio",
    alpha=0.05,
    n_neighbors=5,
    n_permutations=999,
    random_state=None,
):
    """Say whether generated rows copy training rows, and which.

    Distances are in the units of the metric; a distance of 0 is an exact copy.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made. `X_holdout` may be None; then copies and distances are found, and nothing is
        concluded from them.
    density : estimator, default=None
        A density of skmem with a leave-one-out score, fitted to `X_train`: adds the memorization of the
        training rows that were copied.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`. Euclidean distances depend on the columns'
        units: "seuclidean" divides them by their standard deviation.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.
    statistic : {"ratio", "distance"}, default="ratio"
        As in :func:`distance_to_closest_record`.
    alpha : float, default=0.05
        Expected share of wrong suspects among all, and level of the verdict.
    n_neighbors : int, default=5
        As in :func:`coverage`.
    n_permutations : int, default=999
        Number of permutations behind p-values.
    random_state : int, RandomState instance or None, default=None
        Seed of clusters and permutations.

    Returns
    -------
    audit : CopyingAudit
        The verdict, all tests, and the suspect rows.

    Raises
    ------
    ValueError
        If tables differ in their columns, hold missing or infinite numbers, or the density was
        fitted to another number of rows.

    Notes
    -----
    Copying is found if one of four p-values, adjusted by Holm, is at most `alpha`: more exact copies
    among the generated than among the held-out rows (Fisher); more generated rows than chance
    closer than the held-out row that is the 1st, 2nd, 4th, 8th, ... closest (hypergeometric, times the number of
    comparisons); generated rows nearer to the training than to the held-out rows; and membership
    inference. The last two hold for any generator that did not depend on which rows it was
    trained on. The distance ratio, C_T and authenticity also react to a generator that crowds dense
    regions and copies nothing: they are shown, and do not decide.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.copying import audit_copying
    >>> X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 100, 4))
    >>> X_generated[:20] = X_train[:20]
    >>> audit = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    >>> print(audit.copying, audit.suspects["copy"].sum())
    True 20
    """
    options = metric, categorical_features, ("X_holdout",)
    tables = read_tables(X_train, X_holdout, X_generated, *options)
    searches, notes = _searches(tables, n_neighbors, random_state)
    found = _tests(searches, statistic, alpha, n_permutations, random_state)
    evidence = adjusted_evidence(found["closest_records"], found["membership_inference"])
    copying = min(evidence.values()) <= alpha if evidence else None
    suspects, memorization = _suspects(found, density, X_train)
    return CopyingAudit(
        verdict=verdict(found, evidence, alpha),
        copying=copying,
        evidence=evidence,
        sizes={name: len(searches.rows(name)) for name in searches.names},
        metric=tables.metric,
        alpha=alpha,
        **found,
        memorization=memorization,
        notes=notes + seen_notes(found["closest_records"]),
        suspects=suspects,
        parameters=_parameters(statistic, n_neighbors, n_permutations, random_state),
        library=tables.libraries["generated"],
    )


def _parameters(statistic, n_neighbors, n_permutations, random_state):
    """What the audit was told, so that a reader can repeat it."""
    counts = {"n_neighbors": n_neighbors, "n_permutations": n_permutations}
    return {"statistic": statistic, **counts, "random_state": plain_seed(random_state)}


def _tests(searches, statistic, alpha, n_permutations, random_state):
    """The results of all tests that the tables allow, by name; None for the others."""
    seeds = child_seeds(random_state, 3).tolist()
    rngs = [generator(seed) for seed in seeds[:2]]
    found = dict.fromkeys(("distance_ratios", "data_copying", "membership_inference"))
    if searches.tables.holdout is not None:
        found = {
            "distance_ratios": distance_ratios(searches, n_permutations, rngs[1]),
            "data_copying": data_copying(searches, "auto", 20, n_permutations, seeds[2]),
            "membership_inference": distance_membership(searches, np.array(_RATES)),
        }
    adjustment = "benjamini-hochberg"
    return {
        **found,
        "closest_records": closest_records(
            searches, statistic, adjustment, alpha, n_permutations, rngs[0]
        ),
        "authenticity": authentic_share(searches) if len(searches.tables.train) > 1 else None,
        "coverage": four_figures(searches) if searches.n_neighbors else None,
    }


def _searches(tables, n_neighbors, random_state):
    """The searches, and notes on what the tables are too small or too few for."""
    notes = holdout_notes(tables.holdout)
    names = [
        name for name in ("train", "holdout", "generated") if getattr(tables, name) is not None
    ]
    fewest = min(len(getattr(tables, name)) for name in names)
    if fewest <= n_neighbors:
        notes.append(
            f"Coverage is left out: it takes more than n_neighbors={n_neighbors} rows in each "
            f"table, the smallest has {fewest}."
        )
        n_neighbors = None
    if len(tables.train) < 2:
        notes.append("Authenticity is left out: a single training row has no neighbour.")
    return Searches(tables, n_neighbors, random_state), tuple(notes)


def _suspects(found, density, X_train):
    """The copies and suspect rows, the worst first; with a density, what it says of them."""
    records = found["closest_records"]
    rows = np.flatnonzero(records.copies | records.suspect)
    p_values, ratios, copies = (
        a[rows] for a in (records.p_values, records.ratios, records.copies)
    )
    rows = rows[np.lexsort((ratios, p_values, ~copies))]
    suspects = {
        "generated": rows,
        "train": records.nearest_train[rows],
        "distance": records.distances[rows],
        "ratio": records.ratios[rows],
        "p_value": records.p_values[rows],
        "adjusted_p_value": records.adjusted_p_values[rows],
        "copy": records.copies[rows],
    }
    if density is None:
        return suspects, None
    scores, summary = memorization_of(
        density, X_train, suspects["train"], found["distance_ratios"]
    )
    return {**suspects, "memorization": scores[suspects["train"]]}, summary
