"""The net for an estimator's parameters."""

from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skmem._random import child_seeds
from skmem.neural._modules import Sizes, make_module
from skmem.neural._net import Checkpoints, VAENet, global_seed, resolve_device


def make_net(estimator, parts):
    """An untrained, seeded net for rows that are made of `parts`."""
    init_seed, seed = child_seeds(check_random_state(estimator.random_state), 2)
    net = VAENet(
        partial(make_module, estimator.module, parts, _sizes(estimator)),
        criterion__beta=estimator.beta,
        optimizer__fused=True,
        seed=int(seed),
        validation_fraction=estimator.validation_fraction,
        lr=estimator.learning_rate,
        batch_size=estimator.batch_size,
        max_epochs=estimator.max_epochs,
        callbacks=_callbacks(estimator),
        device=resolve_device(estimator.device),
        verbose=int(estimator.verbose),
    )
    with global_seed(init_seed):
        return net.initialize()


def _sizes(estimator):
    shape = estimator.input_shape
    return Sizes(
        estimator.latent_dim,
        tuple(estimator.hidden_layer_sizes),
        None if shape is None else tuple(shape),
        estimator.min_scale,
    )


def _callbacks(estimator):
    """The user's, copied, and ours."""
    callbacks = clone(list(estimator.callbacks or []), safe=False)
    if estimator.checkpoint_epochs is not None:
        wanted = np.asarray(estimator.checkpoint_epochs).tolist()
        callbacks.append(("checkpoints", Checkpoints(wanted)))
    return callbacks
