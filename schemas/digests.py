"""A record's digest, which a former system can compute as well as we: SHA-256 of its fact in a normal form.

The normal form is RFC 8785 (JSON Canonicalization Scheme) of what the fact says, as PRODUCERS.md tells producers:
what may be written in several ways is written in one, and what a mirror does not keep is left out.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, cast

import orjson
from pydantic import BaseModel

from schemas.base import Fact

_WHITE: Final = " \t\n\v\f\r"


def record_digest(fact: Fact) -> str:
    """64 hex digits that are equal when two facts say the same of their record, whatever their versions."""
    return sha256(normal_form(fact)).hexdigest()


def normal_form(fact: Fact) -> bytes:
    """Canonical JSON of all that the fact says but its version."""
    return orjson.dumps(_model(fact, but="version"))


def _model(value: BaseModel, but: str | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name in sorted(type(value).model_fields):
        answer = getattr(value, name)
        if name != but and answer != type(value).model_fields[name].default:
            document[name] = _normal(answer)
    return _without_empty(document)


def _normal(value: Any) -> Any:
    match value:
        case BaseModel():
            return _model(value)
        case str():
            return value.strip(_WHITE)
        case Decimal():
            # The sum has no negative zero. A quantity has six decimals, everything else two.
            return f"{value + 0:.{max(2, -int(value.as_tuple().exponent))}f}"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case tuple() | list():
            each = {orjson.dumps(item): item for item in map(_normal, cast("list[Any]", value))}
            return [each[text] for text in sorted(each)]
        case Mapping():
            document = cast("Mapping[str, Any]", value)
            return _without_empty({name: _normal(document[name]) for name in sorted(document, key=_utf_16)})
        case _:
            return value


def _without_empty(filled: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filled.items() if value not in (None, "", [], {})}


def _utf_16(name: str) -> bytes:
    # RFC 8785 section 3.2.3: names are sorted by their UTF-16 code units.
    return name.encode("utf-16-be")
