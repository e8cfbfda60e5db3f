import numpy as np
import pytest
from scipy.special import logsumexp

from skmem._math import difference, log_unit_ball_volume, logmeanexp, mean


@pytest.mark.parametrize("axis", [0, 1, (0, 1), None])
def test_logmeanexp_equals_scipy(axis):
    a = np.random.default_rng(0).normal(size=(5, 7)) * 300
    # The mean of n exponentials is their sum over n.
    expected = logsumexp(a, axis=axis) - np.log(a.size / np.asarray(logsumexp(a, axis=axis)).size)
    np.testing.assert_allclose(logmeanexp(a, axis=axis), expected, rtol=1e-13)


def test_logmeanexp_where_selects_entries():
    a = np.array([[0.0, -1e6], [5.0, np.inf]])
    where = np.array([[True, True], [True, False]])
    # An entry outside the selection has no say, even an infinite one.
    np.testing.assert_allclose(logmeanexp(a, axis=1, where=where), [-np.log(2), 5.0], rtol=1e-15)


def test_logmeanexp_limits():
    # Probability zero everywhere averages to zero; nothing selected is no number.
    assert logmeanexp(np.full(3, -np.inf)) == -np.inf
    assert np.isnan(logmeanexp(np.zeros(3), where=np.zeros(3, dtype=bool)))
    assert np.isnan(mean(np.zeros(3), where=np.zeros(3, dtype=bool)))
    # Shifting by any amount shifts the result, without overflow.
    assert logmeanexp(np.array([1e6, 1e6])) == 1e6


def test_difference_of_equal_infinities_is_zero():
    # A point impossible with a row and without it is not helped by it.
    np.testing.assert_array_equal(
        difference([-np.inf, 1.0, -np.inf, 0.0], [-np.inf, -np.inf, 1.0, 2.0]),
        [0.0, np.inf, -np.inf, -2.0],
    )


@pytest.mark.parametrize(("d", "volume"), [(1, 2.0), (2, np.pi), (3, 4 / 3 * np.pi)])
def test_unit_ball_volume(d, volume):
    # The interval, the disc and the ball of school.
    np.testing.assert_allclose(np.exp(log_unit_ball_volume(d)), volume, rtol=1e-14)
