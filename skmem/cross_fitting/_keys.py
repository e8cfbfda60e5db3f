"""What the scores of a fit are known by in the cache."""

import sys

from sklearn.base import clone

from skmem._random import set_random_state


def estimator_key(estimator):
    """What `joblib.hash` hashes alike for equal estimators, in any process and whatever their seeds.

    A torch module is hashed by where its tensors lie, so its parts stand for it.
    """
    estimator = set_random_state(clone(estimator), 0)
    if (torch := sys.modules.get("torch")) is not None:
        params = estimator.get_params().items()
        modules = {name: value for name, value in params if isinstance(value, torch.nn.Module)}
        estimator.set_params(**{name: _module_key(value) for name, value in modules.items()})
    return estimator


def _module_key(module):
    """Names, classes and settings of all submodules, and the types and values of parameters and buffers."""
    settings = [
        (name, type(part).__qualname__, {k: v for k, v in vars(part).items() if k[0] != "_"})
        for name, part in module.named_modules()
    ]
    tensors = [*module.named_parameters(), *module.named_buffers()]
    # NumPy lacks some of torch's types.
    values = [(name, str(t.dtype), t.detach().cpu().double().numpy()) for name, t in tensors]
    return settings, values
