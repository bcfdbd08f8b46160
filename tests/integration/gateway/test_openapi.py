"""What the description promises, held against a running server by schemathesis."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from deploy.local.runs import free_ports
from services import SERVICES
from tests.integration.gateway.gateways import NUMELINK, open_gateway
from tests.support.builders import a_member
from tests.support.examples import examples

EVERY_CHECK: list[Any] = list(HealthCheck)
OPERATIONS = [
    ("GET", "/members"),
    ("GET", "/members.csv"),
    ("GET", "/members/by-source/{cluster}/{record_id}"),
    ("GET", "/members/{member_id}"),
    ("GET", "/members/{member_id}/timeline"),
    ("GET", "/members/{member_id}/sources"),
    ("GET", "/members/{member_id}/overrides"),
    ("PUT", "/members/{member_id}/fields/{field}"),
    ("POST", "/members/{member_id}/fields/{field}/take-back"),
    ("GET", "/conflicts"),
    ("GET", "/conflicts/{conflict_id}"),
    ("GET", "/members/{member_id}/identity"),
    ("POST", "/members/{member_id}/separations"),
    ("GET", "/duplicates"),
    ("GET", "/duplicates/{case_id}"),
    ("GET", "/duplicates/decisions"),
    ("POST", "/duplicates/decisions"),
    ("GET", "/duplicates/decisions/{number}"),
    ("POST", "/duplicates/decisions/{number}/take-back"),
    ("POST", "/records/{cluster}"),
    ("GET", "/records/{cluster}/{record_id}"),
    ("PATCH", "/records/{cluster}/{record_id}"),
    ("POST", "/records/{cluster}/{record_id}/end"),
    ("PUT", "/records/{cluster}/{record_id}/contact"),
    ("GET", "/records/{cluster}/{record_id}/changes"),
    ("GET", "/access/rights"),
    ("GET", "/access/people"),
    ("POST", "/access/people"),
    ("POST", "/access/people/{person_id}/link"),
    ("POST", "/access/people/{person_id}/grants"),
    ("POST", "/access/people/{person_id}/disable"),
    ("POST", "/access/people/{person_id}/enable"),
    ("POST", "/access/grants/{grant_id}/end"),
    ("GET", "/access/keys"),
    ("POST", "/access/keys"),
    ("POST", "/access/keys/{key_id}/revoke"),
    ("GET", "/access/audit"),
    ("GET", "/access/sessions"),
    ("POST", "/access/sessions/{number}/end"),
    ("POST", "/access/sessions/end-others"),
    ("GET", "/billing/mirror"),
    ("GET", "/billing/issuers"),
    ("GET", "/billing/grids"),
    ("POST", "/billing/grids"),
    ("POST", "/billing/grids/{grid_id}/adopt"),
    ("GET", "/billing/grids/{grid_id}/simulation"),
    ("GET", "/billing/dues"),
    ("GET", "/billing/runs"),
    ("POST", "/billing/runs"),
    ("GET", "/billing/runs/{run_id}"),
    ("POST", "/billing/runs/{run_id}/approve"),
    ("POST", "/billing/runs/{run_id}/issue"),
    ("GET", "/billing/documents"),
    ("GET", "/billing/documents/{number}"),
    ("GET", "/billing/documents/{number}/files"),
    ("POST", "/billing/documents/{number}/corrections"),
    ("GET", "/billing/series"),
    ("POST", "/billing/series/compare"),
    ("GET", "/billing/overdue-documents"),
    ("POST", "/billing/reminders"),
    ("GET", "/billing/charges"),
    ("POST", "/billing/charges/bill"),
    ("POST", "/billing/charges/{registration_id}/settle"),
    ("GET", "/billing/former-series"),
    ("GET", "/billing/check"),
    ("GET", "/billing/tasks"),
    ("GET", "/billing/grid-comparison"),
    ("GET", "/billing/decisions"),
    ("POST", "/billing/decisions"),
    ("POST", "/billing/decisions/{decision_id}/take-back"),
    ("GET", "/billing/payments"),
    ("POST", "/billing/payments"),
    ("GET", "/billing/payments/{payment_id}"),
    ("POST", "/billing/payments/{payment_id}/allocations"),
    ("POST", "/billing/allocations/{allocation_id}/undo"),
    ("POST", "/billing/payments/{payment_id}/refunds"),
    ("POST", "/billing/refunds/{refund_id}/approve"),
    ("POST", "/billing/payments/{payment_id}/return"),
    ("GET", "/billing/ledger"),
    ("POST", "/billing/ledger/close"),
    ("GET", "/communications/mail"),
    ("GET", "/communications/deliveries"),
    ("GET", "/communications/suppressions"),
    ("POST", "/communications/suppressions"),
    ("POST", "/communications/suppressions/{suppression_id}/lift"),
    ("POST", "/communications/mail/domains/{domain}/resume"),
    ("POST", "/communications/mail/uncertain"),
    ("POST", "/communications/mail/test"),
    ("POST", "/communications/mail/test/{code}/seen"),
    ("POST", "/communications/mail/information"),
    ("GET", "/events/mirror"),
    ("GET", "/events/sessions/{session_id}/expected"),
    ("GET", "/events/sessions/{session_id}/attendance"),
    ("POST", "/events/sessions/{session_id}/check-in"),
    ("POST", "/events/attendees/{attendee_id}/undo-check-in"),
    ("POST", "/events/sessions/{session_id}/check-in-passes"),
    ("GET", "/events/sessions/{session_id}/check-in-passes"),
    ("POST", "/events/check-in-passes/{pass_id}/end"),
    ("GET", "/events/public/check-in/{digest}"),
    ("GET", "/events/gatherings"),
    ("GET", "/events/gatherings/{gathering_id}"),
    ("GET", "/events/sessions/{session_id}/registrations"),
    ("GET", "/events/registrations/{registration_id}"),
    ("POST", "/events/gatherings"),
    ("POST", "/events/gatherings/{gathering_id}/cancel"),
    ("POST", "/events/sessions/{session_id}"),
    ("POST", "/events/sessions/{session_id}/registrations"),
    ("POST", "/events/registrations/{registration_id}/cancel"),
    ("POST", "/events/registrations/{registration_id}/answer"),
    ("POST", "/events/registrations/{registration_id}/prefer"),
    ("POST", "/events/registrations/{registration_id}/decide"),
    ("POST", "/events/attendees/{attendee_id}"),
    ("POST", "/events/take-over"),
    ("GET", "/communications/mirror"),
    ("GET", "/cutover"),
    ("GET", "/cutover/requests/{request_id}"),
    ("GET", "/cutover/{cluster}/{service}"),
    ("GET", "/cutover/{cluster}/{service}/conditions"),
    ("POST", "/cutover/{cluster}/{service}/moves"),
    ("GET", "/cutover/{cluster}/{service}/history"),
    ("GET", "/cutover/{cluster}/{service}/parity"),
    ("GET", "/cutover/{cluster}/{service}/parity/runs"),
    ("POST", "/cutover/{cluster}/{service}/parity/accept"),
    ("POST", "/cutover/{cluster}/{service}/parity/take-back"),
    ("POST", "/cutover/{cluster}/{service}/parity/assign"),
    ("GET", "/cutover/{cluster}/{service}/quarantine"),
    ("GET", "/cutover/{cluster}/{service}/quarantine/{number}"),
    ("POST", "/cutover/{cluster}/{service}/quarantine/{number}/apply"),
    ("POST", "/cutover/{cluster}/{service}/quarantine/{number}/dismiss"),
    ("GET", "/cutover/{cluster}/{service}/write-back"),
    ("GET", "/cutover/{cluster}/{service}/way-back"),
    ("POST", "/cutover/backups"),
    ("GET", "/statistics"),
    ("GET", "/p/u/{token}"),
    ("POST", "/p/u/{token}"),
    ("GET", "/p/e/{session_id}"),
    ("POST", "/p/e/{session_id}"),
    ("GET", "/p/r/{token}"),
    ("POST", "/p/r/{token}"),
    ("GET", "/p/feed/events.ics"),
    ("GET", "/p/feed/{cluster}.ics"),
    ("GET", "/p/feed/r/{token}.ics"),
    ("GET", "/p/check-in.js"),
    ("GET", "/p/c/{token}"),
    ("POST", "/p/c/{token}"),
    ("GET", "/p/c/{token}/list"),
    ("POST", "/p/c/{token}/entries"),
    ("GET", "/events/public/sessions/{session_id}"),
    ("GET", "/events/public/links/{digest}"),
    ("GET", "/events/public/feed"),
    ("GET", "/events/public/feeds/{digest}"),
    ("GET", "/waiting"),
    ("GET", "/statistics/history"),
    ("GET", "/duplicates/count"),
    ("POST", "/duplicates/decisions/preview"),
    ("POST", "/members/{member_id}/separations/preview"),
    *(
        (method, f"/{service}/{path}")
        for service in SERVICES
        for method, path in (
            ("GET", "health"),
            ("GET", "parked-groups"),
            ("GET", "parked"),
            ("GET", "parked/{number}"),
            ("POST", "parked/replay"),
            ("POST", "parked/discard"),
        )
    ),
]

OF_OTHER_SERVICES = ("/membership/", "/billing/", "/events/", "/communications/", "/p/e/", "/p/r/", "/p/feed/", "/p/c/")
"""None of them runs here: 503 is the answer that is described."""


@pytest.fixture(scope="module")
def served(database_url: str) -> Iterator[tuple[str, str]]:
    """A server in a thread, with one member; its address and a key."""
    (port,) = free_ports(1)
    ready, key = threading.Event(), []
    server: uvicorn.Server | None = None

    async def serve() -> None:
        nonlocal server
        async with open_gateway(database_url) as gateway:
            key.append(await gateway.key("admin"))
            await gateway.feed(NUMELINK, a_member(record_id="1", siren="732829320"))
            server = uvicorn.Server(uvicorn.Config(gateway.app, "127.0.0.1", port, log_config=None, lifespan="off"))
            ready.set()
            await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    yield f"http://127.0.0.1:{port}", key[0]
    assert server is not None
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def description(served: tuple[str, str]) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{served[0]}/openapi.json", wait_for_schema=10)


@pytest.mark.hypothesis
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_are_as_described(method, path, description, served):
    @given(case=description[path][method].as_strategy())
    @settings(
        max_examples=examples(25, 5), deadline=None, derandomize=True, database=None, suppress_health_check=EVERY_CHECK
    )
    def answers(case):
        # The key is given beside what schemathesis knows of; that nothing opens without one has its own tests.
        # No description can say which cursors we gave out.
        unfit = [ignored_auth, positive_data_acceptance]
        if path.startswith(OF_OTHER_SERVICES):
            unfit.append(not_a_server_error)
        case.call_and_validate(headers={"authorization": f"Bearer {served[1]}"}, excluded_checks=unfit)

    answers()


async def test_the_description_needs_nothing_from_elsewhere(gateway):
    described = await gateway.client.get("/openapi.json")

    assert described.status_code == 200
    paths = described.json()["paths"].items()
    assert {(method.upper(), path) for path, methods in paths for method in methods} == set(OPERATIONS)
    for page in ("/docs", "/redoc"):
        assert (await gateway.client.get(page)).status_code == 404
