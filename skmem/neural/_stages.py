"""The parameters at which gradients are taken, and the weight of each stage."""

import copy
from pathlib import Path

import numpy as np
import torch

from skmem.neural._layer_gradients import check_layer_gradients

# So many rows show whether a module keeps them apart.
_N_CHECKED = 3


def traced_stages(loss, checkpoints):
    """States of the module of a `RowLoss`, and the published weight of each, (n_stages,).

    Parameters
    ----------
    loss : RowLoss
        It knows the net and what it kept.
    checkpoints : "all", "final" or list of (dict or path)
        Those that a VAE has kept, and the final parameters; these alone; or states of the module, which are taken
        as evenly spread over the training.

    Raises
    ------
    ValueError
        If the list is empty.
    """
    n_epochs = max(1, len(loss.net.history))  # parameters from a file have no history
    if isinstance(checkpoints, str):
        kept = loss.kept_states if checkpoints == "all" else {}
        kept = kept or {n_epochs: copy.deepcopy(loss.module.state_dict())}
        ends, states = sorted(kept), [kept[epoch] for epoch in sorted(kept)]
    elif checkpoints:
        states = [_state(checkpoint) for checkpoint in checkpoints]
        ends = np.linspace(0, n_epochs, len(states) + 1)[1:]
    else:
        raise ValueError("checkpoints must be 'all', 'final' or a list with a state, got [].")
    return states, loss.net.lr * np.diff(ends, prepend=0.0)


def _state(checkpoint):
    if not isinstance(checkpoint, str | Path):
        return checkpoint
    if str(checkpoint).endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(checkpoint)
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


def check_stages(loss, states, rows):
    """Take gradients of a few rows at every stage.

    Raises
    ------
    ValueError
        If a state doesn't fit the module, rows don't, or gradients can't be taken.
    """
    for i, state in enumerate(states):
        try:
            loss.load(state)
        except (RuntimeError, TypeError) as error:
            raise ValueError(
                f"checkpoints must be states of the estimator's module; number {i} is not: {error}"
            ) from error
        try:
            check_layer_gradients(loss, loss.batch(rows, slice(0, _N_CHECKED)))
        except (RuntimeError, TypeError, IndexError) as error:
            shapes = ", ".join(str(array.shape) for array in rows)
            raise ValueError(
                f"X and y must be what the module and its loss take, got arrays of shape {shapes}: {error}"
            ) from error
