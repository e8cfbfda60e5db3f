"""How well a score tells training rows from held-out ones: the attack on membership."""

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from skmem._sklearn import HasMethods, num_samples, validate_params
from skmem.copying._arguments import DISTANCES, require_rows
from skmem.copying._results import Result, make_frame
from skmem.copying._searches import Searches
from skmem.copying._statistics import mann_whitney_p_value, wilson_interval
from skmem.copying._tables import read_tables


@dataclass(frozen=True, eq=False)
class MembershipInference(Result):
    """How well a score tells training rows from held-out rows.

    Rates from 0 to 1; higher leaks more; an AUC of 0.5 tells nothing.

    Attributes
    ----------
    train_scores : ndarray of shape (n_train,)
        Scores of the training rows; a higher one says "member".
    holdout_scores : ndarray of shape (n_holdout,)
        Scores of the held-out rows.
    auc : float
        Probability that a training row has the higher score, ties counted half.
    standard_error : float
        Of `auc`, by DeLong's method; nan for a single row.
    p_value : float
        Mann and Whitney's, that training rows do not score higher; from the law of all labels where samples are
        small.
    floor : tuple of float
        0.05 and 0.95 quantiles of the AUC of a score that tells nothing.
    fpr : tuple of float
        False positive rates that were asked for.
    thresholds : tuple of float
        A row is called a member above them.
    tpr : tuple of float
        Share of the training rows above each threshold.
    tpr_intervals : tuple of tuple
        Wilson's 0.95 intervals of `tpr`. A score that tells nothing has ``tpr = fpr``.
    """

    train_scores: np.ndarray = field(repr=False)
    holdout_scores: np.ndarray = field(repr=False)
    auc: float
    standard_error: float
    p_value: float
    floor: tuple
    fpr: tuple
    thresholds: tuple
    tpr: tuple
    tpr_intervals: tuple

    def _sentence(self):
        rates = ", ".join(
            f"{tpr:.3g} [{low:.2g}, {high:.2g}] at {fpr:g}"
            for fpr, tpr, (low, high) in zip(self.fpr, self.tpr, self.tpr_intervals, strict=True)
        )
        return (
            f"Training rows are told from held-out ones with AUC {self.auc:.3f} (a score that tells "
            f"nothing reaches {self.floor[1]:.3f}, p = {self.p_value:.2g}); true positive rate {rates}."
        )

    def to_frame(self):
        """Data frame with one line for each false positive rate.

        Returns
        -------
        frame : DataFrame
            With fpr, threshold, tpr and its interval.
        """
        low, high = np.transpose(self.tpr_intervals)
        columns = {"fpr": self.fpr, "threshold": self.thresholds, "tpr": self.tpr}
        return make_frame({**columns, "tpr_low": low, "tpr_high": high})


