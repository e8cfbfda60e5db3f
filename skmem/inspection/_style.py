"""Colours, axes and montages that all displays share; matplotlib is imported when something is drawn."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

# Okabe & Ito's colours, told apart by colour-blind readers; markers and line styles tell them apart in grey.
BLUE, ORANGE, VERMILION, YELLOW, GREY = "#0072B2", "#E69F00", "#D55E00", "#F0E442", "#666666"
FONT_SIZE = 9  # points, legible where the figure is printed at a column's width
_WIDTH, _HEIGHT = 5.0, 3.4  # inches
_FEW_TICKS = {"nbins": 6}
_LONGEST_TITLE = 14  # letters


def pyplot():
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is not installed; it names the command to run.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'skmem.inspection needs matplotlib: pip install "skmem[plot]"'
        ) from error
    return plt


def single_axes(ax):
    """`ax`, or the axes of a new figure."""
    if ax is not None:
        return ax
    return pyplot().subplots(figsize=(_WIDTH, _HEIGHT), layout="constrained")[1]


def stacked_axes(ax, n_axes):
    """`n_axes` axes one above another, (n_axes,): those given, in the place of the one given, or of a new figure."""
    if ax is None:
        size = _WIDTH, 0.75 * _HEIGHT * n_axes
        figure = pyplot().figure(figsize=size, layout="constrained")
        return figure.subplots(n_axes, 1, sharex=True)
    axes = np.ravel(ax)
    if axes.size == n_axes:
        return axes
    if axes.size != 1:
        raise ValueError(f"ax must be one Axes or {n_axes} of them, got {axes.size}.")
    grid = axes[0].get_subplotspec().subgridspec(n_axes, 1)
    axes[0].set_axis_off()
    return np.array([axes[0].figure.add_subplot(grid[i]) for i in range(n_axes)])


def label_axes(ax, x, y):
    """Name the axes, and keep the lines that bear the scale alone."""
    # Names come from data: a dollar sign in one is no formula.
    ax.set_xlabel(x, fontsize=FONT_SIZE, parse_math=False)
    ax.set_ylabel(y, fontsize=FONT_SIZE, parse_math=False)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.spines[["top", "right"]].set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        if hasattr(axis.get_major_formatter(), "set_useOffset"):
            # Ticks are log-densities themselves, not differences from a number in the corner; few, as they are long.
            axis.get_major_formatter().set_useOffset(False)
            axis.get_major_locator().set_params(**_FEW_TICKS)


def draw_histogram(ax, values, *, log=False):
    """Draw a histogram, by Rice's rule: the number of bins depends on that of values, not on their outliers."""
    n_bins = int(np.ceil(2 * values.size ** (1 / 3))) or 1
    # Without a value there is nothing to take the logarithm of.
    ax.hist(values, bins=n_bins, color=BLUE, rwidth=0.92, log=log and values.size > 0)
    if log and values.size:
        ax.set_ylim(bottom=0.5)  # below 1, so that a bar of one row has a height


def check_choice(name, value, choices):
    """Check that `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {value!r}.")


def check_scorer(scorer):
    """Check that `scorer` is fitted and has scores."""
    check_is_fitted(scorer)
    if not hasattr(scorer, "memorization_"):
        raise TypeError(f"scorer must be a fitted MemorizationScorer, got {scorer!r}.")


def check_images(X, image_shape):
    """Rows as images (n_rows, height, width) or (n_rows, height, width, 3 or 4)."""
    X, shape = np.asarray(X), tuple(image_shape)
    if len(shape) not in (2, 3) or np.prod(shape) != X.shape[1]:
        raise ValueError(
            f"image_shape must be (height, width) or (height, width, channels) with as many pixels as X has "
            f"features, {X.shape[1]}, got {image_shape!r}."
        )
    return X.reshape(len(X), *shape)


def draw_images(ax, images, titles, n_columns):
    """Draw images side by side in one axes, pixels square, each with its title below; none without a title."""
    n_rows = -(-len(images) // n_columns)
    low, high = float(np.min(images)), float(np.max(images))
    height, width = images.shape[1:3]
    # Cells are as high as pixels need to be square, or higher, so that titles of flat images have room.
    aspect = max(height / width * 0.90 / 0.68, 1.1)
    top = 0.70 - height / width * 0.90 / aspect
    for i, (image, title) in enumerate(zip(images, titles, strict=True)):
        if not title:
            continue
        row, column = divmod(i, n_columns)
        extent = column + 0.05, column + 0.95, row + 0.70, row + top
        ax.imshow(image, cmap="gray_r", vmin=low, vmax=high, extent=extent, aspect="auto")
        place = {"ha": "center", "va": "center", "fontsize": FONT_SIZE, "parse_math": False}
        ax.text(column + 0.5, row + 0.86, "\n".join(map(_short, title.split("\n"))), **place)
    ax.set(xlim=(0, n_columns), ylim=(n_rows, 0), aspect=aspect)
    ax.set_axis_off()


def _short(text):
    """What fits below an image."""
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 3]}..."


def draw_table(ax, cells, columns):
    """Draw a table of text in one axes."""
    ax.set_axis_off()
    table = ax.table(cells, colLabels=columns, loc="center", cellLoc="right", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(FONT_SIZE)
    table.auto_set_column_width(range(len(columns)))
    table.scale(1, 1.15)
    for (row, _), cell in table.get_celld().items():
        cell.set(edgecolor=GREY, linewidth=0.5)
        cell.get_text().set(parse_math=False, weight="normal" if row else "bold")
    return table
