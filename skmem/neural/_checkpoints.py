"""The module's parameters after chosen epochs: in memory, or each in a file of its own."""

import os
import tempfile
from functools import partial
from numbers import Integral
from pathlib import Path

import numpy as np
from skorch.callbacks import Callback

from skmem.neural._extras import require


def checked_epochs(wanted, last):
    """`checkpoint_epochs` as a number or a set of them, each at most `last`.

    Raises
    ------
    ValueError
        If they are no positive integers, there is none, or one is beyond `last`.
    """
    epochs = np.atleast_1d(np.asarray(wanted)).tolist()
    good = all(isinstance(epoch, Integral) and epoch > 0 for epoch in epochs)
    if not good or not epochs:
        raise ValueError(f"checkpoint_epochs must be one or more positive integers, got {epochs}.")
    if max(epochs) > last:
        raise ValueError(
            f"checkpoint_epochs must be at most max_epochs={last} for fit, got {max(epochs)}; repeated partial_fit "
            "without fit knows no last epoch."
        )
    return set(epochs) if np.ndim(wanted) else int(wanted)


def stage_states(net):
    """{epoch: function that gives the module's state after it}, ascending; {} for a net without `Checkpoints`.

    The last is the module as it stands, whether its epoch was to be kept or not: training may end at any.
    """
    found = [callback for _, callback in net.callbacks_ if isinstance(callback, Checkpoints)]
    if not found:
        return {}
    last = len(net.history)
    kept = {epoch: partial(found[0].state, epoch) for epoch in sorted(found[0].kept_)}
    return {**kept, last: partial(_copied_state, net.module_)}


def _copied_state(module):
    return {name: t.detach().cpu().clone() for name, t in module.state_dict().items()}


class Checkpoints(Callback):
    """Keeps the module's state after the epochs that `wanted` names, on the CPU.

    With `directory`, as safetensors in a new folder there for each fit: no other fit writes into it, and what is read
    are the files that this one has written, by their names.
    """

    def __init__(self, wanted, directory=None):
        self.wanted, self.directory = wanted, directory

    def initialize(self):
        """Forget the states of an earlier fit; its files, if any, stay."""
        self.kept_, self.folder_ = {}, None
        if self.directory is not None:
            require("safetensors")
        return self

    def on_epoch_end(self, net, **kwargs):
        """Keep a copy."""
        epoch = len(net.history)
        if self._is_wanted(epoch):
            state = _copied_state(net.module_)
            self.kept_[epoch] = state if self.directory is None else self._saved(state, epoch)

    def _is_wanted(self, epoch):
        every = isinstance(self.wanted, int)
        return epoch % self.wanted == 0 if every else epoch in self.wanted

    def _saved(self, state, epoch):
        from safetensors.torch import save_file

        if self.folder_ is None:
            os.makedirs(self.directory, exist_ok=True)
            self.folder_ = Path(tempfile.mkdtemp(prefix="fit-", dir=self.directory)).resolve()
        path = self.folder_ / f"epoch-{epoch:05d}.safetensors"
        save_file({name: t.contiguous() for name, t in state.items()}, path)
        return path

    def state(self, epoch):
        """The module's state after an epoch that has been kept.

        Raises
        ------
        FileNotFoundError
            If its file has gone.
        """
        kept = self.kept_[epoch]
        if not isinstance(kept, Path):
            return kept
        if not kept.is_file():
            raise FileNotFoundError(
                f"The parameters after epoch {epoch} were written to {kept}, and that file is gone: fit again, or put "
                "it back."
            )
        require("safetensors")
        from safetensors.torch import load_file

        return load_file(kept)
