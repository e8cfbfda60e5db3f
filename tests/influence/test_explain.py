"""Proponents and opponents of generated rows."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skmem import MemorizationScorer
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from skmem.influence import InfluenceFunction, explain_samples, leave_one_out_influence

rng = np.random.default_rng(0)
X_TRAIN = rng.normal(size=(25, 2))
X_GENERATED = np.vstack([rng.normal(size=(8, 2)), X_TRAIN[3:5] + 1e-3])
kde = KernelDensity(bandwidth=0.3)
SOURCES = {
    "closed form": kde,
    "refits": make_pipeline(kde),
    "scorer": MemorizationScorer(kde, random_state=0).fit(X_TRAIN),
    "influence function": InfluenceFunction(GaussianMixture().fit(X_TRAIN)).fit(X_TRAIN),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("k", [1, 3, 25])
def test_ranks_are_those_of_the_whole_matrix(source, k):
    found = explain_samples(source, X_TRAIN, X_GENERATED, k)
    ask = getattr(source, "influence", None)
    influence = ask(X_GENERATED) if ask else leave_one_out_influence(kde, X_TRAIN, X_GENERATED)
    order = np.sort(influence, axis=0).T
    # the k highest, highest first, and the k lowest, lowest first
    assert_allclose(found.proponent_influence, order[:, ::-1][:, :k], atol=1e-12)
    assert_allclose(found.opponent_influence, order[:, :k], atol=1e-12)
    # with the rows whose influence that is
    points = np.arange(len(X_GENERATED))[:, None]
    assert_allclose(influence[found.proponents, points], found.proponent_influence, atol=1e-12)
    assert_allclose(influence[found.opponents, points], found.opponent_influence, atol=1e-12)


def test_shares_are_what_goes_with_all_proponents():
    found = explain_samples(kde, X_TRAIN, X_GENERATED, k=3)
    fitted = kde.fit(X_TRAIN).score_samples(X_GENERATED)
    has_three = np.flatnonzero((found.proponent_influence > 0).all(axis=1))
    assert has_three.size > 5
    for j in has_three:
        rest = np.delete(X_TRAIN, found.proponents[j], axis=0)
        left = kde.fit(rest).score_samples(X_GENERATED[[j]])[0]
        gone = 1 - np.exp(left - fitted[j])
        # a kernel density is a sum over rows: exact but for dividing by 22 rows at once, not 24 three times
        assert_allclose(found.share[j], gone * 22 / 24, rtol=1e-9)


def test_no_share_is_made_of_influences_that_are_not_true_to_size():
    class Ranked(BaseEstimator):
        true_to_size = False

        def fit(self, X):
            """Nothing to learn."""

        def influence(self, X):
            return np.ones((len(X_TRAIN), len(X)))

        def __sklearn_is_fitted__(self):
            return True

    found = explain_samples(Ranked(), X_TRAIN, X_GENERATED, k=2)
    assert np.isnan(found.share).all()
    # nothing that could be taken for a share is printed
    assert "%" not in str(found)


def test_a_copy_is_dominated_by_its_original():
    found = explain_samples(kde, X_TRAIN, np.array([[50.0, 50.0], [0.0, 0.0]]) + X_TRAIN[0])
    spread = explain_samples(KernelDensity(bandwidth=2.0), X_TRAIN, X_GENERATED)
    # far from all but one, one row carries it
    lone = np.vstack([X_TRAIN, [[30.0, 30.0]]])
    alone = explain_samples(kde, lone, [[30.0, 30.1]])
    assert (alone.proponents[0, 0], alone.dominated[0]) == (25, True)
    assert_allclose(alone.share, 1.0, atol=1e-12)
    # where many rows share the mass, none does
    assert not spread.dominated.any()
    # and the flag is the ratio's
    assert_array_equal(found.dominated, found.ratio >= found.dominance)


def test_who_is_no_proponent_is_not_called_one():
    # of all rows some raise the point and others lower it: k takes in both
    found = explain_samples(kde, X_TRAIN, X_GENERATED, k=len(X_TRAIN))
    frame = found.to_frame()
    sign = frame["role"].map({"proponent": 1, "opponent": -1})
    # by definition proponents have positive influence and opponents negative one
    assert (sign * frame["influence"] > 0).all()
    # each training row is one or the other, and listed once, here where none is without influence
    assert len(frame) == len(X_TRAIN) * len(X_GENERATED)
    tophat = KernelDensity(bandwidth=1.0, kernel="tophat")
    nowhere = explain_samples(tophat, np.array([[0.0], [10.0]]), [[99.0]], k=2)
    # no row reaches the point, nor keeps it from anything
    assert str(nowhere).splitlines()[-1] == "0: 0%; none; none"


def test_ratio_without_a_second_proponent():
    density = KernelDensity(bandwidth=1.0, kernel="tophat")
    X = np.array([[0.0], [10.0], [20.0]])
    found = explain_samples(density, X, [[0.1], [99.0]], k=1)
    # only one row reaches the first point, none the second: nothing dominates there
    assert_array_equal(found.ratio, [np.inf, np.nan])
    assert_array_equal(found.dominated, [True, False])
    assert_array_equal(found.share, [1.0, 0.0])
    one = explain_samples(KNeighborsDensity(1), X_TRAIN, X_GENERATED, k=1)
    # of one neighbour it is the one
    assert one.dominated.all()


@pytest.mark.parametrize("source", ["closed form", "scorer"])
def test_blocks_of_generated_rows_change_nothing(source):
    whole = explain_samples(SOURCES[source], X_TRAIN, X_GENERATED)
    with config_context(working_memory=1e-3):
        blocks = explain_samples(SOURCES[source], X_TRAIN, X_GENERATED)
    # the matrix is never whole, the results are
    assert_array_equal(blocks.proponents, whole.proponents)
    assert_allclose(blocks.share, whole.share, atol=1e-12)


def test_data_frames_give_the_same():
    frames = [pd.DataFrame(X, columns=["a", "b"]) for X in (X_TRAIN, X_GENERATED)]
    found = explain_samples(kde, *frames)
    assert_array_equal(found.proponents, explain_samples(kde, X_TRAIN, X_GENERATED).proponents)


def test_results_are_frozen_and_told():
    found = explain_samples(kde, X_TRAIN, X_GENERATED, k=2)
    # a result is a fact
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.share = 1
    lines = str(found).splitlines()
    # one line a row under two of explanation, the strongest proponent with its nats
    assert len(lines) == 2 + len(X_GENERATED)
    best, nats = found.proponents[0, 0], found.proponent_influence[0, 0]
    assert f"{best} ({nats:+.3g})" in lines[2]
    many = explain_samples(kde, X_TRAIN, np.repeat(X_GENERATED, 5, axis=0))
    # no wall of text
    assert len(str(many).splitlines()) == 23
    frame = found.to_frame()
    # one line for each pair
    assert len(frame) == 4 * len(X_GENERATED)
    first = frame[(frame["generated"] == 0) & (frame["role"] == "proponent")]
    assert_array_equal(first["train"], found.proponents[0])
    assert_array_equal(first["rank"], [1, 2])
    assert_array_equal(first["influence"], found.proponent_influence[0])


@pytest.mark.parametrize(
    ("estimator", "X", "k", "words"),
    [
        (kde, X_GENERATED, 26, "k must be at most the number of training rows, 25, got 26"),
        (kde, X_GENERATED, 0, "k"),
        (kde, X_GENERATED[:, :1], 2, "features"),
        (kde, np.full((2, 2), np.nan), 2, "NaN"),
        (kde, sparse.csr_array(X_GENERATED), 2, "[Ss]parse"),
        (object(), X_GENERATED, 2, "estimator"),
    ],
)
def test_bad_input_is_refused_in_words(estimator, X, k, words):
    with pytest.raises((ValueError, TypeError), match=words):
        explain_samples(estimator, X_TRAIN, X, k)


def test_influence_objects_must_be_fitted_to_these_rows():
    with pytest.raises(NotFittedError):
        explain_samples(MemorizationScorer(kde), X_TRAIN, X_GENERATED)
    # indices would name other rows
    with pytest.raises(ValueError, match=r"MemorizationScorer must have shape .*\(24, 10\)"):
        explain_samples(SOURCES["scorer"], X_TRAIN[1:], X_GENERATED)
