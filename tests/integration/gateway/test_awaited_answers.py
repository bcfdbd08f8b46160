"""Whoever keeps an answer wakes whoever waits for it in the same process, and nobody else."""

from datetime import UTC, datetime

from schemas.events import EventsCutoverAnswered
from services.gateway.awaited import AWAITED
from services.gateway.requests import keep_answers
from services.membership.records.ids import new_id
from shared.messaging.unit_of_work import UnitOfWork
from tests.integration.gateway.gateways import GatewayUnderTest
from tests.support.merging import envelope, handled


async def test_keeping_an_answer_wakes_who_waits_for_it(gateway: GatewayUnderTest) -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    asked, another = new_id(at), new_id(at)
    fact = EventsCutoverAnswered(version=1, request_id=asked, outcome="done", answer={}, answered_at=at)
    with AWAITED.expecting(asked) as arrived, AWAITED.expecting(another) as other:
        await handled(gateway.engine, UnitOfWork, keep_answers, [envelope(fact, "/traboule/events")])
    assert (arrived.is_set(), other.is_set()) == (True, False)
