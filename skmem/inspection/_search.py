"""Pictures of a search."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmem._frames import make_frame
from skmem.inspection._style import (
    BLUE,
    FONT_SIZE,
    GREY,
    VERMILION,
    label_axes,
    single_axes,
)


class SearchDisplay:
    """Held-out likelihood of every candidate against what it memorizes.

    In nats; up is likelier on held-out rows, left is less memorized.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        ``cv_results_`` of a MemorizationSearchCV.
    best_index : int, default=None
        The candidate that was chosen.
    column : str, default="memorization_q95"
        What stands for memorization.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    skmem.model_selection.MemorizationSearchCV : Computes the results.

    Examples
    --------
    >>> from skmem.inspection import SearchDisplay
    >>> display = SearchDisplay(cv_results={
    ...     "params": [{"bandwidth": 1.0}],
    ...     "mean_test_log_density": [-3.0],
    ...     "standard_error_test_log_density": [0.1],
    ...     "memorization_q95": [2.0],
    ...     "standard_error_memorization_q95": [0.1],
    ...     "on_pareto_front": [True],
    ... })
    >>> display.column
    'memorization_q95'
    """

    def __init__(self, *, cv_results, best_index=None, column="memorization_q95"):
        self.cv_results = cv_results
        self.best_index = best_index
        self.column = column

    @classmethod
    def from_estimator(cls, search, *, column="memorization_q95"):
        """Display of a fitted MemorizationSearchCV.

        Parameters
        ----------
        search : MemorizationSearchCV
            The fitted search.
        column : str, default="memorization_q95"
            What stands for memorization: a column of its ``cv_results_``.

        Returns
        -------
        display : SearchDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        check_is_fitted(search, "cv_results_")
        return cls.from_results(
            search.cv_results_, best_index=getattr(search, "best_index_", None), column=column
        )

    @classmethod
    def from_results(cls, cv_results, *, best_index=None, column="memorization_q95"):
        """Display of ``cv_results_``.

        Parameters
        ----------
        cv_results : dict of str to ndarray
            ``cv_results_`` of a MemorizationSearchCV.
        best_index : int, default=None
            The candidate that was chosen.
        column : str, default="memorization_q95"
            What stands for memorization.

        Returns
        -------
        display : SearchDisplay
            Not drawn yet: call `plot`.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        if column not in cv_results:
            raise ValueError(f"column must be one of {sorted(cv_results)}, got {column!r}.")
        return cls(cv_results=cv_results, best_index=best_index, column=column)

    def plot(self, ax=None):
        """Draw a point for each candidate, with standard errors, the Pareto front and the choice.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        Returns
        -------
        display : SearchDisplay
            Itself, with `ax_` and `figure_`.
        """
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        x, y, x_error, y_error, front = self._columns()
        bars = {"fmt": "o", "ms": 4, "color": GREY, "elinewidth": 0.8}
        self.ax_.errorbar(x, y, xerr=x_error, yerr=y_error, label="candidates", **bars)
        order = np.flatnonzero(front)[np.argsort(x[front])]
        self.ax_.plot(x[order], y[order], "s-", color=BLUE, ms=5, label="Pareto front")
        if self.best_index is not None:
            best = self.best_index
            self.ax_.plot(x[best], y[best], "*", color=VERMILION, ms=14, label=self._name(best))
        label_axes(self.ax_, f"{self.column} (nats)", "mean held-out log-density (nats)")
        self.ax_.legend(fontsize=FONT_SIZE, frameon=False)
        return self

    def frame(self):
        """What is drawn, as a data frame: a line for each candidate.

        In nats; a higher log-density is better, less memorization is better.

        Returns
        -------
        frame : pandas.DataFrame
            A line for each candidate.
        """
        x, y, x_error, y_error, front = self._columns()
        return make_frame(
            {
                "params": [str(params) for params in self.cv_results["params"]],
                "mean_test_log_density": y,
                "standard_error_test_log_density": y_error,
                self.column: x,
                f"standard_error_{self.column}": x_error,
                "on_pareto_front": front,
            }
        )

    def _columns(self):
        """Memorization, log-density, the standard errors of both, and whether on the front."""
        names = (
            self.column,
            "mean_test_log_density",
            f"standard_error_{self.column}",
            "standard_error_test_log_density",
        )
        numbers = (np.asarray(self.cv_results[name], dtype=np.float64) for name in names)
        return *numbers, np.asarray(self.cv_results["on_pareto_front"], dtype=bool)

    def _name(self, index):
        params = self.cv_results["params"][index]
        return ", ".join(
            f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in params.items()
        )
