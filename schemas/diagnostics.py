"""What is wrong with an event, field by field, and what its author probably meant: for people at a terminal.

Services refuse with :func:`schemas.reading.read`, whose short text holds no values. This one shows them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

import orjson
from pydantic import ValidationError

from schemas.base import Content, Part
from schemas.catalogue import FACTS
from schemas.descriptions import describe
from schemas.envelope import Envelope
from schemas.examples import example_event
from schemas.suggestions import meant

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One field, what is wrong with it, and what to do; ``field`` is a path such as ``data.subscriptions.0.amount``."""

    field: str
    problem: str
    hint: str = ""


def faults(fact_type: type[Content], event: Mapping[str, Any]) -> list[Fault]:
    """Every fault of an event that is taken to be of this type, whatever it says."""
    try:
        Envelope[fact_type].model_validate_json(orjson.dumps(event))  # pyright: ignore[reportInvalidTypeArguments]
    except ValidationError as error:
        return [_fault(fact_type, details) for details in error.errors(include_url=False)]
    return []


def nearest(type_name: str, data: object = None) -> type[Content]:
    """The fact that was probably meant: by its name, or else by the fields that it holds."""
    names = {spelling: fact for fact in FACTS for spelling in _spellings(fact)}
    if close := get_close_matches(type_name.lower(), names, n=1, cutoff=0.75):
        return names[close[0]]
    fields: set[str] = set(data) if isinstance(data, dict) else set()
    return max(FACTS, key=lambda fact: len(fields & fact.model_fields.keys()))


def _spellings(fact: type[Content]) -> Iterator[str]:
    name = fact.type_name()
    yield from (name, name.rpartition(".v")[0], f"{fact.service}.{fact.key}", fact.key, fact.__name__.lower())


def _fault(fact_type: type[Content], error: Any) -> Fault:
    loc: tuple[str | int, ...] = error["loc"]
    path = ".".join(map(str, loc)) or "event"
    result, context = error["input"], error.get("ctx", {})
    model = _model_at(fact_type, loc[:-1])
    name = str(loc[-1]) if loc else ""
    match error["type"]:
        case "missing":
            return Fault(path, "is missing", _usage(fact_type, model, loc))
        case "extra_forbidden":
            return Fault(path, f"is not a field of {model.__name__}", meant(model, name))
        case "literal_error":
            close = get_close_matches(str(result).lower(), [v.strip("'") for v in _expected(context)], n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            return Fault(path, f"must be {' or '.join(_expected(context))}, and is {_shown(result)}", hint)
        case "string_too_long":
            longest = context["max_length"]
            return Fault(
                path, f"has {len(result):,} characters, and may have {longest:,}", _usage(fact_type, model, loc)
            )
        case "string_too_short":
            return Fault(path, "is empty", _usage(fact_type, model, loc))
        case "string_type":
            return Fault(path, f"must be text, and is {_shown(result)}", _usage(fact_type, model, loc))
        case "string_pattern_mismatch" if name not in ("source",):
            return Fault(path, "holds a control character, such as U+0000", "remove it")
        case _:
            problem = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ").replace("should", "must")
            return Fault(path, f"{problem}; it is {_shown(result)}", _usage(fact_type, model, loc))


def _model_at(fact_type: type[Content], loc: tuple[str | int, ...]) -> type[Part] | type[Envelope[Any]]:
    """The model that holds the last part of a path."""
    model: Any = Envelope
    for part in loc:
        if part == "data" and model is Envelope:
            model = fact_type
        elif isinstance(part, str) and part in model.model_fields:
            model = next(_parts(model.model_fields[part].annotation), model)
    return model


def _parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _usage(fact_type: type[Content], model: type[Any], loc: tuple[str | int, ...]) -> str:
    """What the field is for, with an example."""
    name = next((part for part in reversed(loc) if isinstance(part, str)), "")
    field = model.model_fields.get(name)
    text = (field.description if field else None) or describe(model.__name__, name) or ""
    value: Any = example_event(fact_type)
    for part in loc:
        key: Any = 0 if isinstance(part, int) and isinstance(value, list) and value else part
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return text
    return text if isinstance(value, dict | list) else f"{text}; such as {_json(value)}".removeprefix("; ")


def _expected(context: Mapping[str, Any]) -> list[str]:
    return str(context.get("expected", "")).replace(" or ", ", ").split(", ")


def _shown(value: object) -> str:
    match value:
        case None | bool():
            return _json(value)
        case int() | float():
            return f"the number {_json(value)}"
        case str():
            return _json(value)
        case list():
            return "a list"
        case _:
            return "an object"


def _json(value: object) -> str:
    try:
        text = orjson.dumps(value, default=str).decode()
    except TypeError:
        text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
