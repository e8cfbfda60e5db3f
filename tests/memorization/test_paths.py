"""Laws of memorization over stages."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skmem import MemorizationScorer
from skmem.cross_fitting import SubsetSplit
from skmem.memorization import memorization_score
from tests.staged import Annealed

X = np.random.RandomState(0).standard_normal((20, 3))
PATHS = ["stages_", "memorization_path_", "log_density_in_path_", "log_density_out_path_"]
DESIGNS = {
    "folds": {"cv": 4, "n_repeats": 3},
    "subsets": {"cv": SubsetSplit(0.6, 12, random_state=0)},
    "tol": {"cv": 4, "n_repeats": 6, "tol": 1e-3},
    "left out": {"method": "leave-one-out"},
}


def scorer(design, estimator=None, **options):
    estimator = Annealed(keep=(1, 2, 4)) if estimator is None else estimator
    return MemorizationScorer(estimator, random_state=0, **DESIGNS[design], **options)


every_design = pytest.mark.parametrize("design", DESIGNS)


@every_design
@pytest.mark.parametrize("reduction", ["matched", "pooled", "mean"])
@pytest.mark.filterwarnings("ignore:tol=:sklearn.exceptions.ConvergenceWarning")
def test_the_path_ends_in_the_scores(design, reduction):
    fitted = scorer(design, reduction=reduction).fit(X)
    assert fitted.stages_.tolist() == [1, 2, 4]
    assert fitted.memorization_path_.shape == (3, 20)
    # the last stage is the end of the fits, and is reduced alike, down to the random subsets
    np.testing.assert_array_equal(fitted.memorization_path_[-1], fitted.memorization_)
    np.testing.assert_array_equal(fitted.log_density_in_path_[-1], fitted.log_density_in_)
    np.testing.assert_array_equal(fitted.log_density_out_path_[-1], fitted.log_density_out_)


@every_design
@pytest.mark.filterwarnings("ignore:tol=:sklearn.exceptions.ConvergenceWarning")
def test_a_stage_has_the_scores_of_a_scorer_of_shorter_fits(design):
    path = scorer(design).fit(X)
    n_repeats = {"n_repeats": path.n_repeats_, "tol": None} if design == "tol" else {}
    shorter = scorer(design, Annealed(keep=(), max_epochs=2)).set_params(**n_repeats).fit(X)
    # same seeds, so the same fits, only shorter
    np.testing.assert_allclose(path.memorization_path_[1], shorter.memorization_, atol=1e-12)


def test_stages_are_reduced_one_by_one():
    fitted = scorer("folds").fit(X)
    fits = fitted.cross_fit_
    for scores, memorization in zip(fits.staged_scores, fitted.memorization_path_, strict=True):
        again = memorization_score(scores, fits.train_mask).memorization
        np.testing.assert_array_equal(again, memorization)


def test_memorization_begins_at_none():
    fitted = scorer("folds", Annealed(keep=range(5), spread=0)).fit(X)
    # before the first epoch fits with and without a row are alike, and each epoch that moves the
    # mean towards the rows makes them differ more
    np.testing.assert_allclose(fitted.memorization_path_[0], 0, atol=1e-12)
    assert np.all(np.diff(fitted.memorization_path_.mean(axis=1)) > 0)


@pytest.mark.parametrize("design", ["folds", "left out"])
def test_without_stages_there_are_no_paths(design):
    fitted = scorer(design)
    with pytest.raises((AttributeError, NotFittedError)):
        fitted.memorization_path_  # noqa: B018
    fitted.fit(X)
    assert all(hasattr(fitted, name) for name in PATHS)
    fitted.set_params(estimator__keep=()).fit(X)
    # nor are those of an earlier fit left over
    assert not any(hasattr(fitted, name) for name in PATHS)


def test_fits_of_unequal_length_leave_one_out():
    fitted = scorer("left out", Annealed(keep=range(5), impatient=True)).fit(X)
    assert fitted.stages_.tolist() == [0, 1, 2, 3, 4]
    ends = fitted.cross_fit_.staged_scores[3] == fitted.cross_fit_.scores
    assert 0 < np.all(ends, axis=1).sum() < 20
    # a fit that ended a stage before the last one stays as it was
    np.testing.assert_array_equal(fitted.memorization_path_[-1], fitted.memorization_)


def test_a_tiny_vae_has_a_path():
    pytest.importorskip("skorch")
    from skmem.neural import VAE

    vae = VAE(1, (4,), max_epochs=4, checkpoint_epochs=2, n_importance_samples=8, device="cpu")
    fitted = MemorizationScorer(vae, cv=2, n_repeats=2, random_state=0).fit(X)
    assert fitted.stages_.tolist() == [2, 4]
    np.testing.assert_array_equal(fitted.memorization_path_[-1], fitted.memorization_)
    # training raises the density of the rows trained on
    train_curve = fitted.log_density_in_path_.mean(axis=1)
    assert train_curve[0] < train_curve[1]
