"""The part of JSON Schema that the schema of reports uses."""

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def violations(value, schema, root=None, where="report"):
    """Where a value is not what the schema says, in words."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, none of {schema['enum']}"
    kinds = schema.get("type", [])
    if kinds and not any(
        _is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        yield f"{where} is a {type(value).__name__}, not {kinds}"
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from violations(item, schema["items"], root, f"{where}[{i}]")
    if isinstance(value, dict):
        yield from _object_violations(value, schema, root, where)


def _object_violations(value, schema, root, where):
    known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
    yield from (
        f"{where} lacks {name}" for name in schema.get("required", []) if name not in value
    )
    for name, item in value.items():
        if name not in known and other is False:
            yield f"{where} has {name}"
        yield from violations(item, known.get(name, other or {}), root, f"{where}.{name}")


def _is(value, kind):
    is_bool = isinstance(value, bool)
    return is_bool if kind == "boolean" else isinstance(value, _TYPES[kind]) and not is_bool
