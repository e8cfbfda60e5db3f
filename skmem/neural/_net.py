"""Training: a skorch net whose loss is minus the ELBO, on batches sliced from tensors in memory."""

import math
import threading
from contextlib import contextmanager

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from skmem.neural._bounds import elbo_terms

_GLOBAL_SEED = threading.Lock()
_GATHERED_BYTES = 2**20


@contextmanager
def global_seed(seed, device):
    """Seed torch's global generator of a device for what can be seeded in no other way, and put it back.

    One thread at a time: whoever else draws from it would draw different numbers each run.
    """
    device = torch.device(device)
    gpus = [device] if device.type == "cuda" else []
    with _GLOBAL_SEED, torch.random.fork_rng(gpus):
        torch.random.default_generator.manual_seed(int(seed))
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(int(seed))
        yield


def available_bytes(device):
    """A quarter of a GPU's memory: what else is there may need the rest."""
    return torch.cuda.get_device_properties(device).total_memory // 4


class NegativeELBO(nn.Module):
    """-(log p(x|z) - beta log q(z|x)/p(z)), the mean over rows, in nats."""

    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta

    def forward(self, log_likelihood, divergence):
        """The loss of a batch."""
        return -torch.sub(log_likelihood, divergence, alpha=self.beta).mean()


class TrainingStopped(KeyboardInterrupt):
    """A callback has had enough. skorch's callbacks say so as if Ctrl-C had been pressed."""


