"""Reports in a real browser: they look like something, ask for nothing, and everybody can read them."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

from skmem.copying import audit_copying
from skmem.datasets import Table, load_table
from skmem.report import audit, explain, write_report
from tests.architecture import ROOT
from tests.report.browser import Page, chromium, find_chromium

image = pytest.importorskip("matplotlib.image", reason="screenshots are read by matplotlib")
pytest.importorskip("jinja2", reason="pages need the extra report")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        find_chromium() is None, reason="no Chromium on the path nor in the variable CHROMIUM"
    ),
]

# axe-core of the Mozilla Public License, larger than what is worth shipping with the tests.
AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
KINDS = ("audit", "copying", "influence")


def small_table():
    X = np.random.default_rng(0).normal(size=(12, 3))
    ids = np.array([f"<b>{i}" for i in range(12)], dtype=object)
    return Table(X, ["<script>", "b", "c"], ids, "<img src=x onerror=alert(1)>.csv")


def copying():
    X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 60, 3))
    X_generated[:9] = X_train[:9]
    return audit_copying(X_train, X_holdout, X_generated, random_state=0)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    results = {
        "audit": audit(small_table(), cv=3, n_repeats=2, random_state=0),
        "copying": copying(),
        "influence": explain(small_table(), n_generated=1, top=2, random_state=0),
        "iris": audit(load_table("iris"), cv=3, n_repeats=2, random_state=0),
    }
    return {name: write_report(r, folder / f"{name}.html") for name, r in results.items()}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def pixels(page):
    return image.imread(io.BytesIO(page.screenshot()))[..., :3]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_seen(browser, pages, kind, scheme, script):
    page = Page(browser, pages[kind], scheme=scheme, script=script)
    found = pixels(page)
    # paper and ink are those of the scheme, with or without script
    low, high = (0.9, 1.0) if scheme == "light" else (0.0, 0.2)
    assert low <= np.median(found) <= high
    # and there are letters and figures on it
    assert len(np.unique(found.reshape(-1, 3)[::7], axis=0)) > 50


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_asks_for_nothing_and_complains_of_nothing(browser, pages, kind):
    page = Page(browser, pages[kind])
    assert page.evaluate("document.readyState") == "complete"
    asked = [e["request"]["url"] for e in page.events("Network.requestWillBeSent")]
    # the page itself, and what is in it
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert [url for url in asked if url.startswith("file:")] == [pages[kind].as_uri()]
    # no error, and nothing that the page's own policy had to stop
    complaints = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert page.events(*complaints) == []
    # every image could be decoded
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_wider_than_the_window(browser, pages, width):
    page = Page(browser, pages["iris"], width=width)
    # a wide table scrolls in its own box; the page does not
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CELLS = "[...document.querySelectorAll('#row-table tbody tr:not([hidden])')]"


def column(page, j):
    return page.evaluate(f"{CELLS}.map(row => row.cells[{j}].textContent)")


def test_rows_are_sorted_and_filtered_by_the_keyboard(browser, pages):
    page = Page(browser, pages["iris"])
    head = "document.querySelectorAll('#row-table th')[2]"
    scores = [float(text) for text in column(page, 2)]
    # as in the file: the most memorized first, and said to be so
    assert scores == sorted(scores, reverse=True)
    assert page.evaluate(f"{head}.getAttribute('aria-sort')") == "descending"
    page.evaluate(f"{head}.querySelector('button').focus()")
    page.key("Enter", 13)
    # a key turns the order round
    assert [float(text) for text in column(page, 2)] == sorted(scores)
    assert page.evaluate(f"{head}.getAttribute('aria-sort')") == "ascending"
    page.evaluate("document.getElementById('filter').focus()")
    page.send("Input.insertText", text="149")
    # what is left has the text, and how many that are is said aloud
    assert all("149" in "".join(row) for row in page.evaluate(f"{CELLS}.map(r => r.textContent)"))
    n_rows = len(column(page, 0))
    assert 0 < n_rows < 20
    status = page.evaluate("document.querySelector('[role=status]').textContent")
    assert status == f"{n_rows} of 150 rows"


def test_the_first_key_skips_to_the_report(browser, pages):
    page = Page(browser, pages["audit"])
    page.key("Tab", 9)
    assert page.evaluate("document.activeElement.className") == "skip"
    page.key("Enter", 13)
    assert page.evaluate("location.hash") == "#main"


def test_it_prints(browser, pages):
    page = Page(browser, pages["iris"])
    page.send("Emulation.setEmulatedMedia", media="print")
    shown = "[...document.querySelectorAll('#row-table tbody tr')].filter(r => r.offsetHeight)"
    # the first 50 rows, and the paper says so
    assert page.evaluate(f"{shown}.length") == 50
    assert page.evaluate("document.querySelector('.printed').offsetHeight") > 0
    assert page.evaluate("document.querySelector('nav').offsetHeight") == 0
    assert len(page.send("Page.printToPDF", printBackground=False)["data"]) > 10_000


@pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is neither in node_modules nor in the variable AXE_CORE"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_everybody_can_read_it(browser, pages, kind, scheme):
    page = Page(browser, pages[kind], scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run()")
    # contrast, names, order, labels: no rule of axe is broken, and rules were tried
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
    assert {"color-contrast", "image-alt", "html-has-lang"} <= {p["id"] for p in found["passes"]}
