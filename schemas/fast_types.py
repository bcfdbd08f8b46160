"""The types by which msgspec reads a fact, derived from the fact's own pydantic model.

Each type is as narrow as the pydantic field or narrower: amounts have one writing, instants are RFC 3339. What has no
counterpart here raises :class:`UnsupportedError`, and such facts are read by pydantic alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.base import NO_NUL, Part, to_the_cent, whole_number, written_as_text

_INSTANT: Final = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\Z"
)
_SHARED_DEFAULTS: Final = (NoneType, bool, int, str)
"""msgspec leaves a field out of a document if its value *is* the default. A Literal is read as that very text."""
_RULES: Final = (
    *("field_validators", "validators", "root_validators"),
    *("field_serializers", "model_serializers", "computed_fields"),
)

_REFUSING: Final = (whole_number, written_as_text)
"""Validators that change no value, and refuse what no type here takes."""
_set: Final = object.__setattr__

Convert = Callable[[Any], Any]


class UnsupportedError(Exception):
    """A pydantic field that says what no type of msgspec says."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one value is read: msgspec's ``type``, then ``convert`` to what pydantic gives; it raises ValueError.

    ``canonical`` says that msgspec writes what it read as pydantic writes the value.
    """

    type: Any
    convert: Convert | None = None
    canonical: bool = True


def shape(annotation: Any) -> Shape:
    """How a field of this annotation is read. Raises UnsupportedError."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (Union, UnionType) and len(arguments) == 2 and arguments[1] is NoneType:
        inner = shape(arguments[0])
        return replace(inner, type=inner.type | None)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = shape(arguments[0])
        return replace(inner, type=tuple[inner.type, ...], convert=_each(inner.convert))
    if origin is dict:
        key, value = map(shape, arguments)
        if key.convert is None and value.convert is None:
            return Shape(dict[key.type, value.type])
    if origin is Literal or annotation in (str, bool, int):
        return Shape(annotation)
    if annotation is AwareDatetime:
        return Shape(Annotated[str, msgspec.Meta(pattern=_INSTANT)], datetime.fromisoformat, canonical=False)
    if annotation is date:
        return Shape(date)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return part_shape(annotation)
    raise UnsupportedError(repr(annotation))


@lru_cache(maxsize=256)
def part_shape(model: type[Part]) -> Shape:
    """How a fact or a piece of it is read. Raises UnsupportedError."""
    decorators = model.__pydantic_decorators__
    if model.model_config != Part.model_config or any(getattr(decorators, kind) for kind in _RULES):
        raise UnsupportedError(f"{model.__name__} has rules of its own")
    hints = get_type_hints(model, include_extras=True)
    shapes = {name: shape(hints[name]) for name in model.model_fields}
    struct = struct_of(
        model.__name__, [(name, shapes[name].type, *default(field)) for name, field in model.model_fields.items()]
    )
    converts = [(name, inner.convert) for name, inner in shapes.items() if inner.convert is not None]
    make, rules = maker(model), [_rule(item) for item in decorators.model_validators.values()]
    canonical = all(inner.canonical for inner in shapes.values())

    def convert(read: Any) -> Any:
        made = make(converted(read, converts), None)
        for rule in rules:
            rule(made)
        return made

    return Shape(struct, convert, canonical)


def _rule(decorator: Any) -> Convert:
    """A rule on the whole model, which refuses it or leaves it as it is. Raises UnsupportedError."""
    if decorator.info.mode != "after":
        raise UnsupportedError(f"{decorator.cls_var_name} is no rule on a model that was made")
    return decorator.func


def struct_of(name: str, fields: Sequence[tuple[Any, ...]]) -> Any:
    """A closed struct; ``fields`` are names, types and, where there are any, defaults."""
    return msgspec.defstruct(
        name, fields, kw_only=True, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
    )


def maker(model: type[BaseModel]) -> Callable[[dict[str, Any], dict[str, Any] | None], Any]:
    """Make a model of valid values and, where it may have them, extra ones. It says that all its fields were set."""
    fields = set(model.model_fields)

    def make(values: dict[str, Any], extra: dict[str, Any] | None) -> Any:
        made = model.__new__(model)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_extra__", extra)
        _set(made, "__pydantic_fields_set__", fields)
        _set(made, "__pydantic_private__", None)
        return made

    return make


