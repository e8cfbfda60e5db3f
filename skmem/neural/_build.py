"""The net for an estimator's parameters."""

from functools import partial
from numbers import Integral

from sklearn.base import clone
from sklearn.utils import check_random_state

from skmem._random import child_seeds
from skmem.neural._checkpoints import Checkpoints, checked_epochs
from skmem.neural._devices import resolve_device
from skmem.neural._modules import Sizes, make_module
from skmem.neural._net import VAENet, global_seed


def make_net(estimator, parts, last_epoch):
    """An untrained, seeded net for rows that are made of `parts`; checkpoints must not lie beyond `last_epoch`."""
    init_seed, seed = child_seeds(check_random_state(estimator.random_state), 2)
    device = resolve_device(estimator.device)
    net = VAENet(
        partial(make_module, estimator.module, parts, _sizes(estimator)),
        criterion__beta=estimator.beta,
        optimizer__fused=device.split(":")[0] in ("cpu", "cuda"),
        seed=int(seed),
        validation_fraction=estimator.validation_fraction,
        lr=estimator.learning_rate,
        batch_size=estimator.batch_size,
        max_epochs=estimator.max_epochs,
        callbacks=_callbacks(estimator, last_epoch),
        device=device,
        verbose=int(estimator.verbose),
        **_quiet(estimator.verbose),
    )
    with global_seed(init_seed, device):
        return net.initialize()


def _quiet(verbose):
    """Leave out the callback that makes a line for each epoch even where it is not to print it."""
    return {} if verbose else {"callbacks__print_log": None}


def _sizes(estimator):
    shape = estimator.input_shape
    return Sizes(
        estimator.latent_dim,
        _positive_integers("hidden_layer_sizes", estimator.hidden_layer_sizes),
        None if shape is None else _positive_integers("input_shape", shape, length=3),
        estimator.min_scale,
    )


def _positive_integers(name, values, length=None):
    good = all(isinstance(v, Integral) and v > 0 for v in values)
    if not good or length not in (None, len(values)):
        count = "" if length is None else f"{length} "
        raise ValueError(f"{name} must be {count}positive integers, got {values!r}.")
    return tuple(int(v) for v in values)


def _callbacks(estimator, last_epoch):
    """The user's, copied, and ours."""
    callbacks = clone(list(estimator.callbacks or []), safe=False)
    if estimator.checkpoint_epochs is not None:
        wanted = checked_epochs(estimator.checkpoint_epochs, last_epoch)
        callbacks.append(("checkpoints", Checkpoints(wanted, estimator.checkpoint_dir)))
    return callbacks
