"""The searches that the tests share, each made once."""

from functools import wraps

import numpy as np
from sklearn.utils import check_random_state

from skmem._distances import duplicate_groups
from skmem._scan import Nearest, nearest_both_ways, nearest_in_blocks


def _once(search):
    """Keep what `search` returned for its arguments."""

    @wraps(search)
    def kept(self, *args):
        key = (search.__name__, *args)
        if key not in self._found:
            self._found[key] = search(self, *args)
        return self._found[key]

    return kept


class Searches:
    """Nearest rows between the three tables, and the balls of `n_neighbors` that they are in.

    Tables are called "train", "holdout" and "generated". With ``n_neighbors=None`` no ball is
    counted.
    """

    def __init__(self, tables, n_neighbors=None, random_state=None):
        self.tables, self.n_neighbors = tables, n_neighbors
        self.random_state = random_state
        self._found = {}

    @property
    def names(self):
        """Names of the tables that there are."""
        names = ("train", "holdout", "generated")
        return [name for name in names if self.rows(name) is not None]

    def rows(self, name):
        """Rows of a table."""
        return getattr(self.tables, name)

    @_once
    def distinct(self):
        """First training row of each kind, the kind of each training row, and how many rows there are of it."""
        groups = duplicate_groups(self.tables.train)
        _, first = np.unique(groups, return_index=True)
        return first, groups, np.bincount(groups)

    def within(self, X):
        """Nearest other rows of a table, as many as a ball reaches to."""
        return nearest_in_blocks(self.tables.pairs(X, X), self.n_neighbors or 1, exclude_self=True)

    @_once
    def within_train(self):
        """Nearest other training rows of the training rows."""
        return self.within(self.tables.train)

    @_once
    def between(self, name, cut):
        """The distinct training rows and the rows of a table, or of its `cut`, searched both ways."""
        first, _, sizes = self.distinct()
        X, Y = self.tables.train[first], self.cut(name) if cut else self.rows(name)
        n_neighbors = 1, min(2, len(X))
        if not self.n_neighbors:
            return nearest_both_ways(self.tables.pairs(X, Y), n_neighbors)
        radii = [self.within_train().distances[first, -1], None]
        if len(Y) == len(self.cut(name)):
            radii[1] = self.cut_radii(name)
        return nearest_both_ways(self.tables.pairs(X, Y), n_neighbors, radii, sizes)

    def to_train(self, name):
        """The nearest and second-nearest distinct training rows; which balls of training rows hold it."""
        found = self.between(name, False)[1]
        return found._replace(indices=self.distinct()[0][found.indices])

    def from_train(self, name):
        """The row of `name` nearest to each training row."""
        return self._to_all(self.between(name, False)[0])

    def from_train_to_cut(self, name):
        """As `from_train`, with the rows of `cut`, and which of their balls hold it."""
        is_cut = len(self.cut(name)) < len(self.rows(name))
        return self._to_all(self.between(name, is_cut)[0])

    def _to_all(self, found):
        """What was found for the distinct training rows, for all."""
        return Nearest(*(values[self.distinct()[1]] for values in found))

    def across(self, name, other):
        """The row of `other` nearest to each row of `name`."""
        if name > other:
            return self._generated_and_holdout()[1]
        return self._generated_and_holdout()[0]

    @_once
    def _generated_and_holdout(self):
        return nearest_both_ways(
            self.tables.pairs(self.tables.generated, self.tables.holdout), (1, 1)
        )

    @_once
    def cut(self, name):
        """Rows of a table, of the larger one as many as of the smaller, at random."""
        sizes = [len(X) for X in (self.tables.holdout, self.tables.generated) if X is not None]
        X, n_rows = self.rows(name), min(sizes)
        if n_rows == len(X):
            return X
        return X[np.sort(check_random_state(self.random_state).permutation(len(X))[:n_rows])]

    @_once
    def cut_radii(self, name):
        """Distances of the rows of `cut` to their n-th neighbour among themselves."""
        return self.within(self.cut(name)).distances[:, -1]
