"""Which training rows has a density estimator or a generative model memorized, and by how many nats?"""

from skmem._version import __version__

__all__ = ["__version__"]
