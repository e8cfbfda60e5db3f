"""The module's parameters after chosen epochs: in memory, or each in a file of its own."""

import os
import tempfile
from pathlib import Path

import numpy as np
from skorch.callbacks import Callback

from skmem.neural._extras import require


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
            state = net.module_.state_dict()
            state = {name: t.detach().cpu().clone() for name, t in state.items()}
            self.kept_[epoch] = state if self.directory is None else self._saved(state, epoch)

    def _is_wanted(self, epoch):
        every = np.ndim(self.wanted) == 0
        return epoch % self.wanted == 0 if every else epoch in set(self.wanted)

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
