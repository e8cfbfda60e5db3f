"""Pictures of memorization as training goes on."""

from itertools import cycle

import numpy as np

from skmem._frames import make_frame
from skmem.inspection._style import (
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    VERMILION,
    check_scorer,
    label_axes,
    stacked_axes,
)

_STYLES = ("o-", "o--", "o-.", "o:")


class MemorizationPathDisplay:
    """Memorization over the stages of training, above the curves of training and held-out rows.

    In nats; positive = memorized, 0 = no effect.

    Parameters
    ----------
    stages : ndarray of shape (n_stages,)
        Stages, such as epochs.
    memorization_path : ndarray of shape (n_stages, n_samples)
        Score of each row at each stage.
    log_density_in_path, log_density_out_path : ndarray of shape (n_stages, n_samples)
        Log-density of each row at each stage, in fits with it and in fits without it.
    noise_floor : float, default=None
        Score that noise alone exceeds in one row of twenty, at the last stage.
    quantiles : tuple of float, default=(0.5, 0.95, 0.999)
        Quantiles of memorization over rows that are drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of memorization.
    axes_ : ndarray of shape (2,)
        Those, and the axes of the curves.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    skmem.MemorizationScorer : Computes the path, where the estimator has stages.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.inspection import MemorizationPathDisplay
    >>> display = MemorizationPathDisplay(
    ...     stages=np.array([1, 2]),
    ...     memorization_path=np.array([[0.0, 0.2], [1.0, 2.0]]),
    ...     log_density_in_path=np.array([[-3.0, -3.0], [-1.0, -1.0]]),
    ...     log_density_out_path=np.array([[-3.0, -3.2], [-2.0, -3.0]]),
    ...     noise_floor=0.5,
    ... )
    >>> display.first_stage_above_floor()
    2
    """

    def __init__(
        self,
        *,
        stages,
        memorization_path,
        log_density_in_path,
        log_density_out_path,
        noise_floor=None,
        quantiles=(0.5, 0.95, 0.999),
    ):
        self.stages = stages
        self.memorization_path = memorization_path
        self.log_density_in_path = log_density_in_path
        self.log_density_out_path = log_density_out_path
        self.noise_floor = noise_floor
        self.quantiles = quantiles

    @classmethod
    def from_estimator(cls, scorer, *, quantiles=(0.5, 0.95, 0.999)):
        """Display of a fitted MemorizationScorer whose estimator has stages.

        Parameters
        ----------
        scorer : MemorizationScorer
            The fitted scorer.
        quantiles : tuple of float, default=(0.5, 0.95, 0.999)
            Quantiles of memorization over rows.

        Returns
        -------
        display : MemorizationPathDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If the scorer has no stages.
        """
        check_scorer(scorer)
        if not hasattr(scorer, "stages_"):
            raise ValueError(
                "scorer must have stages_, which come from an estimator with staged_score_samples, such as a VAE "
                f"with checkpoint_epochs; got an estimator {scorer.estimator!r} without."
            )
        floor = scorer.noise_floor_[0.95]
        return cls(
            stages=scorer.stages_,
            memorization_path=scorer.memorization_path_,
            log_density_in_path=scorer.log_density_in_path_,
            log_density_out_path=scorer.log_density_out_path_,
            noise_floor=floor if floor > 0 else None,
            quantiles=quantiles,
        )

    def first_stage_above_floor(self):
        """First stage at which the 0.95 quantile of memorization is above the noise floor; None if none is."""
        if self.noise_floor is None:
            return None
        above = np.flatnonzero(
            np.quantile(self.memorization_path, 0.95, axis=1) > self.noise_floor
        )
        return self.stages[above[0]].item() if above.size else None

    def plot(self, ax=None):
        """Draw the quantiles of memorization, and below them the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array of 2 of them, default=None
            Where to draw; one is divided in two. A new figure if None.

        Returns
        -------
        display : MemorizationPathDisplay
            Itself, with `ax_`, `axes_` and `figure_`.
        """
        self.axes_ = stacked_axes(ax, 2)
        self.ax_, curves = self.axes_
        self.figure_ = self.ax_.figure
        self._draw_quantiles(self.ax_)
        self._draw_curves(curves)
        for each in self.axes_:
            each.legend(fontsize=FONT_SIZE, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        return self

    def frame(self):
        """What is drawn, as a data frame: a line for each stage.

        In nats; positive = memorized.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `stage`, `memorization_qQ` for each quantile Q, `train` and `held_out`.
        """
        columns = {"stage": self.stages}
        for q in self.quantiles:
            columns[f"memorization_q{q:g}"] = np.quantile(self.memorization_path, q, axis=1)
        columns["train"] = self.log_density_in_path.mean(axis=1)
        columns["held_out"] = self.log_density_out_path.mean(axis=1)
        return make_frame(columns)

    def _draw_quantiles(self, ax):
        for q, style in zip(self.quantiles, cycle(_STYLES)):
            values = np.quantile(self.memorization_path, q, axis=1)
            ax.plot(self.stages, values, style, color=BLUE, ms=3, label=f"quantile {q:g}")
        if self.noise_floor is not None:
            ax.axhline(self.noise_floor, color=VERMILION, linestyle=":", label="noise floor, 0.95")
        first = self.first_stage_above_floor()
        if first is not None:
            ax.axvline(first, color=GREY, linewidth=1, label=f"above the floor from {first}")
        label_axes(ax, "", "memorization (nats)")

    def _draw_curves(self, ax):
        paths = self.log_density_in_path, self.log_density_out_path
        train, held_out = (path.mean(axis=1) for path in paths)
        ax.plot(self.stages, train, "o-", color=BLUE, ms=3, label="training rows")
        ax.plot(self.stages, held_out, "s--", color=ORANGE, ms=3, label="held-out rows")
        label_axes(ax, "stage", "mean log-density (nats)")
