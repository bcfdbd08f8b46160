"""A message as the broker handed it over, and what a reader makes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

from aio_pika.abc import AbstractIncomingMessage

from shared.messaging.topology import DEAD
from shared.runtime.tracing import TRACEPARENT

REPLAY_OF = "traboule-dead-letter"
"""Header of a replay: the dead letter's number. Believed only when the service itself is the broker's user."""
ATTEMPT = "traboule-attempt"
"""Header of a retry: how often it was tried before. Believed as above."""
ORIGIN_USER = "traboule-origin-user"
ORIGIN_KEY = "traboule-origin-key"
PUBLISHED = "timestamp_in_ms"
"""Header with the moment of publish, in ms since 1970: the publisher's, or of RabbitMQ itself where it is told to."""
_TRACEPARENT = 55
"""Characters of a W3C ``traceparent``."""
_ATTRIBUTE = re.compile(r"ce-[a-z0-9]{1,200}\Z", re.IGNORECASE)
"""A header that is an attribute of a CloudEvent in binary mode. Another name may be none that AMQP carries back."""
_END_OF_TIME = 253_402_300_800_000
"""The year 10000, in ms: no calendar goes on."""


class Message(Protocol):
    """One event that could be read. ``document`` is its fact as JSON; ``encode`` gives the whole event back."""

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def correlationid(self) -> str | None: ...
    @cached_property
    def digest(self) -> bytes: ...
    def extension(self, name: str) -> str | None: ...
    def encode(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """Body and properties of one message from one queue; ``user`` is validated by the broker, or missing.

    ``published`` is when it was published, in seconds since 1970, by a clock that is not ours: only to be measured.
    """

    queue: str
    body: bytes
    content_type: str | None
    headers: Mapping[str, Any]
    message_id: str | None
    user: str | None
    routing_key: str
    attempt: int = 0
    replay_of: int | None = None
    published: float | None = None

    @classmethod
    def of(cls, queue: str, raw: AbstractIncomingMessage, own_user: str) -> "Delivery":
        """Unwrap a broker message. A retry or a replay that this service sent to itself gets its origin back."""
        headers: Mapping[str, Any] = raw.headers
        user, key = raw.user_id, _first_routing_key(raw)
        attempt, replay_of = 0, None
        if user == own_user and ORIGIN_KEY in headers:
            attempt = int(str(headers.get(ATTEMPT, 0)))
            replay_of = int(str(headers[REPLAY_OF])) if REPLAY_OF in headers else None
            user, key = str(headers.get(ORIGIN_USER, "")) or None, str(headers[ORIGIN_KEY])
        # A replay is as late as the person who decided on it, which says nothing about how fast messages travel.
        published = _published(raw) if replay_of is None else None
        return cls(queue, raw.body, raw.content_type, headers, raw.message_id, user, key, attempt, replay_of, published)

    def return_headers(self, attempt: int, *, attributes: bool = True) -> dict[str, Any]:
        """Headers for sending it to its own queue again, so that :meth:`of` finds its origin."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if (attributes and _ATTRIBUTE.match(name)) or (name == TRACEPARENT and len(str(value)) <= _TRACEPARENT)
        }
        kept |= {ORIGIN_USER: self.user or "", ORIGIN_KEY: self.routing_key, ATTEMPT: attempt}
        if self.published is not None:
            kept[PUBLISHED] = round(self.published * 1000)
        if self.replay_of is not None:
            kept[REPLAY_OF] = self.replay_of
        return kept


def _published(raw: AbstractIncomingMessage) -> float | None:
    in_ms = raw.headers.get(PUBLISHED)
    if isinstance(in_ms, int):
        # A moment that no calendar has (a publisher that counts microseconds, say) says nothing, and harms nobody.
        return in_ms / 1000 if 0 <= in_ms < _END_OF_TIME else None
    # AMQP counts whole seconds, so a lag measured from it is up to one too long.
    return raw.timestamp.timestamp() if raw.timestamp is not None else None


def first_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the broker wrote of the last queue that a dead-lettered message came from; empty where that is unreadable.

    The broker puts its own entry first, whatever a publisher wrote there.
    """
    deaths = headers.get("x-death")
    first: Any = deaths[0] if isinstance(deaths, list) and deaths else None
    return cast("Mapping[str, Any]", first) if isinstance(first, Mapping) else {}


def _first_routing_key(raw: AbstractIncomingMessage) -> str:
    keys = first_death(raw.headers).get("routing-keys") if raw.exchange == DEAD else None
    return str(keys[0]) if isinstance(keys, list) and keys else raw.routing_key or ""
