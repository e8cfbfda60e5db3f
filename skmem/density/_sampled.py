"""The density of a model that can only be sampled from, estimated from its samples."""

from copy import copy
from inspect import signature
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skmem._base import BaseDensity
from skmem._distances import duplicate_groups
from skmem._random import child_seeds
from skmem._sklearn import HasMethods, Interval, fit_context
from skmem.density._kde import KernelDensity

_FLOATS = (np.float64, np.float32)
# Rows among which a bandwidth is found: the search takes all pairs of them many times.
_MAX_SEARCHED = 1000


class SampledDensity(BaseDensity):
    """Density of any model with `fit` and `sample`, estimated from rows that it draws.

    Scores are log-densities in nats; higher is denser; 0 is density 1 in the units of `X`.

    Parameters
    ----------
    generator : object with `fit` and `sample`
        The model: a GAN, a diffusion model, a synthesiser. It is fitted on the rows, as a data frame if they came in
        one, and drawn from by ``sample(n)``, or ``sample(n, random_state=...)`` where it takes that. Of a tuple, as
        scikit-learn's mixtures return, the first part is taken.
    density : estimator object, default=None
        Density with `score_samples`, fitted to the rows drawn. None is a KernelDensity whose bandwidth maximises the
        leave-one-out likelihood of m distinct rows, up to 1,000 at random, times (m / n)^(1 / (d + 4)) for all n
        distinct ones.
    n_samples : int, default=10000
        Number of rows drawn.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows drawn. It reaches the generator through the argument of `sample` or, where there is none, its
        parameter `random_state`; a generator with neither draws as it likes. The generator's fit has its own seed.

    Attributes
    ----------
    generator_ : object
        The fitted generator.
    density_ : estimator object
        The density fitted to the rows drawn.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen in `fit`, where X has names that are all strings.

    Notes
    -----
    ``MemorizationScorer(SampledDensity(generator))`` fits the generator itself with and without each row: what it
    measures is the generator, seen through `density`.

    **Blur.** A kernel density shows the generator's density smoothed over its bandwidth h. Memory of a row that is
    narrower than h is seen too low.

    **Noise.** With a Gaussian kernel and n rows drawn, the standard error of log p(x) is about

        sqrt((4 pi)^(-d / 2) / (n h^d p(x))) nats

    in d dimensions [1]_, so that it is largest where rows are rare, which is where memorization is. The standard
    errors of a MemorizationScorer include it. Doubling `n_samples` at the same h takes a factor 1.4 off.

    References
    ----------
    .. [1] B. W. Silverman, "Density Estimation for Statistics and Data Analysis", Chapman and Hall, 1986, section 3.3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.mixture import GaussianMixture
    >>> from skmem.density import SampledDensity
    >>> X = load_iris().data
    >>> density = SampledDensity(GaussianMixture(3, random_state=0), random_state=0).fit(X)
    >>> print(f"{density.score(X):.1f} nats a row, {density.generator_.score(X):.1f} by the mixture itself")
    -1.4 nats a row, -1.2 by the mixture itself
    """

    _parameter_constraints = {
        "generator": [HasMethods(["fit", "sample"])],
        "density": [None, HasMethods(["fit", "score_samples"])],
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, generator, density=None, n_samples=10000, *, random_state=None):
        self.generator = generator
        self.density = density
        self.n_samples = n_samples
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the generator, draw rows from it, and fit the density to them.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows of the generator.
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        self : object
            The fitted density.

        Raises
        ------
        ValueError
            If the generator draws another number of rows or columns, a data frame with other names of columns, or rows
        that are not finite numbers.
        """
        rows = validate_data(self, X, dtype=_FLOATS)
        generator = clone(self.generator, safe=False)
        generator.fit(X if hasattr(X, "columns") else rows)
        seeds = child_seeds(self.random_state, 2)
        drawn = _draw(generator, self.n_samples, self, seeds[0])
        density = _kernel_density(drawn, seeds[1]) if self.density is None else clone(self.density)
        self.density_ = density.fit(drawn)
        self.generator_ = generator
        return self

    def score_samples(self, X):
        """Log-density of each row, as the rows drawn from the generator show it.

        In nats; higher is denser; 0 is density 1 in the units of the training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x).
        """
        X = self._check_query(X)
        return self.density_.score_samples(X)

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the generator itself.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws, if the generator takes one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows drawn.
        """
        check_is_fitted(self)
        seed = child_seeds(random_state, 1)[0]
        return _draw(self.generator_, n_samples, self, seed)


def _draw(generator, n_samples, seen, seed):
    """`n_samples` rows of a fitted generator, columns as `seen` in fit; one that takes a seed is left as it is."""
    if "random_state" in signature(generator.sample).parameters:
        drawn = generator.sample(n_samples, random_state=int(seed))
    else:
        drawn = _seeded(generator, int(seed)).sample(n_samples)
    name = type(generator).__name__
    rows = drawn[0] if isinstance(drawn, tuple) else drawn
    rows = _in_order(rows, getattr(seen, "feature_names_in_", None), name)
    rows = check_array(rows, dtype=_FLOATS, input_name=f"sample of {name}")
    if rows.shape != (n_samples, seen.n_features_in_):
        raise ValueError(
            f"sample of {name} must give n_samples={n_samples} rows of {seen.n_features_in_} columns, "
            f"got shape {rows.shape}."
        )
    return rows


def _in_order(rows, names, generator_name):
    """A frame's columns in the order of the training rows, by their names; all else as it is."""
    if names is None or not hasattr(rows, "columns"):
        return rows
    if set(rows.columns) != set(names) or len(rows.columns) != len(names):
        raise ValueError(
            f"sample of {generator_name} must have the columns {list(names)}, got {list(rows.columns)}."
        )
    return rows[list(names)]


def _seeded(generator, seed):
    """A shallow copy with this `random_state`; the generator itself if it has none."""
    if not hasattr(generator, "get_params") or "random_state" not in generator.get_params(False):
        return generator
    return copy(generator).set_params(random_state=seed)


def _kernel_density(rows, seed):
    """Kernel density for `rows`, its bandwidth found on few and scaled by the law of the optimum.

    The few are drawn at random: generators order their rows, scikit-learn's mixtures by component.
    """
    first = np.unique(duplicate_groups(rows), return_index=True)[1]
    few = rows[np.random.RandomState(seed).permutation(first)[:_MAX_SEARCHED]]
    bandwidth = KernelDensity(bandwidth="loo").fit(few).bandwidth_
    shrinkage = (len(few) / len(first)) ** (1 / (rows.shape[1] + 4))
    return KernelDensity(bandwidth=bandwidth * shrinkage)
