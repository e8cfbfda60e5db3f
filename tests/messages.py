"""Every error and warning of the package as the user reads it; run as a module, it writes the list anew."""

import ast
import copy

from tests.architecture import ROOT, called, modules

LIST = ROOT / "tests" / "messages.txt"
# What warns, and what refuses an argument on the command line.
_WARNINGS = {"warn", "warn_user"}
_HEAD = "# Errors and warnings, by file. After a change: python -m tests.messages"


def messages(trees):
    """``{file: [kind: message]}``, in the order of the lines, with ``{expression}`` for what is filled in."""
    found = {}
    for module, tree in trees.items():
        lines = [line for node in ast.walk(_filled(tree)) for line in _said(node)]
        if lines:
            found["/".join(module) + ".py"] = [line for _, line in sorted(lines, key=_place)]
    return found


class _Filled(ast.NodeTransformer):
    """Names of texts that the module defines, replaced by the texts."""

    def __init__(self, texts):
        self.texts = texts

    def visit_Name(self, node):
        return self.texts.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def _filled(tree):
    texts = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(getattr(node.value, "value", None), str)
    }
    return _Filled(texts).visit(copy.deepcopy(tree))


def _place(found):
    return found[0]


def _said(node):
    """(place, kind: message) of a statement that raises or a call that warns."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        kind, arguments = called(node.exc), node.exc.args
    elif isinstance(node, ast.Call) and called(node) in _WARNINGS and node.args:
        kind, arguments = "warning", node.args[:1]
    else:
        return
    place = node.lineno, node.col_offset
    yield place, f"{kind}: {' '.join(map(_words, arguments))}"


def _words(node):
    """The text of an expression; what is not written there in braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split(" "))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_words, node.values))
    if isinstance(node, ast.FormattedValue):
        if isinstance(node.value, ast.Constant) and node.conversion != ord("r"):
            return _words(node.value)
        return _braced(node.value, "!r" if node.conversion == ord("r") else "")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left) + _words(node.right)
    return _braced(node)


def _braced(node, how=""):
    return f"{{{' '.join(ast.unparse(node).split())}{how}}}"


def listing():
    """The whole list as text."""
    blocks = [_HEAD]
    for file, lines in messages(modules()).items():
        blocks.append("\n".join([file, *(f"    {line}" for line in lines)]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    LIST.write_text(listing(), encoding="utf-8")
