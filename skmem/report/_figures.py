"""Figures of a report: displays drawn for light and for dark, as images that stand in the page itself."""

import io
import warnings
from base64 import b64encode
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

_SIZE = 5.2, 3.2  # inches
NO_MATPLOTLIB = 'There are no figures: they need matplotlib, which is not installed (pip install "skmem[plot]").'
# On top of matplotlib's own styles: backgrounds are those of the page.
_STYLES = {"light": "default", "dark": "dark_background"}
_MOST_MARKS = 2000


@dataclass(frozen=True)
class Figure:
    """A display, how it is drawn, and what is said of it."""

    display: Any
    title: str
    caption: str
    alt: str
    options: dict = field(default_factory=dict)


def can_draw():
    """Whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def drawn(figure):
    """The figure as a plain dict: its words, and an image for a light and one for a dark page."""
    words = {"title": figure.title, "caption": figure.caption, "alt": figure.alt}
    return {**words, **{name: _image(figure, style) for name, style in _STYLES.items()}}


def _image(figure, style):
    """An SVG image as a data URI."""
    import matplotlib.style
    from matplotlib.figure import Figure as Canvas

    settings = {"svg.hashsalt": "skmem", "svg.fonttype": "path", "figure.dpi": 144}
    text = io.StringIO()
    with matplotlib.style.context([style, settings], after_reset=True), warnings.catch_warnings():
        # A letter that the font does not have is drawn as a box; the table below has it.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        canvas = Canvas(figsize=_SIZE, layout="constrained")
        figure.display.plot(canvas.subplots(), **figure.options)
        _rasterize(canvas)
        canvas.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{b64encode(text.getvalue().encode()).decode()}"


def _rasterize(canvas):
    """Draw clouds of many dots as pixels, so that a report stays small."""
    for ax in canvas.axes:
        for dots in ax.collections:
            if len(dots.get_offsets()) > _MOST_MARKS:
                dots.set_rasterized(True)
