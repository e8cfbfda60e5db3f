"""Mislabelled, ambiguous and rare rows are told apart."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer, cross_fit
from skmem.copying import find_duplicates
from skmem.memorization import find_label_issues

LINEAR = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
CV = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)


def flipped(labels, share, seed):
    """Labels of which a share is replaced by another, and which those are."""
    rng = np.random.default_rng(seed)
    is_flipped = rng.random(len(labels)) < share
    shift = rng.integers(1, labels.max() + 1, len(labels))
    return np.where(is_flipped, (labels + shift) % (labels.max() + 1), labels), is_flipped


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_digits])
def test_the_ranking_finds_flipped_labels(load):
    X, clean = load(return_X_y=True)
    X, clean = X[:400], clean[:400]
    y, is_flipped = flipped(clean, 0.05, seed=1)
    issues = find_label_issues(LINEAR, X, y, cv=4, n_repeats=2, random_state=0)
    # no worse than the out-of-sample probability of the label, which confident learning ranks by
    given = issues.probability_out[np.arange(len(y)), np.searchsorted(issues.classes, y)]
    assert roc_auc_score(is_flipped, issues.log_odds) > 0.98
    assert roc_auc_score(is_flipped, issues.log_odds) >= roc_auc_score(is_flipped, -given) - 1e-3
    # ten times as many of those called mislabelled are as of all rows, and most rather have the label they had
    called = issues.kind == "mislabelled"
    assert np.mean(is_flipped[called]) > 0.5
    assert np.mean(called[is_flipped]) > 0.75
    both = called & is_flipped
    assert np.mean(issues.suggested_label[both] == clean[both]) > 0.8


def test_kinds_are_told_apart_where_they_are_known():
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [8.0, 0.0]])
    X = np.vstack([c + rng.normal(size=(100, 2)) for c in centers])
    y = np.repeat([0, 1], 100)
    # a heap of coin tosses, and three rare rows of class 0 far off, nearest to class 1
    X = np.vstack(
        [X, rng.normal([4.0, 20.0], 1.0, size=(60, 2)), [[14, -9.0], [14, -9.3], [14.3, -9]]]
    )
    y = np.concatenate([y, rng.integers(2, size=60), [0, 0, 0]])
    y[[3, 120]] = [1, 0]
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    issues = find_label_issues(forest, X, y, random_state=0)
    assert set(issues.kind[[3, 120]]) == {"mislabelled"}
    # rows of the same place with both labels: their own share of doubt
    assert np.mean(issues.kind[200:260] == "ambiguous") > np.mean(issues.kind[:200] == "ambiguous")
    assert np.mean(np.delete(issues.kind[:200], [3, 120]) == "typical") > 0.95


def test_a_row_that_no_other_row_explains_is_atypical():
    # one of four corners has a label of its own in it, and the label is right: nobody else says so
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(60, 2)), [9.0, 9.0] + 0.3 * rng.normal(size=(4, 2))])
    y = np.array([0] * 30 + [1] * 30 + [0, 0, 1, 1])
    X[:30, 0] -= 6
    X[30:60, 0] += 6
    issues = find_label_issues(KNeighborsClassifier(1), X, y, cv=4, margin=0.0, random_state=0)
    # one neighbour gives a row in training its own label with certainty
    assert issues.memorization[60:].max() >= 0.25
    assert np.all(issues.kind[60:] != "typical")


def test_probabilities_are_those_of_cross_fit():
    X, y = load_wine(return_X_y=True)
    issues = find_label_issues(LINEAR, X, y, cv=CV)
    fits = cross_fit(LINEAR, X, y, cv=CV)
    out = np.mean(fits.scores, axis=0, where=~fits.train_mask)
    given = issues.probability_out[np.arange(len(y)), y]
    # one set of fits says it of all labels, another of the given one alone
    np.testing.assert_allclose(given, out, atol=1e-12)
    np.testing.assert_allclose(issues.probability_out.sum(axis=1), 1.0)
    scorer = MemorizationScorer(LINEAR, cv=CV, reduction="pooled").fit(X, y)
    np.testing.assert_allclose(issues.memorization, scorer.memorization_, atol=1e-12)


def test_log_odds_by_hand():
    X = np.arange(8.0)[:, None]
    y = np.array(["a", "a", "a", "b", "b", "b", "b", "a"])
    splits = [(np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4))]
    issues = find_label_issues(KNeighborsClassifier(3), X, y, cv=splits)
    # row 7, an "a": with it its three neighbours are b, b, a; without it a, a, b
    assert issues.log_odds[7] == pytest.approx(0.5 * (np.log(2 / 1) + np.log(1 / 2)))
    assert issues.suggested_label[7] == "b"
    # row 5, a "b": with it b, b, b or b, b, a; without it the three nearest of the first half: a, a, b
    assert issues.probability_out[5, 1] == pytest.approx(1 / 3)


def test_a_label_unseen_by_a_fit_has_no_probability_there():
    X = np.arange(9.0)[:, None]
    y = np.array([0, 0, 1, 1, 0, 0, 1, 1, 2])
    splits = [(np.arange(8), [8]), (np.arange(1, 9), [0]), ([0, *range(3, 9)], [1, 2])]
    splits += [([0, 1, 2, 8], [3, 4, 5, 6, 7])]
    issues = find_label_issues(KNeighborsClassifier(1), X, y, cv=splits)
    assert issues.probability_out[8, 2] == 0
    # impossible without it and certain with it: no label is likelier than the other on the whole
    assert issues.probability_in[8, 2] == 1
    assert issues.memorization[8] == 1


def test_results_do_not_depend_on_n_jobs_and_groups_stay_together():
    X, y = load_wine(return_X_y=True)
    groups = np.arange(len(y)) // 2
    options = {"cv": GroupKFold(4), "groups": groups, "random_state": 0}
    a, b = (find_label_issues(LINEAR, X, y, n_jobs=n, **options) for n in (1, 2))
    np.testing.assert_array_equal(a.log_odds, b.log_odds)


def test_frames_and_words():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    X, y = load_wine(return_X_y=True, as_frame=True)
    X.index = [f"bottle {i}" for i in range(len(X))]
    labels = np.array(["red", "white", "green"])[y]
    labels[0] = "white"
    issues = find_label_issues(LINEAR, X, labels, random_state=0)
    frame = issues.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.index[0] == "bottle 0"
    assert frame.loc["bottle 0", "kind"] == "mislabelled"
    assert "row 0: white, rather red" in str(issues)
    rows, log_odds = issues.top(1)
    assert rows[0] == 0
    assert log_odds[0] == issues.log_odds.max()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"classifier": GaussianMixture(2)}, TypeError, "predict_proba"),
        ({"classifier": LogisticRegression}, TypeError, "must be an instance"),
        ({"y": None}, TypeError, "y must be given"),
        ({"y": np.zeros(178)}, ValueError, "at least 2 labels"),
        ({"y": np.zeros((178, 2))}, ValueError, "1-d"),
        ({"cv": 1}, ValueError, "cv must be from 2"),
        ({"margin": 2.0}, ValueError, "margin"),
        ({"threshold": -0.1}, ValueError, "threshold"),
    ],
)
def test_bad_input_is_named(change, error, match):
    X, y = load_wine(return_X_y=True)
    arguments = {"classifier": LINEAR, "X": X, "y": y, "random_state": 0} | change
    with pytest.raises(error, match=match):
        find_label_issues(**arguments)


def test_bad_questions_are_named():
    X, y = load_wine(return_X_y=True)
    issues = find_label_issues(LINEAR, X, y, cv=3, n_repeats=1, random_state=0)
    with pytest.raises(ValueError, match="kind must be one of"):
        issues.top(kind="wrong")
    with pytest.raises(ValueError, match="n must be an int"):
        issues.top(-1)


def parzen(distances):
    """Weights that fall off with the distance to next to nothing: far from all rows labels are as likely as usual."""
    return np.exp(-0.5 * distances**2) + 1e-4


class AllNeighbors(KNeighborsClassifier):
    """Asks all its rows, by their distances."""

    def fit(self, X, y):
        self.set_params(n_neighbors=len(X), weights=parzen)
        return super().fit(X, y)


def planted(seed):
    """Rows, labels, and the planted kinds, typical rows being those that are close to others of their label."""
    rng = np.random.default_rng(seed)
    clean = [c + rng.normal(size=(n, 2)) for c, n in (([0, 0], 200), ([9, 0], 60), ([0, 9], 40))]
    heap = [30, 30] + 0.5 * rng.normal(size=(60, 2))
    rare = 100.0 * np.arange(1, 9)[:, np.newaxis] * [1, -1]
    y = np.repeat([0, 1, 2, 3, 1], [200, 60, 40, 60, 8])
    y[300:360] = rng.permutation(np.repeat([1, 2], 30))
    wrong = rng.choice(300, 10, replace=False)
    y[wrong] = (y[wrong] + 1) % 3
    kind = np.repeat(["typical", "ambiguous", "atypical"], [300, 60, 8]).astype("U11")
    kind[wrong] = "mislabelled"
    return np.vstack([*clean, heap, rare]), y, kind


@pytest.mark.parametrize("seed", range(3))
def test_planted_kinds_are_told_apart(seed):
    X, y, kind = planted(seed)
    issues = find_label_issues(AllNeighbors(), X, y, random_state=seed)
    # a wrong label among many right ones is not believed, even by fits that were told it
    assert set(issues.kind[kind == "mislabelled"]) == {"mislabelled"}
    # tossed coins leave their rows in doubt: a few of 60 tosses nearby came out uneven
    assert np.mean(issues.kind[kind == "ambiguous"] == "ambiguous") >= 0.8
    # a row with nobody around has its label by itself alone, and nothing nearby speaks against it
    assert set(issues.kind[kind == "atypical"]) == {"atypical"}
    assert np.all(issues.memorization[kind == "atypical"] > 0.5)
    # and none of this is said of rows among their like
    assert np.mean(issues.kind[kind == "typical"] == "typical") >= 0.97


class Fixed(ClassifierMixin, BaseEstimator):
    """Gives every row the probabilities that stand in it."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return X


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([0.05, 0.5, 0.45], "mislabelled"),  # it is one of two others
        ([0.35, 0.55, 0.1], "mislabelled"),
        ([0.4, 0.55, 0.05], "ambiguous"),  # hardly less likely than the other
        ([0.55, 0.4, 0.05], "ambiguous"),
        ([0.3, 0.4, 0.3], "ambiguous"),
        ([0.7, 0.2, 0.1], "typical"),
    ],
)
def test_margins_of_the_kinds(probabilities, expected):
    X = np.vstack([probabilities, np.eye(3).repeat(3, axis=0)])
    y = np.append(0, np.repeat([0, 1, 2], 3))
    # the first row has the first label
    assert find_label_issues(Fixed(), X, y, cv=3, random_state=0).kind[0] == expected


