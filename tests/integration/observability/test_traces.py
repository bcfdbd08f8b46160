"""One message's way, from a producer that traces through two services to the view, in one trace."""

from collections.abc import Awaitable, Callable, Iterator

import orjson
import pytest

from deploy.local.local_services import LocalServices
from schemas.envelope import encode
from tests.support.builders import a_member, an_invoice
from tests.support.collector import Collector, Seen, collecting
from tests.support.servers import query
from tests.support.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PRODUCER = "00f067aa0ba902b7"
SECRET = "Filature Jeanne Martin"
TRACED = ("billing", "membership")


@pytest.fixture
def collector(stack: LocalServices) -> Iterator[Collector]:
    """Billing and membership trace everything that its producer samples, and send it here."""
    with collecting() as collector:
        # Spans leave at once, not after the usual five seconds.
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        for name in TRACED:
            stack.stop(name)
            stack.start(name, traced)
        try:
            yield collector
        finally:
            for name in TRACED:
                stack.stop(name)
                stack.start(name, {})


def named(spans: list[Seen], name: str) -> Seen:
    (result,) = [span for span in spans if span.name == name]
    return result


@pytest.mark.faults
@pytest.mark.parametrize("where", ["attribute", "header"])
async def test_a_message_is_one_trace_from_its_producer_to_the_view(
    stack: LocalServices, collector: Collector, publish_as: Callable[..., Awaitable[str]], where: str
) -> None:
    record = f"traced-{where}"
    await publish_as("numelink.membership", a_member(record_id=record, name=SECRET))
    traceparent = f"00-{TRACE}-{PRODUCER}-01"
    event = orjson.loads(encode("/numelink/billing", [an_invoice(invoice_id=record, record_id=record)]).body)
    properties = {"headers": {"traceparent": traceparent}} if where == "header" else {}
    body = orjson.dumps(event | ({} if where == "header" else {"traceparent": traceparent}))
    await publish_as("numelink.billing", body, key="numelink.billing.invoice-recorded", **properties)

    def all_present() -> bool:
        spans = collector.of(TRACE)
        accounts = {span.span for span in spans if span.name == "process membership.account-changed"}
        wrote = any(span.name == "write views" and span.parent in accounts for span in spans)
        return wrote and any(span.name == "process billing.invoice-recorded" for span in spans)

    async def arrived() -> bool:
        return all_present()

    await eventually(arrived)
    spans = collector.of(TRACE)
    billing = named(spans, "process billing.invoice-recorded")
    membership = named(spans, "process membership.account-changed")
    # The invoice alone may have been written before its account came: that is a span of another queue's.
    written = next(span for span in spans if span.name == "write views" and span.parent == membership.span)
    assert (billing.service, billing.parent) == ("traboule.billing", PRODUCER)
    assert (membership.service, membership.parent) == ("traboule.membership", billing.span)
    assert (written.service, written.parent) == ("traboule.membership", membership.span)
    assert all(SECRET not in str(span) and record not in str(span) for span in collector.spans)
    kept = await query(
        stack.env,
        "membership",
        "select count(*) as n from views where convert_from(document, 'UTF8') like $1",
        f"%{record}%",
    )
    assert kept[0]["n"] == 1
