"""Displays show the numbers that they are given."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import Ridge

from skmem import MemorizationScorer
from skmem.copying import audit_copying
from skmem.density import KernelDensity
from skmem.model_selection import MemorizationSearchCV
from tests.staged import Annealed

plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
pytest.importorskip("pandas", reason="frames of displays need pandas")

from skmem import inspection  # noqa: E402

DIGITS = load_digits().data[:80]
IRIS = load_iris().data


@pytest.fixture(autouse=True)
def _close_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def scorer():
    density = KernelDensity(bandwidth=4.0)
    return MemorizationScorer(density, method="cross-fit", cv=5, n_repeats=4, random_state=0).fit(
        DIGITS
    )


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_memorization_is_labelled_by_its_unit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    for response, unit in ("predict", "nats"), ("neg_squared_error", "squared units of y"):
        scorer = MemorizationScorer(Ridge(), cv=2, n_repeats=2, response=response).fit(X, y)
        display = inspection.MemorizationDisplay.from_estimator(scorer).plot()
        # an axis without its unit is not read
        assert f"({unit})" in display.ax_.get_xlabel()


def test_the_histogram_counts_every_row(scorer):
    display = inspection.MemorizationDisplay.from_estimator(scorer).plot()
    assert sum(patch.get_height() for patch in display.ax_.patches) == 80
    # the noise floor stands where the scorer says
    assert display.ax_.lines[0].get_xdata()[0] == scorer.noise_floor_[0.95]
    assert "nats" in display.ax_.get_xlabel()


def test_rows_at_infinity_are_told_and_not_drawn():
    memorization = np.array([0.0, 1.0, np.inf])
    display = inspection.MemorizationDisplay(
        memorization=memorization, log_density=np.zeros(3)
    ).plot()
    assert sum(patch.get_height() for patch in display.ax_.patches) == 2
    assert texts(display.ax_) == ["1 rows at infinity"]


@pytest.mark.parametrize(
    "memorization", [np.full(3, np.inf), np.r_[np.arange(50.0), 1e12], np.zeros(4)]
)
def test_odd_scores_are_drawn_without_a_warning(memorization):
    display = inspection.MemorizationDisplay(
        memorization=memorization, log_density=np.zeros(len(memorization))
    )
    display.plot().figure_.canvas.draw()
    n_finite = np.isfinite(memorization).sum()
    assert sum(patch.get_height() for patch in display.ax_.patches) == n_finite
    # one row far out does not make a million bars
    assert len(display.ax_.patches) < 20


def test_scores_stand_against_log_densities(scorer):
    display = inspection.MemorizationDisplay.from_estimator(scorer).plot(kind="log-density")
    drawn = display.ax_.collections[0].get_offsets()
    np.testing.assert_allclose(drawn, np.c_[scorer.log_density_in_, scorer.memorization_])
    frame = display.frame()
    np.testing.assert_array_equal(frame["memorization"], scorer.memorization_)


@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_the_top_rows_are_those_of_the_scorer(scorer, image_shape):
    display = inspection.MemorizationDisplay.from_estimator(
        scorer, DIGITS, image_shape=image_shape
    )
    ax = display.plot(kind="top", n_top=3).ax_
    rows, nats = scorer.top(3)
    if image_shape is None:
        cells = ax.tables[0].get_celld()
        assert [cells[i + 1, 0].get_text().get_text() for i in range(3)] == [str(r) for r in rows]
    else:
        assert texts(ax) == [f"{row}\n{value:.1f}" for row, value in zip(rows, nats, strict=True)]
        np.testing.assert_array_equal(ax.images[0].get_array(), DIGITS[rows[0]].reshape(8, 8))


def test_the_path_shows_quantiles_curves_and_where_it_passes_the_floor():
    path = np.array([[0.0, 0.1], [0.5, 1.0], [1.0, 2.0]])
    display = inspection.MemorizationPathDisplay(
        stages=np.array([5, 10, 15]),
        memorization_path=path,
        log_density_in_path=path - 3,
        log_density_out_path=np.full((3, 2), -3.0),
        noise_floor=0.7,
        quantiles=(0.5, 0.95),
    ).plot()
    drawn = display.ax_.lines[1].get_ydata()
    np.testing.assert_allclose(drawn, np.quantile(path, 0.95, axis=1))
    # 0.975 at the second stage is the first above 0.7
    assert display.first_stage_above_floor() == 10
    np.testing.assert_allclose(display.axes_[1].lines[0].get_ydata(), [-2.95, -2.25, -1.5])
    frame = display.frame()
    assert list(frame.columns) == [
        "stage",
        "memorization_q0.5",
        "memorization_q0.95",
        "train",
        "held_out",
    ]


def test_the_path_comes_from_a_scorer_with_stages(scorer):
    staged = MemorizationScorer(
        Annealed(), method="cross-fit", cv=3, n_repeats=2, random_state=0
    ).fit(IRIS)
    display = inspection.MemorizationPathDisplay.from_estimator(staged)
    np.testing.assert_array_equal(display.memorization_path, staged.memorization_path_)
    with pytest.raises(ValueError, match="scorer must have stages_"):
        inspection.MemorizationPathDisplay.from_estimator(scorer)


@pytest.mark.parametrize("n_axes", [1, 2])
def test_the_path_goes_into_axes_of_the_user(n_axes):
    axes = plt.subplots(n_axes)[1]
    display = inspection.MemorizationPathDisplay(
        stages=np.arange(2),
        memorization_path=np.zeros((2, 3)),
        log_density_in_path=np.zeros((2, 3)),
        log_density_out_path=np.zeros((2, 3)),
    ).plot(axes)
    assert display.figure_ is np.ravel(axes)[0].figure
    # nothing above a floor that is not known
    assert display.first_stage_above_floor() is None
    with pytest.raises(ValueError, match="ax must be one Axes or 2"):
        display.plot(plt.subplots(3)[1])


def test_the_search_shows_candidates_front_and_choice():
    grid = {"bandwidth": [0.1, 0.3, 0.6, 1.0]}
    search = MemorizationSearchCV(KernelDensity(), grid, random_state=0).fit(IRIS)
    display = inspection.SearchDisplay.from_estimator(search).plot()
    table = search.cv_results_
    front, best = display.ax_.lines[-2:]
    np.testing.assert_allclose(
        np.sort(front.get_xdata()), np.sort(table["memorization_q95"][table["on_pareto_front"]])
    )
    assert best.get_ydata()[0] == search.best_score_
    assert best.get_label() == f"bandwidth={search.best_params_['bandwidth']:.3g}"
    assert display.frame()["on_pareto_front"].sum() == table["on_pareto_front"].sum()
    with pytest.raises(ValueError, match="column must be one of"):
        inspection.SearchDisplay.from_estimator(search, column="memorization_q50")


@pytest.mark.parametrize("as_frame", [False, True])
def test_the_map_shows_the_density_and_who_is_memorized(as_frame):
    X = load_iris(as_frame=as_frame).data
    X = X.iloc[:, :2] if as_frame else X[:, :2]
    scorer = MemorizationScorer(random_state=0).fit(X)
    display = inspection.DensityMapDisplay.from_estimator(scorer, X, resolution=30).plot()
    x, y = display.x[3], display.y[7]
    point = np.array([[x, y]])
    if as_frame:
        import pandas

        point = pandas.DataFrame(point, columns=X.columns)
        assert display.ax_.get_xlabel() == "sepal length (cm)"
    assert display.log_density[7, 3] == pytest.approx(scorer.score_samples(point)[0])
    memorized = display.ax_.collections[-1].get_offsets()
    top = scorer.memorization_ >= np.quantile(scorer.memorization_, 0.95)
    np.testing.assert_allclose(memorized, np.asarray(X)[top])
    assert display.frame()["is_memorized"].sum() == top.sum()


def test_the_map_needs_two_features(scorer):
    with pytest.raises(ValueError, match="X must have 2 features"):
        inspection.DensityMapDisplay.from_estimator(scorer, DIGITS)


@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_influence_shows_proponents_first_and_opponents_last(image_shape):
    influence = np.random.default_rng(0).normal(size=(80, 2))
    display = inspection.InfluenceDisplay.from_results(
        influence, DIGITS, DIGITS[:2], point=1, k=3, image_shape=image_shape
    ).plot()
    order = np.argsort(-influence[:, 1])
    np.testing.assert_array_equal(display.rows, [*order[:3], *order[-3:]])
    np.testing.assert_array_equal(display.frame()["influence"], influence[display.rows, 1])
    if image_shape:
        assert texts(display.ax_)[0] == "point"
        # the strongest opponent stands below the strongest proponent
        assert texts(display.ax_)[4].startswith(f"{order[-1]}\n")
    else:
        # a bar for each, to the right for those that help
        widths = [bar.get_width() for bar in display.ax_.patches]
        np.testing.assert_array_equal(widths, display.influence)
        names = [label.get_text() for label in display.ax_.get_yticklabels()]
        assert names == [str(row) for row in display.rows]


@pytest.mark.parametrize(
    ("display", "rows"),
    [
        (inspection.DensityMapDisplay, {"X": np.eye(5, 2)}),
        (inspection.MemorizationDisplay, {}),
        (inspection.MemorizationPathDisplay, {}),
    ],
)
def test_a_density_is_no_scorer(display, rows):
    density = KernelDensity().fit(np.eye(5, 2))
    # it is fitted, but has no scores to show
    with pytest.raises(TypeError, match=r"fitted MemorizationScorer, got KernelDensity"):
        display.from_estimator(density, **rows)


def test_influence_of_an_estimator_is_asked_for_one_point():
    class Fixed:
        def influence(self, X):
            return np.arange(80.0)[:, None] * X[:, 0]

    display = inspection.InfluenceDisplay.from_estimator(
        Fixed(), DIGITS, np.ones((3, 64)), point=2, k=1
    )
    np.testing.assert_array_equal(display.rows, [79, 0])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda s: inspection.MemorizationDisplay.from_estimator(s).plot(kind="pie"),
            "kind must be one of",
        ),
        (
            lambda s: inspection.MemorizationDisplay.from_estimator(s, image_shape=(8, 8)),
            "X must be given",
        ),
        (
            lambda s: inspection.MemorizationDisplay.from_estimator(s, DIGITS, image_shape=(8, 9)),
            "image_shape must be",
        ),
        (
            lambda s: inspection.InfluenceDisplay.from_results(np.zeros((2, 2)), DIGITS, DIGITS),
            "influence must have",
        ),
        (
            lambda s: inspection.CopyingDisplay.from_results(None, DIGITS, image_shape=(8, 8)),
            "X_generated must be given",
        ),
    ],
)
def test_bad_arguments_are_named(scorer, call, match):
    with pytest.raises(ValueError, match=match):
        call(scorer)


def test_importing_the_package_loads_no_matplotlib():
    code = "import sys, skmem.inspection; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def copied():
    rows = load_digits().data[:300]
    train, holdout, generated = rows[:100], rows[100:200], rows[200:].copy()
    generated[:12] = train[:12]
    found = audit_copying(train, holdout, generated, random_state=0)
    return found, train, generated


def test_closest_records_are_compared_by_their_shares(copied):
    found = copied[0]
    ax = inspection.CopyingDisplay.from_results(found).plot().ax_
    for line, ratios in zip(
        ax.lines,
        (found.closest_records.ratios, found.closest_records.holdout_ratios),
        strict=True,
    ):
        # the share of rows at most so close, at every height
        share = np.mean(ratios <= 0.5)
        below = line.get_xdata() <= 0.5
        assert line.get_ydata()[below].max(initial=0.0) == pytest.approx(share)
    assert [t.get_text() for t in ax.get_legend().texts] == ["generated rows", "held-out rows"]


def test_distance_ratios_are_all_counted(copied):
    found = copied[0]
    ax = inspection.CopyingDisplay.from_results(found).plot(kind="ratios").ax_
    ratios = found.distance_ratios.ratios
    # those at infinity are told, the others are in the bars
    assert sum(bar.get_height() for bar in ax.patches) == np.isfinite(ratios).sum()
    assert texts(ax) == [f"{np.isinf(ratios).sum()} at infinity: copied"]


def test_cells_stand_against_the_limit_of_holm(copied):
    cells = {
        "z": np.array([-1.0, np.nan, -4.0, 0.5]),
        "adjusted_p_value": np.array([0.6, np.nan, 0.01, 1.0]),
        "used": np.array([True, False, True, True]),
    }
    empty = np.zeros(0)
    display = inspection.CopyingDisplay(
        record_ratios=empty, holdout_record_ratios=empty, suspects={}, cells=cells
    ).plot(kind="cells")
    _, limit, others, low = display.ax_.lines
    # alpha / 3, alpha / 2, alpha as quantiles of the normal distribution
    np.testing.assert_allclose(limit.get_ydata(), [-2.128, -1.960, -1.645], atol=1e-3)
    # the lowest z first; the cell that is not used is not drawn
    assert low.get_xydata().tolist() == [[1, -4.0]]
    assert others.get_xydata().tolist() == [[2, -1.0], [3, 0.5]]
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["2", "0", "3"]


@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_suspect_pairs_are_shown_beside_each_other(copied, image_shape):
    found, train, generated = copied
    display = inspection.CopyingDisplay.from_results(
        found, train, generated, image_shape=image_shape
    ).plot(kind="pairs")
    np.testing.assert_array_equal(display.frame()["generated"], found.suspects["generated"])
    rows = found.suspects["generated"][:8]
    if image_shape is None:
        cells = display.ax_.tables[0].get_celld()
        assert [cells[i + 1, 0].get_text().get_text() for i in range(8)] == [f"{r}" for r in rows]
    else:
        images = [shown.get_array() for shown in display.ax_.images]
        np.testing.assert_array_equal(images[0], generated[rows[0]].reshape(8, 8))
        # its training row is the one below
        nearest = found.suspects["train"][0]
        np.testing.assert_array_equal(images[8], train[nearest].reshape(8, 8))


def test_copying_without_held_out_rows_has_what_there_is(copied):
    _, train, generated = copied
    alone = audit_copying(train, None, generated[12:], random_state=0)
    display = inspection.CopyingDisplay.from_results(alone)
    assert len(display.plot().ax_.lines) == 1
    # no suspect row is a sentence, not an empty table
    assert texts(display.plot(kind="pairs").ax_) == ["no row is suspect"]
    for kind in ("cells", "ratios"):
        with pytest.raises(ValueError, match=f"without held-out rows, got '{kind}'"):
            display.plot(kind=kind)


def test_dollars_in_names_are_no_formulas(copied):
    ids = {name: np.array(["$\\frac$"] * 100) for name in ("train", "generated")}
    display = inspection.CopyingDisplay.from_results(copied[0], ids=ids).plot(kind="pairs")
    # matplotlib would raise on half a formula
    display.figure_.canvas.draw()
    point = np.zeros((1, 64))
    influence = inspection.InfluenceDisplay.from_results(np.ones((80, 1)), DIGITS, point)
    influence.ids = np.array(["$\\frac$"] * 80)
    influence.plot().figure_.canvas.draw()
