"""Which doctests can be run here."""

from importlib.util import find_spec

# Files of skmem.neural, and the examples in them, need the extra torch.
collect_ignore_glob = [] if find_spec("torch") and find_spec("skorch") else ["skmem/neural/_*.py"]