def test_a_copy_in_another_fold_hides_a_wrong_label_and_groups_uncover_it():
    X, y, kind = planted(0)
    wrong = np.flatnonzero(kind == "mislabelled")
    X, y = np.vstack([X, X[wrong]]), np.append(y, y[wrong])
    groups = find_duplicates(X).labels
    nearest = KNeighborsClassifier(1)
    alone, together = (
        find_label_issues(nearest, X, y, groups=g, random_state=0) for g in (None, groups)
    )
    # whoever has not seen the row has mostly seen its twin, and says the same
    assert np.all(alone.memorization[wrong] < 0.5)
    # with both gone, the neighbours speak
    assert np.all(together.memorization[wrong] > 0.9)
    assert np.all(together.suggested_label[wrong] != y[wrong])


def test_a_class_of_one_row_is_missing_where_that_is_left_out():
    X, y, _ = planted(0)
    y[5] = 7
    folds = KFold(5, shuffle=True, random_state=0)
    issues = find_label_issues(AllNeighbors(), X, y, cv=folds)
    # a label that no other row has cannot be guessed, nor is it suggested to others by fits that lack it
    assert issues.probability_out[5, np.searchsorted(issues.classes, 7)] == 0
    assert issues.kind[5] == "mislabelled"
    np.testing.assert_allclose(issues.probability_out.sum(axis=1), 1.0)
