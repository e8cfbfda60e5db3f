"""The searches that the tests share, each made once."""

from functools import wraps

import numpy as np
from sklearn.utils import check_random_state

from skmem._distances import duplicate_groups
from skmem._scan import nearest_in_blocks


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

    def search(self, X, Y, n_neighbors, **options):
        """Nearest rows of `Y` to those of `X`."""
        return nearest_in_blocks(self.tables.pairs(X, Y), n_neighbors, **options)

    @_once
    def distinct(self):
        """First training row of each kind, and how many there are of it."""
        groups = duplicate_groups(self.tables.train)
        _, first = np.unique(groups, return_index=True)
        return first, np.bincount(groups)

    @_once
    def within_train(self):
        """Nearest other training rows of the training rows."""
        X = self.tables.train
        return self.search(X, X, self.n_neighbors or 1, exclude_self=True)

    @_once
    def to_train(self, name):
        """The nearest and second-nearest distinct training rows; which balls of training rows hold it."""
        first, sizes = self.distinct()
        Y = self.tables.train[first]
        balls = {}
        if self.n_neighbors:
            radii = self.within_train().distances[first, -1]
            balls = {"radii": radii, "weights": sizes.astype(np.float64)}
        found = self.search(self.rows(name), Y, min(2, len(Y)), **balls)
        return found._replace(indices=first[found.indices])

    @_once
    def from_train(self, name):
        """The row of `name` nearest to each training row; which balls of such rows hold it."""
        everything = self.n_neighbors and len(self.cut(name)) == len(self.rows(name))
        balls = {"radii": self.cut_radii(name)} if everything else {}
        return self.search(self.tables.train, self.rows(name), 1, **balls)

    @_once
    def across(self, name, other):
        """The row of `other` nearest to each row of `name`."""
        return self.search(self.rows(name), self.rows(other), 1)

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
        X = self.cut(name)
        return self.search(X, X, self.n_neighbors, exclude_self=True).distances[:, -1]

    @_once
    def from_train_to_cut(self, name):
        """As `from_train`, with the rows of `cut`."""
        if len(self.cut(name)) == len(self.rows(name)):
            return self.from_train(name)
        return self.search(self.tables.train, self.cut(name), 1, radii=self.cut_radii(name))
