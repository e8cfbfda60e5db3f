"""Pictures of which training rows made a point likely."""

import numpy as np

from skmem._frames import make_frame
from skmem.inspection._style import (
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    check_images,
    draw_images,
    label_axes,
    single_axes,
)


class InfluenceDisplay:
    """A point beside the training rows that raise its likelihood most, and those that lower it most.

    In nats; positive = the training row helps (a proponent), negative = it hinders (an opponent).

    Parameters
    ----------
    query : ndarray of shape (n_features,)
        The point.
    rows : ndarray of shape (n_rows,)
        Positions of training rows, the strongest proponent first and the strongest opponent last.
    influence : ndarray of shape (n_rows,)
        Influence of each.
    X_train : ndarray of shape (n_samples, n_features)
        All training rows.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the images that rows are.
    ids : ndarray of shape (n_samples,), default=None
        What names the training rows; their positions if None.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    Examples
    --------
    >>> import numpy as np
    >>> from skmem.inspection import InfluenceDisplay
    >>> X_train = np.array([[0.0], [1.0], [9.0]])
    >>> influence = np.array([[0.4], [0.7], [-0.4]])
    >>> display = InfluenceDisplay.from_results(influence, X_train, np.array([[0.9]]), k=1)
    >>> display.rows, display.influence
    (array([1, 2]), array([ 0.7, -0.4]))
    """

    def __init__(self, *, query, rows, influence, X_train, image_shape=None, ids=None):
        self.query = query
        self.rows = rows
        self.influence = influence
        self.X_train = X_train
        self.image_shape = image_shape
        self.ids = ids

    @classmethod
    def from_results(cls, influence, X_train, X, *, point=0, k=4, image_shape=None):
        """Display of one point of an influence matrix.

        Parameters
        ----------
        influence : array-like of shape (n_train, n_points)
            Influence of every training row on every point.
        X_train : array-like of shape (n_train, n_features)
            The training rows.
        X : array-like of shape (n_points, n_features)
            The points.
        point : int, default=0
            Which of the points.
        k : int, default=4
            Number of proponents, and of opponents.
        image_shape : tuple of int, default=None
            (height, width) or (height, width, channels) of the images that rows are.

        Returns
        -------
        display : InfluenceDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If the shapes do not go together.
        """
        influence, X_train, X = np.asarray(influence), np.asarray(X_train), np.asarray(X)
        if influence.shape != (len(X_train), len(X)):
            raise ValueError(
                f"influence must have shape (n_train, n_points) = {(len(X_train), len(X))}, got {influence.shape}."
            )
        values = influence[:, point]
        order = np.argsort(-values, kind="stable")
        k = min(k, len(order) // 2)
        rows = np.concatenate([order[:k], order[len(order) - k :]])
        return cls(
            query=X[point],
            rows=rows,
            influence=values[rows],
            X_train=X_train,
            image_shape=image_shape,
        )

    @classmethod
    def from_estimator(cls, estimator, X_train, X, *, point=0, k=4, image_shape=None):
        """Display of one point by a fitted influence estimator.

        Parameters
        ----------
        estimator : TracIn, InfluenceFunction or MemorizationScorer
            Anything fitted with ``influence(X)`` of shape (n_train, n_points).
        X_train : array-like of shape (n_train, n_features)
            The training rows.
        X : array-like of shape (n_points, n_features)
            The points.
        point : int, default=0
            Which of the points.
        k : int, default=4
            Number of proponents, and of opponents.
        image_shape : tuple of int, default=None
            (height, width) or (height, width, channels) of the images that rows are.

        Returns
        -------
        display : InfluenceDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If the shapes do not go together.
        """
        one = np.asarray(X)[[point]]
        influence = estimator.influence(one)
        return cls.from_results(influence, X_train, one, k=k, image_shape=image_shape)

    def plot(self, ax=None):
        """Draw the point and its rows, as images if they are any and as bars if not.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display : InfluenceDisplay
            Itself, with `ax_` and `figure_`.
        """
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        if self.image_shape is None:
            self._draw_bars()
        else:
            self._draw_images()
        return self

    def frame(self):
        """What is drawn, as a data frame: a line for each training row shown.

        In nats; positive = proponent.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `row` and `influence`.
        """
        return make_frame({"row": self.rows, "influence": self.influence})

    def _names(self):
        return [f"{name}" for name in (self.rows if self.ids is None else self.ids[self.rows])]

    def _draw_bars(self):
        """Influences as bars, to the right for proponents and to the left for opponents."""
        places = np.arange(len(self.rows))
        colors = np.where(self.influence >= 0, BLUE, ORANGE)
        self.ax_.barh(places, self.influence, color=colors, height=0.7)
        self.ax_.axvline(0.0, color=GREY, linewidth=1)
        self.ax_.set_yticks(places, self._names(), parse_math=False)
        self.ax_.invert_yaxis()
        label_axes(self.ax_, "influence (nats)", "training row")

    def _draw_images(self):
        """The point and its proponents in one line, its opponents below."""
        k = len(self.rows) // 2
        images = check_images(self.X_train[self.rows], self.image_shape)
        query = check_images(self.query[None], self.image_shape)
        blank = np.zeros_like(query)
        titles = [
            f"{name}\n{value:+.2g}"
            for name, value in zip(self._names(), self.influence, strict=True)
        ]
        pictures = np.concatenate([query, images[:k], blank, images[k:][::-1]])
        draw_images(
            self.ax_, pictures, ["point", *titles[:k], "", *titles[k:][::-1]], n_columns=k + 1
        )
        self.ax_.set_title("proponents above, opponents below (nats)", fontsize=FONT_SIZE)
