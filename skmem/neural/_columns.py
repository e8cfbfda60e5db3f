"""Which columns a likelihood is about: one for all columns, or a combination for tables."""

from dataclasses import dataclass

import numpy as np

from skmem.neural._one_hot import one_hot_group_size
from skmem.neural._row_noise import row_noise
from skmem.neural._spaces import SPACES, Space


@dataclass(frozen=True)
class Part:
    """A likelihood and its columns: of `X`, and of the numbers it is about."""

    name: str
    space: Space
    columns: np.ndarray

    @property
    def n_units(self):
        """Number of the numbers it is about."""
        return self.space.n_units(len(self.columns))


@dataclass(frozen=True)
class Columns:
    """The spaces of all parts side by side; `names` of the columns, for errors."""

    parts: tuple
    names: tuple

    @classmethod
    def fit(cls, X, named, n_levels, names=None):
        """One part for each (likelihood, columns) of `named`, fitted to the rows `X`."""
        n_levels = np.broadcast_to(n_levels, X.shape[1])
        names = tuple(range(X.shape[1]) if names is None else names)
        parts = tuple(
            Part(name, SPACES[name].fit(X[:, columns], n_levels[columns]), columns)
            for name, columns in named
        )
        fitted = cls(parts, names)
        fitted.check(X)
        return fitted

    @property
    def noisy(self):
        """Whether rows are binarised or dequantised."""
        return any(part.space.noisy for part in self.parts)

    def check(self, X):
        """Raise a ValueError that names a column whose entries don't suit its likelihood."""
        for part in self.parts:
            bad = part.space.bad(X[:, part.columns])
            if bad.any():
                i, j = np.argwhere(bad)[0]
                j = part.columns[j]
                raise ValueError(
                    f"X must {part.space.rule} for likelihood={part.name!r}, got {X[i, j]:g} in column "
                    f"{self.names[j]!r}."
                )

    def forward(self, X, noise):
        """(U, log_volume) of rows, with `noise` a seed for noise of each row, or a Generator for fresh noise."""
        self.check(X)
        uniforms = self._uniforms(X, noise) if self.noisy else None
        U, log_volume = zip(*(_forward(part, X, uniforms) for part in self.parts), strict=True)
        return np.concatenate(U, axis=1), np.sum(log_volume, axis=0)

    def _uniforms(self, X, noise):
        if isinstance(noise, np.random.Generator):
            return noise.random(X.shape)
        needed = [part.space.needs_noise(X[:, part.columns]) for part in self.parts]
        rows, uniforms = np.any(needed, axis=0), np.zeros(X.shape)
        uniforms[rows] = row_noise(X[rows], noise)
        return uniforms

    def backward(self, U, possible=False):
        """Rows of columns; with `possible`, only such as `X` can hold."""
        X = np.empty((len(U), len(self.names)))
        splits = np.cumsum([part.n_units for part in self.parts])[:-1]
        for part, u in zip(self.parts, np.split(U, splits, axis=1), strict=True):
            x = part.space.backward(u)
            X[:, part.columns] = part.space.possible(x) if possible else x
        return X


def _forward(part, X, uniforms):
    noise = None if uniforms is None else uniforms[:, part.columns]
    return part.space.forward(X[:, part.columns], noise)


def named_columns(X, likelihood):
    """[(name, columns)] for a likelihood's name, "mixed" by the values of `X`, or such a list already."""
    every = np.arange(X.shape[1])
    if not isinstance(likelihood, str):
        return _checked(column_pairs(likelihood, range(X.shape[1])), every)
    return _guessed(X) if likelihood == "mixed" else [(likelihood, every)]


def column_pairs(likelihood, names):
    """[(name, positions)] of a list of pairs, whose columns are a slice, or numbers and names among `names`.

    Raises
    ------
    ValueError
        If it is no such list.
    """
    pairs = [pair for pair in likelihood if isinstance(pair, tuple | list) and len(pair) == 2]
    if not pairs or len(pairs) < len(likelihood):
        raise ValueError(
            f"likelihood must be a list of pairs (name, columns), got {likelihood!r}."
        )
    found = [(name, _positions(columns, list(names))) for name, columns in pairs]
    return [(name, columns) for name, columns in found if len(columns)]


def _positions(columns, names):
    try:
        if not isinstance(columns, slice | str):
            columns = [names.index(c) if isinstance(c, str) else c for c in columns]
        return np.arange(len(names))[columns]
    except (ValueError, TypeError, IndexError):
        raise ValueError(f"likelihood must name columns of X, got {columns!r}.") from None


def _checked(named, every):
    for name, _ in named:
        if name not in SPACES:
            raise ValueError(
                f"likelihood must pair columns with one of {sorted(SPACES)}, got {name!r}."
            )
    used = np.sort(np.concatenate([columns for _, columns in named]))
    if not np.array_equal(used, every):
        raise ValueError(
            f"likelihood must give each of the {len(every)} columns to one pair, got {used.tolist()}."
        )
    return named


def _guessed(X):
    """One-hot groups, single columns of zeros and ones, and everything else."""
    found, j = {"gaussian_diagonal": [], "bernoulli": [], "categorical": []}, 0
    while j < X.shape[1]:
        size = one_hot_group_size(X[:, j:])
        binary = np.isin(X[:, j], (0, 1)).all()
        # A group of one column is a constant.
        name = "categorical" if size > 1 else "bernoulli" if binary else "gaussian_diagonal"
        width = size if size > 1 else 1
        found[name].extend(range(j, j + width))
        j += width
    return [(name, np.array(columns)) for name, columns in found.items() if columns]
