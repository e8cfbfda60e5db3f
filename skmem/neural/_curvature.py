"""Gradients of single rows and the curvature of the mean loss of a net, as arrays: for influence functions.

Both models here keep the protocol of `skmem.influence._gradients`. Log-densities are minus the loss of a row.
"""

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from skmem.neural._layer_gradients import LayerGradient, layer_gradients

# A part of scikit-learn's working_memory for what a backward pass records and for gradients of rows.
_PART = 32
# A side of a layer that is wider keeps its own basis: the decomposition would take minutes.
_WIDEST = 5000


class HessianModel:
    """Gradients in the order of the module's parameters, and the Hessian, both in double precision.

    The noise of a row's draws is fixed, so that the mean loss is a function of the parameters alone.
    """

    curvature, penalises_rows = "Hessian", False

    def __init__(self, loss, rows):
        self.loss, self.rows, self.n_rows = loss.double(), rows, len(rows[0])
        self.parameters = [p for p in self.loss.parameters() if p.requires_grad]
        self.n_parameters = sum(p.numel() for p in self.parameters)
        self.row_bytes = 32 * self.n_parameters

    def gradients(self, *rows):
        """Gradients (n, n_parameters) of minus the loss of rows, one backward pass for each."""
        blocks = [slice(i, i + 1) for i in range(len(rows[0]))]
        out = np.empty((len(blocks), self.n_parameters))
        for i, block in enumerate(blocks):
            loss = self.loss(*self.loss.batch(rows, block)).sum()
            grads = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
            out[i] = -_flat(grads).cpu().numpy()
        return out

    def own_gradients(self, block):
        """Gradients of the training rows in a slice."""
        return self.gradients(*(array[block] for array in self.rows))

    train_gradients = own_gradients

    def hvp(self, V):
        """Products (m, n_parameters) of the Hessian of the mean loss with each row of `V`, by two backward passes."""
        out = np.zeros_like(V)
        directions = [self._tensors(v) for v in V]
        layers = layer_gradients(self.loss, self.loss.batch(self.rows, slice(0, 1)))
        for block in memory_blocks(self.n_rows, 2 * _recorded(layers)):
            loss = self.loss(*self.loss.batch(self.rows, block)).sum() / self.n_rows
            grads = torch.autograd.grad(
                loss, self.parameters, create_graph=True, materialize_grads=True
            )
            curved = [j for j, g in enumerate(grads) if g.requires_grad]
            for i, v in enumerate(directions):
                along = [grads[j] for j in curved], self.parameters, [v[j] for j in curved]
                bent = torch.autograd.grad(*along, retain_graph=True, materialize_grads=True)
                out[i] += _flat(bent).cpu().numpy()
        return out

    def _tensors(self, v):
        parts = np.split(v, np.cumsum([p.numel() for p in self.parameters])[:-1])
        pairs = zip(parts, self.parameters, strict=True)
        return [torch.as_tensor(part).to(p).reshape(p.shape) for part, p in pairs]


class KroneckerModel:
    r"""Gradients layer by layer in the eigenbases of Kronecker factors, in which the curvature is taken as diagonal.

    With :math:`D_i = \sum_p \delta_{ip} a_{ip}^T` the gradient of row i for the weights (and bias) of a layer, and the
    eigenvectors of

        A = 1/n sum_ip a_ip a_ip^T = U S U^T        G = 1/n sum_ip delta_ip delta_ip^T = W T W^T,

    the coordinates are :math:`W^T D_i U`, and `diagonal` is the mean over training rows of their squares: the diagonal
    of the empirical Fisher in that basis (George et al. 2018). Without `eigenbases` coordinates are the layers' own.
    """

    curvature, penalises_rows = "empirical Fisher", False

    def __init__(self, loss, rows, eigenbases=True):
        self.loss, self.rows, self.n_rows = loss, rows, len(rows[0])
        layers = self._passes(rows, slice(0, 1))
        self.layers = {layer.name: (layer.delta.shape[2], layer.a.shape[2]) for layer in layers}
        self.recorded = _recorded(layers)
        self.n_parameters = sum(n_out * n_in for n_out, n_in in self.layers.values())
        self.row_bytes = 4 * self.n_parameters
        self.bases = self._eigenbases() if eigenbases else None

    def gradients(self, *rows):
        """Gradients (n, n_parameters) of minus the loss of rows, in the coordinates of the bases."""
        out = np.empty((len(rows[0]), self.n_parameters), dtype=np.float32)
        ends = np.cumsum([n_out * n_in for n_out, n_in in self.layers.values()])
        for block in memory_blocks(len(out), self.recorded + self.row_bytes):
            parts = np.split(out[block], ends[:-1], axis=1)
            for part, layer in zip(parts, self._passes(rows, block), strict=True):
                part[:] = self._rotated(layer).explicit().neg_().flatten(1).cpu().numpy()
        return out

    def own_gradients(self, block):
        """Gradients of the training rows in a slice."""
        return self.gradients(*(array[block] for array in self.rows))

    train_gradients = own_gradients

    def diagonal(self):
        """``{layer: (n_out, n_in)}``, means over training rows of the squared coordinates of their gradients."""
        total = dict.fromkeys(self.layers, 0)
        for block in memory_blocks(self.n_rows, self.recorded + self.row_bytes):
            for layer in map(self._rotated, self._passes(self.rows, block)):
                total[layer.name] += _sum_of_squares(layer).double().cpu().numpy() / self.n_rows
        return total

    def _passes(self, rows, block):
        return layer_gradients(self.loss, self.loss.batch(rows, block))

    def _rotated(self, layer):
        if self.bases is None:
            return layer
        a, delta = (
            t if basis is None else t @ basis
            for t, basis in zip((layer.a, layer.delta), self.bases[layer.name], strict=True)
        )
        return LayerGradient(layer.name, a, delta)

    def _eigenbases(self):
        """``{layer: (U, W)}``, None for a side that is too wide or has one entry."""
        moments = {name: [0, 0] for name in self.layers}
        for block in memory_blocks(self.n_rows, self.recorded):
            for layer in self._passes(self.rows, block):
                for side, t in enumerate((layer.a, layer.delta)):
                    if 1 < t.shape[2] <= _WIDEST:
                        flat = t.flatten(0, 1)
                        moments[layer.name][side] += (flat.mT @ flat).double() / self.n_rows
        dtype = self.loss.parameter.dtype
        return {name: [_eigenvectors(m, dtype) for m in pair] for name, pair in moments.items()}


def _recorded(layers):
    """Bytes that a backward pass for one row holds: inputs and outputs of layers, copies of them and the graph."""
    return 4 * sum(t.nbytes for layer in layers for t in (layer.a, layer.delta))


def memory_blocks(n_rows, bytes_each):
    """Slices of as many rows as fit a part of the working memory."""
    rows = get_config()["working_memory"] * 2**20 / _PART // bytes_each
    return list(gen_batches(n_rows, max(1, int(rows))))


def _eigenvectors(moment, dtype):
    return torch.linalg.eigh(moment)[1].to(dtype) if torch.is_tensor(moment) else None


def _sum_of_squares(layer):
    """Sum over rows of the squares of the gradients' entries, (n_out, n_in)."""
    if layer.a.shape[1] == 1:
        return layer.delta[:, 0].square().mT @ layer.a[:, 0].square()
    return layer.explicit().square().sum(dim=0)


def _flat(tensors):
    return torch.cat([t.detach().flatten() for t in tensors])
