"""Influence as products of gradients with a solver between them, in blocks of training rows and of points."""

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches


def memory_blocks(n_rows, row_bytes):
    """Slices that cover `n_rows`, each holding at most an eighth of `working_memory`.

    An eighth, since a block of rows and one of points live at once, with solutions and temporaries.
    """
    rows = get_config()["working_memory"] * 2**20 // (8 * row_bytes)
    return list(gen_batches(n_rows, max(1, int(rows))))


def solved_points(model, solver, X, y):
    """Yield (slice of the points, H^-1 times their gradients)."""
    for points in memory_blocks(len(X), model.row_bytes):
        gradients = model.gradients(X[points], None if y is None else y[points])
        yield points, solver.inverse_hvp(gradients)


def blocks_of_influence(model, solved):
    """Yield (slice of the training rows, their influence (n_block, n_points) on points that are `solved`)."""
    for rows in memory_blocks(model.n_rows, model.row_bytes + 8 * len(solved)):
        yield rows, model.train_gradients(rows) @ (solved.T / model.n_rows)


def influences(model, solver, X, y):
    """Influence of each training row on each point, (n_train, n_points), nats."""
    out = np.empty((model.n_rows, len(X)))
    for points, solved in solved_points(model, solver, X, y):
        for rows, block in blocks_of_influence(model, solved):
            out[rows, points] = block
    return out


def self_influences(model, solver):
    """Influence of each training row on itself, (n_train,), nats."""
    out = np.empty(model.n_rows)
    for rows in memory_blocks(model.n_rows, model.row_bytes):
        solved = solver.inverse_hvp(model.train_gradients(rows))
        out[rows] = np.einsum("ij,ij->i", model.own_gradients(rows), solved) / model.n_rows
    return out


def strongest(model, solver, X, y, k):
    """The `k` largest influences on each point, largest first: indices and values, (n_points, k) each."""
    found = []
    for _, solved in solved_points(model, solver, X, y):
        top = np.empty((len(solved), 0), dtype=np.intp), np.empty((len(solved), 0))
        for rows, block in blocks_of_influence(model, solved):
            top = _merged(top, np.arange(model.n_rows)[rows], block.T, k)
        found.append(top)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def _merged(top, rows, values, k):
    """The `k` largest of those found before and of new ones; of equals, the first row."""
    indices = np.hstack([top[0], np.broadcast_to(rows, values.shape)])
    values = np.hstack([top[1], values])
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return tuple(np.take_along_axis(a, order, axis=1) for a in (indices, values))
