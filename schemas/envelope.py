"""CloudEvents 1.0 around facts and commands: structured JSON, binary (``ce-*`` headers) and batch.

Sources: CloudEvents 1.0.2, its JSON format, and the community AMQP 0-9-1 binding (``ce-`` header prefix).
Reading never raises: what cannot be read comes back as a :class:`Refused` that tells what is wrong and where.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.fields import Content, ForFormerSystem, Key, MirroredRecord
from schemas.spelling import meant

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
BINARY = "application/json"

BATCH_EVENTS = 500
BATCH_BYTES = 1_000_000
"""Bounds of the batches that we send. Larger ones are read too, up to the consumer's own limit."""

F = TypeVar("F", bound=Content)


class Envelope(BaseModel, Generic[F]):
    """One CloudEvent around a fact or command. Extension attributes that we do not know are carried, not looked at."""

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"]
    id: Key
    source: Annotated[str, Field(pattern=r"^/[a-z0-9-]+/[a-z0-9-]+$")]
    type: str
    data: F
    subject: Key | None = None
    time: AwareDatetime | None = None
    datacontenttype: Literal["application/json"] | None = None
    correlationid: Key | None = None

    @property
    def cluster(self) -> str:
        """The cluster that published it: the first word of ``source``."""
        return self.source.split("/", 2)[1]

    @cached_property
    def document(self) -> bytes:
        """The fact as canonical JSON: a field at its default value is left out, so null and missing are the same."""
        return to_json(self.data)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that are equal when the facts are; they decide between two writings of one version."""
        return blake2b(self.document, digest_size=16).digest()

    def extension(self, name: str) -> str | None:
        """An extension attribute that has no field of its own, if it is there and a text."""
        value = (self.__pydantic_extra__ or {}).get(name)
        return value if isinstance(value, str) else None

    def encode(self) -> bytes:
        """This event alone, as structured JSON."""
        head = self.model_dump(mode="json", exclude={"data"}, exclude_none=True)
        return orjson.dumps(head)[:-1] + b',"data":' + self.document + b"}"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that cannot be read. ``reason`` is a stable word, ``detail`` tells a person field by field.

    ``detail`` holds no value of the message, so that it can be logged.
    """

    reason: str
    detail: str
    body: bytes
    id: str | None = None
    type: str | None = None


def to_json(fact: Content) -> bytes:
    """Canonical JSON of a fact: fields in the order of the schema, defaults left out."""
    return fact.__pydantic_serializer__.to_json(fact, exclude_defaults=True)


def fact_id(fact_type: type[Content], source: str, document: bytes) -> str:
    """32 hex digits that depend on publisher, type and content alone, so that publishing twice is one event."""
    name = f"{source} {fact_type.type_name()} ".encode()
    return blake2b(name + document, digest_size=16).hexdigest()


Onward = Mapping[str, Mapping[str, str]]
"""Correlation id → extension attributes of the events that bear it."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOBODY: Onward = MappingProxyType({})


def encode_event(
    fact_type: type[Content],
    source: str,
    document: bytes,
    event_id: str,
    correlation_id: str | None = None,
    extensions: Mapping[str, str] = _NOTHING,
) -> bytes:
    """A structured CloudEvent around a fact that is already JSON."""
    head = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": fact_type.type_name(),
        "datacontenttype": "application/json",
    }
    if correlation_id is not None:
        head["correlationid"] = correlation_id
    head |= extensions
    return orjson.dumps(head)[:-1] + b',"data":' + document + b"}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message ready for the broker: its body, AMQP content type, AMQP message id and how many events it holds."""

    body: bytes
    content_type: str
    message_id: str
    events: int


def encode(source: str, facts: Sequence[Content], correlation_id: str | None = None) -> Encoded:
    """One message around one fact (structured) or several of one type (batch).

    ``source`` is ``/<cluster>/<service>``. Ids come from the content: the same facts make the same message.
    """
    return _message([_event(source, fact, correlation_id) for fact in facts])


def encode_all(source: str, facts: Iterable[tuple[Content, str | None]], onward: Onward = _NOBODY) -> Iterable[Encoded]:
    """Facts of one type, each with its correlation id, in as few messages as the bounds allow.

    ``onward`` says which extension attributes go with a correlation id.
    """
    return _packed(
        _event(source, fact, cause, onward.get(cause, _NOTHING) if cause else _NOTHING) for fact, cause in facts
    )


HeldNow = tuple["Envelope[Any]", int]
"""The message that a service holds of one record now, and how many late messages about that record were applied."""


def encode_held(
    fact_type: type[MirroredRecord], source: str, held: Iterable[HeldNow], onward: Onward = _NOBODY
) -> Iterable[Encoded]:
    """What a service announces of records that it holds now: each fact as it came, and the cluster that it came from.

    The JSON is taken over as it was checked on the way in, so nothing is built or validated twice.
    """
    return _packed(_held(fact_type, source, message, applied_late, onward) for message, applied_late in held)


def _held(
    fact_type: type[MirroredRecord], source: str, message: "Envelope[Any]", applied_late: int, onward: Onward
) -> tuple[str, bytes]:
    ours = b'{"cluster":' + orjson.dumps(message.cluster)
    if applied_late:
        ours += b',"applied_late":%d' % applied_late
    document = ours + b"," + message.document[1:]
    event_id = fact_id(fact_type, source, document)
    cause = message.correlationid or message.id
    return event_id, encode_event(fact_type, source, document, event_id, cause, onward.get(cause, _NOTHING))


def _packed(encoded: Iterable[tuple[str, bytes]]) -> Iterable[Encoded]:
    events: list[tuple[str, bytes]] = []
    size = 0
    for event in encoded:
        if events and (len(events) == BATCH_EVENTS or size + len(event[1]) > BATCH_BYTES):
            yield _message(events)
            events, size = [], 0
        events.append(event)
        size += len(event[1])
    if events:
        yield _message(events)