def converted(struct: msgspec.Struct, converts: Iterable[tuple[str, Convert]]) -> dict[str, Any]:
    """The fields of a struct as pydantic gives them. Raises ValueError."""
    values = msgspec.structs.asdict(struct)
    for name, convert in converts:
        if (value := values[name]) is not None:
            values[name] = convert(value)
    return values


def _each(convert: Convert | None) -> Convert | None:
    return None if convert is None else lambda values: tuple(map(convert, values))


def default(field: FieldInfo) -> tuple[Any, ...]:
    """What stands for a missing field, as the end of one of the ``fields``. Raises UnsupportedError."""
    if field.default_factory is dict:
        return (msgspec.field(default_factory=dict),)
    if field.default is PydanticUndefined and field.default_factory is None:
        return ()
    if field.default == () or isinstance(field.default, _SHARED_DEFAULTS):
        return (field.default,)
    raise UnsupportedError(f"default {field.default!r}")


def _annotated(base: Any, metadata: Iterable[Any]) -> Shape:
    bounds: dict[str, Any] = {}
    after: list[Convert] = []
    for item in metadata:
        if isinstance(item, AfterValidator):
            after.append(cast("Convert", item.func))
        elif not isinstance(item, BeforeValidator):
            bounds |= _bounds(item)
        elif item.func not in _REFUSING:
            raise UnsupportedError(repr(item))
    inner = _bounded(base, bounds)
    for function in after:
        if function is not to_the_cent:  # Amounts are read in that writing only.
            inner = replace(inner, convert=_then(inner.convert, function))
    return inner


def _then(first: Convert | None, second: Convert) -> Convert:
    return second if first is None else lambda value: second(first(value))


def _bounds(item: Any) -> dict[str, Any]:
    """``min_length``, ``pattern`` and their like, of whatever pydantic keeps them in."""
    parts = item.metadata if isinstance(item, FieldInfo) else item if isinstance(item, Iterable) else [item]
    pairs = ((name, value) for part in parts for name, value in _named(part))
    # False: of an amount, that a strict model reads it as text all the same; facts are not strict.
    return {name: value for name, value in pairs if value is not None and value is not False}


def _named(part: Any) -> Iterable[tuple[str, Any]]:
    return vars(part).items() if hasattr(part, "__dict__") else [(name, getattr(part, name)) for name in part.__slots__]


def _bounded(base: Any, bounds: dict[str, Any]) -> Shape:
    if base is Decimal:
        if not set(bounds) <= {"max_digits", "decimal_places"}:
            raise UnsupportedError(", ".join(bounds))
        return _amount(**bounds)
    inner = shape(base)
    if base is str and "pattern" in bounds:
        bounds["pattern"] = _pattern(bounds.pop("pattern"), strip=bounds.pop("strip_whitespace", False))
    if base is int and "lt" in bounds:
        bounds["le"] = bounds.pop("lt") - 1  # msgspec wants bounds of 64 bits.
    if not set(bounds) <= {"min_length", "max_length", "pattern", "ge", "le"}:
        raise UnsupportedError(", ".join(bounds))
    return replace(inner, type=Annotated[inner.type, msgspec.Meta(**bounds)])


def _pattern(pattern: str, *, strip: bool) -> str | None:
    """In Python's words, where ``$`` also matches before a line break. What would be stripped is not read here."""
    if pattern == NO_NUL and not strip:
        return None  # A body that holds U+0000 is not read here at all.
    body = pattern.removeprefix("^").removesuffix("$")
    if pattern != f"^{body}$":
        raise UnsupportedError(pattern)
    return rf"\A(?=\S){body}(?<=\S)\Z" if strip else rf"\A{body}\Z"


def _amount(max_digits: int, decimal_places: int) -> Shape:
    """Its one writing: pydantic would write 1200, 1200.0 and -0.00 differently from what it read."""
    whole = f"(0|[1-9][0-9]{{0,{max_digits - decimal_places - 1}}})"
    pattern = rf"\A(?!-0\.0+\Z)-?{whole}\.[0-9]{{{decimal_places}}}\Z"
    return Shape(Annotated[str, msgspec.Meta(pattern=pattern)], Decimal)
