"""From the columns of `X` to the numbers a likelihood is about, and back: densities change by the volume."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, logit

from skmem.neural._one_hot import one_hot_groups

# Pixels are pulled this far from black and white before the logit (Papamakarios, Pavlakou and Murray 2017).
LOGIT_MARGIN = 0.05


@dataclass(frozen=True)
class Space:
    """Rows as they are. `noisy` spaces take uniforms of the shape of `X`."""

    noisy: ClassVar[bool] = False
    rule: ClassVar[str] = ""  # what `X` must do; said of entries that `bad` finds

    @classmethod
    def fit(cls, X, n_levels):
        """The space that suits the rows `X` (n_samples, n_columns), with `n_levels` (n_columns,) where it has such."""
        return cls()

    def bad(self, X):
        """Whether each entry can't come from this space."""
        return np.zeros(X.shape, dtype=bool)

    def n_units(self, n_columns):
        """Number of entries of a row in the space."""
        return n_columns

    def needs_noise(self, X):
        """Whether each row takes some of its noise, (n_samples,)."""
        return np.full(len(X), self.noisy)

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
    rule: ClassVar[str] = "lie in [0, 1]"

    def bad(self, X):
        """Whether each entry is outside [0, 1]."""
        return (X < 0) | (X > 1)

    def needs_noise(self, X):
        """Whether each row has an entry that is drawn."""
        return ((X > 0) & (X < 1)).any(axis=1)

    def forward(self, X, noise):
        """(U, 0)."""
        return (noise < X).astype(X.dtype), np.zeros(len(X))


@dataclass(frozen=True)
class Levels(Space):
    """Whole numbers 0 to n_levels - 1, as points of [-1, 1]: `top`, the last one, is 1."""

    n_levels: np.ndarray
    top: np.ndarray

    @classmethod
    def fit(cls, X, n_levels):
        """Levels as they are given."""
        return cls(n_levels, n_levels - 1.0)

    @property
    def rule(self):
        """What `X` must do."""
        return f"hold whole numbers from 0 to n_levels - 1 = {_one_or_all(self.n_levels - 1)}"

    def bad(self, X):
        """Whether each entry is no level."""
        return (X < 0) | (self.n_levels - 1 < X) | (np.rint(X) != X)

    def forward(self, X, noise):
        """(U, 0)."""
        return 2.0 * X / self.top - 1.0, np.zeros(len(X))

    def backward(self, U):
        """Levels, whole if those of `U` are."""
        return (U + 1.0) * self.top / 2.0

    def possible(self, X):
        """Whole levels."""
        return np.clip(np.rint(X), 0, self.n_levels - 1)


def _one_or_all(values):
    """One number where all are equal, else a list, in words."""
    return f"{values[0]:g}" if (values == values[0]).all() else str(values.tolist())


@dataclass(frozen=True)
class Counts(Levels):
    """Whole numbers from 0 on, of which the largest of each column in training is at 1."""

    rule: ClassVar[str] = "hold whole numbers from 0 on"

    @classmethod
    def fit(cls, X, n_levels):
        """The largest count of each column is a unit of length; it bounds nothing."""
        return cls(np.full(X.shape[1], np.inf), np.maximum(X.max(axis=0), 1.0))


@dataclass(frozen=True)
class Logit(Levels):
    """u = logit(margin + (1 - 2 margin) (x + noise) / n_levels), of levels x and uniform noise."""

    noisy: ClassVar[bool] = True

    def forward(self, X, noise):
        """(U, log_volume), per unit of a level."""
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
class Codes(Levels):
    """Categories by their numbers, each made a one-hot group."""

    def n_units(self, n_columns):
        """Number of categories of all columns."""
        return int(self.n_levels.sum())

    def forward(self, X, noise):
        """(U, 0)."""
        U = np.zeros((len(X), self.n_units(X.shape[1])))
        U[np.arange(len(X))[:, None], self._starts + X.astype(np.int64)] = 1.0
        return U, np.zeros(len(X))

    def backward(self, U):
        """Number of the likeliest category."""
        groups = np.split(U, self._starts[1:], axis=1)
        return np.stack([group.argmax(axis=1) for group in groups], axis=1).astype(np.float64)

    @property
    def _starts(self):
        return np.cumsum([0, *self.n_levels[:-1]])


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

    @property
    def rule(self):
        """What `X` must do."""
        return f"be one-hot in each group of columns, of sizes {list(self.sizes)} as in fit"

    def bad(self, X):
        """Whether each entry is neither 0 nor 1, or in a group without just one 1."""
        starts = np.cumsum((0, *self.sizes[:-1]))
        wrong = np.add.reduceat(X, starts, axis=1) != 1
        return (X != 0) & (X != 1) | np.repeat(wrong, self.sizes, axis=1)


SPACES = {
    "gaussian": Standardized,
    "gaussian_diagonal": StandardizedColumns,
    "bernoulli": Binary,
    "logit_gaussian": Logit,
    "discretized_logistic": Levels,
    "count": Counts,
    "categorical": OneHot,
    "codes": Codes,
}