def _event(
    source: str, fact: Content, correlation_id: str | None, extensions: Mapping[str, str] = _NOTHING
) -> tuple[str, bytes]:
    document = to_json(fact)
    event_id = fact_id(type(fact), source, document)
    return event_id, encode_event(type(fact), source, document, event_id, correlation_id, extensions)


def _message(events: Sequence[tuple[str, bytes]]) -> Encoded:
    if len(events) == 1:
        return Encoded(events[0][1], STRUCTURED, events[0][0], 1)
    message_id = blake2b("".join(event_id for event_id, _ in events).encode(), digest_size=16).hexdigest()
    return Encoded(b"[" + b",".join(body for _, body in events) + b"]", BATCH, message_id, len(events))


def routing_key(cluster: str, fact_type: type[Content], to: str | None = None) -> str:
    """``<cluster>.<service>.<fact>``; our own services publish as ``traboule``, and staff tools as ``staff``.

    ``to`` is the cluster whose former system it is for, where the type is :class:`ForFormerSystem`: its last word.
    """
    key = f"{cluster}.{fact_type.service}.{fact_type.key}"
    if issubclass(fact_type, ForFormerSystem):
        assert to is not None, "without a cluster at its end, no queue would take it"
        return f"{key}.{to}"
    return key


def source_of(cluster: str, service: str) -> str:
    """The CloudEvents ``source`` of a former system or of one of our services: ``/<cluster>/<service>``."""
    return f"/{cluster}/{service}"


# --- reading -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _adapters(fact_type: type[Content]) -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    one: Any = Envelope[fact_type]  # pyright: ignore[reportInvalidTypeForm]
    return TypeAdapter(one), TypeAdapter(list[one])  # pyright: ignore[reportInvalidTypeForm]


def read(
    fact_type: type[F], body: bytes, content_type: str | None, headers: Mapping[str, Any]
) -> list[Envelope[F] | Refused]:
    """Every event of a message, in order: an envelope, or why it is refused.

    The whole batch is validated in one pass; only when that fails are its events looked at one by one,
    so that a bad one does not take its neighbours along.
    """
    mode = (content_type or "").split(";")[0].strip().lower()
    one, many = _adapters(fact_type)
    expected = fact_type.type_name()
    try:
        if mode == BATCH:
            events: list[Envelope[F]] = many.validate_json(body)
        elif _is_binary(mode, headers):
            events = [one.validate_json(_from_binary(body, headers))]
        else:
            events = [one.validate_json(body)]
    except Exception:
        # Whatever a validator raises: each event is looked at by itself, so that a bad one takes no other along.
        return _one_by_one(fact_type, body, mode, headers)
    if events and all(event.type == expected for event in events):
        return list(events)
    # Not encoded from what was read: an event of another type must keep its own type, to be replayed one day.
    return _one_by_one(fact_type, body, mode, headers)


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


def _one_by_one(fact_type: type[F], body: bytes, mode: str, headers: Mapping[str, Any]) -> list[Envelope[F] | Refused]:
    try:
        tree = orjson.loads(_from_binary(body, headers) if _is_binary(mode, headers) else body)
    except orjson.JSONDecodeError as error:
        return [_unreadable(body, error)]
    if mode == BATCH and not isinstance(tree, list):
        return [Refused("not-a-cloudevent", f"{BATCH} must hold a JSON array of events", body)]
    if mode != BATCH and isinstance(tree, list):
        return [Refused("not-a-cloudevent", f"an array of events needs the content type {BATCH}", body)]
    events = tree if isinstance(tree, list) else [tree]
    if not events:
        return [Refused("not-a-cloudevent", "the batch is empty", body)]
    if mode != BATCH:
        return [_read_one(fact_type, tree, body)]
    return [_read_one(fact_type, event, orjson.dumps(event)) for event in events]


def _unreadable(body: bytes, error: orjson.JSONDecodeError) -> Refused:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as bad:
        detail = f"the body is not UTF-8: byte {bad.start} is 0x{body[bad.start]:02X} (is it Latin-1 or Windows-1252?)"
        return Refused("not-utf-8", detail, body)
    return Refused("not-json", f"the body is not JSON: line {error.lineno}, column {error.colno}", body)


def _read_one(fact_type: type[F], event: Any, body: bytes) -> Envelope[F] | Refused:
    # ``body`` is what is kept if the event is refused: a message alone as it came, an event of a batch by itself.
    if not isinstance(event, dict):
        return Refused("not-a-cloudevent", "an event must be a JSON object", body)
    event_id, event_type = (value if isinstance(value, str) else None for value in (event.get("id"), event.get("type")))
    if event_type is not None and event_type != fact_type.type_name():
        return _wrong_type(fact_type, event_type, body, event_id)
    try:
        return _adapters(fact_type)[0].validate_json(orjson.dumps(event))
    except ValidationError as error:
        return Refused(*_explain(error, fact_type), body, event_id, event_type)
    except Exception as error:
        return Refused("unreadable", f"{type(error).__name__} in the reader", body, event_id, event_type)


def _wrong_type(fact_type: type[Content], found: str, body: bytes, event_id: str | None) -> Refused:
    expected = fact_type.type_name()
    family, _, number = found.rpartition(".v")
    if family == expected.rpartition(".v")[0] and number.isdigit() and int(number) > fact_type.schema_version:
        detail = f"type {family} is at version {number}, and this service knows version {fact_type.schema_version}"
        return Refused("newer-version", f"{detail}: upgrade Traboule, then replay", body, event_id, found)
    return Refused("wrong-type", f"type must be {expected} under this routing key", body, event_id, found[:200])


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
