"""Memorization and influence of classifiers, by the definitions of Feldman & Zhang."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmem import MemorizationScorer, SubsetSplit
from tests.oracles import label_probability_by_hand, subset_memorization

X = np.array([[0.0], [0.9], [2.1], [3.0], [4.2], [5.1], [5.9]])
Y = np.array(["a", "a", "b", "a", "b", "b", "b"])
X_NEW = np.array([[1.5], [3.6], [8.0]])
Y_NEW = np.array(["a", "b", "a"])
CLASSIFIER = KNeighborsClassifier(2)
SIZE = 5
SUBSETS = [list(rows) for rows in combinations(range(len(X)), SIZE)]
ALL = [(rows, np.setdiff1d(np.arange(len(X)), rows)) for rows in SUBSETS]


SCORERS = [
    MemorizationScorer(model, cv=3, n_repeats=2, random_state=0)
    for model in (LogisticRegression(), Ridge())
]
EXPECTED_FAILURES = {
    "check_supervised_y_2d": "a column of targets is refused like any other 2-d y, not flattened with a warning",
    "check_requires_y_none": "a missing y is a TypeError that says what it is needed for",
}
OF_CLASSIFIERS = {
    "check_dtype_object": "folds are stratified, and refuse such a y, before any fit"
}


def expected_failures(scorer):
    is_ours = isinstance(scorer.estimator, LogisticRegression)
    return EXPECTED_FAILURES | (OF_CLASSIFIERS if is_ours else {})


@parametrize_with_checks(SCORERS, expected_failed_checks=expected_failures)
def test_scikit_learn_conventions(estimator, check):
    # a scorer of a classifier is one, and predicts as the fit to all rows does
    check(estimator)


def scored(cv, **params):
    params = {"response": "predict_proba", "random_state": 0} | params
    return MemorizationScorer(CLASSIFIER, cv=cv, **params).fit(X, Y)


def test_all_subsets_of_a_size_are_the_definition():
    expected = subset_memorization(CLASSIFIER, X, Y, SIZE)
    # every training set of the size, once: nothing is left to chance but which of the fits "matched" draws
    assert_allclose(scored(ALL, reduction="pooled").memorization_, expected, atol=1e-12)
    assert_allclose(scored(ALL, reduction="mean").memorization_, expected, atol=1e-12)
    # else zero would pass: some rows are memorized
    assert np.ptp(expected) > 0.2


@pytest.mark.parametrize("reduction", ["matched", "pooled"])
def test_random_subsets_are_right_in_expectation(reduction):
    expected = subset_memorization(CLASSIFIER, X, Y, SIZE)
    draws = np.array(
        [
            scored(
                SubsetSplit(SIZE / len(X), 30, seed), reduction=reduction, refit=False
            ).memorization_
            for seed in range(20)
        ]
    )
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    # given how many fits have a row, which these are is uniform over all subsets with it: unbiased
    assert np.all(np.abs(draws.mean(axis=0) - expected) <= 4 * error + 1e-12)
    # and draws are not exact, or the law above would say nothing: only row 2 is the same in every draw
    assert np.count_nonzero(error) == len(X) - 1


def test_influence_on_new_points_is_the_definition():
    found = scored(ALL, reduction="pooled").influence(X_NEW, Y_NEW)
    fits = np.array(
        [label_probability_by_hand(CLASSIFIER, X, Y, rows, X_NEW, Y_NEW) for rows in SUBSETS]
    )
    for i in range(len(X)):
        has = np.array([i in rows for rows in SUBSETS])
        # probability of the point's label over the subsets with the row minus over those without it
        assert_allclose(found[i], fits[has].mean(axis=0) - fits[~has].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("params", [{}, {"method": "leave-one-out"}], ids=["subsets", "one out"])
def test_rows_as_new_points_have_the_influence_of_rows(params):
    scorer = scored(ALL, **params)
    influence = scorer.influence()
    # the diagonal is what the scorer is about
    assert_allclose(np.diag(influence), scorer.memorization_, atol=1e-12)
    # the same rows with the same labels, in another array and in the very same
    assert_allclose(scorer.influence(X.copy(), Y), influence, atol=1e-12)
    assert_allclose(scorer.influence(X, Y), influence, atol=1e-12)
    # of two labels one gains what the other loses, also where X is the array that was fitted
    other = np.where(Y == "a", "b", "a")
    assert_allclose(scorer.influence(X, other), -influence, atol=1e-12)


def test_a_label_that_no_row_has_is_never_likely():
    # zero with and without any row
    assert not scored(ALL).influence(X_NEW, ["c"] * 3).any()


def test_bad_labels_of_points_are_refused():
    scorer = scored(ALL)
    with pytest.raises(ValueError, match="of their own"):
        scorer.influence(X_NEW)
    with pytest.raises(ValueError, match="y must be None where X is None"):
        scorer.influence(y=Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        scorer.influence(X_NEW, Y)
    with pytest.raises(ValueError, match="1-d"):
        scorer.influence(X_NEW, Y_NEW[:, None])


def test_leave_one_out_of_a_classifier_is_by_hand():
    scorer = MemorizationScorer(
        GaussianNB(), response="predict_proba", method="leave-one-out", random_state=0
    ).fit(X, Y)
    for i in range(len(X)):
        rest = np.delete(np.arange(len(X)), i)
        whole, without = (
            label_probability_by_hand(GaussianNB(), X, Y, rows, X_NEW, Y_NEW)
            for rows in (np.arange(len(X)), rest)
        )
        # one fit with all rows, one without the row
        assert_allclose(scorer.influence(X_NEW, Y_NEW)[i], whole - without, atol=1e-12)
