"""The house rules, read off the source. They are never loosened to let a change in."""

import ast
import re
import subprocess
import sys

import pytest

from tests import architecture as arch
from tests import house_rules as rules

TREES = arch.modules()
PUBLIC = rules.public_names(TREES)
MODULES = [pytest.param(m, id="/".join(m)) for m in TREES]
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 300, 25, 7

# Folders of a machine, and hosts that serve packages. The names are kept apart from their slashes
# and dots, so that this file does not match itself.
FOLDERS = ["work", "root", "opt", "home", "Users", "tmp"]
HOSTS = [r"pypi\.\w", r"pythonhosted\.\w", r"anaconda\.\w", r"index[-]url\b"]
MACHINE = re.compile(rf"(?<![\w.)}}\]>-])/(?:{'|'.join(FOLDERS)})/|\b(?:{'|'.join(HOSTS)})")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_on_a_floor_and_imports_only_what_lies_below(module):
    # a module that nobody placed could import anything: floor_of says where to add it
    assert list(arch.floor_violations(module, TREES[module], TREES)) == []


def test_no_import_cycle():
    graph = {
        m: {target for _, target in arch.imported_modules(t, TREES)} for m, t in TREES.items()
    }
    # files of one package may import one another, but cycles would make their order matter
    assert arch.import_cycle(graph) == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_inside_the_package_are_absolute(module):
    # so that a line can be read, searched for and moved without knowing where it stands
    assert arch.relative_imports(module, TREES[module]) == []


@pytest.mark.parametrize("module", MODULES)
def test_optional_packages_are_imported_where_they_are_used(module):
    if module in arch.torch_files(TREES):
        # classes of torch are needed where they are derived from, those of other extras are not
        assert arch.other_extras_at_top(module, TREES[module]) == []
    else:
        # a missing extra must cost nobody who does not use it
        assert list(arch.optional_imports_at_top(module, TREES[module])) == []


@pytest.mark.parametrize("module", MODULES)
def test_files_that_need_torch_are_imported_where_they_are_used(module):
    # so that everything else can be imported, and estimators constructed, without the extra
    assert list(arch.torch_files_at_top(module, TREES[module], TREES)) == []


@pytest.mark.parametrize("module", MODULES)
def test_private_names_of_scikit_learn_come_through_one_door(module):
    # they move between releases: one file to mend
    assert list(arch.private_sklearn_names(module, TREES[module])) == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_happens_on_import(module):
    # importing cannot fail, print, read a file or start a thread
    assert list(rules.work_on_import(module, TREES[module])) == []


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_are_small(module):
    source = arch.ROOT.joinpath(*module).with_suffix(".py").read_text()
    # past these limits a file or function holds two ideas: split it there
    n_file_lines = len(source.splitlines())
    assert n_file_lines < MAX_FILE_LINES
    sizes = {
        f"{owner or ''}.{f.name}": rules.n_lines(f) for owner, f in rules.functions(TREES[module])
    }
    assert {name: n for name, n in sizes.items() if n >= MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("module", MODULES)
def test_functions_below_the_public_door_have_few_parameters(module):
    top = {id(node) for node in TREES[module].body}
    for owner, function in rules.functions(TREES[module]):
        constructor = owner in PUBLIC and function.name == "__init__"
        door = id(function) in top and function.name in PUBLIC
        # users have names and defaults; a caller inside passes an object where it needs eight
        assert constructor or door or rules.n_parameters(function) <= MAX_PARAMETERS, function.name


@pytest.mark.parametrize("module", MODULES)
def test_one_word_per_thing(module):
    names = {
        (line, name): rules.canonical_name(name) for line, name in rules.identifiers(TREES[module])
    }
    # the glossary has one word for it: use that
    assert {where: word for where, word in names.items() if word} == {}


def _loaded(code):
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=arch.ROOT)
    return set(run.stdout.split())


def test_importing_skmem_loads_no_optional_package_by_itself():
    loaded = _loaded("import skmem")
    scikit_learn = sorted(m for m in loaded if m.startswith("sklearn."))
    baseline = _loaded(f"import importlib\nfor m in {scikit_learn}: importlib.import_module(m)")
    optional = {m for m in loaded if m in arch.OPTIONAL.split()}
    # scikit-learn may load the frame libraries it finds (1.9 does), but never these
    assert not optional & {"torch", "skorch", "safetensors", "matplotlib", "jinja2"}
    # whatever else is loaded was loaded by scikit-learn
    assert optional <= baseline


def test_importing_the_deep_estimators_loads_no_torch():
    # they are constructed, cloned and listed without the extra; `fit` names it
    loaded = _loaded("from skmem.neural import VAE\nVAE()")
    assert not loaded & {"torch", "skorch", "safetensors"}


def test_no_committed_file_names_a_machine():
    for path in arch.ROOT.rglob("*"):
        if path.is_dir() or rules.ignored(path):
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        hit = MACHINE.search(text)
        # what runs here must run in any checkout, against any index
        assert hit is None, f"{path.relative_to(arch.ROOT)}: {hit.group()!r}"


# A guard that sees nothing guards nothing: each rule is held against a line that breaks it and one
# that does not.


def _check(rule, code, module=("skmem", "density", "_kde")):
    return list(rule(module, ast.parse(code)))


