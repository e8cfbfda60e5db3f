"""The data-copying test: are generated rows nearer to the training rows than held-out ones, cell by cell?"""

from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.stats import rankdata
from sklearn.cluster import KMeans

from skmem._blocks import map_blocks, one_openmp_thread
from skmem._random import child_seeds
from skmem._sklearn import Interval, StrOptions, validate_params
from skmem.copying._arguments import DISTANCES, PERMUTATIONS
from skmem.copying._results import Result, make_frame
from skmem.copying._searches import Searches
from skmem.copying._statistics import central, holm, permutation_p_value
from skmem.copying._tables import read_tables

_MAX_CELLS = 20
_FITTED_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class DataCopying(Result):
    """The statistic C_T, and the cells that it averages.

    In standard deviations; far below 0 the generated rows copy; 0 is as real rows do.

    Attributes
    ----------
    statistic : float
        C_T, the mean of the cells' z.
    p_value : float
        Probability of so low a statistic if in every cell generated rows lie as held-out ones do.
    floor : tuple of float
        0.05 and 0.95 quantiles of the statistic then.
    cells : dict
        For each cell, in arrays: n_train, n_holdout, n_generated, z (nan where the cell is not
        used), p_value, adjusted_p_value (by Holm, over the used cells) and used.
    labels : ndarray of shape (n_generated,)
        The cell of each generated row.
    """

    statistic: float
    p_value: float
    floor: tuple
    cells: dict
    labels: np.ndarray = field(repr=False)

    def _sentence(self):
        n_used = self.cells["used"].sum()
        n_low = np.count_nonzero(self.cells["adjusted_p_value"] <= 0.05)
        return (
            f"C_T = {self.statistic:.3g} over {n_used} cells, real rows give {self.floor[0]:.2g} to "
            f"{self.floor[1]:.2g} (p = {self.p_value:.2g}); {n_low} cells copy by themselves."
        )

    def to_frame(self):
        """Data frame with one line for each cell.

        Returns
        -------
        frame : DataFrame
            What `cells` holds.
        """
        return make_frame(self.cells)


