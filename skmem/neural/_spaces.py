"""From the columns of `X` to the numbers a likelihood is about, and back: densities change by the volume."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, logit

# Pixels are pulled this far from black and white before the logit (Papamakarios, Pavlakou and Murray 2017).
LOGIT_MARGIN = 0.05


@dataclass(frozen=True)
class Space:
    """Rows as they are. `noisy` spaces take uniforms of the shape of `X`."""

    noisy: ClassVar[bool] = False

    @classmethod
    def fit(cls, X, n_levels):
        """The space that suits the rows `X` (n_samples, n_columns), refused by name if none does."""
        space = cls()
        space.check(X)
        return space

    def check(self, X):
        """Raise a ValueError if rows can't come from this space."""

    def forward(self, X, noise):
        """(U, log_volume): rows in the space (n_samples, n_units), and log|dU/dX| of each."""
        return X, np.zeros(len(X))

    def backward(self, U):
        """Rows of columns again; averages of `U` need not be possible rows."""
        return U

    def possible(self, X):
        """The possible rows that `X`, drawn from a likelihood, stand for."""
        return X


@dataclass(frozen=True)
class Standardized(Space):
    """u = (x - location) / scale, with one scale for all columns."""

    location: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, X, n_levels):
        """Column means, and the root of the columns' mean variance."""
        mean, variance, rounding = _moments(X)
        scale = _positive_root(variance.mean(), rounding.mean())
        return cls(mean, np.full(mean.shape, scale))

    def forward(self, X, noise):
        """(U, log_volume)."""
        U = (X - self.location) / self.scale
        return U, np.full(len(X), -np.log(self.scale).sum())

    def backward(self, U):
        """Rows in the units of the columns."""
        return self.location + self.scale * U


@dataclass(frozen=True)
class StandardizedColumns(Standardized):
    """u = (x - location) / scale, with a scale for each column."""

    @classmethod
    def fit(cls, X, n_levels):
        """Column means and standard deviations."""
        mean, variance, rounding = _moments(X)
        return cls(mean, _positive_root(variance, rounding))


def _moments(X):
    """(mean, variance, variance that rounding alone can make) of each column, in double precision."""
    rounding = 8.0 * np.finfo(X.dtype).eps * np.abs(X).max(axis=0)
    return X.mean(axis=0, dtype=np.float64), X.var(axis=0, dtype=np.float64), rounding**2


def _positive_root(variance, rounding):
    """Standard deviations; 1 where there is nothing but rounding."""
    return np.sqrt(np.where(variance > rounding, variance, 1.0))


@dataclass(frozen=True)
class Binary(Space):
    """Zeros and ones; what lies between is a probability of one, and is drawn."""

    noisy: ClassVar[bool] = True

    def check(self, X):
        """Raise a ValueError outside [0, 1]."""
        if X.min() < 0 or X.max() > 1:
            raise ValueError(
                "X must lie in [0, 1] for likelihood='bernoulli', "
                f"got values from {X.min():g} to {X.max():g}."
            )

    def forward(self, X, noise):
        """(U, 0)."""
        self.check(X)
        return (noise < X).astype(X.dtype), np.zeros(len(X))


@dataclass(frozen=True)
class Levels(Space):
    """Whole numbers 0 to n_levels - 1, as points of [-1, 1]."""

    n_levels: int
    name: ClassVar[str] = "discretized_logistic"

    @classmethod
    def fit(cls, X, n_levels):
        """Check that the rows are such numbers."""
        space = cls(n_levels)
        space.check(X)
        return space

    def check(self, X):
        """Raise a ValueError for other numbers."""
        bad = (X < 0) | (self.n_levels - 1 < X) | (np.rint(X) != X)
        if bad.any():
            raise ValueError(
                f"X must hold whole numbers from 0 to n_levels - 1 = {self.n_levels - 1} for "
                f"likelihood={self.name!r}, got {X[bad][0]:g}."
            )

    def forward(self, X, noise):
        """(U, 0)."""
        self.check(X)
        return 2.0 * X / (self.n_levels - 1) - 1.0, np.zeros(len(X))

    def backward(self, U):
        """Levels, whole if those of `U` are."""
        return (U + 1.0) * (self.n_levels - 1) / 2.0

    def possible(self, X):
        """Whole levels."""
        return np.clip(np.rint(X), 0, self.n_levels - 1)


@dataclass(frozen=True)
class Logit(Levels):
    """u = logit(margin + (1 - 2 margin) (x + noise) / n_levels), of levels x and uniform noise."""

    name: ClassVar[str] = "logit_gaussian"
    noisy: ClassVar[bool] = True

    def forward(self, X, noise):
        """(U, log_volume), per unit of a level."""
        self.check(X)
        return self.forward_real(X + noise)

    def forward_real(self, X):
        """(U, log_volume) of levels with noise."""
        U = logit(LOGIT_MARGIN + (1 - 2 * LOGIT_MARGIN) * X / self.n_levels)
        # d logit(p) / dp = 1 / (p (1 - p)), and log p (1 - p) = u - 2 softplus(u).
        slope = np.log((1 - 2 * LOGIT_MARGIN) / self.n_levels) - U + 2 * np.logaddexp(0, U)
        return U, slope.sum(axis=1)

    def backward(self, U):
        """Levels with noise."""
        return (expit(U) - LOGIT_MARGIN) / (1 - 2 * LOGIT_MARGIN) * self.n_levels

    def possible(self, X):
        """Whole levels below the noise."""
        return np.clip(np.floor(X), 0, self.n_levels - 1)


@dataclass(frozen=True)
class OneHot(Space):
    """Groups of adjacent columns, one of which is 1 and all others 0."""

    sizes: tuple

    @classmethod
    def fit(cls, X, n_levels):
        """Close a group at the first column with which every row has its 1."""
        sizes = one_hot_groups(X)
        if sum(sizes) != X.shape[1]:
            raise ValueError(
                "X must be groups of adjacent one-hot columns for likelihood='categorical', "
                f"got a row without a 1, or with two, in the columns from {sum(sizes)} on."
            )
        return cls(sizes)

    def check(self, X):
        """Raise a ValueError if a row is not one-hot in every group."""
        starts = np.cumsum((0, *self.sizes[:-1]))
        if ((X != 0) & (X != 1)).any() or (np.add.reduceat(X, starts, axis=1) != 1).any():
            raise ValueError(
                "X must be one-hot in each group of columns for likelihood='categorical', "
                f"with groups of sizes {list(self.sizes)} as in fit; got a row that is not."
            )

    def forward(self, X, noise):
        """(U, 0)."""
        self.check(X)
        return X, np.zeros(len(X))


def one_hot_groups(X):
    """Sizes of the groups of one-hot columns that `X` begins with."""
    sizes = []
    while size := one_hot_group_size(X[:, sum(sizes) :]):
        sizes.append(size)
    return tuple(sizes)


def one_hot_group_size(X):
    """Number of leading columns in which every row has exactly one 1, or 0; columns of zeros belong to it.

    A category that no row has can stand last in its group, but not first.
    """
    ones = np.cumsum(X, axis=1)
    complete = (ones == 1).all(axis=0)
    if not complete.any():
        return 0
    first = int(np.argmax(complete))
    if not np.isin(X[:, : first + 1], (0, 1)).all():
        return 0
    longer = complete[first:]
    return first + (len(longer) if longer.all() else int(np.argmin(longer)))


SPACES = {
    "gaussian": Standardized,
    "gaussian_diagonal": StandardizedColumns,
    "bernoulli": Binary,
    "logit_gaussian": Logit,
    "discretized_logistic": Levels,
    "categorical": OneHot,
}
