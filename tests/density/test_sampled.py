"""The density of models that can only be sampled from."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

from skmem import MemorizationScorer
from skmem._random import child_seeds
from skmem.datasets import make_planted_outliers
from skmem.density import KernelDensity, SampledDensity

X = np.random.default_rng(0).normal(size=(60, 2)) * [1.0, 3.0] + [5.0, 0.0]
mixture = GaussianMixture(2, random_state=0)


class Copier:
    """A synthesiser that is no scikit-learn estimator: it draws training rows, and jitters them if told to."""

    def __init__(self, noise=0.0):
        self.noise = noise

    def fit(self, data):
        self.rows, self.kind = np.asarray(data), type(data).__name__

    def sample(self, n, random_state=None):
        rng = np.random.default_rng(random_state)
        rows = self.rows[rng.integers(len(self.rows), size=n)]
        return rows + self.noise * rng.normal(size=rows.shape)


class Stateful(BaseEstimator):
    """A synthesiser that draws by a parameter, and keeps count of its draws."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, data, y=None):
        self.mean_, self.n_draws_ = data.mean(axis=0), 0

    def sample(self, num_rows):
        self.n_draws_ += 1
        return np.random.default_rng(self.random_state).normal(self.mean_, size=(num_rows, 2))


class Wrong(Copier):
    """A synthesiser that draws something else."""

    def __init__(self, drawn=None):
        self.drawn = drawn

    def sample(self, n):
        return self.drawn(n)


GENERATORS = {
    "tuple": mixture,
    "random_state": KernelDensity(bandwidth=0.5),
    "no estimator": Copier(0.3),
    "parameter": Stateful(),
}


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
def test_every_kind_of_generator_is_drawn_from(generator):
    params = {"n_samples": 200, "random_state": 3}
    density = SampledDensity(generator, **params).fit(X)
    scores = density.score_samples(X)
    assert np.isfinite(scores).all()
    # the same seed draws the same rows, another one others
    np.testing.assert_array_equal(
        SampledDensity(generator, **params).fit(X).score_samples(X), scores
    )
    other = SampledDensity(generator, n_samples=200, random_state=4).fit(X)
    assert not np.array_equal(other.score_samples(X), scores)
    # rows come from the generator, one seed one sample
    drawn = density.sample(7, random_state=0)
    assert drawn.shape == (7, 2)
    np.testing.assert_array_equal(density.sample(7, random_state=0), drawn)
    assert not np.array_equal(density.sample(7, random_state=1), drawn)


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
def test_the_generator_given_is_left_as_it_is(generator):
    before = vars(generator).copy()
    SampledDensity(generator, n_samples=50).fit(X)
    assert vars(generator) == before


def test_the_density_is_fitted_to_the_rows_drawn():
    density = SampledDensity(Copier(), KernelDensity(bandwidth=0.4), n_samples=500, random_state=0)
    density.fit(X)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=1)[0]
    drawn = density.generator_.sample(500, random_state=int(seed))
    expected = KernelDensity(bandwidth=0.4).fit(drawn).score_samples(X)
    np.testing.assert_array_equal(density.score_samples(X), expected)


def test_many_samples_of_a_known_density_give_it_back():
    density = SampledDensity(mixture, random_state=0).fit(X)
    truth = density.generator_.score_samples(X)
    inner = truth > np.quantile(truth, 0.2)
    # all but blur and noise: a tenth of a nat where there are rows
    assert np.abs(density.score_samples(X) - truth)[inner].mean() < 0.1
    few = SampledDensity(mixture, n_samples=100, random_state=0).fit(X)
    # which fewer rows drawn have more of
    assert np.abs(few.score_samples(X) - truth)[inner].mean() > 0.1


def test_the_documented_noise_is_that_of_repeated_draws():
    h, n, d = 0.4, 2000, 2
    points = np.array([[5.0, 0.0], [6.0, 3.0], [7.0, 5.0]])
    scores = np.array(
        [
            SampledDensity(mixture, KernelDensity(bandwidth=h), n, random_state=seed)
            .fit(X)
            .score_samples(points)
            for seed in range(60)
        ]
    )
    formula = np.sqrt((4 * np.pi) ** (-d / 2) / (n * h**d * np.exp(scores.mean(axis=0))))
    # sixty draws tell a standard deviation to 9 %; the formula is the leading term of many
    np.testing.assert_allclose(scores.std(axis=0), formula, rtol=0.35)


def test_a_generator_that_copies_has_the_bandwidth_of_its_rows():
    density = SampledDensity(Copier(), n_samples=5000, random_state=0).fit(X)
    # thousands of copies are no reason for a bandwidth of zero, nor for one that shrinks
    expected = KernelDensity(bandwidth="loo").fit(X).bandwidth_
    assert density.density_.bandwidth_ == pytest.approx(expected, rel=1e-3)


def test_more_rows_have_a_narrower_bandwidth():
    bandwidths = [
        SampledDensity(mixture, n_samples=n, random_state=0).fit(X).density_.bandwidth_
        for n in (1000, 8000)
    ]
    # n^(-1 / (d + 4)) in two dimensions, from a thousand rows each
    assert bandwidths[1] / bandwidths[0] == pytest.approx(8 ** (-1 / 6), rel=0.1)


