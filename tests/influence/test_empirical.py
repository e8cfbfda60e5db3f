"""Influence from a cross-fit's two arrays, and from a scorer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneOut, RepeatedKFold
from sklearn.pipeline import make_pipeline

from skmem import CrossFit, MemorizationScorer, SubsetSplit, cross_fit
from skmem.density import GaussianMixture, KernelDensity
from skmem.influence import empirical_influence, leave_one_out_influence
from skmem.memorization import memorization_score
from tests.oracles import matched_influence, pooled_influence

rng = np.random.default_rng(0)
X = rng.normal(size=(18, 2))
X_NEW = rng.normal(size=(7, 2))
kde = KernelDensity(bandwidth=0.4)
FOLDS = RepeatedKFold(n_splits=3, n_repeats=8, random_state=0)
SUBSETS = SubsetSplit(0.7, 40, random_state=0)
REDUCTIONS = ["matched", "pooled", "mean"]
DESIGNS = {"folds": FOLDS, "subsets": SUBSETS}
each_design = pytest.mark.parametrize("cv", DESIGNS.values(), ids=DESIGNS)
each_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


@each_design
@each_reduction
@pytest.mark.parametrize("scale", [1.0, 500.0], ids=["usual", "far below the smallest number"])
def test_self_influence_is_memorization(cv, reduction, scale):
    fits = cross_fit(kde, X, cv=cv)
    fits = CrossFit(fits.train_mask, scale * fits.scores, fits.response, fits.method)
    influence = empirical_influence(fits, reduction=reduction, random_state=0)
    scores = memorization_score(
        fits.scores, fits.train_mask, reduction=reduction, random_state=0
    ).memorization
    # the same fits, averaged in the same way, down to the random subsets
    assert_allclose(np.diag(influence), scores, rtol=1e-9, atol=1e-10 * scale)


@pytest.mark.parametrize("kernel", ["gaussian", "tophat"])
@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_pairs_one_by_one_give_the_same(kernel, scale):
    density = KernelDensity(bandwidth=0.4, kernel=kernel)
    fits = cross_fit(density, X, cv=FOLDS, X_eval=np.vstack([X_NEW, [[99.0, 0.0]]]))
    fits = CrossFit(fits.train_mask, scale * fits.scores, fits.response, fits.method)
    arrays = fits.scores, fits.train_mask
    # by definition, where every fit has density zero somewhere too
    pooled = empirical_influence(fits, reduction="pooled")
    assert_allclose(pooled, pooled_influence(*arrays), rtol=1e-9, atol=1e-9)
    if kernel == "gaussian":
        matched = empirical_influence(fits, reduction="matched")
        assert_allclose(matched, matched_influence(*arrays, 3), rtol=1e-9, atol=1e-9)


@each_reduction
def test_blocks_change_nothing(reduction):
    fits = cross_fit(kde, X, cv=FOLDS)
    whole = empirical_influence(fits, reduction=reduction)
    with config_context(working_memory=1e-4):
        # one training row at a time
        assert_allclose(empirical_influence(fits, reduction=reduction), whole, atol=1e-12)


def test_all_subsets_come_near_leave_one_out():
    fits = cross_fit(kde, X, cv=SubsetSplit(0.9, 3000, random_state=0), X_eval=X_NEW)
    influence = empirical_influence(fits, random_state=0)
    exact = leave_one_out_influence(kde, X, X_NEW)
    # with few rows left out, the fits without one differ from all rows by little but that one
    assert np.corrcoef(influence.ravel(), exact.ravel())[0, 1] > 0.99


def test_rows_that_share_all_folds_are_refused():
    fits = cross_fit(kde, X, cv=3, random_state=0)
    # one repeat tells folds apart, not rows: 6 rows a fold, 153 pairs, chance 5 / 17 a repeat to be together
    with pytest.raises(ValueError, match=r"15 rows are not told .* takes 8 repeats of 3"):
        empirical_influence(fits)
    groups = cross_fit(kde, X, cv=GroupKFold(3), groups=np.arange(18) // 2)
    # groups stay together however often
    with pytest.raises(ValueError, match="groups, stay alike"):
        empirical_influence(groups)
    subsets = cross_fit(kde, X, cv=SUBSETS)
    mask = subsets.train_mask.copy()
    mask[:, 9] = mask[:, 4]
    # 40 are more than it takes as a rule, so one more is the least to ask for
    with pytest.raises(ValueError, match=r"rows 4 and 9.* takes 41 fits to random .*got 40"):
        empirical_influence(CrossFit(mask, subsets.scores, "score_samples", "refit"))


def test_as_many_repeats_as_it_asks_for_are_enough():
    asked = RepeatedKFold(n_splits=3, n_repeats=8, random_state=1)
    # the number in the error is one to act on
    assert empirical_influence(cross_fit(kde, X, cv=asked)).shape == (18, 18)


def test_copies_may_share_all_folds():
    copies = np.vstack([X[:6], X[:6], X[6:]])
    groups = np.concatenate([np.arange(6), np.arange(6), np.arange(6, 18)])
    masks = np.stack([np.isin(groups, rng.permutation(18)[:12]) for _ in range(60)])
    pairs = [(np.flatnonzero(m), np.flatnonzero(~m)) for m in masks]
    influence = empirical_influence(cross_fit(kde, copies, cv=pairs), random_state=0)
    # copies are one row twice
    assert_allclose(influence[:6], influence[6:12], atol=1e-10)
    # points of which nobody knows whether they are the rows excuse nobody
    fits = cross_fit(kde, copies, cv=pairs, X_eval=X_NEW)
    with pytest.raises(ValueError, match="6 rows are not told from an earlier one: rows 0 and 6"):
        empirical_influence(fits)


def test_probabilities_are_averaged_as_they_are():
    y = (X[:, 0] > 0).astype(int)
    fits = cross_fit(LogisticRegression(), X, y, cv=SUBSETS)
    influence = empirical_influence(fits, reduction="pooled")
    scores = memorization_score(
        fits.scores, fits.train_mask, reduction="pooled", response="predict_proba"
    ).memorization
    # the unit of the scores is that of influence
    assert_allclose(np.diag(influence), scores, atol=1e-12)


def test_rows_in_no_fit_are_refused():
    fits = cross_fit(kde, X, cv=SUBSETS)
    mask = fits.train_mask.copy()
    mask[:, 4] = False
    # there is nothing to compare with
    with pytest.raises(ValueError, match=r"among the training rows.*row 4"):
        empirical_influence(CrossFit(mask, fits.scores, fits.response, fits.method))
    with pytest.raises(ValueError, match="cross_fit"):
        empirical_influence(fits.scores)


# --- MemorizationScorer.influence ---


class Slow(BaseEstimator):
    """A kernel density that can only be refitted."""

    def fit(self, X, y=None):
        self.density_ = KernelDensity(bandwidth=0.4).fit(X)
        return self

    def score_samples(self, X):
        return self.density_.score_samples(X)


WAYS = {
    "closed form": (kde, {"method": "cross-fit", "cv": FOLDS}),
    "refits": (Slow(), {"cv": FOLDS}),
    "subsets": (kde, {"cv": SUBSETS}),
    "leave-one-out": (kde, {}),
    "leave-one-out by refits": (Slow(), {"method": "leave-one-out"}),
    "stopped early": (kde, {"cv": 3, "n_repeats": 30, "tol": 0.15, "method": "cross-fit"}),
}


@pytest.mark.parametrize(("density", "params"), WAYS.values(), ids=WAYS)
def test_scorer_explains_rows_and_points(density, params):
    scorer = MemorizationScorer(density, random_state=7, **params).fit(X)
    if params.get("tol"):
        # else the case tests nothing
        assert 8 <= scorer.n_repeats_ < 30
    influence = scorer.influence()
    # the diagonal is what the scorer is about
    assert_allclose(np.diag(influence), scorer.memorization_, rtol=1e-9, atol=1e-10)
    # the fits made again for the same rows, as if they were new, are the same fits
    assert_allclose(scorer.influence(X.copy()), influence, rtol=0, atol=1e-9)
    assert scorer.influence(X_NEW).shape == (18, 7)


def test_fits_made_again_are_found_in_memory(tmp_path):
    params = {"cv": FOLDS, "random_state": 7, "memory": str(tmp_path)}
    scorer = MemorizationScorer(Slow(), **params).fit(X)
    first = scorer.influence(X_NEW)
    n_files = len(list(tmp_path.rglob("output.pkl")))
    # the scores of new points are kept beside those of the rows
    assert n_files == 2 * 24
    assert_array_equal(scorer.influence(X_NEW), first)
    assert len(list(tmp_path.rglob("output.pkl"))) == n_files


def test_scorer_explains_what_its_default_density_says():
    scorer = MemorizationScorer(random_state=0).fit(X)
    # the bandwidth found on all rows, as in the scores
    expected = leave_one_out_influence(scorer.estimator_, X, X_NEW)
    assert_allclose(scorer.influence(X_NEW), expected, atol=1e-10)


def test_scorer_says_why_it_cannot():
    one_step = MemorizationScorer(GaussianMixture(2), method="leave-one-out", random_state=0)
    # one EM step for each row's own score says nothing of other points
    with pytest.raises(ValueError, match=r"method='cross-fit', or .*leave_one_out_influence"):
        one_step.fit(X).influence()
    with pytest.raises(ValueError, match="repeats of 3 random folds"):
        MemorizationScorer(kde, cv=3, n_repeats=2, method="cross-fit").fit(X).influence()
    y = (X[:, 0] > 0).astype(int)
    classifier = MemorizationScorer(LogisticRegression(), cv=SUBSETS, random_state=0).fit(X, y)
    assert classifier.influence().shape == (18, 18)
    with pytest.raises(ValueError, match="y has those of X alone"):
        classifier.influence(X_NEW)
    with pytest.raises(ValueError, match="not fitted yet"):
        MemorizationScorer(kde).influence()


def test_leave_one_out_masks_are_leave_one_out():
    density = make_pipeline(kde)
    fits = cross_fit(density, X, cv=LeaveOneOut(), X_eval=X_NEW)
    influence = empirical_influence(fits, reduction="pooled")
    exact = leave_one_out_influence(kde, X, X_NEW)
    # the fits with the row lack another one: the same ranks, but for a constant of the point
    gaps = (influence - influence.mean(axis=0)) / (exact - exact.mean(axis=0))
    assert_allclose(np.median(gaps), 18 / 17, rtol=0.05)
