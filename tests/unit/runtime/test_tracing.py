"""Traces of a lane's transactions: one span in each trace, carried on, and nothing that names anybody."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from shared.runtime import tracing

FIRST = "00-11111111111111111111111111111111-aaaaaaaaaaaaaaaa-01"
TWO = "00-22222222222222222222222222222222-bbbbbbbbbbbbbbbb-01"
NOT_SAMPLED = "00-33333333333333333333333333333333-cccccccccccccccc-00"
QUEUE = "billing.invoice-recorded"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    exporter = InMemorySpanExporter()
    assert tracing.start("billing", exporter)
    yield exporter
    tracing.stop()


def trace_ids(spans: tuple[ReadableSpan, ...]) -> list[str]:
    return sorted(f"{span.context.trace_id:032x}" for span in spans if span.context)


def test_a_transaction_goes_on_with_the_trace_of_its_message(exporter: InMemorySpanExporter) -> None:
    with tracing.transaction(QUEUE, [(FIRST, None)]) as spans:
        propagated = spans.propagated(FIRST)
    (span,) = exporter.get_finished_spans()
    assert span.name == f"process {QUEUE}"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "a" * 16
    assert span.context is not None
    assert propagated == f"00-{'1' * 32}-{span.context.span_id:016x}-01"


def test_messages_that_share_a_transaction_keep_their_own_traces_and_are_linked(exporter: InMemorySpanExporter) -> None:
    with tracing.transaction(QUEUE, [(FIRST, None), (TWO, None), (TWO, None)]) as spans:
        assert spans.propagated(FIRST) != spans.propagated(TWO)
    first, second = sorted(exporter.get_finished_spans(), key=lambda span: len(span.links))
    assert trace_ids((first, second)) == ["1" * 32, "2" * 32]
    assert [link.context for link in second.links] == [first.context]
    assert first.attributes is not None
    assert second.attributes is not None
    assert first.attributes["messaging.batch.message_count"] == 1
    assert second.attributes["messaging.batch.message_count"] == 2
    assert second.attributes["traboule.transaction.events"] == 3


def test_what_its_producer_did_not_sample_is_not_sampled_here_and_keeps_its_trace(
    exporter: InMemorySpanExporter,
) -> None:
    with tracing.transaction(QUEUE, [(NOT_SAMPLED, None)]) as spans:
        propagated = spans.propagated(NOT_SAMPLED)
    assert exporter.get_finished_spans() == ()
    assert propagated is not None
    assert propagated.split("-")[1] == "3" * 32
    assert propagated.endswith("-00")


def test_a_context_that_cannot_be_read_begins_a_trace_of_its_own(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing.stop()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1")
    exporter = InMemorySpanExporter()
    tracing.start("billing", exporter)
    bad = "x" * tracing.LENGTH
    with tracing.transaction(QUEUE, [(bad, None), (None, None)]) as spans:
        assert spans.propagated(bad) != bad
        assert spans.propagated(None) is not None
    assert all(span.parent is None for span in exporter.get_finished_spans())
    assert len(exporter.get_finished_spans()) == 2


def test_a_step_is_a_child_in_every_trace_of_the_transaction(exporter: InMemorySpanExporter) -> None:
    with tracing.transaction(QUEUE, [(FIRST, None), (TWO, None)]), tracing.step("write views"):
        pass
    spans = exporter.get_finished_spans()
    steps = tuple(span for span in spans if span.name == "write views")
    assert trace_ids(steps) == ["1" * 32, "2" * 32]
    processes = {span.context.span_id for span in spans if span.name.startswith("process") and span.context}
    assert {span.parent.span_id for span in steps if span.parent} == processes


def test_a_step_outside_of_a_transaction_is_none(exporter: InMemorySpanExporter) -> None:
    with tracing.step("write views"):
        pass
    assert exporter.get_finished_spans() == ()


def test_a_failure_is_told_by_its_type_and_never_by_its_text(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Jeanne"), tracing.transaction(QUEUE, [(FIRST, None)]):
        raise ValueError("the director is Jeanne Martin")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert "Jeanne" not in span.to_json()


def test_how_long_the_oldest_message_of_a_trace_waited_is_told(exporter: InMemorySpanExporter) -> None:
    with tracing.transaction(QUEUE, [(FIRST, 0.0), (FIRST, 1.0)]):
        pass
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    waited = span.attributes["traboule.waited_seconds"]
    assert isinstance(waited, float)
    assert waited > 1_000_000_000


def test_a_transaction_of_very_many_traces_passes_the_rest_on_as_they_came(exporter: InMemorySpanExporter) -> None:
    contexts = [f"00-{number:032x}-{'a' * 16}-01" for number in range(1, tracing.MOST_TRACES + 11)]
    with tracing.transaction(QUEUE, [(context, None) for context in contexts]) as spans:
        assert spans.propagated(contexts[0]) != contexts[0]
        assert spans.propagated(contexts[-1]) == contexts[-1]
    assert len(exporter.get_finished_spans()) == tracing.MOST_TRACES


def test_nothing_is_traced_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert not tracing.start("billing")
    assert not tracing.enabled()
    with tracing.transaction(QUEUE, [(FIRST, None)]) as spans:
        assert not spans
        assert spans.propagated(FIRST) == FIRST
