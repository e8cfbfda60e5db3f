"""Many small nets trained at once: their parameters are stacked, and an operation is one for all of them."""

import copy
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.nn.utils.rnn import pad_sequence

from skmem.neural._distributions import StandardNormal
from skmem.neural._modules import MIN_POSTERIOR_SCALE, SOFTPLUS_ONE
from skmem.neural._net import divergence_message


class Layers(torch.autograd.Function):
    """Linear layers with ReLU between them, for the rows of each net, (n_nets, n_rows, n_in).

    As autograd would have it, but gradients are written where they belong: none is allocated, cleared or added up.
    """

    @staticmethod
    def forward(ctx, x, _, layers):
        """What the layers make of `x`; the second argument is any tensor that wants a gradient."""
        ctx.layers, ctx.inputs = layers, []
        for (weight, _), (bias, _) in layers:
            x = x.clamp_min_(0) if ctx.inputs else x
            ctx.inputs.append(x)
            x = torch.baddbmm(bias, x, weight.mT)
        return x

    @staticmethod
    def backward(ctx, g):
        """Gradients of the parameters, in their places, and of `x`, where it wants one."""
        for k, ((weight, weight_grad), (_, bias_grad)) in reversed([*enumerate(ctx.layers)]):
            x = ctx.inputs[k]
            torch.bmm(g.mT, x, out=weight_grad)
            torch.sum(g, dim=1, keepdim=True, out=bias_grad)
            if k:
                g = torch.bmm(g, weight).mul_(x.sign_())
            elif ctx.needs_input_grad[0]:
                return torch.bmm(g, weight), None, None
        return None, None, None


class DrawnCodes(torch.autograd.Function):
    """(z, divergence) as `elbo_terms_at` has them, of what the trunk of a `GaussianEncoder` gives."""

    @staticmethod
    def forward(ctx, h, noise):
        """Draws that `noise` stands for, and KL(q(z|x) || Normal(0, I)) of each row."""
        loc, raw_scale = h.chunk(2, dim=-1)
        raw_scale = raw_scale + SOFTPLUS_ONE
        scale = softplus(raw_scale).add_(MIN_POSTERIOR_SCALE)
        ctx.save_for_backward(loc, raw_scale, scale, noise)
        return torch.addcmul(loc, scale, noise), StandardNormal.divergence_of(loc, scale)

    @staticmethod
    def backward(ctx, g, g_divergence):
        """The gradient for `h`."""
        loc, raw_scale, scale, noise = ctx.saved_tensors
        g_divergence = g_divergence.unsqueeze(-1)
        g_loc = torch.addcmul(g, loc, g_divergence)
        g_scale = (g * noise).addcmul_(scale - 1 / scale, g_divergence)
        return torch.cat([g_loc, g_scale.mul_(raw_scale.sigmoid())], dim=-1), None


class StackedLayers(nn.Module):
    """`Layers` as a module; of each layer ((weight, its gradient), (bias, its gradient))."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.wants_gradient = torch.empty(0, requires_grad=True)

    def forward(self, x):
        """What they make of each net's rows."""
        return Layers.apply(x, self.wants_gradient, self.layers)


def stack(module, parameters):
    """A module for rows (n_nets, n_rows, n_columns) that is like `module`, with the parameters of many nets.

    `parameters` has (values, gradients) of each by its name, with the nets first. Those of linear layers are in
    Sequentials of such, with ReLU between them; others must have the last dimensions of a row.
    """
    if isinstance(module, nn.Sequential):
        names = [name for name, layer in module.named_children() if isinstance(layer, nn.Linear)]
        biases = [[part[:, None] for part in parameters[f"{name}.bias"]] for name in names]
        weights = [parameters[f"{name}.weight"] for name in names]
        return StackedLayers([*zip(weights, biases, strict=True)])
    stacked = copy.deepcopy(module)
    for child, layers in module.named_children():
        own = {
            name.removeprefix(f"{child}."): parts
            for name, parts in parameters.items()
            if name.startswith(f"{child}.")
        }
        setattr(stacked, child, stack(layers, own))
    for name, _ in module.named_parameters(recurse=False):
        values, gradients = parameters[name]
        parameter = nn.Parameter(values[:, None])
        parameter.grad = gradients[:, None]
        setattr(stacked, name, parameter)
    return stacked


def train_together(nets, tables, rows, redraws, n_epochs):
    """Run epochs as `train` does for each net, without callbacks: with the same batches and the same noise.

    Parameters
    ----------
    nets : sequence of VAENet
        Untrained, with the same parameters but for seeds.
    tables : sequence of Tensor of shape (n_samples, n_columns)
        Rows, as the likelihood of each net is about them; nets may share one.
    rows : sequence of integer arrays
        Those of its table that each net is trained on.
    redraws : sequence of callables or None
        Where not None, they make the rows of an epoch of each net from a seed instead.
    n_epochs : int
        Number of passes over the rows.
    """
    for group in _alike(nets, rows):
        parts = ([values[k] for k in group] for values in (nets, tables, rows, redraws))
        _train_alike(*parts, n_epochs)


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


