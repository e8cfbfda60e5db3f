"""What a classifier's cross-fits say of labels, row by row."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skmem._frames import RowLabels, make_frame
from skmem._math import difference

KINDS = ("mislabelled", "ambiguous", "atypical", "typical")


@dataclass(frozen=True, eq=False, repr=False)
class LabelIssues:
    """What cross-fits of a classifier say of every row's label.

    Log-odds in nats, probabilities from 0 to 1; positive = another label is likelier than the given one, or the given
    one is memorized.

    Parameters
    ----------
    log_odds : ndarray of shape (n_samples,)
        Log-odds of the likeliest other label against the given one, averaged over fits with and without the row: the
        ranking of likely mislabelled rows.
    kind : ndarray of shape (n_samples,) of str
        "mislabelled", "ambiguous", "atypical" or "typical"; see :func:`find_label_issues`.
    label : ndarray of shape (n_samples,)
        The given labels.
    suggested_label : ndarray of shape (n_samples,)
        Likeliest other label in fits without the row.
    memorization : ndarray of shape (n_samples,)
        Probability of the given label with the row minus without it.
    probability_in, probability_out : ndarray of shape (n_samples, n_classes)
        Mean probabilities over the fits with, and over those without the row.
    classes : ndarray of shape (n_classes,)
        Labels that the columns of the probabilities stand for.
    rows : RowLabels
        Where the rows came from, for `to_frame`.
    """

    log_odds: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    suggested_label: np.ndarray
    memorization: np.ndarray
    probability_in: np.ndarray
    probability_out: np.ndarray
    classes: np.ndarray
    rows: RowLabels

    def top(self, n=10, kind="mislabelled"):
        """Rows of a kind, the highest log-odds first.

        In nats; positive = another label is likelier.

        Parameters
        ----------
        n : int, default=10
            Number of rows at most.
        kind : {"mislabelled", "ambiguous", "atypical", "typical"}, default="mislabelled"
            Of which kind.

        Returns
        -------
        rows : ndarray of shape (at most n,)
            Positions of the rows in X.
        log_odds : ndarray of shape (at most n,)
            Their log-odds.

        Raises
        ------
        ValueError
            If there is no such kind, or `n` is not an int of at least 0.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}.")
        if not isinstance(n, Integral) or n < 0:
            raise ValueError(f"n must be an int of at least 0, got {n!r}.")
        rows = np.flatnonzero(self.kind == kind)
        rows = rows[np.argsort(-self.log_odds[rows], kind="stable")][:n]
        return rows, self.log_odds[rows]

    def to_frame(self):
        """All rows as a data frame, one line per row of `X`, with its index.

        Log-odds in nats, memorization in probability; positive = another label is likelier, or memorized.

        Returns
        -------
        frame : DataFrame
            Of the library that X came from, or pandas.

        Raises
        ------
        ImportError
            If narwhals or the library of the frame is not installed.
        """
        names = ("kind", "label", "suggested_label", "log_odds", "memorization")
        given = np.searchsorted(self.classes, self.label)
        columns = {name: getattr(self, name) for name in names}
        columns["probability_out"] = self.probability_out[np.arange(len(given)), given]
        return make_frame(columns, self.rows)

    def __str__(self):
        counts = ", ".join(f"{np.count_nonzero(self.kind == k)} {k}" for k in KINDS)
        rows, log_odds = self.top(5)
        lines = [f"Labels of {len(self.label)} rows: {counts}."]
        lines += [
            f"row {row}: {self.label[row]}, rather {self.suggested_label[row]} (log-odds {value:.1f} nats)"
            for row, value in zip(rows, log_odds, strict=True)
        ]
        return "\n".join(lines)

    __repr__ = __str__


def judge_labels(p_in, p_out, given, classes, limits, rows):
    """LabelIssues from mean probabilities (n_samples, n_classes) with and without each row.

    In nats and probabilities, as LabelIssues has them. `given` are the positions of the labels among `classes`;
    `limits` are `margin` and `threshold`.
    """
    margin, threshold = limits
    each = np.arange(len(given))
    others = p_out.copy()
    others[each, given] = -1.0
    other = others.argmax(axis=1)
    with np.errstate(invalid="ignore"):
        log_odds = 0.5 * (_log_odds(p_in, given) + _log_odds(p_out, given))
    log_odds[np.isnan(log_odds)] = (
        0.0  # certain with the row, impossible without it: no odds on the whole
    )
    memorization = p_in[each, given] - p_out[each, given]
    first, second = np.sort(p_out, axis=1)[:, :-3:-1].T
    p_other = p_out[each, other]
    is_other = (p_other >= 0.5) & (p_other - p_out[each, given] >= margin) & (log_odds > 0)
    conditions = [is_other, first - second < margin, memorization >= threshold]
    kind = np.select(conditions, KINDS[:3], KINDS[3])
    label, suggested = classes[given], classes[other]
    return LabelIssues(log_odds, kind, label, suggested, memorization, p_in, p_out, classes, rows)


def _log_odds(probabilities, given):
    """Log-odds of the likeliest other label against the given one, (n_samples,), in nats; 0 where both are 0."""
    each = np.arange(len(given))
    others = probabilities.copy()
    others[each, given] = -1.0
    with np.errstate(divide="ignore"):
        return difference(np.log(others.max(axis=1)), np.log(probabilities[each, given]))
