"""What travels on from an event to those that follow from it: when its cause was published, and its trace.

Both are extension attributes of CloudEvents, so they survive the outbox, the broker, a retry and a dead letter without
a column of their own. Which event follows from which is told by the correlation id, which they share.

    published at 10:00:00.120 ─► billing ─► InvoiceChanged {"origintime": "…10:00:00.120+00:00"} ─► membership
"""

import time
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

from shared.messaging import metrics
from shared.messaging.delivery import Delivery, Message
from shared.messaging.topology import OWN_PUBLISHER
from shared.runtime import tracing

ORIGIN = "origintime"
"""When the former system published what this event follows from, RFC 3339 with milliseconds."""
LONGEST_ORIGIN = 40
"""Characters: an instant with an offset and nanoseconds has 35."""

_OURS = f"{OWN_PUBLISHER}."

Propagated = Mapping[str, Mapping[str, str]]
"""Correlation id → the extension attributes of every event that follows from it."""

_propagated: ContextVar[Propagated] = ContextVar("onward", default=MappingProxyType({}))


def propagated() -> Propagated:
    """What the events of this transaction hand on; empty outside of a lane, as in a command of staff."""
    return _propagated.get()


@contextmanager
def propagating(queue: str, events: Collection[tuple[Delivery, Message]]) -> Generator[None]:
    """While a transaction runs, what it announces carries on what these events brought along."""
    with tracing.transaction(queue, _traces(events) if tracing.enabled() else ()) as spans:
        token = _propagated.set(_attributes_by_correlation(events, spans))
        try:
            yield
        finally:
            _propagated.reset(token)


def measure(queue: str, applied: Iterable[tuple[Delivery, Message]]) -> None:
    """Observe how long ago each of these was published, once for all events that share a message and an origin."""
    now = time.time()
    hops: dict[int, float] = {}
    origins: dict[tuple[float | None, str | None], float] = {}
    for delivery, message in applied:
        origin = _origin(delivery, message)
        if delivery.published is not None:
            hops[id(delivery)] = delivery.published
        if (key := (delivery.published, origin)) not in origins and (began := _moment(origin, delivery)) is not None:
            origins[key] = began
    for histogram, moments in ((metrics.APPLIED_LAG, hops), (metrics.ORIGIN_LAG, origins)):
        if moments:
            observe = histogram.labels(queue).observe
            for moment in moments.values():
                # Clocks of two machines differ a little; nothing arrives before it was sent.
                observe(max(0.0, now - moment))


def _origin(delivery: Delivery, message: Message) -> str | None:
    """The origin that a message tells, if one of our own services published it: a former system's is its publish.

    It is copied to everything that follows, so a text that is none would multiply.
    """
    if delivery.user is None or not delivery.user.startswith(_OURS):
        return None
    origin = message.extension(ORIGIN)
    if origin is None or len(origin) > LONGEST_ORIGIN:
        return None
    try:
        datetime.fromisoformat(origin).timestamp()
    except (ValueError, OverflowError):
        return None
    return origin


def _moment(origin: str | None, delivery: Delivery) -> float | None:
    return delivery.published if origin is None else datetime.fromisoformat(origin).timestamp()


def _attributes_by_correlation(events: Collection[tuple[Delivery, Message]], spans: tracing.Spans) -> Propagated:
    # Most events of a batch share one origin and one trace, so their attributes are made once.
    made: dict[tuple[float | None, str | None, str | None], Mapping[str, str]] = {}
    result: dict[str, Mapping[str, str]] = {}
    for delivery, message in events:
        key = (delivery.published, _origin(delivery, message), _trace(delivery, message))
        if (attributes := made.get(key)) is None:
            attributes = made[key] = _attributes(*key, spans)
        result[message.correlationid or message.id] = attributes
    return result


def _attributes(published: float | None, origin: str | None, trace: str | None, spans: tracing.Spans) -> dict[str, str]:
    if origin is None and published is not None:
        origin = datetime.fromtimestamp(published, UTC).isoformat(timespec="milliseconds")
    published_facts = ((ORIGIN, origin), (tracing.TRACEPARENT, spans.propagated(trace)))
    return {name: value for name, value in published_facts if value is not None}


def _traces(events: Iterable[tuple[Delivery, Message]]) -> list[tuple[str | None, float | None]]:
    return [(_trace(delivery, message), delivery.published) for delivery, message in events]


def _trace(delivery: Delivery, message: Message) -> str | None:
    """The event's own context; else that of its AMQP message, where OpenTelemetry's instrumentations put it."""
    extension = message.extension(tracing.TRACEPARENT) or delivery.headers.get(tracing.TRACEPARENT)
    return extension if isinstance(extension, str) and len(extension) == tracing.LENGTH else None