class Batches:
    """Batches of near-equal size, slices of a tensor: in the order that `order(n)` draws, or as they stand."""

    def __init__(self, x, batch_size, order):
        self.x, self.batch_size, self.order = x, batch_size, order

    def __iter__(self):
        n = len(self.x)
        rows = self.order(n) if self.order else torch.arange(n, device=self.x.device)
        batches = rows.tensor_split(-(-n // self.batch_size))
        # Rows of several batches are gathered at once: a call for each would cost a small net a part of its time.
        n_together = max(1, _GATHERED_BYTES // (self.x[:1].nbytes * self.batch_size))
        for first in range(0, len(batches), n_together):
            some = batches[first : first + n_together]
            gathered = self.x.index_select(0, torch.cat(some)).split([len(b) for b in some])
            yield from zip(gathered, some, strict=True)  # skorch wants a target too


class VAENet(NeuralNet):
    """skorch's net with minus the ELBO as its loss. What it draws depends on `seed` and the epoch's number alone.

    Its rows are `U`, as a likelihood is about them. `redraw`, where there is one, makes those of an epoch from a seed.
    """

    def __init__(
        self,
        module,
        *,
        criterion=NegativeELBO,
        optimizer=torch.optim.Adam,
        seed=0,
        validation_fraction=None,
        redraw=None,
        **kwargs,
    ):
        super().__init__(module, criterion=criterion, optimizer=optimizer, **kwargs)
        self.seed, self.validation_fraction, self.redraw = seed, validation_fraction, redraw

    def _set_training(self, training=True):
        # Walking through all submodules for each batch takes a tenth of the training of a small net.
        if self.module_.training != training:
            super()._set_training(training)

    def notify(self, method_name, **kwargs):
        """Tell the callbacks that listen, and tell their wish to stop from a real Ctrl-C."""
        getattr(self, method_name)(self, **kwargs)
        try:
            for callback in self._listeners(method_name):
                getattr(callback, method_name)(self, **kwargs)
        except KeyboardInterrupt as stop:
            raise TrainingStopped from stop

    def _listeners(self, method_name):
        """Callbacks that have a method of their own: calls of the empty ones cost more than a small net's layers."""
        empty = getattr(Callback, method_name)
        return [c for _, c in self.callbacks_ if getattr(type(c), method_name) is not empty]

    def train_step(self, batch):
        """Skorch's, without what is for optimisers that evaluate the loss more than once."""
        for group in self.optimizer_.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        step = self.train_step_single(batch)
        if self._listeners("on_grad_computed"):
            named = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named, batch=batch, training=True)
        self.optimizer_.step()
        return step

    def get_split_datasets(self, X, y=None, **fit_params):
        """Tensors of the rows to train on, and of those to validate on or None."""
        train_rows, validation_rows = self._split(len(X))
        if not len(validation_rows):
            return self.to_rows(X), None
        return self.to_rows(X[train_rows]), self.to_rows(X[validation_rows])

    def _split(self, n):
        n_valid = min(int(np.ceil((self.validation_fraction or 0) * n)), n - 1)
        order = np.random.default_rng(self.seed).permutation(n)
        return np.sort(order[n_valid:]), np.sort(order[:n_valid])

    def to_rows(self, X):
        """An array as the module takes it."""
        return torch.as_tensor(X, dtype=torch.float32, device=self.device)

    def get_iterator(self, dataset, training=False):
        """Batches, in random order for training."""
        return Batches(dataset, self.batch_size, self._order if training else None)

    def _order(self, n):
        return torch.randperm(n, generator=self.generator_, device=self.generator_.device)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """One pass over the batches; validation draws the same in every epoch."""
        if iterator is None:
            return
        if training and self.redraw is not None:
            U = self.redraw(self.epoch_seed())
            iterator.x = self.to_rows(U[self._split(len(U))[0]])
        self.generator_ = self.epoch_generator(training)
        try:
            self._run_batches(iterator, training, prefix, step_fn)
        finally:
            del self.generator_  # it can't be pickled

    def epoch_seed(self, training=True):
        """Seed of all that the current epoch draws."""
        epoch = len(self.history) if training else 0
        return int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])

    def epoch_generator(self, training=True):
        """Generator of an epoch: of the order of its rows, then of the noise of its batches one after another."""
        return torch.Generator(self.device).manual_seed(self.epoch_seed(training))

    def _run_batches(self, iterator, training, prefix, step_fn):
        """Steps, with skorch's history and callbacks.

        Skorch looks up the place in its history for each number, which takes long beside a step of a small net.
        """
        batches = self.history[-1]["batches"]
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            batches[-1][f"{prefix}_loss"] = step["loss"].item()
            batches[-1][f"{prefix}_batch_size"] = len(batch[0])
            self.notify("on_batch_end", batch=batch, training=training, **step)
        n_batches = sum(f"{prefix}_loss" in batch for batch in batches)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def infer(self, x, **fit_params):
        """(log p(x|z), divergence) of each row, at one draw z."""
        return elbo_terms(self.module_, x, self.generator_)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Minus the ELBO.

        Raises
        ------
        FloatingPointError
            If it is not finite.
        """
        loss = self.criterion_(*y_pred)
        if not math.isfinite(loss.item()):
            raise FloatingPointError(divergence_message(len(self.history), self.lr))
        return loss


def divergence_message(epoch, learning_rate):
    """What went wrong, where, and what to try."""
    return (
        f"Training diverged in epoch {epoch} with learning_rate={learning_rate:g}: the loss is not finite. Try a "
        f"tenth of it, learning_rate={learning_rate / 10:g}; look for extreme values in X; or raise min_scale."
    )


def train(net, U, n_epochs, redraw=None):
    """Run epochs as skorch's partial_fit does, but let Ctrl-C through: a fit cut short by it is no fit."""
    net.notify("on_train_begin", X=U, y=None)
    net.redraw = redraw
    try:
        net.fit_loop(U, epochs=n_epochs)
    except TrainingStopped:
        pass
    except KeyError as error:  # from skorch's history
        if net.validation_fraction or "valid_loss" not in str(error):
            raise
        raise ValueError(
            "validation_fraction must be given for callbacks that watch valid_loss, got None; train_loss is always "
            "there."
        ) from error
    finally:
        net.redraw = None  # it holds the rows
    net.notify("on_train_end", X=U, y=None)
    if not all(torch.isfinite(p).all() for p in net.module_.parameters()):
        raise FloatingPointError(divergence_message(len(net.history), net.lr))
