"""Public docstrings: valid numpydoc, true to the signature, and clear about unit and sign."""

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib

import pytest

import skmem
from tests.architecture import ROOT

docscrape = pytest.importorskip("numpydoc.docscrape", reason="numpydoc comes with the test extra")
validate = importlib.import_module("numpydoc.validate").validate

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ALLOWED = PYPROJECT["tool"]["numpydoc_validation"]["checks"]
# Names of functions and methods that return scores.
SCORES = re.compile("score|memorization|influence")


def public_modules():
    """The package, and its public packages and modules."""
    found = pkgutil.iter_modules(skmem.__path__, "skmem.")
    names = [m.name for m in found if not m.name.rpartition(".")[2].startswith("_")]
    return [skmem, *map(importlib.import_module, names)]


def public_methods(cls):
    """Public methods and properties of `cls` that the package itself defines."""
    for name in dir(cls):
        home = next((c for c in cls.__mro__ if name in vars(c)), object)
        ours = home.__module__.startswith("skmem")
        generated = re.fullmatch(r"_.*|set_\w+_request", name)
        member = getattr(cls, name, None)
        if ours and not generated and (callable(member) or isinstance(member, property)):
            yield f"{home.__module__}.{home.__qualname__}.{name}", member


def public_objects():
    """``{import path: object}`` of everything a user may call, once each."""
    objects = {}
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            obj = getattr(module, name)
            if inspect.isclass(obj) or callable(obj):
                objects[f"{obj.__module__}.{obj.__qualname__}"] = obj
            if inspect.isclass(obj):
                objects.update(public_methods(obj))
    return objects


OBJECTS = public_objects()


def returns_scores(path):
    """Whether a function or method is named after what has a unit."""
    return bool(SCORES.search(path.rpartition(".")[2])) and not inspect.isclass(OBJECTS[path])


every_object = pytest.mark.parametrize("path", sorted(OBJECTS))


def documented_parameters(obj):
    """``{name: type}`` as the docstring has them; a record may list its fields as attributes."""
    doc = docscrape.get_doc_object(obj)
    record = hasattr(obj, "__dataclass_fields__")
    entries = doc["Parameters"] or (doc["Attributes"] if record else [])
    return {name.strip(" *"): p.type for p in entries for name in p.name.split(",")}


def signature_parameters(obj):
    """``{name: default}`` as the signature has them, without self."""
    if isinstance(obj, property):
        return {}
    parameters = inspect.signature(obj).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in {"self", "cls"}}


def wrong_defaults(obj):
    """Parameters whose documented default is not the one of the signature."""
    if not docscrape.get_doc_object(obj)["Parameters"]:
        return {}
    types, wrong = documented_parameters(obj), {}
    for name, default in signature_parameters(obj).items():
        text = types.get(name, "")
        documented = re.search(r"default=(.+)$", text)
        unused = default is None and text.startswith("None")
        if default is inspect.Parameter.empty or unused:
            agrees = documented is None
        else:
            agrees = documented is not None and _value(documented[1]) in (default, repr(default))
        if not agrees:
            wrong[name] = (text, default)
    return wrong


def _value(text):
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


def unit_line(obj):
    """The second line of the docstring: what follows the summary."""
    lines = [line.strip() for line in inspect.getdoc(obj).splitlines()]
    return next(filter(None, lines[1:]), "")


@every_object
def test_docstrings_are_valid_numpydoc(path):
    errors = [(code, text) for code, text in validate(path)["errors"] if code not in ALLOWED]
    # pyproject.toml lists what may be left out, each with its reason
    assert errors == []


@every_object
def test_public_objects_have_a_docstring_of_their_own(path):
    obj = OBJECTS[path]
    # a user who asks for help is not shown the builtin's or the parent's
    assert (obj.__doc__ or "").strip()


@every_object
def test_documented_parameters_are_those_of_the_signature(path):
    obj = OBJECTS[path]
    # same names in the same order: positional callers read the docstring
    assert list(documented_parameters(obj)) == list(signature_parameters(obj))


@every_object
def test_documented_defaults_are_those_of_the_signature(path):
    # "x : int, default=5" is read as a promise
    assert wrong_defaults(OBJECTS[path]) == {}


@pytest.mark.parametrize("path", sorted(filter(returns_scores, OBJECTS)))
def test_second_line_of_scores_names_the_unit(path):
    # a number without unit, sign and zero is misread, so they come before anything else
    assert re.search(r"\bnats?\b|probabilit", unit_line(OBJECTS[path])), unit_line(OBJECTS[path])


def scores(X, n=5, *, mode="fast", scale=1e-3, y=None):
    """Score rows.

    In nats; positive helps; 0 is no effect.

    Parameters
    ----------
    X : array
    n : int, default=5
    mode : str, default="fast"
    scale : float, default=0.001
    y : None
        Ignored.
    """


def careless(X, n=5, *, mode="fast", scale=1e-3):
    """Score rows.

    Parameters
    ----------
    X : array, default=None
    n : int, default=6
    scale : float
    mode : str, default="slow"
    """


def test_a_true_docstring_is_told_from_a_careless_one():
    assert list(documented_parameters(scores)) == list(signature_parameters(scores))
    assert wrong_defaults(scores) == {}
    # order differs
    assert list(documented_parameters(careless)) != list(signature_parameters(careless))
    # a default that is none, another number, another string, and one left out
    assert set(wrong_defaults(careless)) == {"X", "n", "mode", "scale"}
    # the unit is looked for in the line after the summary only
    assert unit_line(scores).startswith("In nats")
    assert unit_line(careless) == "Parameters"
