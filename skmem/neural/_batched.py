"""Many small nets trained at once: their parameters are stacked, and an operation is one for all of them."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from skmem.neural._bounds import elbo_terms_at
from skmem.neural._net import divergence_message


class StackedLinear(nn.Module):
    """Linear layers side by side, each for its own rows: (n_nets, n_rows, n_in) to (n_nets, n_rows, n_out)."""

    def __init__(self, layers):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])

    def forward(self, x):
        """What each layer makes of its rows."""
        return torch.baddbmm(self.bias, x, self.weight.mT)


def stack(modules):
    """One module for rows (n_nets, n_rows, n_columns) out of modules that differ in their parameters alone.

    Layers must be linear or work on the last dimension; other parameters must be for the last dimensions.
    """
    if isinstance(modules[0], nn.Linear):
        return StackedLinear(modules)
    stacked = copy.deepcopy(modules[0])
    for name, _ in modules[0].named_children():
        setattr(stacked, name, stack([getattr(module, name) for module in modules]))
    for name, parameter in modules[0].named_parameters(recurse=False):
        values = torch.stack([getattr(module, name).detach() for module in modules])
        # A scalar belongs to every column.
        shape = (len(modules), 1, *(parameter.shape or (1,)))
        setattr(stacked, name, nn.Parameter(values.view(shape)))
    return stacked


def train_together(nets, U, rows, n_epochs, redraws):
    """Run epochs as `train` does for each net, without callbacks: with the same batches and the same noise.

    Parameters
    ----------
    nets : sequence of VAENet
        Untrained, alike but for their seeds and weights.
    U : ndarray of shape (n_rows, n_columns), or None
        Rows, as a likelihood is about them; None where they are redrawn.
    rows : sequence of integer arrays
        Those that each net is trained on. They must make the same number of batches.
    n_epochs : int
        Number of passes over the rows.
    redraws : sequence of callables, or None
        Make the rows of an epoch of each net from a seed; they are numbered through, as in `rows`.
    """
    modules = [net.module_ for net in nets]
    stacked = stack(modules).train()
    _share(modules, stacked)
    optimizer = torch.optim.Adam(stacked.parameters(), lr=nets[0].lr, fused=True)
    plan, table = Plan(nets, rows), None if U is None else nets[0].to_rows(U)
    for _ in range(n_epochs):
        for net in nets:
            net.history.new_epoch()
            net.history.record("epoch", len(net.history))
        if redraws is not None:
            drawn = [draw(net.epoch_seed()) for draw, net in zip(redraws, nets, strict=True)]
            table = nets[0].to_rows(np.concatenate(drawn))
        losses = _run_epoch(stacked, optimizer, table, plan, nets[0].criterion_.beta)
        _check_finite(nets[0], [losses])
        _record(nets, plan, losses)
    _check_finite(nets[0], stacked.parameters())
    _separate(nets, stacked, optimizer)


class Plan:
    """Which rows the batches of an epoch take, and with what noise, as `Batches` and `elbo_terms` would draw them.

    Batches are padded to one size by rows of weight zero.
    """

    def __init__(self, nets, rows):
        self.nets, device = nets, nets[0].device
        self.rows = [torch.as_tensor(r, device=device) for r in rows]
        n_batches = -(-len(rows[0]) // nets[0].batch_size)
        split = [torch.arange(len(r), device=device).tensor_split(n_batches) for r in rows]
        self.sizes = [[len(batch) for batch in batches] for batches in split]
        shape = (len(nets), n_batches, -1)
        every = [batch for batches in split for batch in batches]
        weights = [torch.full_like(batch, 1 / len(batch), dtype=torch.float32) for batch in every]
        # Padding points at the first row of the epoch, which is as good as any.
        self._slots = pad_sequence(every, batch_first=True).view(shape)
        self.weights = pad_sequence(weights, batch_first=True).view(shape).unbind(dim=1)

    def draw(self):
        """(rows, noise) of an epoch's batches, each (n_nets, batch_size, ...) for every batch."""
        drawn = [self._draw(k) for k in range(len(self.nets))]
        return [torch.stack(parts, dim=1) for parts in zip(*drawn, strict=True)]

    def _draw(self, k):
        net, rows, slots = self.nets[k], self.rows[k], self._slots[k]
        generator, dim = net.epoch_generator(), net.module_.prior.event_shape
        order = torch.randperm(len(rows), generator=generator, device=rows.device)
        noise = torch.cat(
            [
                torch.randn((size, *dim), generator=generator, device=rows.device)
                for size in self.sizes[k]
            ]
        )
        return rows[order][slots], noise[slots]


def _run_epoch(stacked, optimizer, table, plan, beta):
    """Losses of all batches, (n_batches, n_nets)."""
    losses = []
    for rows, noise, weights in zip(*plan.draw(), plan.weights, strict=True):
        x = table[rows]
        log_likelihood, divergence = elbo_terms_at(stacked, x, stacked.encode(x), noise)
        loss = ((beta * divergence - log_likelihood) * weights).sum(dim=1)
        optimizer.zero_grad()
        # Parameters of one net have no part in the loss of another.
        loss.sum().backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def _check_finite(net, tensors):
    """Raise a FloatingPointError as for a net that diverges alone: the others, whom it does not harm, are lost too."""
    if not all(torch.isfinite(values).all() for values in tensors):
        raise FloatingPointError(divergence_message(len(net.history), net.lr))


def _record(nets, plan, losses):
    """Record each net's mean loss over the rows of an epoch, and keep the states that are wanted."""
    sizes = torch.tensor(plan.sizes, dtype=torch.float64)
    means = (losses.T.cpu() * sizes).sum(dim=1) / sizes.sum(dim=1)
    for net, loss in zip(nets, means.tolist(), strict=True):
        net.history.record("train_loss", loss)
        if "checkpoints" in (callbacks := dict(net.callbacks_)):
            callbacks["checkpoints"].on_epoch_end(net)


def _share(modules, stacked):
    """Make the parameters of `modules` views of the stacked ones."""
    for name, whole in stacked.named_parameters():
        for module, part in zip(modules, whole.detach(), strict=True):
            parameter = module.get_parameter(name)
            parameter.data = part.view(parameter.shape)


def _separate(nets, stacked, optimizer):
    """Give each net its own parameters and moments, as if it had been alone."""
    for name, whole in stacked.named_parameters():
        moments = optimizer.state[whole]
        for k, net in enumerate(nets):
            parameter = net.module_.get_parameter(name)
            parameter.data = parameter.data.clone()
            net.optimizer_.state[parameter] = {
                key: value.clone() if key == "step" else value[k].view(parameter.shape).clone()
                for key, value in moments.items()
            }
