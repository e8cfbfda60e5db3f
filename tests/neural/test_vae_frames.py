"""Data frames: dtypes choose likelihoods, categories become numbers and come back."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmem import MemorizationScorer, cross_fit
from skmem.neural import VAE
from skmem.neural._frames import FrameCode
from tests.oracles import fit_one_by_one

RNG = np.random.default_rng(0)
N = 60
CITIES = ["Oslo", "Rome", "Lima"]
DATA = {
    "income": RNG.normal(3.0, 1.0, N),
    "city": np.array(CITIES, dtype=object)[RNG.integers(3, size=N)],
    "size": np.array(["s", "m", "l"], dtype=object)[RNG.integers(2, size=N)],
    "member": RNG.integers(2, size=N).astype(bool),
    "visits": RNG.poisson(4.0, N),
}
SIZES = ["s", "m", "l", "xl"]  # no row has the last two
FRAMES = {
    "pandas": pd.DataFrame(DATA).astype({"size": pd.CategoricalDtype(SIZES)}),
    "polars": pl.DataFrame(DATA).cast({"size": pl.Enum(SIZES), "city": pl.Categorical}),
}
every_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=list(FRAMES))


def small(**params):
    vae = VAE(2, (16,), likelihood="mixed", max_epochs=10, n_importance_samples=16)
    return vae.set_params(learning_rate=0.01, random_state=0, **params)


@every_frame
def test_dtypes_choose_likelihoods(frame):
    code = FrameCode.fit(frame)
    # whatever the values are: they differ between the folds of a cross-fit
    assert code.likelihood("mixed") == [
        ("bernoulli", [3]),
        ("codes", [1, 2]),
        ("count", [4]),
        ("gaussian_diagonal", [0]),
    ]
    # a categorical dtype names categories that no row has; of strings there are those seen, in order
    assert code.categories == {"city": ("Lima", "Oslo", "Rome"), "size": tuple(SIZES)}
    assert code.n_levels(256).tolist() == [256, 3, 4, 256, 256]


@pytest.mark.parametrize(
    ("dtype", "likelihood"),
    [
        ("float32", "gaussian_diagonal"),
        ("Float64", "gaussian_diagonal"),
        ("double[pyarrow]", "gaussian_diagonal"),
        ("uint8", "count"),
        ("Int64", "count"),
        ("int16[pyarrow]", "count"),
        ("boolean", "bernoulli"),
        ("bool[pyarrow]", "bernoulli"),
        ("str", "codes"),
        ("object", "codes"),
        ("string[pyarrow]", "codes"),
    ],
)
def test_dtypes_by_any_name(dtype, likelihood):
    frame = pd.DataFrame({"a": pd.Series([0, 1, 1, 0]).astype(dtype)})
    code = FrameCode.fit(frame)
    assert code.likelihood("mixed") == [(likelihood, [0])]
    # there and back
    assert_array_equal(code.encode(frame)[:, 0], [0, 1, 1, 0])
    pd.testing.assert_frame_equal(code.decode(code.encode(frame)), frame)


@every_frame
def test_frames_there_and_back(frame):
    code = FrameCode.fit(frame)
    assert code.decode(code.encode(frame)).equals(frame)
    # rows that are missing a category have the same numbers as before
    assert_array_equal(code.encode(frame[:5]), code.encode(frame)[:5])


@every_frame
def test_a_frame_is_fitted_scored_and_drawn_from(frame):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    vae = small().fit(frame)
    scores = vae.score_samples(frame)
    assert np.isfinite(scores).all()
    # a row is the same in any company, and in any order of the columns' values
    assert_allclose(vae.score_samples(frame[5:9]), scores[5:9], rtol=1e-10)
    # draws are frames of the same dtypes, with categories that there are
    drawn = vae.sample(20, random_state=0)
    assert list(drawn.dtypes) == list(frame.dtypes)
    assert np.isfinite(vae.score_samples(drawn)).all()
    # the fit is that of the numbers that stand for the frame
    numbers = FrameCode.fit(frame).encode(frame)
    spec = [("bernoulli", [3]), ("codes", [1, 2]), ("count", [4]), ("gaussian_diagonal", [0])]
    same = small(n_levels=[256, 3, 4, 256, 256]).set_params(likelihood=spec).fit(numbers)
    assert_array_equal(same.score_samples(numbers), scores)
    assert_array_equal(pickle.loads(pickle.dumps(vae)).score_samples(frame), scores)


def test_rows_of_both_libraries_score_alike():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    one, other = (small().fit(frame).score_samples(frame) for frame in FRAMES.values())
    # the same data
    assert_array_equal(one, other)


@pytest.mark.parametrize("likelihood", ["mixed", "spec"])
def test_probabilities_of_categories_sum_to_one(likelihood):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    frame = FRAMES["pandas"][["size", "member", "city"]]
    # by names, by positions, and with the name of the likelihood of one-hot columns
    spec = [("categorical", ["city", "size"]), ("bernoulli", [1])]
    vae = small(n_importance_samples=256)
    vae.set_params(likelihood=spec if likelihood == "spec" else "mixed").fit(frame)
    rows = [(s, m, c) for s in SIZES for m in (False, True) for c in CITIES]
    every = pd.DataFrame(rows, columns=list(frame)).astype(frame.dtypes)
    # all rows that there can be
    assert_allclose(np.exp(vae.score_samples(every)).sum(), 1.0, rtol=0.02)


@every_frame
def test_frames_are_cross_fitted(frame):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    fits = cross_fit(small(max_epochs=2), frame, cv=3, random_state=0)
    # rows of a frame are taken as rows of an array are
    assert np.isfinite(fits.scores).all()
    scorer = MemorizationScorer(small(max_epochs=2), cv=3, n_repeats=2, random_state=0).fit(frame)
    assert np.isfinite(scorer.memorization_).all()
    assert list(scorer.sample(3).dtypes) == list(frame.dtypes)


def with_column(name, values):
    return FRAMES["pandas"].assign(**{name: values})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            with_column("city", ["Oslo", "Bonn"] * 30),
            r"column 'city' one of .*\['Lima', .*got 'Bonn'",
        ),
        (
            with_column("city", ["Oslo", None] * 30),
            r"column 'city' one of .*Missing values must be",
        ),
        (with_column("income", [1.0, np.nan] * 30), "contains NaN, in column 'income'"),
        (with_column("income", [1.0, np.inf] * 30), "contains infinity"),
        (with_column("visits", [1, -1] * 30), "likelihood='count', got -1 in column 'visits'"),
        (with_column("visits", [1.5, 1.0] * 30), "likelihood='count', got 1.5 in column 'visits'"),
        (FRAMES["pandas"][["city", "income"]], "feature names should match"),
    ],
)
def test_rows_that_do_not_fit_the_columns_are_refused_by_name(frame, message):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    vae = small(max_epochs=1).fit(FRAMES["pandas"])
    # before anything is scored
    with pytest.raises(ValueError, match=message):
        vae.score_samples(frame)


@pytest.mark.parametrize(
    ("frame", "params", "message"),
    [
        (with_column("t", pd.to_datetime(["2020"] * N)), {}, "column 't' of dtype datetime64"),
        (with_column("o", np.array(["a", 1] * 30, dtype=object)), {}, "one type in column 'o'"),
        (
            FRAMES["pandas"],
            {"likelihood": "gaussian"},
            "about numbers, got column 'city' of dtype",
        ),
        (
            FRAMES["polars"],
            {"likelihood": "gaussian"},
            "about numbers, got column 'city' of dtype",
        ),
        (
            FRAMES["pandas"],
            {"likelihood": [("gaussian", ["income", "city"]), ("count", [2, 3, 4])]},
            "likelihood='gaussian' is about numbers, got column 'city'",
        ),
        (
            FRAMES["pandas"],
            {"likelihood": [("gaussian", ["incom"])]},
            r"likelihood must name columns of X, got \['incom'\]",
        ),
        (
            pd.DataFrame(np.ones((9, 2)), columns=["a", "a"]),
            {},
            "unique column names|name each column once",
        ),
        (FRAMES["pandas"], {"n_levels": [2, 3]}, "or one for each of 5 columns, got"),
        (FRAMES["pandas"], {"n_levels": 1}, "must be an integer of at least 2"),
    ],
)
def test_columns_without_a_likelihood_are_refused_by_name(frame, params, message):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    with pytest.raises(ValueError, match=message):
        small(**params).fit(frame)


def test_numbers_of_a_frame_are_those_of_the_array():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    X = RNG.normal(size=(40, 3))
    frame = pd.DataFrame(X, columns=list("abc"))
    one, other = (small(likelihood="gaussian").fit(rows) for rows in (X, frame))
    assert_array_equal(one.score_samples(X), other.score_samples(frame))
    # what is stored beside the weights does not hold rows
    assert re.search("DataFrame", repr(other._frame.frame_type))


def test_fits_of_a_cross_fit_may_know_different_categories():
    # strings of a frame: a fit knows those of its training rows alone
    frame = FRAMES["pandas"].assign(city=["Bonn", "Bonn", *DATA["city"][2:]])
    train_mask = np.ones((4, N), dtype=bool)
    train_mask[:2, :2] = False
    train_mask[2:, 2:4] = False
    points, vae = frame[4:], small(proposal="encoder")
    scores = vae.cross_fit_score_samples(frame, train_mask, points, seeds=range(4))
    # those that do have other tables and other nets, and all score rows that they know
    alone = fit_one_by_one(vae, frame, train_mask, range(4))
    assert_allclose(scores, [fit.score_samples(points) for fit in alone], rtol=1e-3, atol=1e-3)
    # a row with a category that a fit has not seen is refused by name, as by a single fit
    with pytest.raises(ValueError, match="in column 'city' one of the categories seen in fit"):
        vae.cross_fit_score_samples(pl.from_pandas(frame), train_mask, seeds=range(4))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "UInt8"])
def test_counts_are_drawn_within_their_dtype(dtype):
    top = np.iinfo(dtype.lower()).max
    counts = top - np.random.default_rng(0).integers(20, size=80)
    frames = [pd.DataFrame({"n": counts, "m": counts[::-1]}).astype(dtype)]
    if dtype == "UInt8":
        frames.append(pl.from_pandas(frames[0]))
    for frame in frames:
        drawn = small(max_epochs=40).fit(frame).sample(500, random_state=0)
        # a likelihood of counts has no end: draws beyond it are the greatest there is, and none is wrapped
        assert list(drawn.dtypes) == list(frame.dtypes)
        assert drawn["n"].min() > top - 80