class Ordered(BaseEstimator):
    """Rows of a narrow cluster first, then as many of a wide one, as mixtures of scikit-learn order theirs."""

    def fit(self, X):
        return self

    def sample(self, n_samples, random_state=None):
        rows = np.random.RandomState(random_state).normal(size=(n_samples, 2))
        rows[n_samples // 2 :] = 20 + 3 * rows[n_samples // 2 :]
        return rows


class OneValueFirst(Ordered):
    def sample(self, n_samples, random_state=None):
        rows = super().sample(n_samples, random_state)
        rows[: n_samples // 2] = 0.0
        return rows


def test_the_bandwidth_is_that_of_all_rows_in_whatever_order_they_are_drawn():
    density = SampledDensity(Ordered(), n_samples=4000, random_state=0).fit(X)
    seed = child_seeds(0, 1)[0]
    rows = Ordered().sample(4000, int(seed))
    mixed = np.random.RandomState(1).permutation(rows)[:1000]
    expected = KernelDensity(bandwidth="loo").fit(mixed).bandwidth_ * (1000 / 4000) ** (1 / 6)
    # that of the first rows alone is half of it: the wide cluster would fall apart into single rows
    assert density.density_.bandwidth_ == pytest.approx(expected, rel=0.15)


def test_rows_that_differ_only_late_have_a_bandwidth():
    density = SampledDensity(OneValueFirst(), n_samples=4000, random_state=0).fit(X)
    # a thousand equal rows at the start say nothing of those that follow
    assert np.isfinite(density.score_samples(X)).all()


def test_frames_reach_the_generator_as_they_are():
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    frame = pd.DataFrame(X, columns=["age", "bmi"])
    density = SampledDensity(Copier(0.1), n_samples=50, random_state=0).fit(frame)
    assert density.generator_.kind == "DataFrame"
    assert list(density.feature_names_in_) == ["age", "bmi"]
    plain = SampledDensity(Copier(0.1), n_samples=50, random_state=0).fit(X)
    np.testing.assert_array_equal(density.score_samples(frame), plain.score_samples(X))


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (lambda n: X[: n - 1], r"sample of Wrong must give n_samples=20 rows of 2 .* \(19, 2\)"),
        (lambda n: np.zeros((n, 3)), r"rows of 2 columns, got shape \(20, 3\)"),
        (lambda n: np.full((n, 2), np.nan), "sample of Wrong contains NaN"),
        (np.zeros, "Expected 2D array"),
        (lambda n: np.full((n, 2), "a", dtype=object), "could not convert string to float"),
        (lambda n: np.zeros((n, 2)), "all are equal"),
    ],
)
def test_a_generator_that_draws_something_else_is_named(drawn, message):
    with pytest.raises(ValueError, match=message):
        SampledDensity(Wrong(drawn), n_samples=20).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"generator": object()}, "'generator' .* 'fit' and 'sample'"),
        ({"density": object()}, "'density'"),
        ({"n_samples": 1}, "'n_samples' .* Got 1"),
        ({"n_samples": 10.0}, "'n_samples' .* Got 10.0"),
        ({"random_state": "a"}, "'random_state' .* Got 'a'"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SampledDensity(**({"generator": mixture} | params)).fit(X)


def test_cross_fitting_the_generator_finds_what_it_memorizes():
    data = make_planted_outliers(80, 3, distance=12.0, random_state=0)
    generator = KernelDensity(bandwidth=0.7)
    sampled = SampledDensity(generator, KernelDensity(bandwidth=0.7), n_samples=2000)
    scorer = MemorizationScorer(sampled, cv=8, n_repeats=2, random_state=0).fit(data.X)
    # the generator has been refitted without each row
    assert (scorer.method_, scorer.n_fits_) == ("refit", 16)
    # what it draws near an outlier it has from the outlier alone
    assert set(scorer.top(3)[0]) == set(data.planted)
    # the wider of two kernels on top of one another: the same rows in the same order, but for noise
    exact = MemorizationScorer(KernelDensity(bandwidth=1.0)).fit(data.X).memorization_
    assert np.corrcoef(exact, scorer.memorization_)[0, 1] > 0.8


def test_results_do_not_depend_on_the_number_of_jobs():
    sampled = SampledDensity(mixture, n_samples=100)
    params = {"cv": 3, "n_repeats": 2, "random_state": 0}
    one, two = (
        MemorizationScorer(sampled, n_jobs=n, **params).fit(X).memorization_ for n in (1, 2)
    )
    # seeds are drawn before the fits
    np.testing.assert_array_equal(one, two)


class _Shuffling:
    """Draws its training rows, the columns in another order or under another name."""

    def __init__(self, name="b"):
        self.name = name

    def fit(self, X):
        self.X = X
        return self

    def sample(self, n):
        drawn = self.X.sample(n, replace=True, random_state=0)
        return drawn[["b", "a"]].rename(columns={"b": self.name})


def test_columns_of_a_frame_that_a_generator_draws_are_matched_by_name():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"a": np.arange(9.0), "b": np.arange(9.0) + 100})
    density = SampledDensity(_Shuffling(), n_samples=50).fit(X)
    drawn = density.sample(20, random_state=0)
    # In training rows b is a + 100: the other order would give a = b + 100.
    np.testing.assert_array_equal(drawn[:, 1] - drawn[:, 0], 100.0)
    with pytest.raises(ValueError, match=r"must have the columns \['a', 'b'\]"):
        SampledDensity(_Shuffling("c"), n_samples=50).fit(X)
