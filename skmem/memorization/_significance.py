"""Which memorization scores are more than noise."""

import numpy as np
from scipy.stats import false_discovery_control
from scipy.stats import t as student_t
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import check_is_fitted


def read_scores(y, alpha):
    """Scores (n_samples,), the noise floor (nan: not known), and which scores are more than noise."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if not hasattr(y, "fit"):
        scores = column_or_1d(y, dtype=np.float64, input_name="y")
        assert_all_finite(scores, input_name="y")
        return scores, np.nan, np.ones(len(scores), dtype=bool)
    check_is_fitted(y, "memorization_")
    p = np.nan_to_num(_p_values(y), nan=0.0)  # where nothing is known of the noise
    return y.memorization_, y.noise_floor_[0.95], false_discovery_control(p) <= alpha


def _p_values(scorer):
    """Chance of scores as high under no memorization; nan where it is not known."""
    score, error = scorer.memorization_, scorer.standard_error_
    # A jackknife without repeats is one over ten groups of fits.
    n_parts = scorer.n_repeats_ if scorer.n_repeats_ > 1 else 10
    p = student_t.sf(score / np.where(error > 0, error, np.nan), n_parts - 1)
    p = np.where(error > 0, p, scorer.p_values_)
    return np.where(error == 0, np.where(score > 0, 0.0, 1.0), p)
