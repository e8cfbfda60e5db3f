"""Noise that belongs to a row: a function of its values and a seed, not of where the row stands."""

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15


def row_noise(X, seed, n_values=None):
    """Uniforms in [0, 1), one an entry of `X` or `n_values` a row, that depend on the row and `seed` alone.

    Equal rows get equal noise: what is drawn for a row is the same in every batch and in every fit of a cross-fit.
    Rows are equal if they are equal in single precision.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    seed : int
        Seed.
    n_values : int, default=None
        Number of uniforms for each row; None is the number of columns.

    Returns
    -------
    noise : ndarray of shape (n_samples, n_values)
        Uniforms.

    Notes
    -----
    A row's key is a multilinear hash of its bits modulo 2^64; its noise is the stream of SplitMix64 (Steele, Lea and
    Flood, OOPSLA 2014) that starts there.
    """
    rng = np.random.default_rng(seed)
    # Adding zero turns -0.0 into 0.0, which is equal and has other bits.
    bits = (np.asarray(X, dtype=np.float32) + np.float32(0.0)).view(np.uint32).astype(np.uint64)
    odd = rng.integers(2**63, size=X.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    start = rng.integers(2**63, dtype=np.uint64)
    key = _mix((bits * odd).sum(axis=1, dtype=np.uint64) + start)
    steps = np.arange(1, (n_values or X.shape[1]) + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    return (_mix(key[:, None] + steps) >> np.uint64(11)) * 2.0**-53


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
