"""Rows that leave with their group: no copy that stays hides how much a row is memorized."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from skmem import MemorizationScorer
from skmem.datasets import make_planted_outliers
from skmem.density import GaussianMixture, KernelDensity, KNeighborsDensity
from tests.oracles import refit_leave_one_group_out, refit_leave_one_out

# Rows whose k-th neighbour is a copy are told so by a warning.
pytestmark = pytest.mark.filterwarnings("ignore:.* are at distance 0 from n_neighbors")
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2))
X[10:14] = X[:4]  # pairs of copies,
X[14] = X[0]  # one of them a triple
GROUPS = np.arange(40)
GROUPS[10:15] = [0, 1, 2, 3, 0]
GROUPS[20:23] = 20  # and rows that have nothing in common but the label

CLOSED_FORMS = {
    **{
        kernel: KernelDensity(bandwidth=0.8, kernel=kernel)
        for kernel in ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")
    },
    "cityblock": KernelDensity(bandwidth=0.8, metric="cityblock"),
    **{f"{k} neighbours": KNeighborsDensity(k) for k in (2, 5)},
    "manhattan neighbours": KNeighborsDensity(4, metric="manhattan"),
}


class Refitted(BaseEstimator):
    """A density without its closed forms."""

    def __init__(self, density=None):
        self.density = density

    def fit(self, X, y=None):
        self.fitted_ = clone(self.density).fit(X)
        return self

    def score_samples(self, X):
        return self.fitted_.score_samples(X)


def score(estimator, data=X, groups=GROUPS, y=None, **params):
    return MemorizationScorer(estimator, random_state=0, **params).fit(data, y, groups=groups)


# Leave-one-group-out


@pytest.mark.parametrize("density", CLOSED_FORMS.values(), ids=CLOSED_FORMS)
@pytest.mark.parametrize("groups", [GROUPS, GROUPS % 3, GROUPS % 2], ids=["copies", "3", "2"])
def test_the_closed_form_is_a_refit_without_the_group(density, groups):
    fast = clone(density).fit(X).leave_one_group_out_score_samples(groups)
    # the definition, whether a group is a pair or half of the rows
    np.testing.assert_allclose(fast, refit_leave_one_group_out(density, X, groups), atol=1e-9)


@pytest.mark.parametrize("density", CLOSED_FORMS.values(), ids=CLOSED_FORMS)
def test_groups_of_one_row_are_leave_one_out(density):
    fitted = clone(density).fit(X)
    alone = fitted.leave_one_group_out_score_samples(np.arange(40)[::-1])
    np.testing.assert_array_equal(alone, fitted.leave_one_out_score_samples())


def test_weights_leave_with_their_group():
    weight = np.arange(40) % 3.0
    density = KernelDensity(bandwidth=0.8)
    fast = clone(density).fit(X, sample_weight=weight).leave_one_group_out_score_samples(GROUPS)
    slow = []
    for i in range(40):
        rest = GROUPS[i] != GROUPS
        fitted = clone(density).fit(X[rest], sample_weight=weight[rest])
        slow.append(fitted.score_samples(X[[i]])[0])
    np.testing.assert_allclose(fast, slow, atol=1e-9)


def test_a_graph_of_neighbours_leaves_groups_out_as_rows_do():
    distances = np.linalg.norm(X[:, None] - X, axis=2)
    graph = KNeighborsDensity(3, metric="precomputed", n_dims=2).fit(distances)
    np.testing.assert_allclose(
        graph.leave_one_group_out_score_samples(GROUPS),
        KNeighborsDensity(3).fit(X).leave_one_group_out_score_samples(GROUPS),
        atol=1e-9,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_groups_take_rows_of_any_numeric_dtype(dtype):
    data = (10 * X).astype(dtype)
    density = KernelDensity(bandwidth=3.0)
    fast = clone(density).fit(data).leave_one_group_out_score_samples(GROUPS)
    expected = refit_leave_one_group_out(density, data.astype(float), GROUPS)
    # single precision costs less than a thousandth nat, as in all scores
    np.testing.assert_allclose(fast, expected, atol=1e-3)


@pytest.mark.parametrize("density", [KernelDensity(), KNeighborsDensity(5)], ids=["kde", "knn"])
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(40), "groups must leave a row outside every group, got all 40 rows in one"),
        (GROUPS[1:], "groups must have one entry for each of the 40 rows of X, got 39"),
        (GROUPS[:, None], r"groups must have one entry .* got shape \(40, 1\)"),
        (np.where(GROUPS > 30, np.nan, GROUPS), "groups must have no missing labels, got nan"),
        (np.where(GROUPS > 30, None, "a"), "groups must be labels of one kind, none missing"),
    ],
)
def test_bad_groups_are_named(density, groups, message):
    with pytest.raises(ValueError, match=message):
        clone(density).fit(X).leave_one_group_out_score_samples(groups)
    with pytest.raises(ValueError, match=message):
        score(density, groups=groups)


def test_groups_that_leave_too_little_are_named():
    most = np.where(np.arange(40) < 37, 0, 1)
    with pytest.raises(ValueError, match=r"leave n_neighbors=5 rows .* group of 37 of 40 rows"):
        KNeighborsDensity(5).fit(X).leave_one_group_out_score_samples(most)
    fitted = KernelDensity().fit(X, sample_weight=np.arange(40) < 37)
    with pytest.raises(ValueError, match="a row of positive weight outside every group"):
        fitted.leave_one_group_out_score_samples(most)


# The scorer


def test_auto_leaves_groups_out_in_closed_form():
    scorer = score(KernelDensity(bandwidth=0.8))
    fitted = scorer.estimator_
    assert (scorer.method_, scorer.n_fits_, scorer.cross_fit_) == ("leave-one-out", 1, None)
    inside = fitted.score_samples(X)
    expected = inside - fitted.leave_one_group_out_score_samples(GROUPS)
    np.testing.assert_array_equal(scorer.memorization_, expected)
    # beside it, what the scorer says without groups
    expected = score(KernelDensity(bandwidth=0.8), groups=None).memorization_
    np.testing.assert_array_equal(scorer.row_memorization_, expected)
    np.testing.assert_array_equal(scorer.groups_, GROUPS)


@pytest.mark.parametrize("labels", [GROUPS, GROUPS.astype(str), GROUPS.astype(float)])
def test_refits_leave_groups_out_too(labels):
    scorer = score(Refitted(GaussianMixture()), groups=labels, method="leave-one-out")
    expected = refit_leave_one_group_out(GaussianMixture(), X, GROUPS)
    np.testing.assert_allclose(scorer.log_density_out_, expected, atol=1e-9)
    # one fit on all rows, and one without each group
    assert scorer.n_fits_ == 1 + len(np.unique(GROUPS))
    inside = GaussianMixture().fit(X).score_samples(X)
    alone = inside - refit_leave_one_out(GaussianMixture(), X)
    np.testing.assert_allclose(scorer.row_memorization_, alone, atol=1e-9)


@pytest.mark.parametrize("estimator", [GaussianMixture(), Refitted(KernelDensity())])
def test_an_int_cv_keeps_groups_whole_in_every_fold(estimator):
    scorer = score(estimator, cv=4, n_repeats=3, method="cross-fit")
    masks = scorer.cross_fit_.train_mask
    for group in np.unique(GROUPS):
        members = masks[:, group == GROUPS]
        # in or out as one, out once in each repeat
        assert (members.all(axis=1) == members.any(axis=1)).all()
        assert (~members[:, 0]).sum() == 3
    assert scorer.n_fits_ == 12
    assert np.isfinite(scorer.p_values_).all()
    # beside it, what the scorer says without groups
    rows = score(estimator, groups=None, cv=4, n_repeats=3, method="cross-fit")
    np.testing.assert_array_equal(scorer.row_memorization_, rows.memorization_)


def test_a_splitter_says_itself_what_leaves():
    scorer = score(KernelDensity(), cv=GroupKFold(4))
    # there are no rows left out alone to compare with
    assert not hasattr(scorer, "row_memorization_")
    assert not hasattr(scorer, "groups_")


def test_a_fit_without_groups_forgets_those_before():
    scorer = score(KernelDensity(bandwidth=0.8)).fit(X)
    assert not hasattr(scorer, "row_memorization_")
    assert not hasattr(scorer, "groups_")


def test_classifiers_keep_groups_whole():
    y = np.arange(40) % 2
    pairs = np.arange(40) // 2
    scorer = score(LogisticRegression(), y=y, groups=pairs, cv=4, n_repeats=2)
    members = scorer.cross_fit_.train_mask.reshape(8, 20, 2)
    # a row and its neighbour are of different labels, and yet they stay together
    assert (members[..., 0] == members[..., 1]).all()
    assert scorer.row_memorization_.shape == (40,)


def test_both_scores_stand_side_by_side_in_the_frame():
    pd = pytest.importorskip("pandas", reason="frames come with the frames extra")
    scorer = score(KernelDensity(bandwidth=0.8), data=pd.DataFrame(X, columns=["a", "b"]))
    frame = scorer.to_frame()
    assert list(frame.columns[-2:]) == ["group", "row_memorization"]
    np.testing.assert_array_equal(frame["group"], GROUPS)
    np.testing.assert_array_equal(frame["row_memorization"], scorer.row_memorization_)
    assert "group" not in scorer.fit(X).to_frame()


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (KernelDensity(bandwidth=0.7), {}),
        (KernelDensity(bandwidth=0.7), {"method": "cross-fit", "cv": 20, "n_repeats": 2}),
        (Refitted(KernelDensity(bandwidth=0.7)), {"cv": 20, "n_repeats": 2}),
    ],
    ids=["leave-one-out", "cross-fit", "refit"],
)
def test_a_twin_hides_a_memorized_row_from_its_own_score_only(estimator, params):
    data = make_planted_outliers(120, 3, distance=12.0, random_state=0)
    outlier = data.planted[0]
    rows = np.concatenate([data.X, data.X[[outlier]]])
    twins, groups = [outlier, 120], np.append(np.arange(120), outlier)
    scorer = score(estimator, data=rows, groups=groups, **params)
    # alone each would be missed by its twin's kernel only: at most log 2, and what their shares differ by
    assert scorer.row_memorization_[twins].max() < 1.0
    # together nothing but they made the place likely
    assert scorer.memorization_[twins].min() > 10
    # both twins stand with the outliers that have none, at the top
    assert set(scorer.top(4)[0]) == {*data.planted, 120}
    # of all other rows the two scores say much the same
    others = np.setdiff1d(np.arange(121), twins)
    difference = scorer.memorization_[others] - scorer.row_memorization_[others]
    assert np.abs(difference).max() < (1e-12 if not params else 8)


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (KernelDensity(), {}),
        (KernelDensity(), {"method": "cross-fit", "cv": 4, "n_repeats": 2}),
        (Refitted(GaussianMixture()), {"method": "leave-one-out"}),
    ],
    ids=["closed form", "cross-fit", "refit"],
)
def test_the_influence_of_single_rows_is_not_read_off_groups(estimator, params):
    scorer = score(estimator, **params)
    n_groups = len(np.unique(GROUPS))
    # no fit says what one row of a group does
    with pytest.raises(ValueError, match=f"single rows, but {n_groups} groups left as wholes"):
        scorer.influence()
