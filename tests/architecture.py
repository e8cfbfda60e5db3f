"""What modules import, and on which floor they stand.

Pure functions of (module, syntax tree) that return violations in words. A module is its path below
the project, ``("skmem", "density", "_kde")``; a package is its ``__init__``.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Floors from the ground up. Imports go strictly down, from a later line to an earlier one. On an
# ordered floor (a list) a later name may import an earlier one; the packages of an unordered one
# (a set) do not import each other.
FLOORS = {
    "F0": [
        "_version",
        "_math",
        "_sklearn",
        "_base",
        "_random",
        "_frames",
        "_html",
        "_blocks",
        "_bootstrap",
        "_distances",
        "_pairs",
        "_scan",
        "_kernels",
        "_kernel_plan",
        "_kernel_pairs",
        "_kernel_sums",
        "_gauss_grid",
        "datasets",
    ],
    "F1": {"density", "neural"},
    "F2": {"cross_fitting"},
    "F3": {"memorization", "influence", "copying"},
    "F4": {"model_selection", "inspection"},
    "F5": {"report"},
    "F6": ["__init__", "_arguments", "_commands", "cli", "__main__"],
}

OPTIONAL = """
    torch skorch safetensors matplotlib jinja2 rich narwhals pandas polars pyarrow pynndescent dask
    distributed imblearn
"""


def modules(root=ROOT):
    """Every module of the package with its syntax tree."""
    return {
        path.relative_to(root).with_suffix("").parts: ast.parse(path.read_text(), str(path))
        for path in sorted((root / "skmem").rglob("*.py"))
    }


def at(module, node):
    """Where in the package a line stands."""
    return f"{'/'.join(module)}.py:{node.lineno}"


def imports(tree):
    """(node, level, source, names) of every import, wherever it stands, also by string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, 0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.level, node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            named = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
            yield from ((node, 0, name, ()) for name in named)


def called(call):
    """The last name of what a call calls."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def imported_modules(tree, known):
    """(node, module) for every module of ours that `tree` imports."""
    for node, _, source, names in imports(tree):
        base = tuple(source.split("."))
        if base[0] != "skmem":
            continue
        for name in names or ("",):
            # "from package import name" may name a module or something in the package itself
            candidates = ((*base, name), (*base, name, "__init__"), base, (*base, "__init__"))
            yield node, next((c for c in candidates if c in known), base)


def floor_of(module):
    """(height, floor, unit on it): a unit is a package or a file next to ``skmem/__init__``."""
    unit = module[1] if len(module) > 1 else "__init__"
    for height, (floor, units) in enumerate(FLOORS.items()):
        if unit in units:
            return height, floor, unit
    raise LookupError(
        f"skmem.{unit} is on no floor: add it to FLOORS in tests/architecture.py, on the lowest "
        "floor above everything it imports."
    )


def floor_violations(module, tree, known):
    """Imports that do not go strictly down."""
    height, floor, unit = floor_of(module)
    units = FLOORS[floor]
    for node, target in imported_modules(tree, known):
        below, other_floor, other = floor_of(target)
        if below == height and isinstance(units, list):
            down = units.index(other) < units.index(unit)
        else:
            down = below < height
        if not down and other != unit:
            yield f"{at(module, node)} on {floor} imports {'.'.join(target)} on {other_floor}"


def import_cycle(graph):
    """The modules of one cycle in ``{module: imported modules}``, or an empty list."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        path.append(module)
        cycle = next(filter(None, map(visit, sorted(graph.get(module, ())))), [])
        path.pop()
        done.add(module)
        return cycle

    return next(filter(None, map(visit, sorted(graph))), [])


def relative_imports(module, tree):
    """Imports with leading dots."""
    return [at(module, node) for node, level, *_ in imports(tree) if level]


def is_private(name):
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def private_sklearn_names(module, tree):
    """Private names of scikit-learn, unless the module is the one door to them."""
    if module == ("skmem", "_sklearn"):
        return
    for node, _, source, names in imports(tree):
        parts = source.split(".")
        if parts[0] == "sklearn" and any(map(is_private, (*parts, *names))):
            yield f"{at(module, node)} imports a private name from {source}"
    for node in ast.walk(tree):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if name.startswith("sklearn.") and is_private(node.attr):
            yield f"{at(module, node)} reaches for {name}"


def optional_imports_at_top(module, tree):
    """Optional packages imported while the module is, rather than where they are used."""
    for statement in executed_on_import(tree):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for node, _, source, _ in imports(statement):
                if source.split(".")[0] in OPTIONAL.split():
                    yield f"{at(module, node)} imports {source}"


def torch_files(trees):
    """Private files of `neural` that need torch to be imported: they import it, or one another, at the top."""
    ours = {m for m in trees if m[:2] == ("skmem", "neural") and is_private(m[2])}
    found = {m for m in ours if list(optional_imports_at_top(m, trees[m]))}
    while more := {m for m in ours - found if found & _imported_at_top(trees[m], trees)}:
        found |= more
    return found


def other_extras_at_top(module, tree):
    """Optional packages imported at the top that the extra torch does not bring."""
    extra = ("torch", "skorch", "safetensors")
    sources = (found.split()[-1] for found in optional_imports_at_top(module, tree))
    return [source for source in sources if source.split(".")[0] not in extra]


def torch_files_at_top(module, tree, trees):
    """Files that need torch, imported while the module is by one that does not."""
    lazy = torch_files(trees)
    return [] if module in lazy else sorted(lazy & _imported_at_top(tree, trees))


def _imported_at_top(tree, trees):
    """Modules of ours that are imported while the module is."""
    statements = executed_on_import(tree)
    found = (s for s in statements if isinstance(s, ast.Import | ast.ImportFrom))
    return {target for s in found for _, target in imported_modules(s, trees)}


def executed_on_import(node):
    """Statements that run on import: not in functions, nor for type checkers or as a script."""
    skipped = {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}
    for statement in getattr(node, "body", []):
        if isinstance(statement, ast.If) and ast.unparse(statement.test) in skipped:
            continue
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield from executed_on_import(statement)
        for branch in ("handlers", "orelse", "finalbody"):
            yield from executed_on_import(ast.Module(getattr(statement, branch, []), []))
