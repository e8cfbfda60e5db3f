"""Which training rows generated rows owe their likelihood to."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmem._blocks import row_blocks
from skmem._frames import RowLabels, make_frame
from skmem._sklearn import HasMethods, Interval, num_samples, safe_indexing, validate_params
from skmem.influence._leave_one_out import (
    checked_influence,
    fit_closed_form,
    leave_one_out_influence,
)
from skmem.influence._ranking import top_rows

_MAX_LINES = 20


@dataclass(frozen=True, eq=False)
class SampleExplanations:
    """Proponents and opponents of generated rows.

    Influences in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    proponents : ndarray of shape (n_generated, k)
        Training rows of the highest influence on each generated row, highest first. Where fewer than k are positive
        the last are no proponents; `str` and `to_frame` leave them out, as opponents that are not negative.
    proponent_influence : ndarray of shape (n_generated, k)
        Their influence.
    opponents : ndarray of shape (n_generated, k)
        Training rows of the lowest influence, lowest first.
    opponent_influence : ndarray of shape (n_generated, k)
        Their influence.
    share : ndarray of shape (n_generated,)
        Share of the generated row's likelihood that its proponents carry, from 0 to 1; nan where influences are not
        true to size (TracIn).
    ratio : ndarray of shape (n_generated,)
        Largest influence over the second largest; inf where that is not positive, nan where neither is.
    dominated : ndarray of shape (n_generated,), dtype bool
        Whether one row dominates: `ratio` is at least `dominance`.
    dominance : float
        The threshold.
    """

    proponents: np.ndarray
    proponent_influence: np.ndarray
    opponents: np.ndarray
    opponent_influence: np.ndarray
    share: np.ndarray
    ratio: np.ndarray
    dominated: np.ndarray
    dominance: float

    def __str__(self):
        n_rows = len(self.proponents)
        lines = [
            f"{n_rows} generated rows, {self.dominated.sum()} of them dominated by one training row (its influence "
            f"at least {self.dominance:g} times the next)",
            "row: share of its likelihood that its proponents carry; proponents (nats); opponents (nats)",
        ]
        for row in range(min(n_rows, _MAX_LINES)):
            mark = " dominated" if self.dominated[row] else ""
            share = "-" if np.isnan(self.share[row]) else f"{self.share[row]:.0%}"
            lines.append(
                f"{row}: {share}{mark}; "
                f"{_listed(self.proponents[row], self.proponent_influence[row], 1)}; "
                f"{_listed(self.opponents[row], self.opponent_influence[row], -1)}"
            )
        return "\n".join(lines + ["..."] * (n_rows > _MAX_LINES))

    def to_frame(self):
        """One line for each proponent and opponent of each generated row.

        Influence in nats; positive = proponent, negative = opponent, 0 = no effect.

        Returns
        -------
        frame : pandas.DataFrame
            With the columns generated, role, rank, train, influence, share and dominated.

        Raises
        ------
        ImportError
            If narwhals or pandas is not installed.
        """
        n_rows, k = self.proponents.shape
        row = np.repeat(np.arange(n_rows), 2 * k)
        columns = {
            "generated": row,
            "role": np.tile(np.repeat(["proponent", "opponent"], k), n_rows),
            "rank": np.tile(np.arange(k) + 1, 2 * n_rows),
            "train": np.hstack([self.proponents, self.opponents]).ravel(),
            "influence": np.hstack([self.proponent_influence, self.opponent_influence]).ravel(),
            "share": self.share[row],
            "dominated": self.dominated[row],
        }
        sign = np.where(columns["role"] == "proponent", 1, -1)
        kept = sign * columns["influence"] > 0
        return make_frame({name: values[kept] for name, values in columns.items()}, RowLabels())


def _listed(rows, influence, sign):
    """Those of the rows whose influence has the sign, in words."""
    pairs = zip(rows, influence, strict=True)
    return ", ".join(f"{row} ({nats:+.3g})" for row, nats in pairs if sign * nats > 0) or "none"


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"]), HasMethods(["influence"])],
        "k": [Interval(Integral, 1, None, closed="left")],
        "dominance": [Interval(Real, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def explain_samples(
    estimator, X_train, X_generated, k=5, *, dominance=10.0, n_jobs=None, random_state=None
):
    """Training rows that made each generated row likely, and those that made it unlikely.

    Influences in nats; positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    estimator : estimator object or influence object
        A density, fitted or not, for :func:`skmem.influence.leave_one_out_influence`; or something fitted to `X_train`
        that has a method ``influence(X)``, such as TracIn, InfluenceFunction or a MemorizationScorer.
    X_train : {array-like, dataframe} of shape (n_train, n_features)
        Training rows.
    X_generated : {array-like, dataframe} of shape (n_generated, n_features)
        Rows to explain, generated or any others.
    k : int, default=5
        Number of proponents and of opponents of each row.
    dominance : float, default=10.0
        One training row dominates where its influence is at least so many times the second largest.
    n_jobs : int or None, default=None
        Number of fits at once, where the estimator has to be refitted.
    random_state : int, RandomState instance or None, default=None
        Seed of the fits, where the estimator is fitted.

    Returns
    -------
    explanations : SampleExplanations
        Frozen; `str` and `to_frame` show it.

    Raises
    ------
    NotFittedError
        If an influence object is not fitted.
    ValueError
        If `k` exceeds the number of training rows, or `X_generated` has other columns than `X_train`.

    Notes
    -----
    The share of the likelihood that goes with row i alone is ``1 - exp(-influence[i])``. The proponents' shares are
    summed, up to 1; that is what leaving them all out takes away where a density is a sum over training rows, as a
    KernelDensity is, to order k / n_train, and a first approximation elsewhere. TracIn's ranks can be trusted more
    than its sizes: no share is made of them.

    `dominated` says that a row owes its likelihood to one training row, not that it is a copy: a kernel density in
    many dimensions makes even held-out rows look so (73 % of half of the standardised digits, held out of the other
    half). Explain held-out rows too, and compare.

    Closed forms and influence objects are asked for blocks of generated rows, so memory is bounded by
    `working_memory`; refits need n_train x n_generated numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.density import KernelDensity
    >>> from skmem.influence import explain_samples
    >>> X_train = np.array([[0.0], [1.0], [5.0]])
    >>> print(explain_samples(KernelDensity(), X_train, [[4.9], [0.5]], k=1))
    2 generated rows, 1 of them dominated by one training row (its influence at least 10 times the next)
    row: share of its likelihood that its proponents carry; proponents (nats); opponents (nats)
    0: 100% dominated; 2 (+7.18); 0 (-0.405)
    1: 25%; 0 (+0.288); 2 (-0.405)
    """
    n_train = num_samples(X_train)
    if k > n_train:
        raise ValueError(f"k must be at most the number of training rows, {n_train}, got {k}.")
    influence, blocks = _source(estimator, X_train, X_generated, n_jobs, random_state)
    found = [_extremes(influence(block), k) for block in blocks]
    parts = [np.concatenate(part) for part in zip(*found, strict=True)]
    ratio = parts.pop()
    # An influence object whose sizes are not those of leaving a row out says so.
    sized = getattr(estimator, "true_to_size", True)
    share = _share(parts[1]) if sized else np.full(len(ratio), np.nan)
    return SampleExplanations(*parts, share, ratio, ratio >= dominance, float(dominance))


def _source(estimator, X_train, X, n_jobs, random_state):
    """A function of a block of points that gives their influence (n_train, n_block), and the blocks."""
    n_train, n_points = num_samples(X_train), num_samples(X)
    ask, fitted = getattr(estimator, "influence", None), estimator
    if ask is not None:
        check_is_fitted(estimator)
    else:
        fitted = fit_closed_form(estimator, X_train)
        ask = None if fitted is None else fitted.leave_one_out_influence
    if ask is None:
        params = {"n_jobs": n_jobs, "random_state": random_state}
        matrix = leave_one_out_influence(estimator, X_train, X, **params)
        return lambda block: matrix[:, block], [slice(0, n_points)]

    def influence(block):
        some = safe_indexing(X, np.arange(n_points)[block])
        return checked_influence(ask(some), fitted, X_train, some)

    whole = np.inf  # not the caches' share: each call has a cost of its own
    return influence, row_blocks(n_points, 96 * n_train, whole) or [slice(0, 0)]


def _extremes(influence, k):
    """Rows of the k highest and of the k lowest values of each column, their values, and the ratio of the top two."""
    n_train, n_points = influence.shape
    blocks = [(slice(0, n_train), slice(0, n_points), influence)]
    high, values = top_rows(blocks, n_points, min(max(k, 2), n_train))
    low = top_rows(blocks, n_points, k, opponents=True)
    return high[:, :k], values[:, :k], *low, _ratio(values)


def _ratio(values):
    """First over second of some columns, descending; inf where only the first is positive, nan where none is."""
    largest = values[:, 0]
    second = values[:, 1] if values.shape[1] > 1 else np.zeros(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(second > 0, largest / second, np.inf)
    return np.where(largest > 0, ratio, np.nan)


def _share(influence):
    return np.minimum(1.0, np.sum(-np.expm1(-np.maximum(influence, 0.0)), axis=1))
