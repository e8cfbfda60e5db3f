"""What may stand in a module: its size, its names, and what it does on import.

Pure functions of syntax trees, like those of `architecture`.
"""

import ast
import re

from tests.architecture import ROOT, at, called, executed_on_import, is_private

# Calls that only build a value: all a module may call while it is being imported.
PURE_CALLS = """
    Interval StrOptions Options Hidden HasMethods field TypeVar NewType namedtuple property
    dict set frozenset tuple list int float str len min max sum range zip sorted MappingProxyType
    finfo iinfo dtype log sqrt compile split join items keys values fromkeys from_iterable
    parse_version partial getLogger Path Lock RLock ExitStack
"""

# The glossary's other words as they would appear in a name: whole words of snake or camel case.
OTHER_WORDS = {
    "logpx": "score_samples",
    "log_px": "score_samples",
    "train_score": "log_density_in",
    "overfit_score": "memorization",
    "split_cv": "cross_fit",
    "loo": "leave_one_out",
    "jackknife": "leave_one_out",
    "self_score": "self_influence",
    "helpful": "proponent",
    "harmful": "opponent",
    "ihvp": "inverse_hvp",
    "stest": "inverse_hvp",
    "s_test": "inverse_hvp",
    "iwae": "importance_weighted_bound",
    "ct_score": "data_copying",
    "auth_pct": "authenticity",
    "authpct": "authenticity",
}
# Good parts of longer names, but as a whole name another word for something in the glossary.
OTHER_NAMES = {"evaluate": "score_samples", "mem": "memorization", "n_z": "n_importance_samples"}


def work_on_import(module, tree):
    """Whatever a module does on import beyond imports, definitions and constants."""
    quiet = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    quiet += (ast.Try, ast.ExceptHandler, ast.Pass)
    pure = {*PURE_CALLS.split(), *_stateless_classes(tree)}
    for statement in executed_on_import(tree):
        value = None
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            value = statement.value
            targets = getattr(statement, "targets", None) or [statement.target]
            if not all(isinstance(target, ast.Name | ast.Tuple) for target in targets):
                yield f"{at(module, statement)} changes an object"
        elif isinstance(statement, ast.If):
            value = statement.test
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        elif not isinstance(statement, quiet):
            yield f"{at(module, statement)} runs a {type(statement).__name__}"
        yield from (f"{at(module, statement)} calls {name}" for name in _impure_calls(value, pure))


def _impure_calls(node, pure):
    if node is None or isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.Call) and called(node) not in pure:
        yield ast.unparse(node.func)
    for child in ast.iter_child_nodes(node):
        yield from _impure_calls(child, pure)


def _stateless_classes(tree):
    """Classes of the module that define nothing to run when one is made: tables may hold them."""
    constructors = {"__init__", "__new__", "__post_init__"}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {c.name for c in classes if not constructors & {getattr(n, "name", "") for n in c.body}}


def functions(tree, owner=None):
    """(owner class or None, function) for every function, nested ones included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, node
        yield from functions(node, node.name if isinstance(node, ast.ClassDef) else owner)


def n_lines(function):
    """Lines of a function without its docstring; the signature, limited elsewhere, is one."""
    body = function.body[ast.get_docstring(function) is not None :]
    return 1 + (body[-1].end_lineno - body[0].lineno + 1 if body else 0)


def n_parameters(function):
    """Parameters of a function besides self and cls."""
    a = function.args
    positional = [p.arg for p in a.posonlyargs + a.args]
    bound = positional[:1] in (["self"], ["cls"])
    return len(positional) - bound + len(a.kwonlyargs) + bool(a.vararg) + bool(a.kwarg)


def public_names(trees):
    """The public door: names in ``__all__`` of the package, its packages and public modules."""
    public = set()
    for module, tree in trees.items():
        if any(map(is_private, module)):
            continue
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                public.update(ast.literal_eval(node.value))
    return public


def identifiers(tree):
    """(line, name) of every function, class, argument, and attribute set on self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [(node.lineno, node.attr)] * (ast.unparse(node.value) == "self")


def canonical_name(name):
    """The glossary's word for what `name` calls otherwise, or None."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    hits = (word for other, word in OTHER_WORDS.items() if f"_{other}_" in f"_{snake}_")
    return next(hits, OTHER_NAMES.get(snake))


def ignored(path, root=ROOT):
    """Whether git leaves `path` out: its own folder, .gitignore's, and virtual environments."""
    patterns = [line.strip("/") for line in (root / ".gitignore").read_text().split()]
    relative = path.relative_to(root)
    lineage = [relative, *relative.parents][:-1]
    return ".git" in relative.parts or any(
        (root / part / "pyvenv.cfg").exists() or any(map(part.match, patterns)) for part in lineage
    )
