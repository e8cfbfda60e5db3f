"""Many small nets trained at once: their parameters are stacked, and an operation is one for all of them."""

import copy
from itertools import pairwise

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
        # Not as `Linear` has it: its gradient would be copied to transpose it.
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])

    def forward(self, x):
        """What each layer makes of its rows."""
        return torch.baddbmm(self.bias, x, self.weight)


def stack(modules):
    """One module for rows (n_nets, n_rows, n_columns) out of modules that differ in their parameters alone.

    Layers with parameters must be linear; other parameters must have those of the last dimensions of a row.
    """
    if isinstance(modules[0], nn.Linear):
        return StackedLinear(modules)
    stacked = copy.deepcopy(modules[0])
    for name, _ in modules[0].named_children():
        setattr(stacked, name, stack([getattr(module, name) for module in modules]))
    for name, _ in modules[0].named_parameters(recurse=False):
        values = torch.stack([getattr(module, name).detach() for module in modules])
        setattr(stacked, name, nn.Parameter(values[:, None]))
    return stacked


def train_together(nets, U, rows, n_epochs, redraws):
    """Run epochs as `train` does for each net, without callbacks: with the same batches and the same noise.

    Parameters
    ----------
    nets : sequence of VAENet
        Untrained, with the same parameters but for seeds.
    U : ndarray of shape (n_rows, n_columns)
        Rows, as a likelihood is about them.
    rows : sequence of integer arrays
        Those that each net is trained on.
    n_epochs : int
        Number of passes over the rows.
    redraws : sequence of callables or None
        Where not None, they make the rows of an epoch of each net from a seed instead.
    """
    for group in _alike(nets, rows):
        parts = ([values[k] for k in group] for values in (nets, rows, redraws))
        _train_alike(*parts, U, n_epochs)


def _alike(nets, rows):
    """Numbers of nets in groups of the same module, but for its parameters' values, and the same number of batches."""
    groups = {}
    for k, net in enumerate(nets):
        key = _n_batches(net, rows[k]), *map(_structure, net.module_.modules())
        groups.setdefault(repr(key), []).append(k)
    return list(groups.values())


def _n_batches(net, rows):
    return -(-len(rows) // net.batch_size)


def _structure(module):
    """What a module is, without its children and the values of its parameters."""
    settings = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    shapes = {name: p.shape for name, p in module.named_parameters(recurse=False)}
    buffers = {name: b.tolist() for name, b in module.named_buffers(recurse=False)}
    return type(module), settings, shapes, buffers


def _train_alike(nets, rows, redraws, U, n_epochs):
    stacked = stack([net.module_ for net in nets]).train()
    _share([net.module_ for net in nets], stacked)
    optimizer = torch.optim.Adam(stacked.parameters(), lr=nets[0].lr, fused=True)
    redrawn = redraws[0] is not None
    if redrawn:
        starts = np.cumsum([0, *map(len, rows)])
        rows = [np.arange(*ends) for ends in pairwise(starts)]
    plan, table = Plan(nets, rows), None if redrawn else nets[0].to_rows(U)
    for _ in range(n_epochs):
        for net in nets:
            net.history.new_epoch()
            net.history.record("epoch", len(net.history))
        if redrawn:
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
        n_batches = _n_batches(nets[0], rows[0])
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
        x = table.index_select(0, rows.flatten()).unflatten(0, rows.shape)
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
        parts = _unstacked(stacked, name, whole.detach())
        for module, part in zip(modules, parts, strict=True):
            module.get_parameter(name).data = part


def _separate(nets, stacked, optimizer):
    """Give each net its own parameters and moments, as if it had been alone."""
    for name, whole in stacked.named_parameters():
        state = dict(optimizer.state[whole])
        step = state.pop("step")
        moments = {key: _unstacked(stacked, name, values) for key, values in state.items()}
        for k, net in enumerate(nets):
            parameter = net.module_.get_parameter(name)
            parameter.data = _copied(parameter.data)
            own = {key: _copied(values[k]) for key, values in moments.items()}
            net.optimizer_.state[parameter] = {"step": step.clone(), **own}


def _unstacked(stacked, name, values):
    """What is stacked like the parameter `name`, (n_nets, *shape) with the shape of it in one net."""
    owner, _, leaf = name.rpartition(".")
    linear = isinstance(stacked.get_submodule(owner), StackedLinear)
    return values.mT if linear and leaf == "weight" else values[:, 0]


def _copied(values):
    return values.clone(memory_format=torch.contiguous_format)
