"""Traces: which way one message went, and where its time was spent. Off unless an OpenTelemetry collector is named.

``OTEL_EXPORTER_OTLP_ENDPOINT`` (OTLP over HTTP, such as ``http://collector:4318``) switches it on. What a producer
sampled is sampled here too; of what came without a context, one in a hundred transactions (``OTEL_TRACES_SAMPLER`` and
``OTEL_TRACES_SAMPLER_ARG`` say otherwise). Spans name queues and counts, never a member and never a body.

Messages that arrive together share a transaction, but each has a trace of its own: there is one span in every trace
that meets in a transaction, and they link to the first of them.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

TRACEPARENT = "traceparent"
"""Extension attribute of CloudEvents, and AMQP header: W3C Trace Context, level 1."""
LENGTH = 55
"""Characters of a ``traceparent``; what is longer or shorter is none, and travels nowhere."""
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SAMPLED = 0.01
"""The part of transactions without a context that begin a trace, unless the environment says otherwise."""
MOST_TRACES = 100
"""Traces told apart in one transaction. Those beyond go on without a span of this service's."""

_tracer: Tracer | None = None
_provider: TracerProvider | None = None


def start(service: str, exporter: SpanExporter | None = None) -> bool:
    """Begin to trace, if a collector is named or an exporter is given; returns whether it did."""
    global _tracer, _provider
    named = any(os.environ.get(name) for name in ENDPOINTS)
    if (exporter is None and not named) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    # Imported only now: a service that does not trace need not carry the SDK.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    ratio = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", SAMPLED))
    sampler = None if "OTEL_TRACES_SAMPLER" in os.environ else ParentBasedTraceIdRatio(ratio)
    _provider = TracerProvider(
        sampler=sampler,
        resource=Resource.create({"service.name": f"traboule.{service}", "service.namespace": "traboule"}),
        shutdown_on_exit=False,
    )
    # One that is given is a test's, which looks at once; the collector's must not hold a transaction up.
    processor = SimpleSpanProcessor(exporter) if exporter is not None else BatchSpanProcessor(OTLPSpanExporter())
    _provider.add_span_processor(processor)
    _tracer = _provider.get_tracer("traboule")
    return True


def stop() -> None:
    """Send what is not sent yet, and trace no more. It blocks for some seconds when the collector is away."""
    global _tracer, _provider
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.shutdown()


def enabled() -> bool:
    """Whether this process traces."""
    return _tracer is not None


class Spans:
    """The spans of one transaction: one in each trace that meets in it. False when there are none."""

    def __init__(self) -> None:
        self._by_context: dict[str | None, Span] = {}
        self._steps: list[tuple[str, int, int]] = []

    def __bool__(self) -> bool:
        return bool(self._by_context)

    def propagated(self, context: str | None) -> str | None:
        """The ``traceparent`` of what follows from an event that came with this one.

        A context that has no span here, as when this process does not trace, goes on as it came.
        """
        span = self._by_context.get(context)
        if span is None:
            return context
        own = span.get_span_context()
        return f"00-{own.trace_id:032x}-{own.span_id:016x}-{int(own.trace_flags):02x}"

    def begin(self, tracer: Tracer, queue: str, events: Sequence[tuple[str | None, float | None]]) -> None:
        """Start them. ``events`` are each one's ``traceparent`` and the moment of its publish, in seconds."""
        from opentelemetry.trace import Link, SpanKind

        together: defaultdict[str | None, list[float]] = defaultdict(list)
        counts: defaultdict[str | None, int] = defaultdict(int)
        for context, published in events:
            counts[context] += 1
            if published is not None:
                together[context].append(published)
        now = time.time()
        first: list[Link] = []
        for context, count in list(counts.items())[:MOST_TRACES]:
            attributes: dict[str, str | int | float] = {
                "messaging.system": "rabbitmq",
                "messaging.operation.type": "process",
                "messaging.operation.name": "process",
                "messaging.destination.name": queue,
                "messaging.batch.message_count": count,
                "traboule.transaction.events": len(events),
            }
            if together[context]:
                attributes["traboule.waited_seconds"] = round(max(0.0, now - min(together[context])), 3)
            span = tracer.start_span(
                f"process {queue}",
                context=_parent(context),
                kind=SpanKind.CONSUMER,
                attributes=attributes,
                links=first,
            )
            self._by_context[context] = span
            first = first or [Link(span.get_span_context())]

    def step(self, name: str, began: int, ended: int) -> None:
        """Note a part of the transaction, in nanoseconds since 1970."""
        self._steps.append((name, began, ended))

    def end(self, tracer: Tracer, error: BaseException | None) -> None:
        """End them: with the type of what went wrong, never its text, which may quote a value."""
        from opentelemetry.trace import StatusCode, set_span_in_context

        for span in self._by_context.values():
            if span.is_recording():
                for name, began, ended in self._steps:
                    tracer.start_span(name, set_span_in_context(span), start_time=began).end(ended)
                if error is not None:
                    span.set_attribute("error.type", type(error).__name__)
                    span.set_status(StatusCode.ERROR)
            span.end()


_NONE = Spans()
_now: ContextVar[Spans] = ContextVar("spans", default=_NONE)


@contextmanager
def transaction(queue: str, events: Iterable[tuple[str | None, float | None]]) -> Generator[Spans]:
    """Trace one transaction of a lane, if this process traces and there are events."""
    tracer = _tracer
    messages = list(events)
    if tracer is None or not messages:
        yield _NONE
        return
    spans = Spans()
    spans.begin(tracer, queue, messages)
    token = _now.set(spans)
    failure: BaseException | None = None
    try:
        yield spans
    except BaseException as error:
        failure = error
        raise
    finally:
        _now.reset(token)
        spans.end(tracer, failure)


@contextmanager
def step(name: str) -> Generator[None]:
    """A part of the transaction that is worth a span of its own: ``with tracing.step("write views"): …``."""
    spans = _now.get()
    if not spans:
        yield
        return
    began = time.time_ns()
    try:
        yield
    finally:
        spans.step(name, began, time.time_ns())


def _parent(context: str | None) -> Context:
    """Where a trace goes on. One that cannot be read begins anew, as W3C Trace Context asks."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # An empty context, not the current one: what runs around a lane is no cause of its messages.
    carrier = {} if context is None else {TRACEPARENT: context}
    return TraceContextTextMapPropagator().extract(carrier, Context())
