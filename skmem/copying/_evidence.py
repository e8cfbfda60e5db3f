"""What the tests amount to: adjusted p-values, one sentence, and memorization beside them."""

import numpy as np
from scipy.stats import hypergeom, rankdata

from skmem._math import difference
from skmem._sklearn import num_samples
from skmem.copying._statistics import holm


def adjusted_evidence(records, membership):
    """The p-values that decide, adjusted by Holm; none without held-out rows."""
    if membership is None:
        return {}
    n, n_control = len(records.distances), len(records.holdout_distances)
    n_both = records.n_copies + records.n_holdout_copies
    p_values = {
        "exact copies": hypergeom.sf(records.n_copies - 1, n + n_control, n_both, n),
        # Simes' p-value of all rows together is the least adjusted one of Benjamini and Hochberg.
        "close rows": records.adjusted_p_values.min(),
        "nearer to training rows": records.p_value,
        "membership inference": membership.p_value,
    }
    adjusted = holm(list(p_values.values()))
    return dict(zip(p_values, adjusted.tolist(), strict=True))


def verdict(found, evidence, alpha):
    """One sentence."""
    records = found["closest_records"]
    n = len(records.distances)
    copies = f"{records.n_copies} of {n} generated rows are exact copies of training rows"
    if not evidence:
        return f"{copies}; whether that is more than chance cannot be concluded without held-out rows."
    against = f"{copies}, of the held-out rows {records.n_holdout_copies} of {len(records.holdout_distances)}"
    if min(evidence.values()) <= alpha:
        named = " and ".join(name for name, p in evidence.items() if p <= alpha)
        return (
            f"The generated data copy the training data: {against}; {records.n_suspects} rows are closer "
            f"than chance explains; the evidence is in {named} (p = {min(evidence.values()):.2g})."
        )
    suspects = f"{records.n_suspects} rows are suspect, but all tests together may be chance"
    crowds = ("distance_ratios", "data_copying", "authenticity")
    p_values = holm([found[name].p_value for name in crowds if found[name] is not None])
    if min(p_values) <= alpha and not records.n_suspects:
        suspects = (
            "rows lie closer to the training rows than held-out ones do, but no closer than to held-out "
            "rows: they crowd dense regions"
        )
    return f"Copying is not shown: {against}; {suspects}."


def memorization_of(density, X_train, copied, ratios):
    """Leave-one-out memorization of the training rows, and how it goes with their being copied."""
    left_out = density.leave_one_out_score_samples()
    if len(left_out) != num_samples(X_train):
        raise ValueError(
            f"density must be fitted to X_train, of {num_samples(X_train)} rows; it was fitted to "
            f"{len(left_out)}"
        )
    scores = difference(density.score_samples(X_train), left_out)
    is_copied = np.isin(np.arange(len(scores)), copied)
    medians = {
        name: float(np.median(scores[which])) if which.any() else float("nan")
        for name, which in (("copied", is_copied), ("others", ~is_copied))
    }
    return scores, {**medians, "spearman": _spearman(scores, ratios)}


def _spearman(scores, ratios):
    """Correlation of ranks of memorization and distance ratio; nan where one is constant."""
    if ratios is None or not (np.ptp(rankdata(scores)) and np.ptp(rankdata(ratios.ratios))):
        return float("nan")
    return float(np.corrcoef(rankdata(scores), rankdata(ratios.ratios))[0, 1])
