"""Reports: one file that stands by itself, whatever the data hold."""

import html
import json
import re
import sys
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

from skmem import cli
from skmem.copying import audit_copying
from skmem.datasets import Table
from skmem.report import audit, audit_labels, explain, write_report
from skmem.report._figures import NO_MATPLOTLIB, can_draw
from skmem.report._html import render
from tests.report.schema import violations

jinja2 = pytest.importorskip("jinja2", reason="pages need the extra report")

HOSTILE = '<script>alert("x")</script>'
NASTY = [HOSTILE, "a'b\"c", "$\\frac$", "</title>", "&amp;", "\x1b[31m\x00", "日本" * 30, "--><b>"]
SCHEMA = json.loads((files("skmem.report") / "report.schema.json").read_text("utf-8"))
TABLE_TAGS = {"p", "table", "caption", "thead", "tbody", "tr", "th", "td"}
VOID = {"meta", "link", "img", "source", "input", "br", "hr"}


def hostile_table():
    X = np.random.default_rng(0).normal(size=(30, 3))
    X[:, 2] = 1.0  # left out, and named for it
    ids = np.array([f"{NASTY[i % len(NASTY)]}{i}" for i in range(30)], dtype=object)
    return Table(X, [HOSTILE, "$a$", f"c{HOSTILE}"], ids, f"{HOSTILE}.csv", [f"note {HOSTILE}"])


def hostile_copying():
    X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 60, 3))
    X_generated[:9] = X_train[:9]
    ids = {name: np.array([f"{HOSTILE}{i}" for i in range(60)]) for name in ("train", "generated")}
    return audit_copying(X_train, X_holdout, X_generated, random_state=0), {"ids": ids}


def hostile_labels(y):
    found = audit_labels(hostile_table(), y, label=HOSTILE, cv=3, n_repeats=2, random_state=0)
    return found, {}


MAKE = {
    "labels": lambda: hostile_labels(np.array([HOSTILE, "b", "c"])[np.arange(30) % 3]),
    "numbers": lambda: hostile_labels(np.random.default_rng(1).normal(size=30)),
    "audit": lambda: (audit(hostile_table(), cv=3, n_repeats=2, random_state=0), {}),
    "copying": hostile_copying,
    "influence": lambda: (explain(hostile_table(), n_generated=2, random_state=0), {}),
}


@pytest.fixture(scope="module", params=MAKE)
def made(request, tmp_path_factory):
    """The kind, the page and the dict of a report on data that would like to be markup."""
    result, options = MAKE[request.param]()
    options["command"] = f"skmem audit '{HOSTILE}'"
    folder = tmp_path_factory.mktemp(request.param)
    page = write_report(result, folder / "report.html", **options).read_text("utf-8")
    twin = json.loads(write_report(result, folder / "report.json", **options).read_text("utf-8"))
    return request.param, page, twin


