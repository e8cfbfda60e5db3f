import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline

from skmem._random import child_seeds, set_random_state


def test_first_seeds_do_not_depend_on_how_many_are_drawn():
    # Stopping early must give the seeds that a longer run starts with.
    np.testing.assert_array_equal(child_seeds(3, 5), child_seeds(3, 50)[:5])


def test_every_nested_random_state_gets_its_own_seed():
    pipeline = set_random_state(make_pipeline(PCA(random_state=0), GaussianMixture()), 7)
    states = [step.random_state for _, step in pipeline.steps]
    # Two steps with one seed would not be independent.
    assert len(set(states)) == 2
    assert all(isinstance(state, int) for state in states)
    again = set_random_state(make_pipeline(PCA(), GaussianMixture()), 7)
    # The outcome depends on the seed alone, not on what stood there before.
    assert [step.random_state for _, step in again.steps] == states


def test_an_estimator_without_random_state_is_left_alone():
    from sklearn.preprocessing import StandardScaler

    assert set_random_state(StandardScaler(), 0).get_params() == StandardScaler().get_params()
