"""What the tests amount to: adjusted p-values, one sentence, and memorization beside them."""

import numpy as np
from scipy.stats import hypergeom, rankdata

from skmem._math import difference
from skmem._sklearn import num_samples
from skmem.copying._statistics import holm, precedence_p_value

# Below so many held-out rows none of the generated ones can be suspect at level 0.05.
_FEW = 20


def adjusted_evidence(records, membership):
    """The p-values that decide, adjusted by Holm; none without held-out rows."""
    if membership is None:
        return {}
    n, n_control = len(records.distances), len(records.holdout_distances)
    n_both = records.n_copies + records.n_holdout_copies
    p_values = {
        "exact copies": hypergeom.sf(records.n_copies - 1, n + n_control, n_both, n),
        "close rows": precedence_p_value(records.p_values, n_control),
        "nearer to training rows": records.p_value,
        "membership inference": membership.p_value,
    }
    adjusted = holm(list(p_values.values()))
    return dict(zip(p_values, adjusted.tolist(), strict=True))


def verdict(found, evidence, alpha):
    """One sentence."""
    records = found["closest_records"]
    copies = f"{records.n_copies} of {len(records.distances)} generated rows are exact copies"
    if not evidence:
        unknown = (
            "whether that is more than chance, and which rows are too close, cannot be concluded"
        )
        return f"{copies} of training rows; {unknown} without held-out rows."
    copies += (
        f" (of the held-out rows {records.n_holdout_copies} of {len(records.holdout_distances)})"
    )
    least = min(evidence.values())
    if least <= alpha:
        *named, last = (name for name, p in evidence.items() if p <= alpha)
        named = f"{', '.join(named)} and {last}" if named else last
        return (
            f"The generated data copy the training data: {copies}, {records.n_suspects} are closer to a "
            f"training row than chance explains, and there is evidence in {named} (p = {least:.2g})."
        )
    return f"No copying was shown: {copies}; {_all_the_same(found, alpha)}."


def _all_the_same(found, alpha):
    """What there is to say where no copying was shown."""
    records = found["closest_records"]
    if records.n_suspects:
        return f"{records.n_suspects} are suspect, but all tests together may be chance"
    if records.n_copies:
        return "chance may explain as much, and no other row is suspect"
    if _crowds(found, alpha):
        return (
            "generated rows lie closer to the training rows than held-out rows do, yet no closer than to "
            "held-out rows: they crowd dense regions"
        )
    return "no row is suspect, and nothing tells training rows from held-out ones"


def _crowds(found, alpha):
    """Whether generated rows lie closer to the training rows than held-out ones do."""
    tests = [found[name] for name in ("distance_ratios", "data_copying", "authenticity")]
    return min(holm([test.p_value for test in tests if test is not None])) <= alpha


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


def holdout_notes(holdout):
    """What cannot be concluded from no held-out rows, or from few."""
    if holdout is None:
        return [
            "Without held-out rows there is no p-value: how close real rows come to the training rows "
            "by chance, whether generated rows favour them, and how well membership can be "
            "inferred, cannot be concluded."
        ]
    if (n_rows := len(holdout)) < _FEW:
        return [
            f"There are few held-out rows ({n_rows}): no generated row can have a p-value below "
            f"{1 / (n_rows + 1):.2g}, and what is concluded hangs on single rows; hold out more."
        ]
    return []


def seen_notes(records):
    """What cannot be concluded from held-out rows that are training rows."""
    distances, n_copies = records.holdout_distances, records.n_holdout_copies
    if not len(distances) or 2 * n_copies < len(distances):
        return ()
    return (
        f"{n_copies} of {len(distances)} held-out rows are exact copies of training rows: unless rows repeat so often "
        "in such data, the generator has seen them, and they hide any copying; hold out others.",
    )
