"""Gradients of single rows, layer by layer, from each layer's inputs and output gradients.

The contract
------------
``layer_gradients(loss, batch)`` takes a torch module `loss` whose ``loss(*batch)`` is one number for each row (see
`skmem.neural._row_losses`), and a tuple of tensors with rows first. It returns a list of `LayerGradient`, always the
same layers in the same order. One of them stands for some parameters of the module, and says of row i

    gradient[i] = sum_p  delta[i, p] (outer product) a[i, p]        of shape (n_out, n_in)

without computing it: positions p are the pixels, time steps or draws at which the layer was called for the row.

- Linear, Conv1d, Conv2d (each group by itself): `a` are inputs, patches of them for a convolution, with a last column
  of ones for the bias; `delta` are gradients of the row's loss with respect to the layer's output.
- ConvTranspose1d, ConvTranspose2d: `a` are inputs, `delta` patches of output gradients; the bias is a layer of its
  own.
- Everything else is direct: `delta` (n, 1, n_parameters) is the gradient and `a` is 1. So are batch, layer and group
  normalisation, and together all other ("free") parameters, by `torch.func.vmap`.

A layer that is called several times has the positions of all calls. Parameters that don't require gradients are left
out. What this asks of the module, `check_layer_gradients` tests on a few rows: rows come first in every layer (n rows,
or n times some number with a row's entries next to each other), layers are called, and rows of a batch don't interact.
"""

from dataclasses import dataclass

import torch
from torch.func import functional_call, grad, vmap

from skmem.neural._layer_terms import LAYERS, direct

# Gradients of free parameters are made for each row; more than so many belong to a layer that should be named.
_MAX_FREE = 10_000


@dataclass(frozen=True)
class LayerGradient:
    """Gradients of rows with respect to one layer's parameters: sum_p delta[i, p] (outer product) a[i, p].

    Of the row's loss; a positive product of two means that a step for one row lowers the loss of the other.
    """

    name: str
    a: torch.Tensor  # (n_rows, n_positions, n_in)
    delta: torch.Tensor  # (n_rows, n_positions, n_out)

    def explicit(self):
        """The gradients themselves, (n_rows, n_out, n_in)."""
        return self.delta.mT @ self.a


def layer_gradients(loss, batch):
    """Gradients of each row's loss, as `LayerGradient` for each layer; see above.

    Parameters
    ----------
    loss : torch.nn.Module
        ``loss(*batch)`` has shape (n_rows,).
    batch : tuple of Tensor
        Each (n_rows, ...).
    """
    calls = _backward(loss, batch)
    parts = {}
    for name, module, x, delta in calls:
        for part, *terms in LAYERS[type(module)](module, x, delta):
            pair = [t.reshape(len(batch[0]), -1, t.shape[-1]) for t in terms]
            parts.setdefault(name + part, []).append(pair)
    found = [LayerGradient(name, *_side_by_side(pairs)) for name, pairs in parts.items()]
    found.sort(key=lambda layer: layer.name)
    free = free_parameters(loss)
    return [*found, *([_free_gradients(loss, free, batch)] if free else [])]


def _side_by_side(pairs):
    """The positions of all calls of a layer."""
    return pairs[0] if len(pairs) == 1 else [torch.cat(t, dim=1) for t in zip(*pairs, strict=True)]


def _backward(loss, batch):
    """(name, module, input, gradient of the output) of every call of a layer that has something to learn."""
    calls, hooks = [], []

    def record(name):
        def hook(module, args, output):
            calls.append((name, module, args[0].detach(), output))
            return output.clone()  # what follows may change it in place

        return hook

    for name, module in loss.named_modules():
        if type(module) in LAYERS and _trainable(module):
            hooks.append(module.register_forward_hook(record(name)))
    try:
        with torch.enable_grad():
            total = loss(*batch).sum()
    finally:
        for hook in hooks:
            hook.remove()
    outputs = [output for *_, output in calls]
    # Rows don't interact, so this is for each row the gradient of its own loss.
    deltas = torch.autograd.grad(total, outputs, allow_unused=True) if outputs else []
    pairs = zip(calls, deltas, strict=True)
    return [(*call, delta) for (*call, _), delta in pairs if delta is not None]


def _trainable(module):
    return any(p.requires_grad for p in module.parameters(recurse=False))


def free_parameters(loss):
    """``{name: parameter}`` of what no layer's inputs and outputs give the gradient of.

    Raises
    ------
    ValueError
        If they are too many, or if two modules share a parameter.
    """
    free, owners = {}, {}
    for path, module in loss.named_modules():
        for name, parameter in module.named_parameters(path, recurse=False):
            owner = owners.setdefault(parameter, name)
            if parameter.requires_grad and owner != name:
                raise ValueError(
                    f"Two layers must not share a parameter: {owner} is {name}. Call one layer twice instead."
                )
            if parameter.requires_grad and type(module) not in LAYERS:
                free[name] = parameter
    n_free = sum(p.numel() for p in free.values())
    if n_free > _MAX_FREE:
        raise ValueError(
            f"{_named(loss, free)} are not supported with more than {_MAX_FREE} {_ELSE}"
        )
    return free


_ELSE = (
    "parameters in all. Leave them out by parameter.requires_grad_(False), or build the module of Linear, Conv and "
    "normalisation layers."
)


def _named(loss, free):
    """The layers that own free parameters, in words."""
    modules = dict(loss.named_modules())
    owners = dict.fromkeys(name.rpartition(".")[0] for name in free)
    named = [f"{type(modules[o]).__name__} ({o or 'the module itself'})" for o in owners]
    return f"Layers {', '.join(named)}"


def _free_gradients(loss, free, batch):
    def row_loss(values, *row):
        return functional_call(loss, values, tuple(t[None] for t in row)).sum()

    values = {name: p.detach() for name, p in free.items()}
    try:
        with torch.no_grad():  # for all but the gradient inside
            rows = vmap(grad(row_loss), in_dims=(None, *[0] * len(batch)))(values, *batch)
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"{_named(loss, free)} are not supported, since torch.func.vmap does not take them: {error}"
        ) from error
    rows = torch.cat([g.reshape(len(g), -1) for g in rows.values()], dim=1)
    return LayerGradient("free", *(t[:, None] for t in direct(rows)))


def check_layer_gradients(loss, batch, rtol=1e-2):
    """Hold the gradients of a few rows, made from layers, against those of each row by itself.

    Raises
    ------
    ValueError
        If they differ, or are not finite.
    """
    found = batch[0].new_zeros(len(batch[0]), dtype=torch.float64)
    for layer in layer_gradients(loss, batch):
        found += layer.explicit().square().sum(dim=(1, 2))
    parameters = [p for p in loss.parameters() if p.requires_grad]
    for i, norm in enumerate(found.tolist()):
        row = tuple(t[i : i + 1] for t in batch)
        grads = torch.autograd.grad(loss(*row).sum(), parameters, allow_unused=True)
        alone = sum(g.square().sum().item() for g in grads if g is not None)
        if not abs(alone) < float("inf"):
            raise ValueError(f"The gradient of a row must be finite, got squared norm {alone}.")
        if abs(norm - alone) > rtol * alone:
            raise ValueError(
                "Gradients of single rows can't be told from the inputs and outputs of layers: the module must keep "
                "rows in the first dimension, call its layers, and not let rows of a batch interact; got squared norm "
                f"{norm:.6g} for row {i} where the row alone has {alone:.6g}."
            )
