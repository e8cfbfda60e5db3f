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


def influence_blocks(model, solver, points):
    """Yield (slice of the training rows, slice of the points, their influence), in nats, for all pairs."""
    for block in memory_blocks(len(points[0]), model.row_bytes):
        solved = solver.inverse_hvp(model.gradients(*(array[block] for array in points)))
        solved /= model.n_rows
        for rows in memory_blocks(model.n_rows, model.row_bytes + 8 * len(solved)):
            yield rows, block, model.train_gradients(rows) @ solved.T


def influences(model, solver, points):
    """Influence of each training row on each point, (n_train, n_points), nats."""
    out = np.empty((model.n_rows, len(points[0])))
    for rows, block, influence in influence_blocks(model, solver, points):
        out[rows, block] = influence
    return out


def self_influences(model, solver):
    """Influence of each training row on itself, (n_train,), nats."""
    out = np.empty(model.n_rows)
    for rows in memory_blocks(model.n_rows, model.row_bytes):
        solved = solver.inverse_hvp(model.train_gradients(rows))
        out[rows] = np.einsum("ij,ij->i", model.own_gradients(rows), solved) / model.n_rows
    return out
