"""How the documentation is built: `python -m sphinx -W -b html doc doc/_build/html` from the repository's root."""

import inspect
import re
import sys
from importlib.util import find_spec
from pathlib import Path

DOC = Path(__file__).resolve().parent
sys.path.insert(0, str(DOC.parent))

import skmem  # noqa: E402

project = "skmem"
author = "The skmem developers"
copyright = "The skmem developers"
version = release = skmem.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "changes", "auto_examples/*.ipynb", "examples"]
templates_path = ["_templates"]
default_role = "literal"  # single backticks in docstrings hold names

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_title = "skmem"
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
LONE_PAGES = ["tutorial", "changelog", "glossary", "contributing", "benchmarks/RESULTS"]
html_sidebars = {page: [] for page in LONE_PAGES}

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
# Where names differ by capitals alone, files would be one on some systems.
autosummary_filename_map = {
    f"skmem.{name}": f"skmem.{name}-function"
    for name in ("copying.authenticity", "copying.coverage", "report.audit")
}
autodoc_typehints = "none"  # the docstrings have them
numpydoc_show_class_members = False

# Examples that import torch are shown without being run where it is missing.
WITH_TORCH = {
    path.stem for path in DOC.glob("examples/plot_*.py") if "skmem.neural" in path.read_text()
}
NOT_RUN = set() if find_spec("torch") and find_spec("skorch") else WITH_TORCH
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": rf"/(?!{'|'.join(sorted(NOT_RUN)) or 'none'})plot_",
    "ignore_pattern": r"^(?!plot_)",  # scripts that are no pages
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skmem",),
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
}

KINDS = {"feature": "New", "change": "Changed", "fix": "Mended"}


def changelog(app, docname, source):
    """The fragments of doc/changes, by kind, in the place of the page's text."""
    if docname != "changelog":
        return
    for kind, title in KINDS.items():
        fragments = sorted(DOC.glob(f"changes/*.{kind}.md"))
        entries = (" ".join(path.read_text().split()) for path in fragments)
        source[0] += "\n".join(["", f"## {title}", "", *(f"- {entry}" for entry in entries), ""])


def close_blocks(app, docname, source):
    """Code without the empty line that ends the output of its last doctest."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def read_as_text(app, what, name, obj, options, lines):
    """Docstrings are written to be read as text; what reStructuredText would take otherwise is marked here.

    Formulas in the Notes, set off by four spaces, become literal blocks. Names that end in an underscore are no links.
    """
    in_notes, first, last, marked = False, "", "", []  # first and last line of the paragraph above
    for i, line in enumerate(lines):
        if i + 1 < len(lines) and re.fullmatch("-{3,}", lines[i + 1]):
            in_notes = line == "Notes"
        if line.strip() and not (lines[i - 1].strip() if i else ""):
            is_set_off = line.startswith("    ")
            is_prose = re.match(r"[^\s.-]", first) and not last.endswith("::")
            marked += [".. code-block:: text", ""] if in_notes and is_set_off and is_prose else []
            first = line
        last = line if line.strip() else last
        marked.append(re.sub(r"(?<=\w)_,\)", r"\\_,)", line))
    lines[:] = marked


def skip_foreign(app, what, name, obj, skip, options):
    """Whether to leave a member out: what scikit-learn defines, and the setters of metadata requests."""
    home = getattr(inspect.unwrap(getattr(obj, "fget", None) or obj), "__module__", None) or ""
    if re.fullmatch(r"set_\w+_request|get_metadata_routing", name):
        return True
    return skip or not home.startswith("skmem")


def setup(app):
    app.connect("source-read", changelog)
    app.connect("source-read", close_blocks)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-docstring", read_as_text, priority=100)  # before numpydoc