@pytest.mark.parametrize(
    ("module", "code", "n_violations"),
    [
        ("density/_kde", "from skmem._math import logmeanexp", 0),
        ("density/_kde", "from skmem.density._checks import check_weights", 0),
        ("density/_kde", "def f():\n    from skmem.cross_fitting import cross_fit", 1),
        ("density/_kde", "from skmem import cross_fitting, _math", 1),
        ("density/_kde", "if TYPE_CHECKING:\n    import skmem.report", 1),
        ("density/_kde", "importlib.import_module('skmem.cli')", 1),
        ("density/_kde", "from skmem import __version__", 1),
        ("memorization/_scorer", "from skmem.influence import TracIn", 1),
        ("neural/_vae", "from skmem.density import KernelDensity", 1),
        ("report/_html", "from skmem.memorization import MemorizationScorer", 0),
        ("_math", "from skmem._sklearn import num_samples", 1),
        ("_sklearn", "from skmem._math import logmeanexp", 0),
        ("cli", "from skmem import __version__", 0),
        ("__init__", "from skmem.cli import main", 1),
        ("__main__", "from skmem.cli import main", 0),
    ],
)
def test_floors_are_told_apart(module, code, n_violations):
    module = ("skmem", *module.split("/"))
    # also inside functions, under TYPE_CHECKING and by name
    assert len(list(arch.floor_violations(module, ast.parse(code), TREES))) == n_violations


def test_a_module_on_no_floor_is_told_where_to_go():
    with pytest.raises(LookupError, match=r"skmem.attic is on no floor: add it to FLOORS"):
        arch.floor_of(("skmem", "attic"))


def test_cycles_are_found():
    # a -> b -> c -> b: the cycle is named without the way into it
    assert arch.import_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert arch.import_cycle({"a": {"b", "c"}, "b": {"c"}}) == []


@pytest.mark.parametrize(
    ("rule", "code", "n_violations"),
    [
        (arch.relative_imports, "from . import _base", 1),
        (arch.relative_imports, "from skmem.density import _base", 0),
        (arch.optional_imports_at_top, "import torch.nn as nn", 1),
        (
            arch.optional_imports_at_top,
            "try:\n    import rich\nexcept ImportError:\n    rich = None",
            1,
        ),
        (arch.optional_imports_at_top, "class A:\n    import torch", 1),
        (arch.optional_imports_at_top, "def f():\n    import torch", 0),
        (arch.optional_imports_at_top, "if TYPE_CHECKING:\n    import torch", 0),
        (arch.private_sklearn_names, "from sklearn.base import _fit_context", 1),
        (arch.private_sklearn_names, "from sklearn.utils._bunch import Bunch", 1),
        (arch.private_sklearn_names, "import sklearn\nsklearn.utils._x.y()", 1),
        (arch.private_sklearn_names, "from sklearn.base import clone", 0),
        (rules.work_on_import, "import os\nA: int = 2\nB = np.finfo(float).eps", 0),
        (rules.work_on_import, "F = lambda: open('x')\ndef f():\n    print()", 0),
        (rules.work_on_import, "@lru_cache(maxsize=1)\ndef f(): ...", 0),
        (rules.work_on_import, "A = open('x').read()", 2),
        (rules.work_on_import, "print('hello')", 1),
        (rules.work_on_import, "for a in range(3):\n    pass", 1),
        (rules.work_on_import, "os.environ['A'] = 'b'", 1),
        (rules.work_on_import, "class A:\n    b = connect()", 1),
        (rules.work_on_import, "class A: ...\nB = {'a': A()}", 0),
        (rules.work_on_import, "class A:\n    def __init__(self): ...\nB = A()", 1),
    ],
)
def test_rules_see_what_they_forbid(rule, code, n_violations):
    # every kind of violation, and its nearest permitted neighbour
    assert len(_check(rule, code)) == n_violations


def test_files_that_need_torch_are_told_apart():
    def tree(*lines):
        return ast.parse("\n".join(lines))

    net, vae = ("skmem", "neural", "_net"), ("skmem", "neural", "_vae")
    elsewhere = ("skmem", "density", "_net")
    trees = {net: tree("import torch, rich"), elsewhere: tree("import torch"), vae: tree("a")}
    # only there, and only what the extra brings
    assert arch.torch_files(trees) == {net}
    assert arch.other_extras_at_top(net, trees[net]) == ["rich"]
    # at the top it is seen, in a function it is allowed
    top, inside = "from skmem.neural._net import train", "def f():\n    import skmem.neural._net"
    assert len(list(arch.torch_files_at_top(vae, tree(top), trees))) == 1
    assert list(arch.torch_files_at_top(vae, tree(inside), trees)) == []
    # files that need torch may import each other
    assert list(arch.torch_files_at_top(net, tree(top), trees)) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("logpx_", "score_samples"),
        ("_loo_bandwidth", "leave_one_out"),
        ("SelfScore", "self_influence"),
        ("evaluate", "score_samples"),
        ("evaluate_rows", None),
        ("block", None),
        ("memory", None),
        ("n_mem_blocks", None),
        ("self_influence", None),
    ],
)
def test_other_words_are_recognised_as_whole_words(name, word):
    # never inside another word
    assert rules.canonical_name(name) == word


def test_sizes_are_counted_without_docstring_and_self():
    method = ast.parse(
        'def f(self, a, b=1, *, c, **kw):\n    """Doc.\n\n    More.\n    """\n    a\n    b'
    ).body[0]
    # one line of signature, two of body; a, b, c, kw
    assert (rules.n_lines(method), rules.n_parameters(method)) == (3, 4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see " + "/".join(["", "home", "me"]), True),
        ("--" + "index-" + "url=x", True),
        ("https://docs.python.org" + "/".join(["", "opt", "a"]), False),
        ("doc/" + "/".join(["work", "a"]), False),
        ("../" + "/".join(["opt", "a"]), False),
    ],
)
def test_machine_paths_are_told_from_relative_ones(text, named):
    # an absolute path starts at the slash; a URL or a relative path does not
    assert bool(MACHINE.search(text)) == named
