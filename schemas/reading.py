"""Reading messages: every event of a body as an envelope, or why it is refused.

Reading never raises: what cannot be read comes back as a :class:`Refused` that says what is wrong and where.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import orjson
from pydantic import FailFast, TypeAdapter, ValidationError

from schemas.base import Content
from schemas.envelope import BATCH, BATCH_BYTES, BATCH_EVENTS, BINARY, STRUCTURED, Envelope, F, Refused
from schemas.fast_reading import fast_reader
from schemas.json_array import elements
from schemas.suggestions import meant

_VERSION = re.compile(r"[0-9]{1,9}\Z")
MAX_FACTS = 10_000
"""Facts of one message. One that holds more is refused whole: each refused fact would be a dead letter."""
PART_BYTES = 128 * 1024
PART_FACTS = 200
"""What is read at a stretch, in some milliseconds, however large the message is."""
_EVENT = b'"specversion"'


@lru_cache(maxsize=64)
def _adapters(fact_type: type[Content]) -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    item: Any = Envelope[fact_type]  # pyright: ignore[reportInvalidTypeForm]
    # One fault is enough to know that the events are to be looked at one by one.
    many: Any = Annotated[list[item], FailFast()]
    return TypeAdapter(item), TypeAdapter(many)


def read(
    fact_type: type[F], body: bytes, content_type: str | None, headers: Mapping[str, Any]
) -> list[Envelope[F] | Refused]:
    """Every event of a message, in order: an envelope, or why it is refused."""
    return [event for part in read_parts(fact_type, body, content_type, headers) for event in part]


def read_parts(
    fact_type: type[F], body: bytes, content_type: str | None, headers: Mapping[str, Any]
) -> Iterator[Sequence[Envelope[F] | Refused]]:
    """The same in parts, each of them read in some milliseconds; a part may be empty.

    A part is validated in one pass; only when that fails are its events looked at one by one, so that a bad one does
    not take its neighbours along.
    """
    mode = (content_type or "").split(";")[0].strip().lower()
    if mode == BATCH:
        yield from _read_batch(fact_type, body)
        return
    try:
        whole = _from_binary(body, headers) if _is_binary(mode, headers) else body
        event = _event(fact_type, whole)
    except Exception:
        # Whatever a validator raises: what is wrong is found out and told.
        yield [_refused_alone(fact_type, body, mode, headers)]
        return
    if event.type == fact_type.type_name():
        yield [event]
    else:
        yield [_refused_alone(fact_type, body, mode, headers)]


def _read_batch(fact_type: type[F], body: bytes) -> Iterator[Sequence[Envelope[F] | Refused]]:
    if events := _fast(fact_type, body) or (_all(fact_type, body) if len(body) <= PART_BYTES else []):
        yield events
        return
    bodies: list[bytes] = []
    try:
        for element in elements(body):
            bodies.append(element)
            if len(bodies) > MAX_FACTS:
                yield [Refused("too-many-facts", f"a message may hold {MAX_FACTS:,} facts: send smaller batches", body)]
                return
            if len(bodies) % PART_FACTS == 0:
                yield []
    except ValueError:
        yield [_no_array(body)]
        return
    if not bodies:
        yield [Refused("not-a-cloudevent", "the batch is empty", body)]
    for part in _parts(bodies):
        # Not encoded from what was read: an event keeps its own bytes, to be replayed one day.
        whole = b"[" + b",".join(part) + b"]"
        yield (
            _fast(fact_type, whole)
            or _all(fact_type, whole)
            or [_read_event(fact_type, event, STRUCTURED) for event in part]
        )


def _event(fact_type: type[F], body: bytes) -> Envelope[F]:
    fast = fast_reader(fact_type)
    return (fast and fast.event(body)) or _adapters(fact_type)[0].validate_json(body)


def _fast(fact_type: type[F], body: bytes) -> Sequence[Envelope[F]] | None:
    """Every event of a batch that is no larger than ours, if the fast reader takes them all."""
    fast = fast_reader(fact_type)
    if fast is None or len(body) > BATCH_BYTES or body.count(_EVENT) > BATCH_EVENTS:
        return None
    return fast.batch(body)


def _all(fact_type: type[F], body: bytes) -> list[Envelope[F]]:
    """Every event of a batch, or none if one of them is refused."""
    try:
        events: list[Envelope[F]] = _adapters(fact_type)[1].validate_json(body)
    except Exception:
        return []
    expected = fact_type.type_name()
    return events if all(event.type == expected for event in events) else []


def _parts(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for element in bodies:
        if part and (len(part) == PART_FACTS or size + len(element) > PART_BYTES):
            yield part
            part, size = [], 0
        part.append(element)
        size += len(element)
    if part:
        yield part


def _is_binary(mode: str, headers: Mapping[str, Any]) -> bool:
    # The content type decides where it says; a retry of a binary event is structured, and keeps its headers.
    return mode == BINARY or (mode not in (STRUCTURED, BATCH) and "ce-id" in map(str.lower, headers))


def _from_binary(body: bytes, headers: Mapping[str, Any]) -> bytes:
    head = {name[3:].lower(): _text(value) for name, value in headers.items() if name[:3].lower() == "ce-"}
    return orjson.dumps(head)[:-1] + (b',"data":' if head else b'"data":') + body + b"}"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _no_array(body: bytes) -> Refused:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _unreadable(body, error)
    return Refused("not-a-cloudevent", f"{BATCH} must hold a JSON array of events", body)


def _refused_alone(fact_type: type[F], body: bytes, mode: str, headers: Mapping[str, Any]) -> Envelope[F] | Refused:
    """Why a message of one event is refused; its own body is kept, not the event that its headers make of it."""
    whole = body
    if _is_binary(mode, headers):
        try:
            whole = _from_binary(body, headers)
        except Exception as error:
            return Refused("unreadable", f"{type(error).__name__} in the reader of its ce- headers", body)
    event = _read_event(fact_type, whole, None)
    return replace(event, body=body) if isinstance(event, Refused) else event


def _unreadable(body: bytes, error: orjson.JSONDecodeError, content_type: str | None = None) -> Refused:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as bad:
        detail = f"the body is not UTF-8: byte {bad.start} is 0x{body[bad.start]:02X} (is it Latin-1 or Windows-1252?)"
        return Refused("not-utf-8", detail, body, content_type=content_type)
    detail = f"the body is not JSON: line {error.lineno}, column {error.colno}"
    return Refused("not-json", detail, body, content_type=content_type)


def _read_event(fact_type: type[F], body: bytes, content_type: str | None) -> Envelope[F] | Refused:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _unreadable(body, error, content_type)
    if not isinstance(event, dict):
        what = (
            f"an array of events needs the content type {BATCH}"
            if isinstance(event, list)
            else "an event must be a JSON object"
        )
        return Refused("not-a-cloudevent", what, body, content_type=content_type)
    event_id, event_type = (value if isinstance(value, str) else None for value in (event.get("id"), event.get("type")))
    if event_type is not None and event_type != fact_type.type_name():
        reason, detail = _wrong_type(fact_type, event_type)
        return Refused(reason, detail, body, event_id, event_type[:200], content_type)
    try:
        return _adapters(fact_type)[0].validate_json(body)
    except ValidationError as error:
        return Refused(*_explain(error, fact_type), body, event_id, event_type, content_type)
    except Exception as error:
        detail = f"{type(error).__name__} in the reader"
        return Refused("unreadable", detail, body, event_id, event_type, content_type)


def _wrong_type(fact_type: type[Content], text: str) -> tuple[str, str]:
    expected = fact_type.type_name()
    family, _, number = text.rpartition(".v")
    known = family == expected.rpartition(".v")[0]
    if known and _VERSION.match(number) and int(number) > fact_type.schema_version:
        detail = f"type {family} is at version {number}, and this service knows version {fact_type.schema_version}"
        return "newer-version", f"{detail}: upgrade Traboule, then replay"
    return "wrong-type", f"type must be {expected} under this routing key"


def _explain(error: ValidationError, fact_type: type[Content]) -> tuple[str, str]:
    """The stable reason, and every fault as ``field: what is wrong``, without the values."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"{_path(fault['loc'])}: {_problem(fault, fact_type)}" for fault in faults[:20]]
    if len(faults) > 20:
        lines.append(f"and {len(faults) - 20} more")
    in_data = all(fault["loc"] and fault["loc"][0] == "data" for fault in faults)
    return "invalid-field" if in_data else "not-a-cloudevent", "; ".join(lines)


def _path(loc: tuple[int | str, ...]) -> str:
    """Where the fault is. A key that nobody knows is the publisher's own text: shortened, and safe to print."""
    return ".".join("".join(c if c.isprintable() else "\ufffd" for c in str(part)[:60]) for part in loc) or "event"


def _problem(fault: Any, fact_type: type[Content]) -> str:
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 2:
        return f"there is no such field: {meant(fact_type, str(fault['loc'][1]))}"
    return str(fault["msg"])
