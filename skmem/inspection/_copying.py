"""Pictures of what the copying tests found."""

import numpy as np
from scipy.special import ndtri

from skmem._frames import make_frame
from skmem.inspection._style import (
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    VERMILION,
    check_choice,
    check_images,
    draw_histogram,
    draw_images,
    draw_table,
    label_axes,
    single_axes,
)

_KINDS = ("records", "ratios", "cells", "pairs")
_MOST_PAIRS = 8


class CopyingDisplay:
    """What an audit of generated rows found: their closest records, cells, and suspect pairs.

    Distances in the units of the metric, 0 = an exact copy; z in standard deviations, far below 0 = copying.

    Parameters
    ----------
    record_ratios : ndarray of shape (n_generated,)
        Distance of each generated row to its closest training row, by that to the second-closest.
    holdout_record_ratios : ndarray of shape (n_holdout,)
        The same of the held-out rows; empty where there are none.
    suspects : dict of str to ndarray
        The copies and suspect rows, the worst first: `generated` and `train` (positions), `distance`, `ratio`,
        `adjusted_p_value` and `copy`.
    distance_ratios : ndarray of shape (n_train,), default=None
        Distance of each training row to the nearest held-out row, by that to the nearest generated row.
    cells : dict of str to ndarray, default=None
        For each cell `z`, `adjusted_p_value` and `used`.
    alpha : float, default=0.05
        Level of the cells' limit.
    images : tuple of ndarray of shape (n_suspects, height, width[, channels]), default=None
        The suspect generated rows, and their training rows, as pictures.
    ids : dict of str to ndarray, default=None
        What names the rows of "train" and of "generated"; their positions if None.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    skmem.copying.audit_copying : Computes the results.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.copying import audit_copying
    >>> from skmem.inspection import CopyingDisplay
    >>> X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 100, 4))
    >>> X_generated[:20] = X_train[:20]
    >>> audit = audit_copying(X_train, X_holdout, X_generated, random_state=0)
    >>> len(CopyingDisplay.from_results(audit).frame())
    20
    """

    def __init__(
        self,
        *,
        record_ratios,
        holdout_record_ratios,
        suspects,
        distance_ratios=None,
        cells=None,
        alpha=0.05,
        images=None,
        ids=None,
    ):
        self.record_ratios = record_ratios
        self.holdout_record_ratios = holdout_record_ratios
        self.suspects = suspects
        self.distance_ratios = distance_ratios
        self.cells = cells
        self.alpha = alpha
        self.images = images
        self.ids = ids

    @classmethod
    def from_results(cls, audit, X_train=None, X_generated=None, *, image_shape=None, ids=None):
        """Display of what :func:`skmem.copying.audit_copying` returned.

        Parameters
        ----------
        audit : CopyingAudit
            The result.
        X_train : array-like of shape (n_train, n_features), default=None
            The training rows, to show them as images.
        X_generated : array-like of shape (n_generated, n_features), default=None
            The generated rows, to show them as images.
        image_shape : tuple of int, default=None
            (height, width) or (height, width, channels) of the images that rows are.
        ids : dict of str to ndarray, default=None
            What names the rows of "train" and of "generated"; their positions if None.

        Returns
        -------
        display : CopyingDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If `image_shape` does not fit the rows, or is given without them.
        """
        _check_given(X_train, X_generated, image_shape)
        ratios, cells = audit.distance_ratios, audit.data_copying
        return cls(
            record_ratios=audit.closest_records.ratios,
            holdout_record_ratios=audit.closest_records.holdout_ratios,
            suspects=audit.suspects,
            distance_ratios=None if ratios is None else ratios.ratios,
            cells=None if cells is None else cells.cells,
            alpha=audit.alpha,
            images=_pairs(audit.suspects, X_train, X_generated, image_shape),
            ids=ids,
        )

    def plot(self, ax=None, *, kind="records"):
        """Draw one picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        kind : {"records", "ratios", "cells", "pairs"}, default="records"
            The cumulative share of generated and of held-out rows by how close their closest training row is; a
            histogram of the training rows' distance ratios; the cells' z with the limit of Holm; or the worst
            suspect pairs, as images if there are any and as a table if not.

        Returns
        -------
        display : CopyingDisplay
            Itself, with `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If there is no such kind, or held-out rows were lacking for it.
        """
        check_choice("kind", kind, _KINDS)
        if {"ratios": self.distance_ratios, "cells": self.cells}.get(kind, ()) is None:
            raise ValueError(
                f"kind must be 'records' or 'pairs' for an audit without held-out rows, got {kind!r}."
            )
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        getattr(self, f"_draw_{kind}")()
        return self

    def frame(self):
        """Suspect pairs, as a data frame: a line for each suspect generated row, the worst first.

        Distances are in the units of the metric; 0 is an exact copy.

        Returns
        -------
        frame : pandas.DataFrame
            What `suspects` holds.
        """
        return make_frame(self.suspects)

    def _draw_records(self):
        self._draw_shares(self.record_ratios, BLUE, "-", "generated rows")
        if len(self.holdout_record_ratios):
            self._draw_shares(self.holdout_record_ratios, ORANGE, "--", "held-out rows")
        label_axes(self.ax_, "distance to closest / second-closest training row", "share of rows")
        self.ax_.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        self.ax_.legend(fontsize=FONT_SIZE, frameon=False, loc="upper left")

    def _draw_shares(self, values, color, style, label):
        # Where both distances are 0 there is no ratio.
        self.ax_.ecdf(values[~np.isnan(values)], color=color, linestyle=style, label=label)

    def _draw_ratios(self):
        ratios = self.distance_ratios
        drawn = np.log2(ratios[np.isfinite(ratios) & (ratios > 0)])
        draw_histogram(self.ax_, drawn)
        self.ax_.axvline(0.0, color=GREY, linestyle="--", label="as near as held-out rows")
        label_axes(self.ax_, "log2 distance ratio (right: generated is nearer)", "training rows")
        n_copies = np.count_nonzero(np.isposinf(ratios))
        if n_copies:
            place = {"xycoords": "axes fraction", "ha": "right", "va": "top"}
            text = f"{n_copies} at infinity: copied"
            self.ax_.annotate(text, (1.0, 0.98), fontsize=FONT_SIZE, **place)
        # Above the axes: bars may stand anywhere in them.
        above = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0)}
        self.ax_.legend(fontsize=FONT_SIZE, frameon=False, **above)

    def _draw_cells(self):
        used = np.flatnonzero(self.cells["used"])
        used = used[np.argsort(self.cells["z"][used], kind="stable")]
        z, low = self.cells["z"][used], self.cells["adjusted_p_value"][used] <= self.alpha
        places = np.arange(1, len(used) + 1)
        # The k-th smallest p-value of m is held against alpha / (m - k + 1). Those of the cells come from
        # permutations: where z is not quite normal a marked cell may stand a little above the line.
        limit = ndtri(self.alpha / (len(used) + 1 - places))
        self.ax_.axhline(0.0, color=GREY, linewidth=1)
        label = f"limit of Holm, {self.alpha:g}, of a normal z"
        self.ax_.plot(places, limit, "--", color=VERMILION, label=label)
        for which, marker, color, label in (
            (~low, "o", BLUE, "as held-out rows"),
            (low, "D", VERMILION, "copies"),
        ):
            if which.any():
                self.ax_.plot(places[which], z[which], marker, color=color, ms=5, label=label)
        self.ax_.set_xticks(places, [f"{cell}" for cell in used])
        label_axes(self.ax_, "cell, by its z", "z (standard deviations)")
        self.ax_.legend(fontsize=FONT_SIZE, frameon=False)

    def _draw_pairs(self):
        shown = {name: values[:_MOST_PAIRS] for name, values in self.suspects.items()}
        made, train = (self._names(table, shown[table]) for table in ("generated", "train"))
        if not made:
            self.ax_.set_axis_off()
            place = {"transform": self.ax_.transAxes, "ha": "center", "fontsize": FONT_SIZE}
            self.ax_.text(0.5, 0.5, "no row is suspect", **place)
        elif self.images is None:
            names = ("distance", "ratio", "adjusted_p_value")
            numbers = [[f"{value:.3g}" for value in shown[name]] for name in names]
            copies = ["yes" if copy else "no" for copy in shown["copy"]]
            cells = list(zip(made, train, *numbers, copies, strict=True))
            draw_table(self.ax_, cells, ["generated", "train", "distance", "ratio", "p", "copy"])
        else:
            pictures = np.concatenate([images[:_MOST_PAIRS] for images in self.images])
            draw_images(self.ax_, pictures, [*made, *train], n_columns=len(made))
            title = "generated rows above, their training rows below"
            self.ax_.set_title(title, fontsize=FONT_SIZE)

    def _names(self, table, rows):
        return [f"{name}" for name in (rows if self.ids is None else self.ids[table][rows])]


def _check_given(X_train, X_generated, image_shape):
    for name, X in {"X_generated": X_generated, "X_train": X_train}.items():
        if image_shape is not None and X is None:
            raise ValueError(
                f"{name} must be given to show rows as images, got None and image_shape={image_shape!r}."
            )


def _pairs(suspects, X_train, X_generated, image_shape):
    """Images of the suspect generated rows and of their training rows; None without a shape."""
    if image_shape is None:
        return None
    given = {"generated": X_generated, "train": X_train}
    return tuple(check_images(X, image_shape)[suspects[name]] for name, X in given.items())
