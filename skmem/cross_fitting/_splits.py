"""Which rows each fit is trained on: every splitter comes down to one boolean array."""

from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    check_cv,
)
from sklearn.utils import check_random_state

from skmem._random import child_seeds
from skmem._sklearn import GroupsConsumerMixin, num_samples
from skmem.density._checks import check_groups


class SubsetSplit(BaseCrossValidator):
    """Random training subsets of a fixed share of the rows; the rest is the test set.

    Every row is in about ``fraction * n_subsets`` training sets and out of the others.

    Parameters
    ----------
    fraction : float, default=0.7
        Share of the rows in each training set, strictly between 0 and 1. The training set has
        ``round(fraction * n_samples)`` rows.
    n_subsets : int, default=100
        Number of subsets.
    random_state : int, RandomState instance or None, default=None
        Seed of the subsets. The first subsets are the same for any larger `n_subsets`.

    Notes
    -----
    The design of Feldman & Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020. With
    t subsets of share p, the expected squared error of their memorization estimate is at most
    1/(pt) + 1/((1-p)t) + exp(-pt/16)/2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.cross_fitting import SubsetSplit
    >>> splitter = SubsetSplit(fraction=0.7, n_subsets=3, random_state=0)
    >>> [len(train) for train, test in splitter.split(np.zeros((10, 2)))]
    [7, 7, 7]
    """

    def __init__(self, fraction=0.7, n_subsets=100, random_state=None):
        self.fraction = fraction
        self.n_subsets = n_subsets
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of subsets.

        Parameters
        ----------
        X : None
            Ignored; here for scikit-learn's conventions.
        y : None
            Ignored; here for scikit-learn's conventions.
        groups : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        int
            ``n_subsets``.
        """
        return self.n_subsets

    def split(self, X, y=None, groups=None):
        """Generate indices of the training subsets and of the rows left out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to split.
        y : None
            Ignored; here for scikit-learn's conventions.
        groups : None
            Ignored; here for scikit-learn's conventions.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Sorted indices of the training rows.
        test : ndarray of shape (n_samples - n_train,)
            Sorted indices of the other rows.

        Raises
        ------
        ValueError
            If `fraction` or `n_subsets` is out of range, or a side of the split would be empty.
        """
        n_samples = num_samples(X)
        n_train = self._n_train(n_samples)
        rng = check_random_state(self.random_state)
        for _ in range(self.n_subsets):
            order = rng.permutation(n_samples)
            yield np.sort(order[:n_train]), np.sort(order[n_train:])

    def _n_train(self, n_samples):
        """Rows in a training set, the parameters being in range."""
        if not isinstance(self.n_subsets, Integral) or self.n_subsets < 1:
            raise ValueError(f"n_subsets must be an int of at least 1, got {self.n_subsets!r}.")
        if not isinstance(self.fraction, Real) or not 0 < self.fraction < 1:
            raise ValueError(
                f"fraction must be a number strictly between 0 and 1, got {self.fraction!r}."
            )
        n_train = round(self.fraction * n_samples)
        if not 0 < n_train < n_samples:
            raise ValueError(
                f"fraction={self.fraction!r} of n_samples={n_samples} must leave both a training "
                f"and a test row, got {n_train} training rows."
            )
        return n_train


def is_fold_number(cv):
    """Whether `cv` is a number of folds, and no splitter."""
    return isinstance(cv, Integral) and not isinstance(cv, bool)


def repeats_of(cv, n_repeats, default):
    """`n_repeats`, but 1 for a splitter where it was left at its `default`: a splitter repeats itself."""
    return n_repeats if is_fold_number(cv) or n_repeats != default else 1


def train_masks(cv, X, y=None, groups=None, *, n_repeats=1, stratify=False, random_state=None):
    """Return the training rows of every fit of a cross-validation, bool (n_fits, n_samples).

    True where the fit is trained on the row.

    An int `cv` is shuffled K-fold, repeated `n_repeats` times, that keeps `groups` whole; the masks
    of fewer repeats are the first of those of more. A splitter, or an iterable of (train, test) indices, is used as it
    stands; a row that is not among the training rows of a fit is out of it, whether or not it is
    among its test rows.

    Raises
    ------
    ValueError
        If an argument is out of range or lacks what the splitter needs, or an index names no row.
    """
    n_samples = _check_rows(X, y, groups)
    is_int = is_fold_number(cv)
    _check_repeats(n_repeats, is_int)
    if is_int:
        _check_folds(cv, n_samples, needs_y=stratify and y is None)
        seed = int(child_seeds(random_state, 1)[0])
        labels = y if stratify else None
        if groups is not None:
            return _group_masks(
                int(cv), int(n_repeats), check_groups(groups, n_samples), labels, seed
            )
        folds = RepeatedStratifiedKFold if stratify else RepeatedKFold
        splitter = folds(n_splits=int(cv), n_repeats=int(n_repeats), random_state=seed)
    else:
        splitter = _check_splitter(cv, groups)
    pairs = enumerate(splitter.split(X, y, groups))
    masks = [_mask_of(train, n_samples, fit) for fit, (train, _) in pairs]
    if not masks:
        raise ValueError(f"cv must yield at least one (train, test) pair, got none from {cv!r}.")
    return np.stack(masks)


def _check_rows(X, y, groups):
    """Check that `y` and `groups` have the rows of `X`; return their number."""
    n_samples = num_samples(X)
    if n_samples < 2:
        raise ValueError(
            f"X must have at least 2 rows to leave one out, got n_samples={n_samples}."
        )
    for name, values in (("y", y), ("groups", groups)):
        if values is not None and num_samples(values) != n_samples:
            raise ValueError(
                f"{name} must have one entry for each of the {n_samples} rows of X, "
                f"got {num_samples(values)}."
            )
    return n_samples


def _check_repeats(n_repeats, is_int):
    """Check that `n_repeats` is in range, and 1 where `cv` says all."""
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(f"n_repeats must be an int of at least 1, got {n_repeats!r}.")
    if n_repeats > 1 and not is_int:
        raise ValueError(
            f"n_repeats must be 1 unless cv is an int, got {n_repeats}: "
            "a splitter is used as it stands, so let it repeat itself."
        )


def _check_folds(cv, n_samples, needs_y):
    """Check what an int `cv` asks for."""
    if not 2 <= cv <= n_samples:
        raise ValueError(f"cv must be from 2 to the number of rows of X, {n_samples}, got {cv}.")
    if needs_y:
        raise ValueError("y must be given to stratify the folds by it, got None.")


def _group_masks(n_folds, n_repeats, groups, y, seed):
    """Training rows of shuffled K-folds that keep groups whole, bool (n_repeats * n_folds, n_samples).

    Groups are dealt out to the folds in random order, those of one label in `y` (that of their first row) after
    another. Their number in the folds differs by one at most, whatever the sizes of the groups.
    """
    values, first = np.unique(groups, return_index=True)
    if n_folds > len(values):
        raise ValueError(f"cv must be at most the number of groups, {len(values)}, got {n_folds}.")
    masks = []
    for child in child_seeds(seed, n_repeats):
        order = check_random_state(int(child)).permutation(len(values))
        if y is not None:
            labels = np.unique(np.asarray(y)[first], return_inverse=True)[1]
            order = order[np.argsort(labels[order], kind="stable")]
        fold = np.empty(len(values), dtype=np.intp)
        fold[order] = np.arange(len(values)) % n_folds
        masks.append(fold[groups] != np.arange(n_folds)[:, np.newaxis])
    return np.concatenate(masks)


def _check_splitter(cv, groups):
    """Return `cv`, not an int, as an object with a `split` method that has all it needs."""
    if cv is None or isinstance(cv, bool):
        raise ValueError(f"cv must be an int, a splitter or an iterable of splits, got {cv!r}.")
    if isinstance(cv, GroupsConsumerMixin) and groups is None:
        raise ValueError(f"groups must be given for cv={cv!r}, got None.")
    return check_cv(cv)


def _mask_of(train, n_samples, fit):
    """Return the boolean mask of the training rows of one fit, from indices or from a mask."""
    train = np.asarray(train)
    if train.dtype == np.bool_ and train.shape == (n_samples,):
        train = np.flatnonzero(train)
    if train.ndim != 1 or train.size == 0 or not np.issubdtype(train.dtype, np.integer):
        raise ValueError(
            f"cv must give the training rows of each fit as a non-empty 1-d array of indices, "
            f"got shape {train.shape} and dtype {train.dtype} in fit {fit}."
        )
    if train.min() < 0 or train.max() >= n_samples:
        raise ValueError(
            f"cv must give training rows from 0 to {n_samples - 1}, "
            f"got {train.min()} to {train.max()} in fit {fit}."
        )
    mask = np.zeros(n_samples, dtype=bool)
    mask[train] = True
    if mask.sum() < train.size:
        raise ValueError(
            f"cv must name each training row once, "
            f"got {train.size - mask.sum()} repeats in fit {fit}."
        )
    return mask
