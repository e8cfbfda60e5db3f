"""Displays look as they did."""

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
compare = pytest.importorskip("matplotlib.testing.compare", reason="displays need matplotlib")

from matplotlib import image  # noqa: E402

from tests.inspection.pictures import BASELINE, PICTURES, draw  # noqa: E402

# Root mean square of differences of pixels, of 255: letters may be smoothed otherwise by another release.
TOLERANCE = 12


@pytest.fixture(autouse=True)
def _plain_figures():
    plt.switch_backend("agg")
    with plt.style.context("default"):
        yield
    plt.close("all")


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_look_as_they_did(name, tmp_path):
    drawn = draw(name, tmp_path)
    # after a change that is meant: python -m tests.inspection.pictures, and look at what it drew
    assert compare.compare_images(str(BASELINE / f"{name}.png"), str(drawn), TOLERANCE) is None


@pytest.mark.parametrize("name", PICTURES)
def test_the_comparison_sees_a_picture_without_its_drawing(name, tmp_path):
    drawn = draw(name, tmp_path)
    pixels = image.imread(drawn)
    for ax in plt.gcf().axes:
        ax.set_axis_off()
        for artist in [*ax.lines, *ax.patches, *ax.collections, *ax.images, *ax.tables, *ax.texts]:
            artist.remove()
    plt.gcf().savefig(tmp_path / "blank.png", dpi=40)
    blank = image.imread(tmp_path / "blank.png")
    # a tolerance that anything passes would be none
    assert 255 * np.sqrt(np.mean((pixels - blank)[..., :3] ** 2)) > 1.5 * TOLERANCE


def test_baselines_are_small():
    sizes = {path.name: path.stat().st_size for path in BASELINE.iterdir()}
    # nothing that a clone is slowed by, and none without a picture
    assert sorted(sizes) == sorted(f"{name}.png" for name in PICTURES)
    assert sum(sizes.values()) < 150_000
