"""Masked log-space reductions and the volume of the unit ball."""

import numpy as np
from scipy.special import gammaln


def logmeanexp(a, axis=None, where=None):
    """Log of the mean of the exponentials of `a`, over the entries that `where` selects.

    In the unit of `a` (nats); -inf entries count as probability zero; an empty selection gives nan.
    """
    a = np.asarray(a, dtype=np.float64)
    where = np.True_ if where is None else np.asarray(where, dtype=bool)
    top = np.max(a, axis=axis, where=where, initial=-np.inf, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(over="ignore", under="ignore"):
        terms = np.exp(np.where(where, a - shift, -np.inf))
    count = np.sum(np.broadcast_to(where, a.shape), axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.log(np.sum(terms, axis=axis)) - np.log(count)
    return mean + np.squeeze(shift, axis=axis)


def mean(a, axis=None, where=None):
    """Mean over the entries that `where` selects; nan where it selects none."""
    a = np.asarray(a, dtype=np.float64)
    where = np.True_ if where is None else np.asarray(where, dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.sum(a, axis=axis, where=where) / np.sum(
            np.broadcast_to(where, a.shape), axis=axis
        )


def difference(a, b):
    """Elementwise ``a - b`` in nats, where two equal infinities differ by zero.

    A point that has probability zero with a training row and without it is not helped by it.
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    out = np.zeros(a.shape)
    np.subtract(a, b, out=out, where=(a != b))
    return out


def log_unit_ball_volume(n_dims):
    """Log-volume of the Euclidean unit ball in `n_dims` dimensions: pi^(d/2) / Gamma(d/2 + 1)."""
    return 0.5 * n_dims * np.log(np.pi) - gammaln(0.5 * n_dims + 1.0)
