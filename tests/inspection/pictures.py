"""Pictures of made-up numbers, each display once; run as a module, it draws those that the tests compare with."""

from pathlib import Path

import numpy as np

from skmem import inspection

BASELINE = Path(__file__).parent / "baseline"
DPI = 40  # small files; enough to see that something is missing or elsewhere


def _memorization(**options):
    scores = np.random.default_rng(0).gamma(2.0, 2.0, size=200)
    images = np.arange(200 * 6.0).reshape(200, 3, 2) % 7
    return inspection.MemorizationDisplay(
        memorization=scores, log_density=-scores, noise_floor=6.0, images=images
    ), options


def _path():
    path = np.linspace(0, 1, 5)[:, None] * np.arange(20)
    display = inspection.MemorizationPathDisplay(
        stages=np.arange(5),
        memorization_path=path,
        log_density_in_path=path - 9,
        log_density_out_path=np.zeros_like(path) - 9,
        noise_floor=7.0,
    )
    return display, {}


def _influence(image_shape=None):
    X = np.arange(60.0).reshape(10, 6) % 7
    influence = np.linspace(-1, 2, 10)[:, None]
    make = inspection.InfluenceDisplay.from_results
    return make(influence, X, X[:1], k=3, image_shape=image_shape), {}


def _copying(kind):
    rng = np.random.default_rng(0)
    z = np.array([-4.0, -1.0, 0.5, np.nan, 1.0])
    suspects = {
        "generated": np.arange(3),
        "train": np.arange(4, 7),
        "distance": np.array([0.0, 0.1, 0.2]),
        "ratio": np.array([0.0, 0.3, 0.5]),
        "adjusted_p_value": np.array([0.01, 0.02, 0.04]),
        "copy": np.array([True, False, False]),
    }
    display = inspection.CopyingDisplay(
        record_ratios=np.r_[np.zeros(20), rng.uniform(size=80)],
        holdout_record_ratios=rng.uniform(0.4, 1, size=100),
        distance_ratios=np.r_[np.full(20, np.inf), rng.lognormal(size=80)],
        cells={
            "z": z,
            "adjusted_p_value": np.array([0.004, 0.5, 1, np.nan, 1]),
            "used": ~np.isnan(z),
        },
        suspects=suspects,
    )
    return display, {"kind": kind}


def _search():
    table = {
        "params": [{"bandwidth": b} for b in (0.1, 1.0, 2.0)],
        "mean_test_log_density": [-3.0, -2.0, -2.5],
        "standard_error_test_log_density": [0.1, 0.2, 0.1],
        "memorization_q95": [0.2, 2.0, 3.0],
        "standard_error_memorization_q95": [0.1, 0.1, 0.3],
        "on_pareto_front": [True, True, False],
    }
    return inspection.SearchDisplay(cv_results=table, best_index=1), {}


def _map():
    x = np.linspace(-2, 2, 30)
    points = np.random.default_rng(0).normal(size=(40, 2))
    display = inspection.DensityMapDisplay(
        x=x,
        y=x,
        log_density=-(x[:, None] ** 2) - x**2,
        points=points,
        memorization=np.linalg.norm(points, axis=1),
        threshold=2.0,
    )
    return display, {}


PICTURES = {
    "distribution": _memorization,
    "log-density": lambda: _memorization(kind="log-density"),
    "top": lambda: _memorization(kind="top"),
    "path": _path,
    "influence": _influence,
    "influence-images": lambda: _influence((3, 2)),
    "copying-records": lambda: _copying("records"),
    "copying-ratios": lambda: _copying("ratios"),
    "copying-cells": lambda: _copying("cells"),
    "copying-pairs": lambda: _copying("pairs"),
    "search": _search,
    "map": _map,
}


def draw(name, folder):
    """Draw a picture into a folder; return its path."""
    display, options = PICTURES[name]()
    path = Path(folder) / f"{name}.png"
    figure = display.plot(**options).figure_
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return path


if __name__ == "__main__":
    import matplotlib

    matplotlib.use("agg")
    BASELINE.mkdir(exist_ok=True)
    for picture in PICTURES:
        print(draw(picture, BASELINE))
