"""Data frames: their dtypes choose likelihoods, and categories become numbers."""

import re
from dataclasses import dataclass

import numpy as np

from skmem.neural._columns import column_pairs

# The likelihood of a column by the name of its dtype, as pandas or polars say it.
_LIKELIHOODS = {
    "codes": r"cat|enum|str|large_string|object|dictionary",
    "bernoulli": r"bool",
    "count": r"u?int\d",
    "gaussian_diagonal": r"float|double",
}


def is_frame(X):
    """Whether `X` has columns with dtypes of their own."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


@dataclass(frozen=True)
class FrameCode:
    """How the columns of a frame become numbers, and numbers such a frame again."""

    frame_type: type
    dtypes: dict
    categories: dict

    @classmethod
    def fit(cls, frame):
        """The frame's dtypes, and the categories of its columns that are no numbers.

        Raises
        ------
        ValueError
            If a column has a dtype that no likelihood is about, or two have the same name.
        """
        dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
        if len(dtypes) < frame.shape[1]:
            raise ValueError(f"X must name each column once, got {list(frame.columns)}.")
        named = {name: _likelihood(name, dtype) for name, dtype in dtypes.items()}
        codes = [name for name, likelihood in named.items() if likelihood == "codes"]
        return cls(type(frame), dtypes, {name: _categories(frame[name], name) for name in codes})

    def encode(self, frame):
        """Rows as numbers, (n_samples, n_columns), a category as its position.

        Raises
        ------
        ValueError
            If an entry is missing, or is none of the categories seen in `fit`.
        """
        return np.stack([self._encoded(frame[name], name) for name in self.dtypes], axis=1)

    def _encoded(self, column, name):
        if name not in self.categories:
            numbers = np.asarray(column, dtype=np.float64)
            if np.isnan(numbers).any():
                raise ValueError(f"Input X contains NaN, in column {name!r}.")
            return numbers
        position = {category: i for i, category in enumerate(self.categories[name])}
        values = column.to_numpy()
        codes = np.array([position.get(value, -1) for value in values], dtype=np.float64)
        if (codes < 0).any():
            raise ValueError(
                f"X must have in column {name!r} one of the categories seen in fit, "
                f"{list(self.categories[name])}, in every row, got {values[np.argmin(codes)]!r}. Missing values must "
                "be filled in; a categorical dtype says which categories there are, whatever rows are trained on."
            )
        return codes

    def decode(self, X):
        """A frame of the kind and the dtypes seen in `fit`, counts no greater than their dtypes can hold."""
        data = dict(zip(self.dtypes, X.T, strict=True))
        for name, categories in self.categories.items():
            data[name] = np.array(categories, dtype=object)[data[name].astype(np.int64)]
        for name, dtype in self.dtypes.items():
            if re.fullmatch(r"u?int\d+", str(dtype), re.IGNORECASE):
                limits = np.iinfo(str(dtype).lower())
                data[name] = data[name].clip(limits.min, limits.max)
        frame = self.frame_type(data)
        return frame.astype(self.dtypes) if hasattr(frame, "astype") else frame.cast(self.dtypes)

    def likelihood(self, likelihood):
        """[(likelihood, positions)] for "mixed" by dtypes, or for a list that may use names; else as it is.

        Raises
        ------
        ValueError
            If columns that are no numbers are to have a likelihood for numbers.
        """
        names = list(self.dtypes)
        if likelihood == "mixed":
            named = [
                (_likelihood(name, dtype), names.index(name))
                for name, dtype in self.dtypes.items()
            ]
            return [
                (kind, [j for k, j in named if k == kind])
                for kind in sorted({k for k, _ in named})
            ]
        if isinstance(likelihood, str):
            self._refuse_categories(likelihood, names)
            return likelihood
        return [self._paired(*pair) for pair in column_pairs(likelihood, names)]

    def _paired(self, likelihood, columns):
        names = list(self.dtypes)
        chosen = [names[j] for j in columns]
        if chosen and all(name in self.categories for name in chosen):
            likelihood = "codes" if likelihood == "categorical" else likelihood
        if likelihood != "codes":
            self._refuse_categories(likelihood, chosen)
        return likelihood, columns

    def _refuse_categories(self, likelihood, names):
        coded = [name for name in names if name in self.categories]
        if coded:
            raise ValueError(
                f"likelihood={likelihood!r} is about numbers, got column {coded[0]!r} of dtype "
                f"{self.dtypes[coded[0]]}; likelihood='mixed' takes it, or a list that pairs it with 'codes'."
            )

    def n_levels(self, n_levels):
        """Number of levels of each column: of categories, where it has such."""
        n_levels = np.array(np.broadcast_to(n_levels, len(self.dtypes)))
        for j, name in enumerate(self.dtypes):
            if name in self.categories:
                n_levels[j] = len(self.categories[name])
        return n_levels


def _likelihood(name, dtype):
    for likelihood, pattern in _LIKELIHOODS.items():
        if re.match(pattern, str(dtype), re.IGNORECASE):
            return likelihood
    raise ValueError(
        f"X must hold numbers, booleans or categories, got column {name!r} of dtype {dtype}."
    )


def _categories(column, name):
    """Those that the dtype names, or else those that there are, in order."""
    if re.match(r"category|enum", str(column.dtype), re.IGNORECASE):
        return tuple(column.dtype.categories)
    try:
        return tuple(
            sorted({*column.drop_nulls()} if hasattr(column, "drop_nulls") else {*column.dropna()})
        )
    except TypeError:
        raise ValueError(
            f"X must hold categories of one type in column {name!r}, got several."
        ) from None