@validate_params(
    {
        **DISTANCES,
        **PERMUTATIONS,
        "n_cells": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "min_expected": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def data_copying_test(
    X_train,
    X_holdout,
    X_generated,
    *,
    n_cells="auto",
    min_expected=20,
    metric="auto",
    categorical_features=None,
    n_permutations=999,
    random_state=None,
):
    """Test whether generated rows are nearer to the training rows than held-out rows are.

    In standard deviations; far below 0 is copying, far above 0 underfitting; 0 is as real rows do.

    Parameters
    ----------
    X_train, X_holdout, X_generated : array-like or data frame of shape (n_rows, n_features)
        Rows that the generator was trained on, real rows that it did not see, and rows that it
        made.
    n_cells : int or "auto", default="auto"
        Number of cells, k-means clusters of the training rows. "auto" is as many, up to 20, as let
        twice `min_expected` rows of the smaller of the two other tables fall into each on average.
    min_expected : int, default=20
        A cell is used if its held-out and its generated rows, taken together, are so many that at least
        this number of either kind is expected among them.
    metric : {"auto", "euclidean", "seuclidean", "gower"}, default="auto"
        As in :func:`nearest_neighbor_distance_ratio`.
    categorical_features : array-like, default=None
        As in :func:`nearest_neighbor_distance_ratio`.
    n_permutations : int, default=999
        Number of permutations behind p-values.
    random_state : int, RandomState instance or None, default=None
        Seed of the clusters and permutations.

    Returns
    -------
    result : DataCopying
        The statistic, its p-value, and the table of cells.

    Raises
    ------
    ValueError
        If tables differ in their columns, or hold missing or infinite numbers.

    Notes
    -----
    Let L(x) be the distance from x to the nearest training row. In a cell with m held-out and n
    generated rows let U count the pairs in which the generated row has the larger L, ties one half. Then
    ``Z = (U - (n m / 2 - 1/2)) / sd(U)``, with ``sd(U)^2 = n m (n + m + 1) / 12`` less what
    ties take away, and

        C_T = sum_cells P(cell) Z(cell) / sum_cells P(cell),

    P the share of the held-out rows [1]_ (there, a cell is used if it holds more than a share tau of
    the generated rows). p-values permute within cells which rows are called generated. If no cell has
    rows enough, all rows are one cell. Gower's distance has clusters by squared differences
    of the scaled columns and indicators of the categories.

    References
    ----------
    .. [1] C. Meehan, K. Chaudhuri and S. Dasgupta, "A non-parametric test to detect data-copying in
       generative models", AISTATS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.copying import data_copying_test
    >>> rng = np.random.default_rng(0)
    >>> X_train, X_holdout = rng.normal(size=(2, 200, 2))
    >>> result = data_copying_test(X_train, X_holdout, X_train + 0.01, random_state=0)
    >>> print(result.p_value)
    0.001
    """
    tables = read_tables(X_train, X_holdout, X_generated, metric, categorical_features)
    return data_copying(Searches(tables), n_cells, min_expected, n_permutations, random_state)


def data_copying(searches, n_cells, min_expected, n_permutations, random_state):
    """As `data_copying_test`, from the searches."""
    seed = int(child_seeds(random_state, 1)[0])
    sizes = [len(searches.rows(name)) for name in ("train", "holdout", "generated")]
    fewer = min(sizes[1:])
    if n_cells == "auto":
        n_cells = max(1, min(_MAX_CELLS, fewer // (2 * min_expected)))
    cells = _cells(searches.tables, searches.distinct()[0], n_cells, seed)
    labels = np.split(cells, np.cumsum(sizes[:-1]))
    n_train, m, n = (np.bincount(part, minlength=cells.max() + 1) for part in labels)
    used = (m > 0) & (n > 0) & ((m + n) * fewer / sum(sizes[1:]) >= min_expected)
    if not used.any():
        return data_copying(searches, 1, 1, n_permutations, seed)
    z = np.full((1 + n_permutations, len(used)), np.nan)
    z[:, used] = _z_of_cells(searches, labels[1:], np.flatnonzero(used), n_permutations, seed)
    counts = {"n_train": n_train, "n_holdout": m, "n_generated": n}
    return _averaged(z, counts, used, labels[2])


def _z_of_cells(searches, labels, cells, n_permutations, seed):
    """Z of each cell and of its permutations, shape (1 + n_permutations, n_cells)."""
    L = [searches.to_train(name).distances[:, 0] for name in ("holdout", "generated")]
    seeds = dict(zip(cells.tolist(), child_seeds(seed, len(cells)).tolist(), strict=True))

    def scores(cell):
        in_cell = [values[part == cell] for values, part in zip(L, labels, strict=True)]
        return _z_scores(*in_cell, n_permutations, seeds[cell])

    return np.transpose(map_blocks(scores, cells.tolist()))


def _averaged(z, counts, used, labels):
    """C_T of the observed z and of the permuted ones below."""
    statistic, *permuted = z[:, used] @ counts["n_holdout"][used] / counts["n_holdout"][used].sum()
    p_values, adjusted = np.full((2, len(used)), np.nan)
    p_values[used] = permutation_p_value(-z[0, used], -z[1:, used])
    adjusted[used] = holm(p_values[used])
    tests = {"z": z[0], "p_value": p_values, "adjusted_p_value": adjusted, "used": used}
    permuted = np.array(permuted)
    return DataCopying(
        statistic=float(statistic),
        p_value=float(permutation_p_value(-statistic, -permuted)),
        floor=central(permuted),
        cells={**counts, **tests},
        labels=labels,
    )


def _z_scores(holdout, generated, n_permutations, seed):
    """Z of two samples of distances, and with their rows permuted, shape (1 + n_permutations,)."""
    m, n, rng = len(holdout), len(generated), np.random.default_rng(seed)
    ranks = rankdata(np.concatenate([holdout, generated]))
    shuffled, sums = ranks.copy(), [ranks[m:].sum()]
    for _ in range(n_permutations):
        rng.shuffle(shuffled)
        sums.append(shuffled[m:].sum())
    U = np.array(sums) - n * (n + 1) / 2
    # The variance of the ranks themselves is that of 1, ..., n + m, less what ties take away.
    sd = np.sqrt(n * m / (n + m) * np.var(ranks, ddof=1))
    return (U - (n * m / 2 - 0.5)) / sd if sd > 0 else np.zeros(len(U))


def _cells(tables, distinct, n_cells, seed):
    """The cell of every training, held-out and generated row, one after another."""
    X = _embedded(tables)
    rows = np.random.default_rng(seed).permutation(distinct)[:_FITTED_ROWS]
    n_cells = min(n_cells, len(rows))
    if n_cells == 1:
        return np.zeros(X.shape[0], dtype=np.intp)
    with one_openmp_thread():
        return KMeans(n_cells, n_init=1, random_state=seed).fit(X[rows]).predict(X)


def _embedded(tables):
    """All rows; categories as indicators, of which two that differ are at distance 1."""
    X = np.concatenate([tables.train, tables.holdout, tables.generated])
    # 32 bits, as k-means wants them.
    numbers, codes = X[:, : tables.n_numeric], X[:, tables.n_numeric :].astype(np.int32)
    if not codes.shape[1]:
        return numbers
    rows, half = np.arange(len(X), dtype=np.int32), np.full(len(X), np.sqrt(0.5))
    indicators = [csr_array((half, (rows, column))) for column in codes.T]
    return hstack([csr_array(numbers), *indicators] if tables.n_numeric else indicators, "csr")
