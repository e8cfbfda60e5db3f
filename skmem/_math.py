"""Masked log-space reductions and the volume of the unit ball."""

import numpy as np
from scipy.special import gammaln


def logmeanexp(a, axis=None, where=None):
    """Log of the mean of the exponentials of `a`, over the entries that `where` selects.

    In the unit of `a` (nats); -inf entries count as probability zero; an empty selection gives nan.
    """
    a = _selected(a, where, -np.inf)
    shift = _finite(np.max(a, axis=axis, initial=-np.inf, keepdims=True))
    with np.errstate(over="ignore", under="ignore"):
        terms = np.exp(a - shift)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.log(np.sum(terms, axis=axis)) - np.log(_count(a.shape, axis, where))
    return mean + np.squeeze(shift, axis=axis)


def logmeanexp_without_each(a, axis):
    """What `logmeanexp` along `axis` gives without each of two or more entries in turn, in an array like `a`.

    Without an entry that is not the largest a sum of exponentials, scaled by the largest, is 1 or more, so that
    subtracting the entry costs no digits. Without the largest it is taken anew.
    """
    a = np.asarray(a, dtype=np.float64)
    largest = np.argmax(a, axis=axis, keepdims=True)
    shift = _finite(np.take_along_axis(a, largest, axis))
    with np.errstate(under="ignore"):
        terms = np.exp(a - shift)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.log(np.sum(terms, axis=axis, keepdims=True) - terms) - np.log(a.shape[axis] - 1)
    mean += shift
    others = a.copy()
    np.put_along_axis(others, largest, -np.inf, axis)
    n = a.shape[axis]
    without_largest = np.expand_dims(logmeanexp(others, axis=axis), axis) + np.log(n / (n - 1))
    np.put_along_axis(mean, largest, without_largest, axis)
    return mean


def mean(a, axis=None, where=None):
    """Mean over the entries that `where` selects; nan where it selects none."""
    a = _selected(a, where, 0.0)
    with np.errstate(invalid="ignore"):
        return np.sum(a, axis=axis) / _count(a.shape, axis, where)


def _selected(a, where, other):
    """Entries of `a` that `where` selects, and `other` in the place of the rest: faster than a masked reduction."""
    a = np.asarray(a, dtype=np.float64)
    return a if where is None else np.where(where, a, other)


def _count(shape, axis, where):
    """Number of entries that a reduction of an array of this shape goes over."""
    where = np.True_ if where is None else where
    return np.sum(np.broadcast_to(where, shape), axis=axis)


def _finite(shift):
    return np.where(np.isfinite(shift), shift, 0.0)


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
