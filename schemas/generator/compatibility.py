"""Would what was accepted yesterday still be accepted? Compares two JSON Schemas, and says in words what was narrowed.

It knows the keywords that our models produce, recursion excepted. What it does not know counts as narrowed when it
changes, so it may refuse a harmless change but lets no harmful one through.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_NO_CONSTRAINT = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default", "deprecated"}
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_STRUCTURE = {"type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items"}


def incompatible(published: Mapping[str, Schema], generated: Mapping[str, Schema]) -> list[str]:
    """Every change between two sets of schemas, by type name, that refuses a message accepted before.

    A type whose schema version was raised leaves its older schemas behind; they stay published as they are.
    """
    faults: list[str] = []
    for name, old in sorted(published.items()):
        family = _family(name)
        if name in generated:
            faults += [f"{name}: {fault}" for fault in narrowed(old, generated[name])]
        elif not any(_family(other) == family and _number(other) > _number(name) for other in generated):
            faults.append(f"{name}: this type is gone from the catalogue, and what is sent as it would be refused")
    return faults


def narrowed(old: Schema, new: Schema) -> list[str]:
    """What ``new`` refuses although ``old`` accepts it, as ``field: what changed``; empty when nothing is."""
    return list(_narrowed(_inline(old, old), _inline(new, new), ""))


def _family(name: str) -> str:
    return name.rpartition(".v")[0]


def _number(name: str) -> int:
    return int(name.rpartition(".v")[2])


def _inline(schema: Any, root: Schema) -> Any:
    """The schema with its references replaced by what they point at, and without what validates nothing."""
    if isinstance(schema, bool):
        return {} if schema else {"enum": []}
    if "$ref" in schema:
        return _inline(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    plain: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _NO_CONSTRAINT:
            continue
        if word == "properties":
            plain[word] = {name: _inline(item, root) for name, item in value.items()}
        elif word == "anyOf":
            plain[word] = [_inline(item, root) for item in value]
        elif word in ("items", "propertyNames"):
            plain[word] = _inline(value, root)
        elif word == "additionalProperties":
            plain[word] = value if value is False else _inline(value, root)
        elif word == "const":
            plain["enum"] = [value]
        else:
            plain[word] = value
    return plain


def _narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if old == new or not new:
        return
    alternatives = _alternatives(new)
    for document in _alternatives(old):
        trials = [list(_one_narrowed(document, alternative, path)) for alternative in alternatives]
        if not all(trials):
            continue
        # Told of the alternative that comes nearest, so that a shorter maxLength is not reported as a change of type.
        alike = [trial for trial, other in zip(trials, alternatives, strict=True) if _type(document) == _type(other)]
        yield from min(alike or [[f"{_at(path)}was {_type(old)} and is now {_type(new)}"]], key=len)


def _alternatives(schema: Schema) -> list[Schema]:
    periodic_tasks = {word: value for word, value in schema.items() if word != "anyOf"}
    return [{**periodic_tasks, **item} for item in schema.get("anyOf", [{}])]


def _one_narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if "enum" in old and "enum" not in new:
        # A finite set: each value is tried, so that an enumeration may become free text.
        yield from (f"{_at(path)}no longer accepts {value!r}" for value in old["enum"] if not _fits(value, new))
        return
    if "type" in new and old.get("type") != new["type"] and (old.get("type"), new["type"]) != ("integer", "number"):
        yield f"{_at(path)}was {_type(old)} and is now {_type(new)}"
        return
    if "enum" in new:
        if "enum" not in old:
            yield f"{_at(path)}was free and now accepts only {_listed(new['enum'])}"
        elif removed := [value for value in old["enum"] if value not in new["enum"]]:
            yield f"{_at(path)}no longer accepts {_listed(removed)}"
    yield from _bounds(old, new, path)
    yield from _object(old, new, path)
    if "items" in new:
        yield from _narrowed(old.get("items", {}), new["items"], f"{path}[]")


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for word, limit in new.items():
        before = old.get(word)
        if before == limit or word in _STRUCTURE:
            continue
        if word in _UPPER:
            if before is None or limit < before:
                yield f"{_at(path)}{word} was {'not set' if before is None else before} and is now {limit}"
        elif word in _LOWER:
            if (before is None and limit > 0) or (before is not None and limit > before):
                yield f"{_at(path)}{word} was {'not set' if before is None else before} and is now {limit}"
        else:
            yield f"{_at(path)}{word} changed, and may refuse what was accepted"


def _object(old: Schema, new: Schema, path: str) -> Iterator[str]:
    mine, theirs = old.get("properties", {}), new.get("properties", {})
    others_before, others_now = _others(old), _others(new)
    for name in sorted(mine.keys() | theirs.keys()):
        before, now = mine.get(name, others_before), theirs.get(name, others_now)
        if before is not None and now is None:
            yield f"{_below(path, name)}: was removed, and a message that has it would be refused"
        elif before is not None and now is not None:
            yield from _narrowed(before, now, _below(path, name))
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{_below(path, name)}: is now required"
    if others_before is not None and others_now is None:
        yield f"{_at(path)}unknown fields were accepted and are now refused"
    elif others_before is not None and others_now is not None:
        yield from _narrowed(others_before, others_now, _below(path, "*"))


def _others(schema: Schema) -> Schema | None:
    """What fields without a declaration must be; None where there may be none."""
    others = schema.get("additionalProperties", {})
    return None if others is False else others


def _fits(value: Any, schema: Schema) -> bool:
    if not isinstance(value, str) or schema.get("type", "string") != "string":
        return "type" not in schema
    longest = schema.get("maxLength", len(value))
    pattern = re.search(schema.get("pattern", ""), value)
    return schema.get("minLength", 0) <= len(value) <= longest and pattern is not None and "format" not in schema


def _type(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(item) for item in schema["anyOf"])
    return str(schema.get("type", "anything"))


def _listed(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _at(path: str) -> str:
    return f"{path}: " if path else ""
