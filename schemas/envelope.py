"""CloudEvents 1.0 around facts and commands: structured JSON, binary (``ce-*`` headers) and batch.

Sources: CloudEvents 1.0.2, its JSON format, and the community AMQP 0-9-1 binding (``ce-`` header prefix).
How messages are read stands in :mod:`schemas.reading`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.base import Content, Key, MirroredRecord

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

    @cached_property
    def cluster(self) -> str:
        """The cluster that published it: the first word of ``source``."""
        return cluster_of(self.source)

    @cached_property
    def document(self) -> bytes:
        """The fact as canonical JSON: a field at its default value is left out, so null and missing are the same."""
        return to_json(self.data)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that are equal when the facts are; they decide between two writings of one version."""
        return digest_of(self.document)

    def extension(self, name: str) -> str | None:
        """An extension attribute that has no field of its own, if it is there and a text."""
        value = (self.__pydantic_extra__ or {}).get(name)
        return value if isinstance(value, str) else None

    def encode(self) -> bytes:
        """This event alone, as structured JSON. What could be read can be written: pydantic bounds no integer."""
        head = self.__pydantic_serializer__.to_json(self, exclude={"data"}, exclude_none=True)
        return head[:-1] + b',"data":' + self.document + b"}"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that cannot be read. ``reason`` is a stable word, ``detail`` tells a person field by field.

    ``detail`` holds no value of the message, so that it can be logged. ``content_type`` is that of ``body``, None where
    it is the message's own.
    """

    reason: str
    detail: str
    body: bytes
    id: str | None = None
    type: str | None = None
    content_type: str | None = None


def cluster_of(source: str) -> str:
    """The first word of a CloudEvents ``source``."""
    return source.split("/", 2)[1]


def digest_of(document: bytes) -> bytes:
    """16 bytes that stand for a fact's canonical JSON."""
    return blake2b(document, digest_size=16).digest()


def to_json(fact: Content) -> bytes:
    """Canonical JSON of a fact: fields in the order of the schema, defaults left out."""
    return fact.__pydantic_serializer__.to_json(fact, exclude_defaults=True)


def fact_id(fact_type: type[Content], source: str, document: bytes) -> str:
    """32 hex digits that depend on publisher, type and content alone, so that publishing twice is one event."""
    content = _named(source, fact_type.type_name()).copy()
    content.update(document)
    return content.hexdigest()


@lru_cache(maxsize=256)
def _named(source: str, type_name: str) -> blake2b:
    """The digest of what every id of this publisher and type begins with."""
    return blake2b(f"{source} {type_name} ".encode(), digest_size=16)


Propagated = Mapping[str, Mapping[str, str]]
"""Correlation id → extension attributes of the events that bear it."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOBODY: Propagated = MappingProxyType({})


def encode_event(
    fact_type: type[Content],
    source: str,
    document: bytes,
    event_id: str,
    correlation_id: str | None = None,
    extensions: Mapping[str, str] = _NOTHING,
) -> bytes:
    """A structured CloudEvent around a fact that is already JSON."""
    before_id, after_id = _head(fact_type.type_name(), source)
    own = {**extensions} if correlation_id is None else {"correlationid": correlation_id, **extensions}
    end = b"," + orjson.dumps(own)[1:-1] if own else b""
    return b"".join((before_id, orjson.dumps(event_id), after_id, end, b',"data":', document, b"}"))


@lru_cache(maxsize=256)
def _head(type_name: str, source: str) -> tuple[bytes, bytes]:
    """What stands before and after the id: the same for all that one service says of one type."""
    attributes = {"source": source, "type": type_name, "datacontenttype": "application/json"}
    return b'{"specversion":"1.0","id":', b"," + orjson.dumps(attributes)[1:-1]


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


def encode_all(
    source: str, facts: Iterable[tuple[Content, str | None]], propagated: Propagated = _NOBODY
) -> Iterable[Encoded]:
    """Facts of one type, each with its correlation id, in as few messages as the bounds allow.

    ``propagated`` says which extension attributes go with a correlation id.
    """
    return _packed(
        _event(source, fact, cause, propagated.get(cause, _NOTHING) if cause else _NOTHING) for fact, cause in facts
    )


CurrentRecord = tuple["Envelope[Any]", int]
"""The message that a service holds of one record now, and how many late messages about that record were applied."""


def encode_current(
    fact_type: type[MirroredRecord], source: str, records: Iterable[CurrentRecord], propagated: Propagated = _NOBODY
) -> Iterable[Encoded]:
    """What a service announces of records that it holds now: each fact as it came, and the cluster that it came from.

    The JSON is taken over as it was checked on the way in, so nothing is built or validated twice.
    """
    return _packed(
        _current_event(fact_type, source, message, applied_late, propagated) for message, applied_late in records
    )


def _current_event(
    fact_type: type[MirroredRecord], source: str, message: "Envelope[Any]", applied_late: int, propagated: Propagated
) -> tuple[str, bytes]:
    ours = b'{"cluster":' + orjson.dumps(message.cluster)
    if applied_late:
        ours += b',"applied_late":%d' % applied_late
    document = ours + b"," + message.document[1:]
    event_id = fact_id(fact_type, source, document)
    cause = message.correlationid or message.id
    return event_id, encode_event(fact_type, source, document, event_id, cause, propagated.get(cause, _NOTHING))


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

    ``to`` is the cluster or the service that it is for, where each message is for one alone: its last word.
    """
    key = f"{cluster}.{fact_type.service}.{fact_type.key}"
    if fact_type.addressed_by is None:
        return key
    assert to is not None, "without whom it is for at its end, no queue would take it"
    return f"{key}.{to}"


def source_of(cluster: str, service: str) -> str:
    """The CloudEvents ``source`` of a former system or of one of our services: ``/<cluster>/<service>``."""
    return f"/{cluster}/{service}"
