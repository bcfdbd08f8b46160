"""Whatever a broker delivers, as text and JSON that PostgreSQL stores and AMQP carries. Nothing in here raises.

PostgreSQL stores neither U+0000 nor halves of surrogate pairs, and orjson writes neither integers above 64 bits nor
what is nested deeper than 254. A publisher may send all of these, and its message must be parked all the same.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

DEEPEST = 32
"""How deep a header's value stays a structure; what lies deeper becomes text."""
SHORT = 255
"""Bytes of a short string, which a message's properties are (AMQP 0-9-1, 4.2.5.3)."""
LONGEST = 64 * 1024
"""Characters of the text that stands for a value which is no JSON. AMQP bounds all headers together by its frame."""


def storable_text(text: str, longest: int = LONGEST) -> str:
    """The text, cut at ``longest`` characters, with a mark in the place of what PostgreSQL refuses."""
    whole = text[:longest].encode("utf-8", "replace").decode("utf-8", "replace")
    return whole.replace("\x00", "\N{SYMBOL FOR NULL}")


def short_text(text: str) -> str:
    """The text, cut to what AMQP carries as a property: 255 bytes in UTF-8."""
    return storable_text(text, SHORT).encode()[:SHORT].decode(errors="ignore")


def storable_json(headers: Mapping[Any, Any]) -> str:
    """Headers as a JSON object. What JSON has no word for becomes text: bytes, decimals, NaN, what nests too deep."""
    try:
        return orjson.dumps(
            {storable_text(str(name)): _plain(value, DEEPEST) for name, value in headers.items()}
        ).decode()
    except Exception:
        # Nothing that we know of leads here; if something does, its message is still parked.
        return orjson.dumps({"traboule-unreadable-headers": _described(headers)}).decode()


def _plain(value: object, depth: int) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else _described(value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case str():
            return storable_text(value)
        case datetime():
            return value.isoformat()
        case Mapping() if depth:
            pairs = cast("Mapping[object, object]", value)
            return {storable_text(str(name)): _plain(inner, depth - 1) for name, inner in pairs.items()}
        case list() | tuple() if depth:
            items = cast("Sequence[object]", value)
            return [_plain(inner, depth - 1) for inner in items]
        case _:
            return _described(value)


def _described(value: object) -> str:
    try:
        return storable_text(repr(value))
    except Exception:
        return f"a {type(value).__name__} that cannot be written"
