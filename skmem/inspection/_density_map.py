"""A map of a density of two features and of what it memorized."""

import numpy as np

from skmem._frames import make_frame
from skmem.inspection._style import BLUE, FONT_SIZE, YELLOW, check_scorer, label_axes, single_axes


class DensityMapDisplay:
    """A density in the plane, with memorized rows in yellow and well-generalised ones in blue.

    In nats; contours are log-densities, and positive memorization = the row raises its own likelihood.

    Parameters
    ----------
    x, y : ndarray of shape (resolution,)
        Grid of the two features.
    log_density : ndarray of shape (resolution, resolution)
        Log-density at every point of the grid; rows go with `y`.
    points : ndarray of shape (n_samples, 2)
        The training rows.
    memorization : ndarray of shape (n_samples,)
        Their scores.
    threshold : float
        Score from which a row counts as memorized.
    names : tuple of str, default=("feature 0", "feature 1")
        Names of the features.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem import MemorizationScorer
    >>> from skmem.inspection import DensityMapDisplay
    >>> X = load_iris().data[:, :2]
    >>> scorer = MemorizationScorer(random_state=0).fit(X)
    >>> DensityMapDisplay.from_estimator(scorer, X, resolution=20).log_density.shape
    (20, 20)
    """

    def __init__(
        self,
        *,
        x,
        y,
        log_density,
        points,
        memorization,
        threshold,
        names=("feature 0", "feature 1"),
    ):
        self.x = x
        self.y = y
        self.log_density = log_density
        self.points = points
        self.memorization = memorization
        self.threshold = threshold
        self.names = names

    @classmethod
    def from_estimator(cls, scorer, X, *, threshold=None, resolution=100):
        """Display of a fitted MemorizationScorer of two features.

        Parameters
        ----------
        scorer : MemorizationScorer
            The fitted scorer, with an `estimator_`.
        X : array-like of shape (n_samples, 2)
            Its training rows.
        threshold : float, default=None
            Score from which a row counts as memorized; None is the 0.95 quantile of the scores, as in van den Burg &
            Williams (NeurIPS 2021).
        resolution : int, default=100
            Number of grid lines of each feature.

        Returns
        -------
        display : DensityMapDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If `X` does not have two features.
        """
        check_scorer(scorer)
        points = np.asarray(X, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(
                f"X must have 2 features to be drawn in the plane, got shape {points.shape}."
            )
        memorization = scorer.memorization_
        threshold = np.quantile(memorization, 0.95) if threshold is None else threshold
        map_ = _map(scorer, points, resolution)
        return cls(**map_, points=points, memorization=memorization, threshold=threshold)

    def plot(self, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display : DensityMapDisplay
            Itself, with `ax_` and `figure_`.
        """
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        finite = self.log_density[np.isfinite(self.log_density)]
        # Contours of the part of the plane where rows are: far out, log-densities fall without bound.
        levels = np.unique(np.linspace(np.quantile(finite, 0.3), finite.max(), 10))
        shown = np.where(np.isfinite(self.log_density), self.log_density, levels[0])
        self.ax_.contourf(
            self.x, self.y, np.maximum(shown, levels[0]), levels=levels, cmap="Greys", alpha=0.6
        )
        memorized = self.memorization >= self.threshold
        self._scatter(~memorized, "o", 12, BLUE, "generalised")
        self._scatter(memorized, "D", 26, YELLOW, f"memorized, {self.threshold:.2g} nats or more")
        label_axes(self.ax_, *self.names)
        self.ax_.legend(fontsize=FONT_SIZE)
        return self

    def frame(self):
        """What is drawn of the rows, as a data frame.

        In nats; positive = memorized.

        Returns
        -------
        frame : pandas.DataFrame
            A line for each row: both features, `memorization` and `is_memorized`.
        """
        features = dict(zip(self.names, self.points.T, strict=True))
        is_memorized = self.memorization >= self.threshold
        return make_frame(
            features | {"memorization": self.memorization, "is_memorized": is_memorized}
        )

    def _scatter(self, rows, marker, size, color, label):
        where = {
            "s": size,
            "marker": marker,
            "color": color,
            "edgecolors": "black",
            "linewidths": 0.5,
        }
        self.ax_.scatter(*self.points[rows].T, label=label, **where)


def _map(scorer, points, resolution):
    """Grid around the points, the log-density on it, and the names of the features."""
    margin = 0.1 * np.ptp(points, axis=0)
    x, y = np.linspace(points.min(axis=0) - margin, points.max(axis=0) + margin, resolution).T
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    names = getattr(scorer, "feature_names_in_", None)
    log_density = scorer.score_samples(
        grid if names is None else make_frame(dict(zip(names, grid.T, strict=True)))
    )
    found = {"x": x, "y": y, "log_density": log_density.reshape(resolution, resolution)}
    return found if names is None else found | {"names": tuple(names)}
