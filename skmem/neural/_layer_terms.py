"""For each kind of layer, the terms of which a row's gradient is a sum of outer products.

In the table LAYERS: functions of (module, input, gradient of the output) that yield (suffix of the name, a, delta),
with rows first and the layer's own sizes last.
"""

import torch
from torch import nn
from torch.nn import functional as F


def _linear(module, x, delta):
    yield "", _with_ones(x, module), delta


def _convolution(module, x, delta):
    patches = _patches(_padded(x, module), module, 0)
    deltas = delta.flatten(2).mT
    groups = zip(patches.chunk(module.groups, 1), deltas.chunk(module.groups, 2), strict=True)
    for g, (patch, outputs) in enumerate(groups):
        yield _suffix(g, module), _with_ones(patch.mT, module), outputs


def _transposed_convolution(module, x, delta):
    inputs, patches = x.flatten(2), _patches(delta, module, module.padding)
    groups = zip(inputs.chunk(module.groups, 1), patches.chunk(module.groups, 1), strict=True)
    if _learnt(module.weight):
        yield from ((_suffix(g, module), a.mT, patch.mT) for g, (a, patch) in enumerate(groups))
    if _learnt(module.bias):
        yield ".bias", *direct(delta.flatten(2).sum(dim=2))


def _suffix(group, module):
    return f".{group}" if module.groups > 1 else ""


def _channels(module, x, delta):
    """Scale and shift of each channel."""
    shape = (len(x), module.weight.numel(), -1)
    yield "", *_scale_and_shift(module, x, delta, lambda t: t.reshape(shape).sum(dim=2))


def _entries(module, x, delta):
    """Scale and shift of each entry of the last dimensions."""
    shape = (len(x), -1, module.weight.numel())
    yield "", *_scale_and_shift(module, x, delta, lambda t: t.reshape(shape).sum(dim=1))


def _scale_and_shift(module, x, delta, total):
    terms = (module.weight, delta * _normalised(module, x)), (module.bias, delta)
    return direct(torch.cat([total(term) for p, term in terms if _learnt(p)], dim=1))


def _normalised(module, x):
    """The output before scale and shift."""
    if isinstance(module, nn.LayerNorm):
        return F.layer_norm(x, module.normalized_shape, eps=module.eps)
    if isinstance(module, nn.GroupNorm):
        return F.group_norm(x, module.num_groups, eps=module.eps)
    if module.running_mean is None:
        raise ValueError(
            "Rows of a batch must not interact, and do in batch normalisation with track_running_stats=False; "
            f"GroupNorm does not mix rows; got {module!r}."
        )
    return F.batch_norm(x, module.running_mean, module.running_var, eps=module.eps)


def direct(gradient):
    """(a, delta) for gradients (n, n_parameters) themselves."""
    return torch.ones_like(gradient[:, :1]), gradient


def _learnt(parameter):
    return parameter is not None and parameter.requires_grad


def _with_ones(x, module):
    """Inputs if the weight learns, and a column of ones if the bias does."""
    ones = x.new_ones((*x.shape[:-1], 1))
    parts = [x] * _learnt(module.weight) + [ones] * _learnt(module.bias)
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def _padded(x, module):
    if module.padding_mode != "zeros":
        raise ValueError(
            f"Convolutions must have padding_mode='zeros', got {module.padding_mode!r}; a padding layer before one "
            "with padding=0 does the same."
        )
    pads = []  # of the last dimension first
    for j in reversed(range(len(module.kernel_size))):
        if module.padding == "same":
            total = module.dilation[j] * (module.kernel_size[j] - 1)
            pads += [total // 2, total - total // 2]
        else:
            pads += [0 if module.padding == "valid" else module.padding[j]] * 2
    return F.pad(x, pads)


def _patches(x, module, padding):
    """Patches of images or sequences, (n, channels x kernel, n_patches)."""
    sizes = [module.kernel_size, module.dilation, padding, module.stride]
    if x.ndim == 3:  # a sequence is an image of height 1
        x = x.unsqueeze(2)
        sizes = [
            s if s == 0 else (first, *s) for s, first in zip(sizes, (1, 1, 0, 1), strict=True)
        ]
    return F.unfold(x, *sizes)


LAYERS = {
    nn.Linear: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.ConvTranspose1d: _transposed_convolution,
    nn.ConvTranspose2d: _transposed_convolution,
    nn.BatchNorm1d: _channels,
    nn.BatchNorm2d: _channels,
    nn.BatchNorm3d: _channels,
    nn.GroupNorm: _channels,
    nn.LayerNorm: _entries,
}
