"""scikit-learn's scorers beside the columns of memorization."""

import warnings

import numpy as np
from sklearn.metrics import check_scoring

from skmem.memorization._queries import given

LOG_DENSITY = "log_density"


def find_scorers(estimator, scoring):
    """Scorers by name of what GridSearchCV takes for `scoring`: one is called "score"."""
    if scoring is None:
        return {}
    if callable(scoring) or isinstance(scoring, str):
        return {"score": check_scoring(estimator, scoring)}
    named = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
    _check_names(named, scoring)
    return {name: check_scoring(estimator, scorer) for name, scorer in named.items()}


def _check_names(names, scoring):
    if not names or LOG_DENSITY in names:
        raise ValueError(
            f"scoring must name at least one scorer, and none {LOG_DENSITY!r}, which is there anyway, got {scoring!r}."
        )


def goes_by(refit, scoring, scorers, rules):
    """Name of the held-out score that a search goes by: that of `refit`, of which True is the only scorer."""
    if refit is True and set(scorers) == {"score"}:
        return "score"
    if not isinstance(refit, str) or refit in rules:
        return LOG_DENSITY
    # The names that a callable gives are known only when it is called.
    if refit not in scorers and not callable(scoring):
        names = sorted({*rules, *scorers})
        raise ValueError(f"refit must be a bool, a callable or one of {names}, got {refit!r}.")
    return refit


class HeldOutScorer:
    """Scores of the rows held out of a fit by all scorers: a dict of floats, nan where a scorer fails."""

    def __init__(self, scorers, error_score):
        self.scorers = scorers
        self.error_score = error_score

    def __call__(self, fitted, X, y=None):
        scores = {}
        for name, scorer in self.scorers.items():
            try:
                score = scorer(fitted, X, *given(y))
            except Exception as error:
                if self.error_score == "raise":
                    raise
                warnings.warn(
                    f"Scoring by {name!r} failed, and its score is nan. {type(error).__name__}: {error}",
                    UserWarning,
                    stacklevel=2,
                )
                score = np.nan
            # A callable may give several scores, with names of their own.
            score = score if isinstance(score, dict) else {name: float(score)}
            _check_names(score, scorer)
            scores |= score
        return scores
