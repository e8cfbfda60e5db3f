"""Pictures of memorization scores."""

import numpy as np

from skmem._frames import make_frame
from skmem.cross_fitting._responses import UNITS
from skmem.inspection._style import (
    BLUE,
    FONT_SIZE,
    GREY,
    VERMILION,
    check_choice,
    check_images,
    check_scorer,
    draw_histogram,
    draw_images,
    draw_table,
    label_axes,
    single_axes,
)

_KINDS = ("distribution", "log-density", "top")


class MemorizationDisplay:
    """Memorization of training rows: how it is distributed, whom it concerns, and how likely those are.

    In nats; positive = memorized, 0 = no effect.

    Parameters
    ----------
    memorization : ndarray of shape (n_samples,)
        Score of each row.
    log_density : ndarray of shape (n_samples,)
        Log-density of each row in fits with it.
    noise_floor : float, default=None
        Score that noise alone exceeds in one row of twenty; None where that is not known.
    images : ndarray of shape (n_samples, height, width[, channels]), default=None
        The rows as pictures.
    unit : str, default="nats"
        Unit of the scores.
    ids : ndarray of shape (n_samples,), default=None
        What names the rows; their positions if None.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    skmem.MemorizationScorer : Computes the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmem import MemorizationScorer
    >>> from skmem.inspection import MemorizationDisplay
    >>> X = load_digits().data[:200]
    >>> scorer = MemorizationScorer(random_state=0).fit(X)
    >>> display = MemorizationDisplay.from_estimator(scorer, X, image_shape=(8, 8))
    >>> len(display.frame())
    200
    """

    def __init__(
        self, *, memorization, log_density, noise_floor=None, images=None, unit="nats", ids=None
    ):
        self.memorization = memorization
        self.log_density = log_density
        self.noise_floor = noise_floor
        self.images = images
        self.unit = unit
        self.ids = ids

    @classmethod
    def from_estimator(cls, scorer, X=None, *, image_shape=None):
        """Display of a fitted MemorizationScorer.

        Parameters
        ----------
        scorer : MemorizationScorer
            The fitted scorer.
        X : array-like of shape (n_samples, n_features), default=None
            Its training rows, to show them as images.
        image_shape : tuple of int, default=None
            (height, width) or (height, width, channels) of the images that rows are.

        Returns
        -------
        display : MemorizationDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If `image_shape` does not fit `X`, or is given without it.
        """
        check_scorer(scorer)
        if image_shape is not None and X is None:
            raise ValueError(
                f"X must be given to show rows as images, got None and image_shape={image_shape!r}."
            )
        floor = scorer.noise_floor_[0.95]
        return cls(
            memorization=scorer.memorization_,
            log_density=scorer.log_density_in_,
            noise_floor=floor if floor > 0 else None,
            images=None if image_shape is None else check_images(X, image_shape),
            unit=UNITS[scorer.response_],
        )

    def plot(self, ax=None, *, kind="distribution", n_top=10):
        """Draw one picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.
        kind : {"distribution", "log-density", "top"}, default="distribution"
            A histogram of scores with the noise floor; scores against log-densities; or the most memorized rows, as
            images if there are any and as a table if not.
        n_top : int, default=10
            Number of rows for "top".

        Returns
        -------
        display : MemorizationDisplay
            Itself, with `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        check_choice("kind", kind, _KINDS)
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        if kind == "top":
            self._draw_top(n_top)
        else:
            {"distribution": self._draw_distribution, "log-density": self._draw_log_density}[
                kind
            ]()
        return self

    def frame(self):
        """What is drawn, as a data frame: a line for each row, with `memorization` and `log_density`.

        In nats; positive = memorized.

        Returns
        -------
        frame : pandas.DataFrame
            A line for each row.
        """
        return make_frame({"memorization": self.memorization, "log_density": self.log_density})

    def _draw_distribution(self):
        finite = self.memorization[np.isfinite(self.memorization)]
        draw_histogram(self.ax_, finite, log=True)
        label_axes(self.ax_, f"memorization ({self.unit})", "rows")
        n_infinite = self.memorization.size - finite.size
        if n_infinite:
            text = f"{n_infinite} rows at infinity"
            self.ax_.annotate(
                text, (0.98, 0.9), xycoords="axes fraction", ha="right", fontsize=FONT_SIZE
            )
        self._draw_floor(self.ax_.axvline)

    def _draw_log_density(self):
        self.ax_.scatter(
            self.log_density, self.memorization, s=8, color=BLUE, alpha=0.8, linewidths=0
        )
        label_axes(
            self.ax_, f"log-density with the row ({self.unit})", f"memorization ({self.unit})"
        )
        self._draw_floor(self.ax_.axhline)

    def _draw_floor(self, line):
        if self.noise_floor is not None:
            line(self.noise_floor, color=VERMILION, linestyle="--", label="noise floor, 0.95")
            self.ax_.legend(fontsize=FONT_SIZE, frameon=False)
        else:
            line(0.0, color=GREY, linestyle=":", linewidth=1)

    def _draw_top(self, n_top):
        rows = np.argsort(-self.memorization, kind="stable")[:n_top]
        names = rows if self.ids is None else self.ids[rows]
        if self.images is None:
            cells = [
                [f"{name}", f"{self.memorization[row]:.2f}", f"{self.log_density[row]:.2f}"]
                for row, name in zip(rows, names, strict=True)
            ]
            draw_table(self.ax_, cells, ["row", f"memorization ({self.unit})", "log-density"])
        else:
            titles = [
                f"{name}\n{self.memorization[row]:.1f}"
                for row, name in zip(rows, names, strict=True)
            ]
            draw_images(self.ax_, self.images[rows], titles, n_columns=min(5, len(rows)))
            title = f"highest memorization ({self.unit})"
            self.ax_.set_title(title, fontsize=FONT_SIZE)
