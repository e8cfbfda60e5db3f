"""What each row costs: the loss that a model was trained on, as a module with one number for each row."""

import copy

import numpy as np
import torch
from scipy.special import ndtri
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.distributions import kl_divergence

from skmem.neural._bounds import push
from skmem.neural._checkpoints import stage_states
from skmem.neural._row_noise import row_noise
from skmem.neural._vae import VAE


def row_loss(estimator, n_draws=16, seed=0):
    """The loss of each row under a fitted `VAE` or skorch net, as a module in evaluation mode.

    In nats for a density; lower is better. It owns a copy of the estimator's module: `load` may change its parameters.

    Parameters
    ----------
    estimator : VAE or skorch.NeuralNet
        Fitted.
    n_draws : int, default=16
        Draws of the code of each row; for a VAE.
    seed : int, default=0
        Seed of these draws, which depend on it and on the row alone.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is neither.
    """
    from skorch import NeuralNet

    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if isinstance(estimator, VAE):
        check_is_fitted(estimator)
        return VAELoss(estimator, n_draws, seed)
    if isinstance(estimator, NeuralNet):
        check_is_fitted(estimator, "module_")
        return NetLoss(estimator)
    raise TypeError(
        f"estimator must be a skmem.neural.VAE or a skorch.NeuralNet, got {estimator!r}."
    )


class RowLoss(nn.Module):
    """``loss(*batch)`` of shape (n_rows,), on batches of what `rows` makes of `X` and `y`.

    `net` is the skorch net that was trained, `kept_states` are states of its module by epoch.
    """

    def __init__(self, module):
        super().__init__()
        self.module = copy.deepcopy(module).eval()

    @property
    def parameter(self):
        """Any floating parameter: it knows the type and the device."""
        return next(self.module.parameters())

    def load(self, state):
        """Take the parameters of a state dict; returns self."""
        self.module.load_state_dict(state)
        return self

    def batch(self, rows, block):
        """Tensors of the rows that `block` selects."""
        return tuple(self._tensor(array[block]) for array in rows)

    def _tensor(self, array):
        dtype = self.parameter.dtype if array.dtype.kind == "f" else None
        return torch.as_tensor(array, dtype=dtype, device=self.parameter.device)


class VAELoss(RowLoss):
    """Minus the ELBO as trained: beta KL(q(z|x) | p(z)) - mean over draws of log p(x|z), in nats."""

    def __init__(self, vae, n_draws, seed):
        super().__init__(vae.net_.module_)
        self.vae, self.n_draws, self.seed = vae, n_draws, seed
        self.net = vae.net_
        self.kept_states = {epoch: state() for epoch, state in stage_states(vae.net_).items()}

    def rows(self, X, y=None):
        """Arrays that batches are made of: rows as the likelihood sees them."""
        U, _ = self.vae._columns.forward(self.vae._check_query(X), self.vae.noise_seed)
        return (np.asarray(U, dtype=np.float32),)

    def batch(self, rows, block):
        """Rows and their normal noise (n_rows, n_draws, latent_dim)."""
        (U,) = rows
        shape = (self.n_draws, self.vae._n_features_out)
        uniform = row_noise(U[block], self.seed, n_values=shape[0] * shape[1])
        noise = ndtri(uniform + 2.0**-54)  # zero has no quantile
        return self._tensor(U[block]), self._tensor(noise.reshape(-1, *shape))

    def forward(self, x, noise):
        """The loss of each row. A row's draws follow one another, so that rows come first in every layer."""
        q, prior = self.module.encode(x), self.module.prior
        z = push(q, noise.movedim(1, 0))
        try:
            divergence = kl_divergence(q, prior)
        except NotImplementedError:
            divergence = (q.log_prob(z) - prior.log_prob(z)).mean(dim=0)
        codes = z.movedim(0, 1).flatten(0, 1)
        p = self.module.decode(codes)
        log_likelihood = p.log_prob(x.repeat_interleave(self.n_draws, dim=0))
        return self.vae.beta * divergence - log_likelihood.reshape(len(x), -1).mean(dim=1)


class NetLoss(RowLoss):
    """A skorch net's own loss, of each row by itself.

    Where the criterion averages over rows, the mean of these is the loss of a batch, up to weights of classes.
    """

    def __init__(self, net):
        super().__init__(net.module_)
        twin = object.__new__(
            type(net)
        )  # without its callbacks' and optimizer's state being copied
        twin.__dict__.update(
            vars(net), module_=self.module, criterion_=copy.deepcopy(net.criterion_)
        )
        self.means = getattr(twin.criterion_, "reduction", "mean") == "mean"
        if hasattr(twin.criterion_, "reduction"):
            twin.criterion_.reduction = "none"
        self.net, self.kept_states = twin, {}

    def __setstate__(self, state):
        super().__setstate__(state)
        self.net.module_ = self.module  # skorch pickles its own apart

    def double(self):
        """Change to double precision; returns self."""
        if isinstance(self.net.criterion_, nn.Module):
            self.net.criterion_.double()  # weights of classes
        return super().double()

    def rows(self, X, y=None):
        """Checked arrays of rows and targets."""
        X = check_array(X, dtype="numeric", allow_nd=True, input_name="X")
        if y is None:
            raise ValueError(
                f"y must be given for {type(self.net).__name__}: the loss of a row depends on its target; got None."
            )
        y = np.asarray(y)
        y = check_array(y, dtype="numeric", ensure_2d=False, allow_nd=True, input_name="y")
        check_consistent_length(X, y)
        classes = getattr(self.net, "classes_", None)
        if classes is not None and not np.isin(y, classes).all():
            raise ValueError(
                f"y must be among the classes that the net saw, {classes}, got {np.setdiff1d(y, classes)}."
            )
        return X, y

    def forward(self, x, y):
        """The loss of each row."""
        predicted = self.net.infer(x)
        losses = self.net.get_loss(predicted, y, X=x, training=False)
        if losses.ndim == 0:  # a criterion that knows batches alone sees batches of one row
            losses = torch.stack([self._one(predicted, x, y, i) for i in range(len(x))])
        losses = losses.reshape(len(x), -1)
        return losses.mean(dim=1) if self.means else losses.sum(dim=1)

    def _one(self, predicted, x, y, i):
        row = slice(i, i + 1)
        several = isinstance(predicted, tuple | list)
        part = type(predicted)(p[row] for p in predicted) if several else predicted[row]
        return self.net.get_loss(part, y[row], X=x[row], training=False)
