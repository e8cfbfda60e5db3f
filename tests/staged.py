"""A density that is trained in stages, and says what it was at each."""

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin

FITTED = []  # a one for each fit of this process


class Annealed(DensityMixin, BaseEstimator):
    """Normal density of unit variance whose mean walks from its seed's start to that of the rows, halfway each epoch.

    If it is impatient it stops an epoch early on about half of all sets of rows. `keep` are the epochs after which it
    is kept, `spread` says how far apart the starts are.
    """

    def __init__(
        self, keep=(1, 2, 4), max_epochs=4, impatient=False, spread=1.0, random_state=None
    ):
        self.keep = keep
        self.max_epochs = max_epochs
        self.impatient = impatient
        self.spread = spread
        self.random_state = random_state

    def fit(self, X, y=None):
        FITTED.append(1)
        n_epochs = self.max_epochs - (self.impatient and int(1e6 * np.abs(X).sum()) % 2)
        start = np.random.RandomState(self.random_state).normal(0, self.spread, X.shape[1])
        means = {e: start + (X.mean(axis=0) - start) * (1 - 0.5**e) for e in range(n_epochs + 1)}
        self.means_ = {epoch: mean for epoch, mean in means.items() if epoch in self.keep}
        self.mean_ = means[n_epochs]
        return self

    @property
    def stages_(self):
        return list(self.means_)

    def score_samples(self, X):
        return _log_normal(X - self.mean_)

    def staged_score_samples(self, X):
        for mean in self.means_.values():
            yield _log_normal(X - mean)


class Unnamed(Annealed):
    """Its stages have no names."""

    stages_ = property()  # an attribute that is not there


def _log_normal(Z):
    return -0.5 * (Z**2 + np.log(2 * np.pi)).sum(axis=1)