@validate_params(
    {**DISTANCES, "density": [HasMethods("score_samples"), None], "fpr": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def membership_inference(
    X_train,
    X_holdout,
    X_generated,
    *,
    density=None,
    fpr=(0.001, 0.01, 0.1),
    metric="auto",
    categorical_features=None,
):
    """Tell training rows from held-out rows by a density, or by their distance to generated rows.

    Rates from 0 to 1; higher leaks more; an AUC of 0.5 is the zero.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the model was trained on, real rows that it did not see, and rows that it
        made. With a density, `X_generated` may be None.
    density : estimator, default=None
        A density fitted to `X_train`; its ``score_samples`` are the scores. None takes the distance
        to the nearest generated row, negated.
    fpr : array-like of float, default=(0.001, 0.01, 0.1)
        False positive rates at which to give the true positive rate.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.

    Returns
    -------
    result : MembershipInference
        AUC, and true positive rates with their intervals.

    Raises
    ------
    ValueError
        If neither generated rows nor a density is given, a rate is not between 0 and 1, tables
        differ in their columns, or hold missing or infinite numbers, or a score is nan.

    Notes
    -----
    ``AUC = U / (n m)``, U Mann and Whitney's statistic with ties counted half. The threshold for
    a rate f is the lowest score that at most a share f of the held-out rows exceeds; with fewer
    than 1/f held-out rows it is their highest. Low rates are where single rows are betrayed [1]_. A
    Wilson interval counts the training rows' chance alone, not that of the threshold.

    The null hypothesis is that the model did not depend on which real rows it was trained on;
    whether it is a good model does not matter.

    References
    ----------
    .. [1] N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis and F. Tramer, "Membership inference attacks
       from first principles", IEEE S&P 2022.

    Examples
    --------
    >>> from skmem.copying import membership_inference
    >>> result = membership_inference([[0], [10]], [[4], [6]], [[0], [5]], fpr=[0.5])
    >>> print(result.train_scores, result.holdout_scores, result.auc)
    [ 0. -5.] [-1. -1.] 0.5
    """
    if density is None and X_generated is None:
        raise ValueError("X_generated must be given unless a density is; got None for both.")
    if X_train is None or X_holdout is None:
        name = "X_train" if X_train is None else "X_holdout"
        raise ValueError(f"{name} must be a table of rows; got None")
    rates = np.asarray(fpr, dtype=np.float64).ravel()
    if not (rates.size and np.all((rates > 0) & (rates < 1))):
        raise ValueError(f"fpr must hold rates above 0 and below 1; got {fpr!r}")
    if density is not None:
        given = {"X_train": X_train, "X_holdout": X_holdout}
        return membership(*(_scores(density, X, name) for name, X in given.items()), rates)
    tables = read_tables(X_train, X_holdout, X_generated, metric, categorical_features)
    return distance_membership(Searches(tables), rates)


def _scores(density, X, name):
    """Scores of the rows of a table, a number for each."""
    scores = np.asarray(density.score_samples(X), dtype=np.float64)
    n_nan = np.count_nonzero(np.isnan(scores))
    if scores.shape != (num_samples(X),) or n_nan:
        found = f"{n_nan} nan in {name}" if n_nan else f"shape {scores.shape} for {name}"
        raise ValueError(
            f"score_samples of density must give one number for each row, got {found}"
        )
    return scores


def distance_membership(searches, rates):
    """As `membership_inference`, by distances from the searches."""
    train = searches.from_train("generated").distances[:, 0]
    holdout = searches.across("holdout", "generated").distances[:, 0]
    # Not -0.0 for a copy.
    return membership(0.0 - train, 0.0 - holdout, rates)


def membership(train, holdout, rates):
    """As `membership_inference`, from scores."""
    n, m = len(train), len(holdout)
    require_rows(holdout, "X_holdout", 1, "to compare with")
    ranks = rankdata(np.concatenate([train, holdout]))
    auc = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    half = 1.645 * np.sqrt((n + m + 1) / (12 * n * m))
    ranked = np.sort(holdout)[::-1]
    thresholds = ranked[np.minimum((rates * m + 1e-9).astype(int), m - 1)]
    hits = np.count_nonzero(train[:, None] > thresholds, axis=0)
    return MembershipInference(
        train_scores=train,
        holdout_scores=holdout,
        auc=float(auc),
        standard_error=_standard_error(train, holdout),
        p_value=mann_whitney_p_value(train, holdout),
        floor=(max(0.0, 0.5 - half), min(1.0, 0.5 + half)),
        fpr=tuple(rates.tolist()),
        thresholds=tuple(thresholds.tolist()),
        tpr=tuple((hits / n).tolist()),
        tpr_intervals=tuple(zip(*(end.tolist() for end in wilson_interval(hits, n)), strict=True)),
    )


def _standard_error(train, holdout):
    """DeLong's: from the share of the other sample that each score exceeds, ties half."""
    n, m = len(train), len(holdout)
    if min(n, m) < 2:
        return float("nan")
    ranks = rankdata(np.concatenate([train, holdout]))
    above = (ranks[:n] - rankdata(train)) / m
    below = (ranks[n:] - rankdata(holdout)) / n
    return float(np.sqrt(np.var(above, ddof=1) / n + np.var(below, ddof=1) / m))
