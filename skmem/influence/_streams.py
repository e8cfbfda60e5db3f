"""Influence as products of gradients with a solver between them, in blocks of training rows and of points."""

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches

# Parts of scikit-learn's working_memory: points that are held, solved for, while all training rows pass by.
_HELD, _PASSING = 4, 16
# Of points with few parameters many could be held; then about so many training rows still pass by at once.
_FEWEST = 64


def memory_blocks(n_rows, row_bytes, part):
    """Slices that cover `n_rows`, each of as many rows as fit that part of the working memory."""
    rows = get_config()["working_memory"] * 2**20 // part // row_bytes
    return list(gen_batches(n_rows, max(1, int(rows))))


def influence_blocks(model, solver, points):
    """Yield (slice of the training rows, slice of the points, their influence), in nats, for all pairs."""
    for block in memory_blocks(len(points[0]), model.row_bytes + 8 * _FEWEST, _HELD):
        solved = solver.inverse_hvp(model.gradients(*(array[block] for array in points)))
        for rows in memory_blocks(model.n_rows, model.row_bytes + 8 * len(solved), _PASSING):
            yield rows, block, model.train_gradients(rows) @ solved.T / model.n_rows


def influences(model, solver, points):
    """Influence of each training row on each point, (n_train, n_points), nats."""
    out = np.empty((model.n_rows, len(points[0])))
    for rows, block, influence in influence_blocks(model, solver, points):
        out[rows, block] = influence
    return out


def self_influences(model, solver):
    """Influence of each training row on itself, (n_train,), nats."""
    out = np.empty(model.n_rows)
    for rows in memory_blocks(model.n_rows, model.row_bytes, _PASSING):
        train = model.train_gradients(rows)
        own = model.own_gradients(rows) if model.penalises_rows else train
        out[rows] = np.einsum("ij,ij->i", own, solver.inverse_hvp(train)) / model.n_rows
    return out