def _train_alike(nets, tables, rows, redraws, n_epochs):
    flat, stacked = _stacked([net.module_ for net in nets])
    optimizer = torch.optim.Adam([flat], lr=nets[0].lr, fused=True)
    redrawn = redraws[0] is not None
    if redrawn:
        starts = np.cumsum([0, *map(len, rows)])
        rows = [np.arange(*ends) for ends in pairwise(starts)]
    else:
        table, rows = _one_table(tables, rows)
    plan = Plan(nets, rows)
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
    _check_finite(nets[0], [flat])
    _separate(nets, optimizer.state[flat])


def _one_table(tables, rows):
    """(table, rows): the tables, each once, below one another, and rows by their numbers there."""
    distinct = {id(table): table for table in tables}
    starts = dict(zip(distinct, np.cumsum([0, *map(len, distinct.values())]), strict=False))
    moved = [starts[id(table)] + own for table, own in zip(tables, rows, strict=True)]
    return torch.cat([*distinct.values()]), moved


def _stacked(modules):
    """(flat, stacked): all parameters of all modules in one tensor, and a module that computes with them.

    The parameters of `modules` become parts of `flat`, so whoever looks at one sees it as it is in training.
    """
    every = torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])
    flat = nn.Parameter(torch.empty_like(every))
    flat.grad = torch.zeros_like(flat)
    values, gradients = (
        _parts(whole, modules[0], len(modules)) for whole in (flat.detach(), flat.grad)
    )
    for name, parts in values.items():
        for module, part in zip(modules, parts, strict=True):
            parameter = module.get_parameter(name)
            parameter.data = part.copy_(parameter.data)
    parameters = {name: (values[name], gradients[name]) for name in values}
    return flat, stack(modules[0], parameters).train()


def _parts(flat, module, n_modules):
    """What `flat` holds of each parameter, (n_modules, *shape) by its name."""
    shapes = {name: p.shape for name, p in module.named_parameters()}
    parts = flat.split([n_modules * shape.numel() for shape in shapes.values()])
    return {
        # Products with a narrow matrix are fastest where its rows, as they lie in memory, are the long side.
        name: part.view(n_modules, *shape[::-1]).mT
        if len(shape) == 2 and shape[0] > shape[1]
        else part.view(n_modules, *shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


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
        every = [batch for batches in zip(*split, strict=True) for batch in batches]
        dtype = next(nets[0].module_.parameters()).dtype
        weights = [torch.full_like(batch, 1 / len(batch), dtype=dtype) for batch in every]
        # Padding points at the first row of the epoch, which is as good as any.
        self._slots = self._padded(every)
        self.weights = self._padded(weights)
        self._noise = torch.zeros(
            (*self.weights.shape, *nets[0].module_.prior.event_shape), dtype=dtype, device=device
        )

    def _padded(self, parts):
        return pad_sequence(parts, batch_first=True).unflatten(0, (-1, len(self.nets)))

    def draw(self):
        """(rows, noise) of an epoch's batches, each (n_batches, n_nets, batch_size, ...)."""
        return torch.stack([self._draw(k) for k in range(len(self.nets))], dim=1), self._noise

    def _draw(self, k):
        generator, rows = self.nets[k].epoch_generator(), self.rows[k]
        order = torch.randperm(len(rows), generator=generator, device=rows.device)
        for batch, size in zip(self._noise[:, k], self.sizes[k], strict=True):
            batch[:size].normal_(generator=generator)
        return rows[order][self._slots[:, k]]


def _run_epoch(stacked, optimizer, table, plan, beta):
    """Losses of all batches, (n_batches, n_nets)."""
    losses, added = [], [p.grad for p in stacked.parameters()]  # autograd adds to these
    for rows, noise, weights in zip(*plan.draw(), plan.weights, strict=True):
        x = table.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        z, divergence = DrawnCodes.apply(stacked.encoder.trunk(x), noise)
        log_likelihood = stacked.decode(z).log_prob(x)
        loss = ((beta * divergence - log_likelihood) * weights).sum(dim=1)
        for gradient in added:
            gradient.zero_()
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


def _separate(nets, state):
    """Give each net its own parameters and moments, as if it had been alone."""
    module, step = nets[0].module_, state["step"]
    moments = {
        key: _parts(whole, module, len(nets)) for key, whole in state.items() if key != "step"
    }
    for k, net in enumerate(nets):
        for name, parameter in net.module_.named_parameters():
            parameter.data = _copied(parameter.data)
            own = {key: _copied(parts[name][k]) for key, parts in moments.items()}
            net.optimizer_.state[parameter] = {"step": step.clone(), **own}


def _copied(values):
    return values.clone(memory_format=torch.contiguous_format)
