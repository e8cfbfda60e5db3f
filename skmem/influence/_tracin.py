"""Influence along the training: products of gradients at checkpoints."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skmem._random import child_seeds
from skmem._sklearn import HasMethods, Interval, StrOptions, fit_context
from skmem.influence._ranking import top_rows
from skmem.neural._vae import require_torch


class TracIn(MetaEstimatorMixin, BaseEstimator):
    r"""Influence of training rows by products of loss gradients, summed over checkpoints.

    In nats, to first order and up to the scale of the optimizer's steps; positive for proponents, which make a point
    likelier (or lower its loss), negative for opponents; 0 is no effect.

    Needs the extra `torch`: ``pip install "skmem[torch]"``.

    Parameters
    ----------
    estimator : VAE or skorch.NeuralNet
        A fitted model, also in a :class:`sklearn.frozen.FrozenEstimator`: a :class:`skmem.neural.VAE`, or a skorch net
        with its criterion (`NeuralNet`, `NeuralNetClassifier`, `NeuralNetRegressor`, or one derived from these).
        It is never refitted.
    n_draws : int, default=16
        Reparameterised draws of the code of each row; for a VAE.
    checkpoints : {"all", "final"} or list, default="all"
        "all" are those that the VAE has kept (its `checkpoint_epochs`) and the final parameters; "final" are these
        alone. A list has state dicts of the module, or paths of files with such
        (``net.save_params(f_params=...)``), in the order of training.
    weights : array-like of shape (n_checkpoints,), default=None
        Weight of each checkpoint; None is the published one, see Notes.
    random_state : int, RandomState instance or None, default=0
        Seed of the draws, which depend on it and on the row alone: neither on the batch nor on the position.

    Attributes
    ----------
    weights_ : ndarray of shape (n_checkpoints,)
        Weight of each checkpoint.
    n_features_in_ : int
        Number of columns seen in `fit`.

    See Also
    --------
    skmem.neural.VAE : Keeps checkpoints with `checkpoint_epochs`.

    Notes
    -----
    With :math:`\ell` the loss that the model was trained on and :math:`\theta_c` the parameters at checkpoint c,

    .. math:: I(x_i, x) = \sum_c w_c \, \nabla \ell(x_i; \theta_c) \cdot \nabla \ell(x; \theta_c),
        \qquad w_c = \text{learning rate} \times \frac{\text{batch size} \times \text{iterations since } c - 1}{n}

    (Pruthi et al. 2020; Kong and Chaudhuri 2021). Iterations times batch size over n is a number of epochs. To first
    order that is what gradient descent on the *sum* of a batch's losses adds since checkpoint c - 1. Descent on their
    mean takes steps smaller by the batch size, and Adam scales those of each coordinate: ranks can be trusted more
    than sizes. The learning rate is the net's `lr`; with a schedule, give `weights`. A list of checkpoints is taken as
    evenly spread over the epochs.

    The loss of a row of a VAE is minus the ELBO with the `beta` of the training and the mean over `n_draws` draws; of
    a skorch net, its criterion on the row alone. The module is in evaluation mode, so that rows don't interact through
    batch normalisation. All parameters that require gradients count.

    The gradient of a linear layer is an outer product of its input a and the gradient :math:`\delta` of its output,
    so the product of two is :math:`(a_i \cdot a_j + 1)(\delta_i \cdot \delta_j)`: two Gram matrices for a layer stand
    for all pairs, and no gradient is made. With several positions, such as draws or the pixels of a convolution, sums
    over pairs of positions do the same, or gradients in blocks where those are less work. Products are of the
    precision of the module, mostly single. Memory is bounded by scikit-learn's `working_memory`.

    References
    ----------
    Pruthi, Liu, Kale and Sundararajan, "Estimating Training Data Influence by Tracing Gradient Descent", NeurIPS 2020.
    Kong and Chaudhuri, "Understanding Instance-based Interpretability of Variational Auto-Encoders", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.influence import TracIn
    >>> from skmem.neural import VAE
    >>> X = load_iris().data
    >>> vae = VAE(2, (8,), max_epochs=20, checkpoint_epochs=5, random_state=0).fit(X[:100])
    >>> tracin = TracIn(vae).fit(X[:100])
    >>> tracin.influence(X[100:]).shape
    (100, 50)
    >>> indices, values = tracin.top(X[100:], k=3)
    >>> indices.shape, bool((values > 0).all())
    ((50, 3), True)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods("fit")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "checkpoints": [StrOptions({"all", "final"}), list],
        "weights": [None, "array-like"],
        "random_state": ["random_state"],
    }
    true_to_size = False  # ranks more than sizes, see Notes

    def __init__(self, estimator, *, n_draws=16, checkpoints="all", weights=None, random_state=0):
        self.estimator = estimator
        self.n_draws = n_draws
        self.checkpoints = checkpoints
        self.weights = weights
        self.random_state = random_state

    # The estimator is fitted already: its parameters were checked then.
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X_train, y=None):
        """Take the training rows; the model stays as it is.

        Parameters
        ----------
        X_train : array-like of shape (n_train, n_features) or (n_train, ...)
            The rows that the model was trained on, or those of them whose influence is asked for; for a skorch net in
            the shape that its module takes.
        y : array-like of shape (n_train,) or (n_train, n_outputs), default=None
            Targets of the loss; needed for a skorch net, ignored for a VAE.

        Returns
        -------
        self : TracIn
            Ready for queries.

        Raises
        ------
        ImportError
            If torch or skorch is missing.
        NotFittedError
            If the model is not fitted.
        TypeError
            If it is neither a VAE nor a skorch net.
        ValueError
            If rows, targets or checkpoints don't suit the model, there isn't one weight for each checkpoint, or the
            module has layers that are not supported or doesn't keep rows apart.
        """
        require_torch()
        from skmem.neural._stages import check_stages, traced_stages

        self._seed = int(child_seeds(self.random_state, 1)[0])
        loss = self._loss()
        states, published = traced_stages(loss, self.checkpoints)
        self.weights_ = self._checked_weights(published)
        rows = loss.rows(X_train, y)
        check_stages(loss, states, rows)
        self._rows, self._stages = rows, list(zip(states, self.weights_.tolist(), strict=True))
        self.n_features_in_ = rows[0].shape[1]
        return self

    def influence(self, X, y=None):
        """Influence of each training row on each point.

        In nats, to first order; positive for proponents; 0 is no effect.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points: training rows, held-out or generated ones.
        y : array-like of shape (n_points,), default=None
            Targets, for a skorch net.

        Returns
        -------
        influence : ndarray of shape (n_train, n_points)
            By how much a step for training row i lowers the loss of point j.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If points don't suit the model.
        """
        blocks, n_points = self._blocks(X, y)
        influence = np.empty((len(self._rows[0]), n_points))
        for rows, points, block in blocks:
            influence[rows, points] = block
        return influence

    def self_influence(self):
        """Influence of each training row on itself.

        In nats, to first order; never negative; 0 is no effect.

        Returns
        -------
        self_influence : ndarray of shape (n_train,)
            The diagonal of `influence` for the training rows.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        from skmem.neural._gradient_products import self_influence_blocks

        total = np.zeros(len(self._rows[0]))
        for rows, values in self_influence_blocks(self._loss(), self._stages, self._rows):
            total[rows] += values
        return total

    def top(self, X, k=5, y=None, *, opponents=False):
        """The training rows of greatest influence on each point.

        Influence is in nats, to first order; positive for proponents; 0 is no effect.

        Parameters
        ----------
        X : array-like of shape (n_points, n_features)
            Points.
        k : int, default=5
            Number of training rows for each.
        y : array-like of shape (n_points,), default=None
            Targets, for a skorch net.
        opponents : bool, default=False
            Whether to list the strongest opponents instead: those of least influence, least first.

        Returns
        -------
        indices : ndarray of shape (n_points, k)
            Training rows, strongest first.
        values : ndarray of shape (n_points, k)
            Their influence. The whole matrix is never in memory.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If `k` is no number of training rows, or points don't suit the model.
        """
        blocks, n_points = self._blocks(X, y)
        n_train = len(self._rows[0])
        if not isinstance(k, Integral) or not 1 <= k <= n_train:
            raise ValueError(
                f"k must be an integer from 1 to the {n_train} training rows, got {k!r}."
            )
        return top_rows(blocks, n_points, k, opponents)

    def _loss(self):
        from skmem.neural._row_losses import row_loss

        return row_loss(self.estimator, self.n_draws, self._seed)

    def _blocks(self, X, y):
        check_is_fitted(self)
        from skmem.neural._gradient_products import influence_blocks

        loss = self._loss()
        points = loss.rows(X, y)
        for known, array in zip(self._rows, points, strict=True):
            if known.shape[1:] != array.shape[1:]:
                raise ValueError(
                    f"X and y must have the shapes of fit after the first dimension, {known.shape[1:]}, "
                    f"got {array.shape[1:]}."
                )
        return influence_blocks(loss, self._stages, self._rows, points), len(points[0])

    def _checked_weights(self, published):
        if self.weights is None:
            return published
        weights = column_or_1d(self.weights, dtype=np.float64)
        if weights.shape != published.shape or not np.isfinite(weights).all():
            raise ValueError(
                f"weights must be {len(published)} finite numbers, one for each checkpoint, got {self.weights!r}."
            )
        return weights
