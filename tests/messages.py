"""Every error and warning of the package as the user reads it; run as a module, it writes the list anew."""

import ast

from tests.architecture import ROOT, called, modules

LIST = ROOT / "tests" / "messages.txt"
# What warns, and what refuses an argument on the command line.
_WARNINGS = {"warn", "warn_user"}
_HEAD = "# Errors and warnings, by file. After a change: python -m tests.messages"


def messages(trees):
    """``{file: [kind: message]}``, in the order of the lines, with ``{expression}`` for what is filled in."""
    found = {}
    for module, tree in trees.items():
        lines = [line for node in ast.walk(tree) for line in _said(node)]
        if lines:
            found["/".join(module) + ".py"] = [line for _, line in sorted(lines, key=_place)]
    return found


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
        return _words(node.value) if isinstance(node.value, ast.Constant) else _braced(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left) + _words(node.right)
    return _braced(node)


def _braced(node):
    return f"{{{' '.join(ast.unparse(node).split())}}}"


def listing():
    """The whole list as text."""
    blocks = [_HEAD]
    for file, lines in messages(modules()).items():
        blocks.append("\n".join([file, *(f"    {line}" for line in lines)]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    LIST.write_text(listing(), encoding="utf-8")
