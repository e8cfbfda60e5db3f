"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""

import numpy as np
from sklearn.base import clone

from skmem._random import set_random_state

# --- cross-fitting ---


def cross_fit_by_loop(estimator, X, train_mask, seeds, X_eval=None, y=None):
    """Refit on each row of the mask, one by one: nats, or with y the label's probability."""
    scores = []
    for mask, seed in zip(train_mask, seeds, strict=True):
        fitted = set_random_state(clone(estimator), seed)
        if y is None:
            fitted.fit(X[mask])
            scores.append(fitted.score_samples(X if X_eval is None else X_eval))
        else:
            fitted.fit(X[mask], y[mask])
            labels = list(fitted.classes_)
            rows = zip(fitted.predict_proba(X), y, strict=True)
            scores.append([p[labels.index(c)] if c in labels else 0.0 for p, c in rows])
    return np.array(scores)
