"""Dropping the most memorized rows, alone and in a Pipeline of imbalanced-learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

from skmem import MemorizationScorer
from skmem.datasets import make_flipped_labels, make_planted_outliers
from skmem.density import GaussianMixture, KernelDensity
from skmem.memorization import MemorizationFilter

data = make_planted_outliers(100, 4, distance=12.0, random_state=1)
X, y = data.X, data.y
kde = KernelDensity(bandwidth=0.8)
exact = MemorizationScorer(kde)
noisy = MemorizationScorer(
    GaussianMixture(3), method="cross-fit", cv=4, n_repeats=3, random_state=0
)


class Given(MemorizationScorer):
    """A scorer that has been told its scores, and its noise."""

    estimator = None

    def __init__(self, scores=(), floor=0.0):
        self.scores = scores
        self.floor = floor

    def fit(self, X, y=None, *, groups=None):
        self.memorization_, self.noise_floor_ = np.asarray(self.scores), {0.95: self.floor}
        return self


def filtered(scores, max_share, floor=0.0):
    rows = np.arange(len(scores), dtype=float)[:, None]
    return MemorizationFilter(Given(scores, floor), max_share=max_share).fit(rows)


@pytest.mark.parametrize(
    ("max_share", "floor", "kept", "threshold"),
    [
        (0.5, 0.0, [0, 1, 2], 1.0),  # the three highest of six go
        (0.34, 0.0, [0, 1, 2, 5], 2.0),  # a third and a little more is two
        (0.5, 2.5, [0, 1, 2, 5], 2.5),  # but none within the noise
        (0.9, 0.0, [0, 2], 0.0),  # nor any that is not memorized at all
        (0.5, 9.0, [0, 1, 2, 3, 4, 5], 9.0),
        (0.0, 0.0, [0, 1, 2, 3, 4, 5], 4.0),
        (0.5, np.nan, [0, 1, 2], 1.0),  # of unknown noise the share decides
    ],
)
def test_the_most_memorized_rows_above_the_noise_go(max_share, floor, kept, threshold):
    result = filtered([-1.0, 1.0, 0.0, 4.0, 3.0, 2.0], max_share, floor)
    np.testing.assert_array_equal(result.sample_indices_, kept)
    assert result.threshold_ == threshold


def test_ties_at_the_threshold_stay_together():
    # which of equal rows to drop would be a matter of their order
    np.testing.assert_array_equal(
        filtered([5.0, 5.0, 5.0, 1.0], 0.5).sample_indices_, np.arange(4)
    )


def test_weights_take_back_what_is_above_the_threshold():
    result = filtered([0.0, 1.0, 2.0, 4.0, np.inf], 0.4)
    assert result.threshold_ == 2.0
    # e^-(M - threshold): 1 where kept, 0 where nothing but the row itself made it likely
    np.testing.assert_allclose(result.sample_weight_, [1, 1, 1, np.exp(-2), 0])
    # infinite scores are equal to one another
    np.testing.assert_array_equal(filtered([np.inf, np.inf, 0.0], 0.4).sample_weight_, [1, 1, 1])


@pytest.mark.parametrize("scorer", [exact, noisy], ids=["leave-one-out", "cross-fit"])
def test_planted_outliers_go(scorer):
    result = MemorizationFilter(scorer, max_share=0.04)
    X_kept, y_kept = result.fit_resample(X, y)
    assert not np.isin(data.planted, result.sample_indices_).any()
    np.testing.assert_array_equal(X_kept, X[result.sample_indices_])
    np.testing.assert_array_equal(y_kept, y[result.sample_indices_])
    # the scores are those of the scorer, fitted on all rows
    expected = clone(scorer).fit(X, y)
    np.testing.assert_array_equal(result.scorer_.memorization_, expected.memorization_)
    dropped = expected.memorization_ > max(result.threshold_, expected.noise_floor_[0.95])
    np.testing.assert_array_equal(result.sample_indices_, np.flatnonzero(~dropped))


def test_the_scorer_given_is_left_as_it_is():
    scorer = MemorizationScorer(KernelDensity())
    MemorizationFilter(scorer).fit(X)
    assert not hasattr(scorer, "memorization_")


def test_flipped_labels_go_by_the_scores_of_a_classifier():
    flipped = make_flipped_labels(150, 6, separation=12.0, random_state=0)
    scorer = MemorizationScorer(KNeighborsClassifier(1), cv=5, n_repeats=3, random_state=0)
    result = MemorizationFilter(scorer, max_share=0.1).fit(flipped.X, flipped.y)
    # a classifier memorizes what its neighbours contradict
    assert not np.isin(flipped.planted, result.sample_indices_).any()


def test_twins_go_together_when_they_are_one_group():
    rows = np.concatenate([X, X[data.planted[:1]]])
    groups = np.append(np.arange(100), data.planted[0])
    twins = [data.planted[0], 100]
    alone = MemorizationFilter(exact, max_share=0.05).fit(rows)
    assert np.isin(twins, alone.sample_indices_).all()
    together = MemorizationFilter(exact, max_share=0.05)
    X_kept, y_kept = together.fit_resample(rows, groups=groups)
    assert not np.isin(twins, together.sample_indices_).any()
    assert y_kept is None
    assert len(X_kept) == len(together.sample_indices_)


def test_a_class_that_loses_all_its_rows_is_warned_of():
    label = np.zeros(100, dtype=int)
    label[data.planted] = 1
    with pytest.warns(UserWarning, match="No row is kept of 1 classes: 1"):
        MemorizationFilter(exact).fit(X, label)
    # targets of a regression are no classes
    MemorizationFilter(exact).fit(X, label + np.linspace(0, 0.5, 100))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_stay_frames(library):
    frames = pytest.importorskip(library, reason="frames come with the frames and test extras")
    frame = frames.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    label = frames.Series(y)
    result = MemorizationFilter(exact)
    X_kept, y_kept = result.fit_resample(frame, label)
    assert (type(X_kept), type(y_kept)) == (type(frame), type(label))
    np.testing.assert_array_equal(X_kept.to_numpy(), X[result.sample_indices_])
    assert list(result.feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scorer": object()}, "'scorer'"),
        ({"scorer": kde}, "'scorer' .* must be None or an instance of .*MemorizationScorer"),
        ({"max_share": -0.1}, "'max_share' .* Got -0.1"),
        ({"max_share": 1.0}, "'max_share' .* Got 1.0"),
        ({"max_share": np.nan}, "'max_share' .* Got nan"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        MemorizationFilter(**params).fit(X)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.where(X > 5, np.nan, X), "contains NaN"),
        (np.where(X > 5, np.inf, X), "contains infinity"),
        (X[:0], "0 sample"),
        (X[:1], "at least 2|1 sample|differ"),
        (np.ones((5, 2)), "all are equal"),
    ],
)
def test_bad_rows_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        MemorizationFilter().fit_resample(rows)


# imbalanced-learn


def test_a_pipeline_of_imbalanced_learn_trains_on_the_rows_kept():
    pipeline = pytest.importorskip(
        "imblearn.pipeline", reason="imbalanced-learn comes with the test extra"
    )
    steps = pipeline.make_pipeline(MemorizationFilter(exact), LogisticRegression())
    steps.fit(X, y)
    kept = steps[0].sample_indices_
    assert len(kept) < 100
    by_hand = LogisticRegression().fit(X[kept], y[kept])
    np.testing.assert_array_equal(steps[-1].coef_, by_hand.coef_)
    # prediction keeps all rows
    np.testing.assert_array_equal(steps.predict(X), by_hand.predict(X))


def test_a_search_through_imbalanced_learn_sets_the_share():
    pipeline = pytest.importorskip(
        "imblearn.pipeline", reason="imbalanced-learn comes with the test extra"
    )
    steps = pipeline.make_pipeline(MemorizationFilter(exact), LogisticRegression())
    grid = {"memorizationfilter__max_share": [0.0, 0.2]}
    search = GridSearchCV(steps, grid, cv=3, refit=False, return_train_score=True).fit(X, y)
    # both settings were fitted, and the one that drops a fifth was fitted to other rows
    train = [search.cv_results_[f"split{fold}_train_score"] for fold in range(3)]
    assert np.isfinite(train).all()
    assert any(drops_none != drops_some for drops_none, drops_some in train)
