"""Laws of stages: what cross_fit keeps of the way that each fit went."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem.cross_fitting import CrossFit, cross_fit
from skmem.density import KernelDensity
from tests.staged import FITTED, Annealed, Unnamed

X = np.random.RandomState(0).standard_normal((20, 3))
OPTIONS = {"cv": 4, "random_state": 0}


def test_a_stage_is_the_fit_that_stopped_there():
    fits = cross_fit(Annealed(keep=(1, 2, 4)), X, X_eval=X[:5], **OPTIONS)
    assert fits.stages.tolist() == [1, 2, 4]
    assert fits.staged_scores.shape == (3, 4, 5)
    for epoch, scores in zip(fits.stages, fits.staged_scores, strict=True):
        shorter = cross_fit(Annealed(max_epochs=int(epoch)), X, X_eval=X[:5], **OPTIONS)
        # same seeds, same way, only shorter
        np.testing.assert_array_equal(scores, shorter.scores)


def test_stages_change_nothing_else_and_cost_no_fit():
    FITTED.clear()
    staged = cross_fit(Annealed(), X, **OPTIONS)
    assert len(FITTED) == 4
    plain = cross_fit(Annealed(keep=()), X, **OPTIONS)
    np.testing.assert_array_equal(staged.scores, plain.scores)
    # the end of the fit is a stage here
    np.testing.assert_array_equal(staged.staged_scores[-1], staged.scores)


@pytest.mark.parametrize(
    "estimator",
    [
        Annealed(keep=()),
        Annealed(keep=(4,)),
        KernelDensity(),
        make_pipeline(StandardScaler(), Annealed()),
    ],
    ids=["none", "one", "no method", "pipeline"],
)
def test_without_two_stages_there_are_none(estimator):
    fits = cross_fit(estimator, X, **OPTIONS)
    # one stage is no path; a Pipeline does not pass on methods that it does not know
    assert fits.stages is None
    assert fits.staged_scores is None


def test_stages_without_names_are_counted():
    assert cross_fit(Unnamed(), X, **OPTIONS).stages.tolist() == [0, 1, 2]


def test_a_fit_that_ended_early_stays_where_it_was():
    fits = cross_fit(Annealed(keep=range(5), impatient=True), X, **OPTIONS)
    patient = cross_fit(Annealed(impatient=False), X, **OPTIONS)
    ended = np.any(fits.scores != patient.scores, axis=1)
    assert ended.any()
    assert not ended.all()
    assert fits.stages.tolist() == [0, 1, 2, 3, 4]
    # had it been given more epochs it would not have used them
    np.testing.assert_array_equal(fits.staged_scores[4], fits.scores)
    np.testing.assert_array_equal(fits.staged_scores[3, ended], fits.scores[ended])
    assert not np.any(fits.staged_scores[3, ~ended] == fits.scores[~ended])


def test_stages_do_not_depend_on_n_jobs():
    one, many = (cross_fit(Annealed(), X, n_jobs=n, **OPTIONS) for n in (1, 2))
    np.testing.assert_array_equal(one.staged_scores, many.staged_scores)


def test_stages_do_not_depend_on_the_backend():
    one = cross_fit(Annealed(), X, **OPTIONS)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        many = cross_fit(Annealed(), X, **OPTIONS)
    np.testing.assert_array_equal(one.staged_scores, many.staged_scores)


def test_stages_are_in_the_cache(tmp_path):
    once = cross_fit(Annealed(), X, memory=tmp_path, **OPTIONS)
    FITTED.clear()
    again = cross_fit(Annealed(), X, memory=tmp_path, **OPTIONS)
    assert FITTED == []
    np.testing.assert_array_equal(once.staged_scores, again.staged_scores)
    # other stages are another question
    other = cross_fit(Annealed(keep=(1, 3)), X, memory=tmp_path, **OPTIONS)
    assert other.stages.tolist() == [1, 3]


class Wayward(Annealed):
    """Every fit has stages of its own."""

    @property
    def stages_(self):
        return (self.mean_[0] + np.arange(3)).tolist()


class Miscounting(Annealed):
    """Names two of three stages."""

    stages_ = (1, 2)


class Undefined(Annealed):
    """One stage has no density."""

    def staged_score_samples(self, X):
        yield np.zeros(len(X))
        yield np.full(len(X), np.nan)
        yield np.zeros(len(X))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Wayward(), r"same stages until they end, got \[.*\] in fit 1 and \[.*\] in another"),
        (Miscounting(), "Miscounting in fit 0 must yield .* 2 stages_, got 3"),
        (Undefined(), "Undefined in fit 0, stage 2, must return scores that are finite or -inf"),
    ],
)
def test_stages_that_make_no_sense_are_named(estimator, message):
    with pytest.raises(ValueError, match=message):
        cross_fit(estimator, X, **OPTIONS)


def test_a_staged_cross_fit_survives_pickling_and_shows_its_shape():
    fits = cross_fit(Annealed(), X, **OPTIONS)
    copy = pickle.loads(pickle.dumps(fits))
    np.testing.assert_array_equal(copy.staged_scores, fits.staged_scores)
    assert repr(copy).endswith("method='refit', staged_scores=(3, 4, 20))")
    for array in (copy.stages, copy.staged_scores):
        # results are facts
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("stages", "shape"), [([1], (2, 3, 4)), ([1, 2], (2, 3, 5)), (None, (2, 3, 4))]
)
def test_staged_scores_are_one_array_of_scores_a_stage(stages, shape):
    with pytest.raises(ValueError, match="staged_scores must have the shape of stages"):
        CrossFit(
            np.eye(3, dtype=bool),
            np.zeros((3, 4)),
            "score_samples",
            "refit",
            stages,
            np.zeros(shape),
        )


def test_a_tiny_vae_has_the_epochs_it_keeps():
    pytest.importorskip("skorch")
    from skmem.neural import VAE

    vae = VAE(1, (4,), max_epochs=4, checkpoint_epochs=2, n_importance_samples=8, device="cpu")
    one, two = (cross_fit(clone(vae), X, n_jobs=n, cv=2, random_state=0) for n in (1, 2))
    assert one.stages.tolist() == [2, 4]
    np.testing.assert_array_equal(one.staged_scores, two.staged_scores)
    # the last epoch is the end of the fit
    np.testing.assert_array_equal(one.staged_scores[-1], one.scores)


@pytest.mark.parametrize("every", [1, 3])
def test_vaes_that_stop_early_have_ends_of_their_own(every):
    callbacks = pytest.importorskip("skorch.callbacks")
    from skmem.neural import VAE

    stop = callbacks.EarlyStopping("train_loss", patience=2, threshold=0.03)
    vae = VAE(1, (4,), max_epochs=60, learning_rate=0.02, callbacks=[stop], device="cpu")
    vae.set_params(checkpoint_epochs=every, n_importance_samples=8)
    fits = cross_fit(vae, X, cv=4, random_state=0)
    # fits that end at different epochs have common stages up to the end of the longest, which is no multiple of any
    assert fits.stages[:-1].tolist() == list(range(every, fits.stages[-1], every))
    np.testing.assert_array_equal(fits.staged_scores[-1], fits.scores)
    # and some had ended before
    same = np.all(fits.staged_scores[-2] == fits.scores, axis=1)
    assert 0 < same.sum() < len(same)
