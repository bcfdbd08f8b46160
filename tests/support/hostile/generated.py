"""Messages drawn at random: each depends on its seed alone, so a failure can be sent again by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import orjson

from schemas.envelope import BATCH, BINARY, STRUCTURED
from tests.support.hostile.bodies import BINARIES, BODIES, HOLE, INTEGERS
from tests.support.hostile.message import HostileMessage, Writer
from tests.support.hostile.properties import VARIANTS

TOO_LARGE = ("MiB", "2,000 numbers", "3 MB", "1 MB", "500 kB", "20,000", "100 kB", "5000 deep")
"""Of these a few are enough; the named cases have them."""
_CASES = {**BODIES, **BINARIES}
_SMALL = sorted(name for name in _CASES if not any(word in name for word in TOO_LARGE))
_VARIANTS = sorted(name for name in VARIANTS if not any(word in name for word in TOO_LARGE))
_RAW = (
    *INTEGERS.values(),
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"-0.0",
    b"1e-400",
    b'"\\u0000"',
    b'"\\ud800"',
    b"NaN",
    b"[" * 130 + b"]" * 130,
    b'{"a":' * 260 + b"0" + b"}" * 260,
    b'"0001-01-01T00:00:00+23:59"',
    b'"9999-12-31"',
    b'"' + b"9" * 5_000 + b'"',
    b'"\xff"',
    b'"x"x',
    b"[1,2,3]",
    b'{"a":1,"a":2}',
    b'"2026-13-45"',
    b"9223372036854775807",
)
_CONTENT_TYPES = (STRUCTURED, STRUCTURED, BATCH, BINARY, None, "", "text/plain", "x" * 255)


def generated(writer: Writer, rng: Random, *, headers: bool = True) -> list[HostileMessage]:
    """One message, or a few that belong together.

    Without ``headers`` there is neither what makes the broker dead-letter, where a forged ``x-death`` waits for it, nor
    ``CC`` into another service's queues: no RabbitMQ before 4.0 holds against either.
    """
    extra: Mapping[str, Any] = {}
    names = rng.sample(_VARIANTS, rng.choice((0, 1, 1, 2, 3)))
    if not headers:
        names = [name for name in names if not name.startswith(("expiration", "CC to itself"))]
    for name in names:
        extra = _merged(extra, VARIANTS[name])
    writer.extra = extra
    writer.name = " + ".join(names)
    try:
        if rng.random() < 0.4:
            name = rng.choice(_SMALL)
            writer.name = f"{name} + {writer.name}"
            return _CASES[name](writer)
        return [_spoilt(writer, rng)]
    finally:
        writer.extra = {}


def _merged(document: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = [given["headers"] for given in (document, other) if "headers" in given]
    if len(headers) == 2 and all(isinstance(given, list) for given in headers):
        return {**document, **other, "headers": headers[0] + headers[1]}
    return {**document, **other}


def _spoilt(writer: Writer, rng: Random) -> HostileMessage:
    mark = writer.mark()
    count = 1 if rng.random() < 0.7 else rng.randint(2, 30)
    events = [writer.event(f"{mark}{at}" if count > 1 else mark) for at in range(count)]
    raws = [_put_in(rng, event) for event in events if rng.random() < (0.6 if count == 1 else 0.1)]
    body = orjson.dumps(events if count > 1 else events[0])
    for raw in raws:
        body = body.replace(HOLE.encode(), raw, 1)
    if damaged := rng.random() < 0.3:
        body = _damaged(rng, body, mark.encode())
    batch: dict[str, Any] = {"content_type": BATCH} if count > 1 else {}
    if rng.random() < 0.1:
        batch = {"content_type": rng.choice(_CONTENT_TYPES)}
    return writer.message(mark, body, events=count, damaged=damaged, **batch)


def _put_in(rng: Random, event: dict[str, Any]) -> bytes:
    """Make a hole somewhere in the event, and say what is to fill it; what bears the mark stays."""
    where = rng.choice((event, event["data"], event["data"]))
    free = [name for name in where if name not in ("id", "data", "record_id")]
    name = rng.choice([*free, "anything", "origintime", "x" * rng.randint(1, 300), "correlationid", "time"])
    where[name] = "@@"
    return rng.choice(_RAW)


def _damaged(rng: Random, body: bytes, mark: bytes) -> bytes:
    """Damage what is between the marks."""
    parts = body.split(mark)
    at = rng.randrange(len(parts))
    damage: Sequence[Callable[[Random, bytes], bytes]] = (_flip, _drop, _double, _insert)
    for _ in range(rng.randint(1, 4)):
        parts[at] = rng.choice(damage)(rng, parts[at])
    return mark.join(parts)


def _flip(rng: Random, part: bytes) -> bytes:
    at = rng.randrange(len(part) or 1)
    return part[:at] + rng.randbytes(1) + part[at + 1 :]


def _drop(rng: Random, part: bytes) -> bytes:
    at = rng.randrange(len(part) or 1)
    return part[:at] + part[at + rng.randint(1, 20) :]


def _double(rng: Random, part: bytes) -> bytes:
    at = rng.randrange(len(part) or 1)
    return part[:at] + part[at : at + 40] * 2 + part[at + 40 :]


def _insert(rng: Random, part: bytes) -> bytes:
    at = rng.randrange(len(part) or 1)
    return part[:at] + rng.randbytes(rng.randint(1, 8)) + part[at:]
