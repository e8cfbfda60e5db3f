"""The training rows of greatest influence, found while blocks pass by."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmem.influence._ranking import top_rows


def test_the_greatest_are_found_block_by_block():
    rng = np.random.default_rng(0)
    influence = rng.integers(-3, 4, size=(40, 9)).astype(float)
    blocks = [
        (slice(i, min(i + 7, 40)), slice(j, min(j + 4, 9)), influence[i : i + 7, j : j + 4])
        for j in range(0, 9, 4)
        for i in range(0, 40, 7)
    ]
    for k in (1, 5, 40):
        for sign in (1, -1):
            indices, values = top_rows(blocks, 9, k, opponents=sign < 0)
            slow = -np.sort(-sign * influence, axis=0)[:k].T
            # as if the whole column had been sorted
            assert_array_equal(values, sign * slow)
            assert_array_equal(np.take_along_axis(influence.T, indices, axis=1), values)
            # no row twice, and equal ones in their order
            assert all(len(set(row)) == k for row in indices)
            ties = np.diff(values, axis=1) == 0
            assert (np.diff(indices, axis=1)[ties] > 0).all()


@pytest.mark.parametrize("opponents", [False, True])
def test_of_many_equal_rows_the_first_are_listed(opponents):
    influence = np.random.default_rng(0).integers(0, 4, size=(30, 50)).astype(float)
    blocks = [(slice(i, i + 10), slice(0, 50), influence[i : i + 10]) for i in (0, 10, 20)]
    indices, _ = top_rows(blocks, 50, 4, opponents)
    order = np.argsort(influence if opponents else -influence, axis=0, kind="stable")[:4].T
    # also where more are equal than there is room for
    assert_array_equal(indices, order)