class Outline(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.open, self.wrong = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.texts.append(data)

    def attributes(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_a_page_is_well_formed_and_says_what_a_browser_needs(made):
    outline = Outline(made[1])
    # every element is closed where it was opened
    assert (outline.open, outline.wrong) == ([], [])
    assert outline.attributes("html") == [{"lang": "en"}]
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    # the skip link and the list of sections lead somewhere
    targets = {attrs["href"][1:] for attrs in outline.attributes("a")}
    assert targets <= set(ids)
    assert {"main", "summary", "figures", "rows", "method"} <= targets
    # summary, figures, rows, method, in this order
    sections = [attrs["id"] for attrs in outline.attributes("section")]
    assert sections == ["summary", "figures", "rows", "method"]
    # whoever does not see a table or a figure is told what it is
    assert len(outline.attributes("caption")) == len(outline.attributes("table"))
    assert all(len(attrs["alt"]) > 20 for attrs in outline.attributes("img"))
    assert {attrs["scope"] for attrs in outline.attributes("th")} == {"col"}


def test_what_comes_from_data_is_text(made):
    kind, page, _ = made
    outline = Outline(page)
    # one script, our own: nothing of the data became an element
    assert len(outline.attributes("script")) == 1
    assert not outline.attributes("b")
    assert HOSTILE not in page
    # it is there to be read all the same
    assert HOSTILE in html.unescape("".join(outline.texts)), kind
    # attributes take part: no handler, no unknown place
    assert not [name for _, attrs in outline.tags for name in attrs if name.startswith("on")]


def test_cells_bear_their_whole_numbers(made):
    _, page, twin = made
    cells = [
        attrs["data-value"] for attrs in Outline(page).attributes("td") if "data-value" in attrs
    ]
    columns = [column["numeric"] for column in twin["rows"]["columns"]]
    rows = [zip(columns, row, strict=True) for row in twin["rows"]["rows"]]
    numbers = [
        str(value) for row in rows for is_number, value in row if is_number and value is not None
    ]
    # what is shown has four digits; rows are sorted by all of them
    assert cells[len(cells) - len(numbers) :] == numbers != []


def test_a_page_needs_nothing_else(made):
    outline = Outline(made[1])
    sources = [a[name] for _, a in outline.tags for name in ("src", "srcset") if name in a]
    # no address but of data in the page itself
    assert {source.partition(":")[0] for source in sources} <= {"data"}
    # a light and a dark image for every figure, where they can be drawn
    assert bool(sources) is can_draw()
    assert not [a["href"] for a in outline.attributes("link") if not a["href"].startswith("data:")]
    # and the browser is told to allow no other, and no script but ours
    (policy,) = (a["content"] for a in outline.attributes("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_the_twin_is_what_the_schema_says(made):
    kind, page, twin = made
    assert list(violations(twin, SCHEMA)) == []
    assert twin["kind"] == kind.replace("numbers", "labels")
    # the same sentences and cells as in the page
    text = html.unescape("".join(Outline(page).texts))
    assert [sentence for sentence in twin["summary"] if sentence not in text] == []
    assert twin["title"] in text
    assert twin["command"] in text
    assert f"{twin['versions']['scikit-learn']}" in text


def test_a_report_is_the_same_every_time(tmp_path):
    found = MAKE["audit"]()[0]
    pages = [write_report(found, tmp_path / f"{i}.html").read_bytes() for i in range(2)]
    # nothing of the day or of chance is in it, so that reports can be compared
    assert pages[0] == pages[1]


@pytest.mark.parametrize("max_rows", [1, 7, 1000])
def test_rows_are_the_most_memorized_first(tmp_path, max_rows):
    found = MAKE["audit"]()[0]
    table = json.loads(write_report(found, tmp_path / "a.json", max_rows=max_rows).read_text())[
        "rows"
    ]
    order = np.argsort(-found.scorer.memorization_, kind="stable")[:max_rows]
    names = [column["name"] for column in table["columns"]]
    # user's ids, to the last letter, with the scores of the scorer to the last bit
    assert [row[names.index("id")] for row in table["rows"]] == found.table.ids[order].tolist()
    scores = [row[names.index("memorization")] for row in table["rows"]]
    assert scores == found.scorer.memorization_[order].tolist()
    assert table["n_total"] == 30


def test_suspect_rows_are_named_by_their_ids(tmp_path):
    found, options = hostile_copying()
    twin = json.loads(write_report(found, tmp_path / "a.json", **options).read_text())
    assert twin["verdict"] == {"label": "copying was found", "tone": "alert"}
    assert {(row[0], row[1]) for row in twin["rows"]["rows"][:9]} == {
        (f"{HOSTILE}{i}", f"{HOSTILE}{i}") for i in range(9)
    }
    # by position where nobody named them
    twin = json.loads(write_report(found, tmp_path / "a.json").read_text())
    assert sorted(row[0] for row in twin["rows"]["rows"][:9]) == list(range(9))
    # the parameters are those of the call, which can be made again
    assert "random_state=0" in twin["command"]


@pytest.mark.parametrize("with_holdout", [True, False])
def test_no_suspect_row_is_a_sentence(tmp_path, with_holdout):
    X_train, X_holdout, X_generated = np.random.default_rng(0).normal(size=(3, 60, 3))
    found = audit_copying(
        X_train, X_holdout if with_holdout else None, X_generated, random_state=0
    )
    page = write_report(found, tmp_path / "a.html").read_text("utf-8")
    label = "no copying was shown" if with_holdout else "nothing can be concluded"
    assert f"Verdict: {label}" in page
    # no empty table, and without held-out rows no figure of what needs them
    assert 'id="row-table"' not in page
    n_figures = 3 if with_holdout else 1
    assert page.count("<figure>") == (n_figures if can_draw() else 0)


def test_without_matplotlib_a_report_says_so(monkeypatch, tmp_path):
    from skmem.report import _write_report

    monkeypatch.setattr(_write_report, "can_draw", lambda: False)
    page = write_report(MAKE["audit"]()[0], tmp_path / "a.html").read_text("utf-8")
    # the rest of the report is worth having
    assert html.escape(NO_MATPLOTLIB, quote=False) in html.unescape(page).replace("&", "&amp;")
    assert "<figure>" not in page
    assert 'id="row-table"' in page


def test_without_jinja2_the_command_to_run_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    # before anything is fitted
    assert cli.main(["audit", "iris", "--report", "a.html"]) == cli.BAD_INPUT
    assert 'pip install "skmem[report]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--report", "a.pdf"], "must end in .html or .json, got 'a.pdf'"),
        (["--report", "nowhere/a.html"], "folder that exists, got 'nowhere/a.html'"),
        (["--report", "a.json", "--image-shape", "2", "3"], "image_shape must be"),
    ],
)
def test_where_no_report_can_be_is_said_first(capsys, monkeypatch, tmp_path, argv, message):
    from skmem import _commands

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_commands, "audit", None)  # not called: no fit is spent
    assert cli.main(["audit", "iris", *argv]) == cli.BAD_INPUT
    assert message in capsys.readouterr().err


def test_the_command_line_writes_pages_and_twins(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    argv = ["audit", "iris", "--cv", "3", "--repeats", "2", "--image-shape", "2", "2"]
    argv += ["--report", "a.html", "--report", "a.json"]
    assert cli.main(argv) == 0
    assert capsys.readouterr().out.endswith("\nwritten: a.html, a.json\n")
    twin = json.loads((tmp_path / "a.json").read_text())
    # the command that is shown is the one that was run
    assert twin["command"] == "skmem " + " ".join(argv)
    # rows that are images are shown
    assert "The most memorized rows" in [figure["title"] for figure in twin["figures"]]
    assert cli.main(["audit", "iris", "--label", "target", "--report", "d.html"]) == 0
    assert cli.main(["influence", "iris", "--generate", "2", "--report", "b.html"]) == 0
    files_of = [w for name in ("train", "holdout", "generated") for w in (f"--{name}", "iris")]
    assert cli.main(["copying", *files_of, "--report", "c.html"]) in (0, 1)
    assert all(
        (tmp_path / name).stat().st_size > 10_000 for name in ("b.html", "c.html", "d.html")
    )


def test_results_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(
        ValueError,
        match="result must be one of Audit, CopyingAudit, Explanation, LabelAudit; got int",
    ):
        write_report(3, tmp_path / "a.html")


def test_a_twin_read_back_makes_the_page_again(made):
    _, page, twin = made
    again = render({**twin, "figures": []})
    # the page is made of the dict alone
    tables = re.compile(r"<table.*?</table>", re.DOTALL)
    assert tables.findall(again) == tables.findall(page) != []


@pytest.mark.parametrize("kind", MAKE)
def test_notebooks_show_the_same_in_short(kind):
    result = MAKE[kind]()[0]
    outline = Outline(result._repr_html_())
    # well formed, and nothing of the data is markup there either
    assert (outline.open, outline.wrong) == ([], [])
    assert {tag for tag, _ in outline.tags} <= TABLE_TAGS
    # a few rows, not all
    assert len(outline.attributes("tr")) < 30


def test_every_result_of_copying_has_a_table():
    found = hostile_copying()[0]
    for test in (found.closest_records, found.coverage, found.data_copying, found.authenticity):
        outline = Outline(test._repr_html_())
        assert (outline.open, outline.wrong) == ([], [])
        # its sentence first
        assert outline.texts[0] == str(test)


@pytest.mark.parametrize("spoil", [{"kind": "pie"}, {"extra": 1}, {"summary": [1]}, {"rows": {}}])
def test_the_schema_sees_what_is_wrong(made, spoil):
    # a check that finds nothing in anything would hold always
    assert list(violations({**made[2], **spoil}, SCHEMA))
