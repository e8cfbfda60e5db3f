"""Rows to what a likelihood is about and back; needs no torch."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest

from skmem.neural._columns import Columns, named_columns
from skmem.neural._one_hot import one_hot_groups
from skmem.neural._row_noise import row_noise
from skmem.neural._spaces import SPACES

RNG = np.random.default_rng(0)
ONE_HOT = np.eye(3)[RNG.permutation(np.repeat(np.arange(3), 10))]
ROWS = {
    "gaussian": RNG.normal(5, 3, size=(30, 4)),
    "gaussian_diagonal": RNG.normal(5, 3, size=(30, 4)) * [1, 10, 0.1, 1e4],
    "bernoulli": RNG.integers(2, size=(30, 4)).astype(float),
    "logit_gaussian": RNG.integers(8, size=(30, 4)).astype(float),
    "discretized_logistic": RNG.integers(8, size=(30, 4)).astype(float),
    "count": RNG.poisson([0.1, 2, 50, 1000], size=(30, 4)).astype(float),
    "categorical": ONE_HOT,
    "codes": RNG.integers(8, size=(30, 4)).astype(float),
    "mixed": np.column_stack([RNG.normal(size=30), ONE_HOT, RNG.integers(2, size=30)]),
}
EIGHT = np.full(4, 8)


def fitted(X, likelihood, n_levels=8):
    return Columns.fit(X, named_columns(X, likelihood), n_levels)


every_likelihood = pytest.mark.parametrize("name", sorted(ROWS))


def test_noise_is_uniform():
    X = RNG.normal(size=(500, 20))
    noise = row_noise(X, 0)
    # over everything, within a row and across rows
    assert kstest(noise.ravel(), "uniform").pvalue > 1e-3
    assert np.abs(np.corrcoef(noise.T) - np.eye(20)).max() < 0.2
    # rows that differ in one entry only have nothing in common
    X = np.zeros((200, 20))
    X[:, 7] = np.arange(200)
    assert kstest(row_noise(X, 0).ravel(), "uniform").pvalue > 1e-3


def test_noise_belongs_to_the_row():
    X = RNG.normal(size=(20, 5))
    noise, order = row_noise(X, 3), RNG.permutation(20)
    # neither its position nor the rest of the batch matters
    assert_array_equal(row_noise(X[order], 3), noise[order])
    assert_array_equal(row_noise(X[[4]], 3), noise[[4]])
    # nor how many bits the numbers come in, nor the sign of zero
    assert_array_equal(row_noise(X.astype(np.float32), 3), noise)
    assert_array_equal(row_noise(np.zeros((1, 5)), 3), row_noise(-np.zeros((1, 5)), 3))
    # another seed is other noise
    assert np.abs(row_noise(X, 4) - noise).min() > 0


@every_likelihood
def test_there_and_back(name):
    X = ROWS[name]
    columns = fitted(X, name)
    U, _ = columns.forward(X, 0)
    # rows that can be in X come back as they were
    assert_allclose(columns.backward(U, possible=True), X, rtol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "gaussian_diagonal", "logit_gaussian"])
def test_log_volume_is_that_of_the_jacobian(name):
    X = ROWS[name]
    space, step = SPACES[name].fit(X, EIGHT), 1e-5
    forward = getattr(space, "forward_real", lambda X: space.forward(X, None))
    X = X + 0.5
    slope = (forward(X + step)[0] - forward(X - step)[0]) / (2 * step)
    # each entry of U depends on its own column alone, so the determinant is a product
    assert_allclose(forward(X)[1], np.log(slope).sum(axis=1), rtol=1e-6, atol=1e-6)


def test_logit_volume_is_the_published_one():
    U, log_volume = (
        SPACES["logit_gaussian"]
        .fit(ROWS["logit_gaussian"], np.full(4, 256))
        .forward_real(ROWS["logit_gaussian"] + 0.5)
    )
    d, margin = U.shape[1], 0.05
    # van den Burg and Williams (2021): D log(1 - 2 lambda) - D log 256 - sum(x - 2 softplus(x))
    published = d * np.log(1 - 2 * margin) - d * np.log(256) - (U - 2 * np.logaddexp(0, U)).sum(1)
    assert_allclose(log_volume, published)


def test_constant_columns_keep_their_unit():
    X = np.column_stack([np.full(10, 1e6 + 0.1), RNG.normal(size=10)])
    space = SPACES["gaussian_diagonal"].fit(X, EIGHT)
    # there is no spread to measure in, and rounding is none
    assert space.scale[0] == 1.0
    assert SPACES["gaussian"].fit(np.full((5, 2), 0.3), EIGHT).scale.tolist() == [1.0, 1.0]


def test_grey_is_binarised_with_its_probability():
    X = np.linspace(0, 1, 5) * np.ones((4000, 1))
    X += RNG.uniform(0, 1e-6, X.shape) * (1 - X)  # rows differ
    U, _ = SPACES["bernoulli"].fit(X, EIGHT).forward(X, row_noise(X, 0))
    # the noise is uniform, so it is below x with probability x
    assert_allclose(U.mean(axis=0), np.linspace(0, 1, 5), atol=0.03)
    assert set(np.unique(U)) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("name", "X", "message"),
    [
        ("bernoulli", [[0.0, 1.5], [0.0, 1.0]], r"X must lie in \[0, 1\].*got 1.5 in column 1"),
        ("bernoulli", [[-0.1, 1.0], [0.0, 1.0]], r"X must lie in \[0, 1\].*got -0.1 in column 0"),
        ("discretized_logistic", [[0.0, 8.0]], r"whole numbers from 0 to n_levels - 1 = 7.*got 8"),
        ("logit_gaussian", [[0.0, 0.5]], r"likelihood='logit_gaussian', got 0.5 in column 1"),
        ("codes", [[0.0, 8.0]], r"whole numbers from 0 to n_levels - 1 = 7.*got 8 in column 1"),
        ("count", [[0.0, -2.0]], "hold whole numbers from 0 on .*'count', got -2 in column 1"),
        ("categorical", [[1.0, 0.0], [1.0, 1.0]], "got a row without a 1, or with two"),
        ("categorical", [[0.5, 0.5]], "one-hot columns for likelihood='categorical'"),
        ([("poisson", [0, 1])], [[0.0, 1.0]], "must pair columns with one of .*got 'poisson'"),
        ([("gaussian", [0, 2])], [[0.0, 1.0]], r"must name columns of X, got \[0, 2\]"),
        ([("gaussian", ["a"])], [[0.0, 1.0]], r"must name columns of X, got \['a'\]"),
        ([("gaussian", "a")], [[0.0, 1.0]], r"must name columns of X, got 'a'"),
        (["gaussian"], [[0.0, 1.0]], r"list of pairs \(name, columns\), got \['gaussian'\]"),
        ([], [[0.0, 1.0]], r"list of pairs \(name, columns\), got \[\]"),
        ([("gaussian", [0])], [[0.0, 1.0]], r"each of the 2 columns to one pair, got \[0\]"),
    ],
)
def test_rows_that_do_not_suit_are_refused_by_name(name, X, message):
    # the user learns which likelihood wants what, and what it got
    with pytest.raises(ValueError, match=message):
        fitted(np.array(X), name)


def test_noise_is_drawn_for_those_rows_that_take_it():
    X = np.array([[0.0, 1.0, 1.0], [0.5, 0.0, 1.0]])
    columns = fitted(X, "bernoulli")
    together, alone = columns.forward(X, 0)[0], columns.forward(X[1:], 0)[0]
    # black and white need none, and the grey of a row is drawn from its own all the same
    assert_array_equal(together[0], X[0])
    assert_array_equal(together[1:], alone)
    assert_array_equal(alone, row_noise(X[1:], 0) < X[1:])


def test_each_column_has_its_levels():
    X = np.array([[0.0, 0.0], [2.0, 16.0]])
    columns = fitted(X, "discretized_logistic", [3, 17])
    # the last level of each is at 1
    assert_allclose(columns.forward(X, 0)[0], [[-1, -1], [1, 1]])
    with pytest.raises(ValueError, match=r"n_levels - 1 = \[2, 16\] .* got 3 in column 0"):
        columns.forward(np.array([[3.0, 16.0]]), 0)
    # codes have as many units as there are categories
    U, _ = fitted(X, "codes", [3, 17]).forward(X, 0)
    assert U.shape == (2, 20)
    assert np.argwhere(U)[:, 1].tolist() == [0, 3, 2, 19]


def test_counts_have_no_last_level():
    columns = fitted(np.array([[0.0, 3.0], [4.0, 0.0]]), "count")
    # a unit of length is what the training rows had at most; more can be scored
    assert_allclose(columns.forward(np.array([[8.0, 3.0]]), 0)[0], [[3.0, 1.0]])
    # a column of zeros has none: one count then
    assert_allclose(fitted(np.zeros((2, 1)), "count").forward(np.ones((1, 1)), 0)[0], 1.0)


@pytest.mark.parametrize(
    "name", ["bernoulli", "discretized_logistic", "categorical", "codes", "count"]
)
def test_queries_are_checked_as_training_rows_are(name):
    columns = fitted(ROWS[name], name)
    # 9.5 is neither a probability, nor one of 8 levels or codes, nor one-hot, nor whole
    with pytest.raises(ValueError, match=f"likelihood='{name}', got 9.5 in column 0"):
        columns.forward(np.full_like(ROWS[name], 9.5), 0)


def test_groups_are_found():
    rare = np.column_stack([np.eye(2)[[0, 1, 1]], np.zeros(3), np.eye(3)])
    # a group ends with the first column that gives every row its 1; zeros that follow belong to it
    assert one_hot_groups(rare) == (3, 3)
    assert one_hot_groups(np.array([[1.0, 2.0], [0.0, 1.0]])) == ()


def test_mixed_guesses_by_values():
    guess = {name: columns.tolist() for name, columns in named_columns(ROWS["mixed"], "mixed")}
    assert guess == {"gaussian_diagonal": [0], "categorical": [1, 2, 3], "bernoulli": [4]}
    # a list says it outright, in any order
    spec = [("bernoulli", [4, 1]), ("gaussian", slice(0, 1)), ("gaussian", [2, 3])]
    columns = fitted(ROWS["mixed"], spec)
    U, _ = columns.forward(ROWS["mixed"], 0)
    assert_allclose(columns.backward(U), ROWS["mixed"])
