"""Where memorized rows lie together: regions of the input space that are short of rows."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.cluster import HDBSCAN
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skmem._frames import RowLabels, describe_rows, make_frame
from skmem._math import difference
from skmem._sklearn import Interval, fit_context, get_feature_names
from skmem.memorization._region import Region, region_columns
from skmem.memorization._rules import find_rule
from skmem.memorization._significance import read_scores
from skmem.memorization._support import Support

# Isolated rows that are printed.
_SHOWN = 10


class MemorizedRegions(BaseEstimator):
    """Regions of memorized rows, ranked by how much a few more rows there would help.

    Scores in nats (for classifiers: in probability); positive = memorized, 0 = no effect.

    Parameters
    ----------
    quantile : float, default=0.9
        Rows with a score above this quantile of all scores count as memorized, if that is more than noise.
    alpha : float, default=0.05
        Share of false discoveries allowed among them, where `y` is a scorer that knows its noise.
    min_cluster_size : int, default=5
        Fewest memorized rows that make a region.
    max_depth : int, default=3
        Most splits of a rule.
    n_neighbors : int, default=5
        The local density of a row is that of so many nearest rows.
    n_new : int, default=10
        Number of new rows in a region of which the gain is estimated.

    Attributes
    ----------
    regions_ : tuple of Region
        The regions, that of the highest gain first.
    labels_ : ndarray of shape (n_samples,)
        Position in `regions_` of the region of each memorized row, -1 for all other rows.
    is_memorized_ : ndarray of shape (n_samples,) of bool
        Which rows count as memorized.
    isolated_ : ndarray of shape (n_isolated,)
        Positions of memorized rows in no region, the highest score first: rows to look at one by one.
    threshold_ : float
        Score above which rows count as memorized: the quantile, or the scorer's noise floor (0.95) if that is higher.
    n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
        Number of features seen in `fit`, and their names where X has names that are all strings.

    Notes
    -----
    *Memorized.* Given a fitted scorer, a row above the threshold must be significant besides: the p-values of its
    scores over their standard errors (Student's t, as many degrees of freedom as repeats less one; the scorer's own
    `p_values_` where there is no standard error) are compared at level `alpha` by the procedure of Benjamini and
    Hochberg. Exact leave-one-out scores have no noise, and the quantile decides alone; so it does for bare scores.

    *Regions.* HDBSCAN of the memorized rows, features centred at the median and divided by the interquartile range
    of all rows (by the standard deviation where that is zero).

    *Rows needed.* A score M is log(1 + 1 / s), s how many times its own contribution to its density the other rows
    contribute. Where the local density is f times as high, s is taken to be f^b times as large; b comes from a robust
    fit of the scores to the local density over all rows (1 for a kernel density, about). The local density is
    ``k / r_k^d``, r_k the distance to the k-th nearest other row and d the intrinsic dimension. A region with n
    supporting rows has n + m with m new ones: f = 1 + m / n. `gain` is the fall for ``m = n_new``, and `n_needed` the
    least m for which the median of its scores falls to the threshold. New rows are taken to be like those that
    support the region, and the model to be refitted with all else as it was. On mixtures of known density with a
    sparse component (kernel densities in two dimensions), the gain was right within a factor of two mostly, and the
    rows needed brought the median to within 0.1 nats of the threshold.

    Examples
    --------
    >>> from skmem import MemorizationScorer
    >>> from skmem.datasets import make_sparse_region
    >>> from skmem.memorization import MemorizedRegions
    >>> data = make_sparse_region(300, 12, random_state=1)
    >>> scorer = MemorizationScorer().fit(data.X)
    >>> regions = MemorizedRegions().fit(data.X, scorer)
    >>> [region.size for region in regions.regions_]
    [12, 10, 8]
    >>> print(regions.regions_[0].rule, round(regions.regions_[0].gain, 1))
    x0 > 7.276 and x1 > -10.32 3.6
    """

    _parameter_constraints = {
        "quantile": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "min_cluster_size": [Interval(Integral, 2, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 3, None, closed="left")],
        "n_new": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        quantile=0.9,
        alpha=0.05,
        min_cluster_size=5,
        max_depth=3,
        n_neighbors=5,
        n_new=10,
    ):
        self.quantile = quantile
        self.alpha = alpha
        self.min_cluster_size = min_cluster_size
        self.max_depth = max_depth
        self.n_neighbors = n_neighbors
        self.n_new = n_new

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Find the regions of the memorized rows of `X`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : MemorizationScorer or array-like of shape (n_samples,)
            A scorer fitted on these rows, or their memorization scores.

        Returns
        -------
        self : object
            The regions.

        Raises
        ------
        ValueError
            If `y` has not one score for each row, or a bare score is not finite.
        """
        library, names = describe_rows(X).backend, get_feature_names(X)
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=5)
        scores, floor, significant = read_scores(y, self.alpha)
        check_consistent_length(X, scores)
        threshold = np.fmax(np.quantile(scores, self.quantile, method="lower"), floor)
        self.threshold_ = float(threshold)
        self.is_memorized_ = significant & (scores > threshold)
        scaled = _scaled(X)
        support = Support(scaled, scores, min(self.n_neighbors, len(X) - 1))
        names = [f"x{j}" for j in range(X.shape[1])] if names is None else names
        found = [
            self._describe(rows, X, scaled, scores, support, names)
            for rows in _clusters(scaled, self.is_memorized_, self.min_cluster_size)
        ]
        self.regions_ = tuple(sorted(found, key=lambda region: -region.gain))
        self.labels_ = np.full(len(X), -1)
        for label, region in enumerate(self.regions_):
            self.labels_[region.rows] = label
        isolated = np.flatnonzero(self.is_memorized_ & (self.labels_ == -1))
        self.isolated_ = isolated[np.argsort(-scores[isolated], kind="stable")]
        self._library = library
        return self

    def to_frame(self):
        """The regions as a data frame, one line each, in their order.

        Scores in nats (for classifiers: in probability); positive = memorized, 0 = no effect.

        Returns
        -------
        frame : DataFrame
            Of the library that X came from, or pandas. The columns are those of `Region` but for its rows, the
            values of the typical row under the features' names; `n_needed` is nan where no number would do.

        Raises
        ------
        ImportError
            If narwhals or the library of the frame is not installed.
        """
        check_is_fitted(self)
        return make_frame(region_columns(self.regions_), RowLabels(self._library))

    def __str__(self):
        if not hasattr(self, "regions_"):
            return repr(self)
        head = (
            f"{self.is_memorized_.sum()} of {len(self.labels_)} rows are memorized (score above "
            f"{self.threshold_:.2f}), {len(self.isolated_)} of them in no region."
        )
        lines = [f"{i}. {region}" for i, region in enumerate(self.regions_, start=1)]
        return "\n".join([head, *lines, *self._isolated_line()])

    def _isolated_line(self):
        """What rows in no region are, and which; nothing where there are none."""
        if not len(self.isolated_):
            return []
        shown = ", ".join(map(str, self.isolated_[:_SHOWN]))
        more = f", ... ({len(self.isolated_)} in all)" if len(self.isolated_) > _SHOWN else ""
        return [
            "Rows in no region have no other memorized rows near: rare or wrong, and more rows of one kind would not "
            f"help. Look at them one by one, the most memorized first: {shown}{more}. "
            "A lower min_cluster_size makes small groups of them regions."
        ]

    def _describe(self, rows, X, scaled, scores, support, names):
        """The Region of some memorized rows."""
        is_member = np.isin(np.arange(len(X)), rows)
        rule = find_rule(X, is_member, names, self.max_depth)
        gap = scaled[rows] - np.median(scaled[rows], axis=0)
        typical = int(rows[np.argmin(np.einsum("ij,ij->i", gap, gap))])
        fall = difference(scores[rows], support.predict(rows, self.n_new))
        return Region(
            rows=rows,
            mean_score=float(scores[rows].mean()),
            typical_row=typical,
            typical_values=dict(zip(names, X[typical].tolist(), strict=True)),
            rule=rule.text,
            recall=float(rule.recall),
            precision=float(rule.precision),
            n_support=support.n_support(rows),
            n_needed=support.n_needed(rows, self.threshold_),
            gain=float(fall.sum()),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _scaled(X):
    """Columns about their median, in units of a spread that few rows far out do not change."""
    low, middle, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / 1.349  # one standard deviation of a Gaussian
    scale = np.where(scale > 0, scale, X.std(axis=0))
    return (X - middle) / np.where(scale > 0, scale, 1.0)


def _clusters(X, is_memorized, min_size):
    """Positions of the rows of each cluster of memorized rows."""
    rows = np.flatnonzero(is_memorized)
    if len(rows) < min_size:
        return []
    clustering = HDBSCAN(min_cluster_size=min_size, allow_single_cluster=True, copy=True)
    labels = clustering.fit_predict(X[rows])
    return [rows[labels == label] for label in range(labels.max() + 1)]
