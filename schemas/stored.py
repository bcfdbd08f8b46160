"""A fact of the columns that it was stored in; lists and objects lie there as JSON."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, TypeAdapter

from schemas.base import Fact

F = TypeVar("F", bound=Fact)


def stored_fact(fact: type[F], row: Mapping[str, Any]) -> F:
    """The fact of a row, which was checked when it came in. What is null has the field's default."""
    fields = dict(row)
    for name, adapter in _json_fields(fact).items():
        value = fields[name]
        if isinstance(value, str):
            value = orjson.loads(value)
        fields[name] = fact.model_fields[name].default if value is None else adapter.validate_python(value)
    return fact.model_construct(**fields)


def as_json(value: BaseModel | tuple[BaseModel, ...] | None) -> str | None:
    """What is stored of a field that is an object or a list of them; null where it says nothing."""
    if not value:
        return None
    if isinstance(value, BaseModel):
        return value.model_dump_json(exclude_defaults=True)
    return f"[{','.join(item.model_dump_json(exclude_defaults=True) for item in value)}]"


@lru_cache(maxsize=64)
def _json_fields(fact: type[Fact]) -> dict[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(_annotation(fact, name)) for name in fact.stored_as_json}


def _annotation(fact: type[Fact], name: str) -> Any:
    return fact.model_fields[name].annotation
