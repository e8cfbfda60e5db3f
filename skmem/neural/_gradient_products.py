"""Inner products of rows' gradients, in blocks of bounded memory, without making gradients that are large."""

import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from skmem.neural._layer_gradients import LayerGradient, layer_gradients
from skmem.neural._layer_terms import direct

# Parts of scikit-learn's working_memory: gradients of the points that are held while all training rows pass by, those
# of a block of training rows, what a backward pass records, and products of positions.
_HELD, _PASSING, _RECORDED, _TEMPORARY = 16, 32, 32, 32
# Beside the inputs and output gradients of layers, a backward pass holds outputs, their copies and the graph.
_GRAPH = 4
# Gradients cost more than their products alone (measured on layers of 16 to 784). With 16 draws this leaves the wide
# layers of a VAE of MNIST to products, and makes small ones, which is 7 times faster for a 64-64-4 net of digits.
_MAKING = 2


def influence_blocks(loss, stages, train, points):
    """Yield (train block, point block, sum over stages of weight x inner product), the products as float64 arrays.

    Positive for proponents, in nats; 0 is no effect.

    Parameters
    ----------
    loss : RowLoss
        The loss of each row.
    stages : list of (state dict, float)
        Parameters, and the weight of the products at them.
    train, points : tuple of ndarray
        Rows, as `loss.rows` gives them.
    """
    recorded, kept = _row_bytes(loss, train)
    for point_block in _blocks(len(points[0]), kept * len(stages), _HELD):
        held = [_gathered(loss.load(s), points, point_block, recorded) for s, _ in stages]
        for train_block in _blocks(len(train[0]), kept, _PASSING):
            total = 0
            for (state, weight), layers in zip(stages, held, strict=True):
                passing = _gathered(loss.load(state), train, train_block, recorded)
                total = total + weight * products(passing, layers).double()
            yield train_block, point_block, total.cpu().numpy()


def self_influence_blocks(loss, stages, train):
    """Yield (block, sum over stages of weight x squared norm of each row's gradient), float64 arrays."""
    recorded, _ = _row_bytes(loss, train)
    for state, weight in stages:
        loss.load(state)
        for block in _blocks(len(train[0]), recorded, _RECORDED):
            layers = layer_gradients(loss, loss.batch(train, block))
            yield block, weight * squared_norms(layers).double().cpu().numpy()


def products(left, right):
    """Inner products of the gradients of rows, (n_left, n_right), summed over layers."""
    return sum(_products(x, y) for x, y in zip(left, right, strict=True))


def squared_norms(layers):
    """Squared norm of each row's gradient, summed over layers."""
    return sum(map(_squared_norms, layers))


def _products(left, right):
    """sum_pq (a_p . b_q)(d_p . e_q) for gradients sum_p d_p (x) a_p and sum_q e_q (x) b_q, or by these if cheaper."""
    (n, p, n_in), (m, q, _), n_out = left.a.shape, right.a.shape, left.delta.shape[2]
    out = left.a.new_empty(n, m)
    by_positions = p * q == 1 or p * q * (n_in + n_out) <= _MAKING * n_in * n_out
    if by_positions:
        for rows in _blocks(n, 8 * p * q * m, _TEMPORARY):
            out[rows] = _by_positions(_take(left, rows), right)
        return out
    for columns in _blocks(m, 4 * n_in * n_out, 2 * _TEMPORARY):
        others = _take(right, columns).explicit().flatten(1)
        for rows in _blocks(n, 4 * n_in * n_out, 2 * _TEMPORARY):
            out[rows, columns] = _take(left, rows).explicit().flatten(1) @ others.mT
    return out


def _by_positions(left, right):
    grams = [
        x.flatten(0, 1) @ y.flatten(0, 1).mT
        for x, y in ((left.a, right.a), (left.delta, right.delta))
    ]
    terms = grams[0].mul_(grams[1])
    shape = (*left.a.shape[:2], *right.a.shape[:2])
    return terms if shape[1] == shape[3] == 1 else terms.reshape(shape).sum(dim=(1, 3))


def _squared_norms(layer):
    n_positions, n_in = layer.a.shape[1:]
    n_out = layer.delta.shape[2]
    if n_positions * (n_in + n_out) <= n_in * n_out or n_positions == 1:
        terms = (layer.a @ layer.a.mT).mul_(layer.delta @ layer.delta.mT)
        return terms.sum(dim=(1, 2))
    return layer.explicit().square().sum(dim=(1, 2))


def _gathered(loss, rows, block, recorded):
    """Gradients of the rows in a block, from as many backward passes as memory asks for."""
    rows = [array[block] for array in rows]
    parts = [
        [_compact(layer) for layer in layer_gradients(loss, loss.batch(rows, b))]
        for b in _blocks(len(rows[0]), recorded, _RECORDED)
    ]
    # Layer by layer, so that parts are freed as they go.
    return [_concatenated([layers.pop(0) for layers in parts]) for _ in range(len(parts[0]))]


def _concatenated(parts):
    if len(parts) == 1:
        return parts[0]
    a, delta = (torch.cat([getattr(part, name) for part in parts]) for name in ("a", "delta"))
    return LayerGradient(parts[0].name, a, delta)


def _compact(layer):
    """The gradient itself where it takes less memory than what it is made of."""
    n_positions, n_in = layer.a.shape[1:]
    n_out = layer.delta.shape[2]
    if n_positions * (n_in + n_out) <= n_in * n_out or n_positions == 1:
        return layer
    a, delta = direct(layer.explicit().flatten(1))
    return LayerGradient(layer.name, a[:, None], delta[:, None])


def _take(layer, rows):
    return LayerGradient(layer.name, layer.a[rows], layer.delta[rows])


def _row_bytes(loss, rows):
    """Bytes that a row needs in a backward pass, and for keeping its gradient."""
    layers = layer_gradients(loss, loss.batch(rows, slice(0, 1)))
    return _GRAPH * _n_bytes(layers), _n_bytes([_compact(layer) for layer in layers])


def _n_bytes(layers):
    return sum(t.numel() * t.element_size() for layer in layers for t in (layer.a, layer.delta))


def _blocks(n, item_bytes, part):
    """Slices of as many items as fit that part of the working memory."""
    size = get_config()["working_memory"] * 2**20 / part // item_bytes
    return list(gen_batches(n, max(1, int(size))))
