"""Fits of a cross-fit trained together: which of them, and what comes out."""

import math

import joblib
import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from skmem._base import check_train_mask
from skmem._random import child_seeds, set_random_state
from skmem._sklearn import fit_context, num_samples, safe_indexing

# On a CPU calls are won, not sums. Twice as many fits save another tenth of the time, and leave half as many groups
# for the cores; parameters with their gradients and moments beyond these bytes leave the caches. Both were measured on
# nets of 5,000 to 300,000 parameters.
_MAX_FITS = 16
_CACHE_BYTES = 8 * 2**20


def _can_fit_together(estimator):
    """Whether there is nothing that goes on in a single fit alone: a user's module, callbacks, printing, ...

    Batch normalisation has a state that is no parameter, so images are fitted one by one.
    """
    alone = (
        estimator.module is not None
        or estimator.input_shape is not None
        or estimator.callbacks
        or estimator.validation_fraction is not None
        or estimator.verbose
    )
    return not alone and str(estimator.device).split(":")[0] in ("auto", "cpu", "cuda")


class FitsTogether:
    """Methods of an estimator with `_start`, `_redraw` and `net_` that train the fits of a cross-fit at once."""

    @available_if(_can_fit_together)
    @fit_context(prefer_skip_nested_validation=True)
    def cross_fit_groups(self, X, train_mask):
        """Which fits of a cross-fit are best trained together.

        Numbers of fits; a group of one is a fit like any other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        train_mask : ndarray of shape (n_fits, n_samples), dtype bool
            True where the fit is trained on the row.

        Returns
        -------
        groups : list of ndarray of int
            Each number from 0 to n_fits - 1 once.

        Notes
        -----
        Fits of one group make the same number of batches. On a GPU groups are as large as a quarter of its memory
        allows. On a CPU they hold at most 16 fits, and as many parameters as the caches: fits of more than 260,000
        stay alone, which gain nothing. There is an even number of groups, for two cores to share; they do not depend
        on the number of cores, nor scores on how they are shared out.
        """
        mask = check_train_mask(train_mask, num_samples(X))
        n_rows = mask.sum(axis=1)
        first = clone(self).set_params(checkpoint_epochs=None)  # it is never trained
        first._start(safe_indexing(X, np.flatnonzero(mask[0])))
        size, at_least = _group_size(first, len(mask[0]))
        n_batches = -(-n_rows // self.batch_size)
        groups = []
        for n in np.unique(n_batches):
            fits = np.flatnonzero(n_batches == n)
            n_groups = at_least * math.ceil(len(fits) / (at_least * size))
            groups += np.array_split(fits, min(n_groups, len(fits)))
        return groups

    @available_if(_can_fit_together)
    @fit_context(prefer_skip_nested_validation=True)
    def cross_fit_estimators(self, X, train_mask, seeds):
        """Fit a clone for each training set, all at once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        train_mask : ndarray of shape (n_fits, n_samples), dtype bool
            True where the fit is trained on the row: those of one of the `cross_fit_groups`.
        seeds : array-like of int of shape (n_fits,)
            Seeds of the clones.

        Returns
        -------
        estimators : list of VAE
            Fitted as each would have been alone, but for the rounding of sums; `history_` has the epochs' losses.

        Raises
        ------
        ImportError, ValueError, FloatingPointError
            As in :meth:`fit`; fits diverge together.

        Notes
        -----
        First weights, batches and noise are those of the single fit, and so are all sums but for their order: losses
        and log-densities agree to the rounding of single precision, about 1e-6 nats a row, over tens of epochs. In
        longer training a rounding may tip a ReLU and lead that fit another way, as a last bit of a weight or another
        processor does: a fit of equal distribution. It may also tip the steps to the "laplace" proposal of a row:
        another estimate of the same number, to the standard error of :meth:`score_samples`. Which fits are in a group
        changes a fit by no more than that.
        """
        from skmem.neural._batched import train_together

        mask = check_train_mask(train_mask, num_samples(X))
        fits = [set_random_state(clone(self), seed) for seed in seeds]
        started = _start_all(fits, X, mask)
        train_together([fit.net_ for fit in fits], *started, self.max_epochs)
        return fits

    @available_if(_can_fit_together)
    @fit_context(prefer_skip_nested_validation=True)
    def cross_fit_score_samples(self, X, train_mask, X_eval=None, seeds=None):
        """Log-densities of points under fits to many training sets, trained together.

        In nats; higher is better; the zero is that of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        train_mask : ndarray of shape (n_fits, n_samples), dtype bool
            True where the fit is trained on the row.
        X_eval : array-like of shape (n_points, n_features), default=None
            Points to score; `X` if None.
        seeds : array-like of int of shape (n_fits,), default=None
            Seeds of the fits; drawn from `random_state` if None.

        Returns
        -------
        log_density : ndarray of shape (n_fits, n_points)
            Log p(x_j | fit k).

        Raises
        ------
        ImportError, ValueError, FloatingPointError
            As in :meth:`fit`.

        Notes
        -----
        :func:`skmem.cross_fit` does the same with workers, a cache and stages.
        """
        mask = check_train_mask(train_mask, num_samples(X))
        if seeds is None:
            seeds = child_seeds(check_random_state(self.random_state), len(mask))
        points = X if X_eval is None else X_eval
        scores = np.empty((len(mask), num_samples(points)))
        for group in self.cross_fit_groups(X, mask):
            fits = self.cross_fit_estimators(X, mask[group], np.asarray(seeds)[group])
            scores[group] = [fit.score_samples(points) for fit in fits]
        return scores


def _group_size(started, n_rows):
    """(n_fits, n_groups): how many fits to train at once, and into how many groups at least."""
    from skmem.neural._net import available_bytes

    # In single precision: parameters with gradients and two moments; rows, twice while they are stacked.
    module_bytes = 16 * sum(p.numel() for p in started.net_.module_.parameters())
    fit_bytes = module_bytes + 8 * n_rows * started.n_features_in_
    if started.net_.device.startswith("cuda"):
        return max(1, available_bytes(started.net_.device) // fit_bytes), 1
    in_memory = get_config()["working_memory"] * 2**20 // fit_bytes
    size = int(min(_MAX_FITS, _CACHE_BYTES // module_bytes, in_memory))
    return (size, 2) if size > 1 else (1, 1)


def _start_all(fits, X, mask):
    """Set up each fit for its rows: (tables, rows, redraws), as `train_together` takes them.

    Rows that are the same for several fits, such as binarised ones, are there once: fits share a table.
    """
    found, tables, redraws = {}, [], []
    rows = [np.flatnonzero(train) for train in mask]
    for fit, train in zip(fits, rows, strict=True):
        part = fit._start(safe_indexing(X, train))
        redraws.append(fit._redraw(part))
        U, _ = fit._columns.forward(part, fit.noise_seed)
        U = fit.net_.to_rows(U)
        new = U.new_zeros(len(mask[0]), U.shape[1])
        tables.append(found.setdefault(joblib.hash(fit._columns), new))
        tables[-1][train] = U
    return tables, rows, redraws
