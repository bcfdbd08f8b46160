"""Whoever keeps an answer wakes whoever waits for it, in any process, and nobody else."""

import asyncio
from datetime import UTC, datetime

import pytest

from schemas.events import EventsCutoverAnswered
from services.gateway import awaited
from services.gateway.awaited import AwaitedAnswers
from services.gateway.requests import keep_answers
from services.membership.records.ids import new_id
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import asyncpg_url
from tests.integration.gateway.gateways import GatewayUnderTest
from tests.support.merging import envelope, handled
from tests.support.waiting import eventually

AT = datetime(2026, 11, 30, tzinfo=UTC)
LISTENS = "select pid from pg_stat_activity where application_name = 'answers of a test' and state = 'idle'"


async def answered(gateway: GatewayUnderTest, request_id: str) -> None:
    fact = EventsCutoverAnswered(version=1, request_id=request_id, outcome="done", answer={}, answered_at=AT)
    await handled(gateway.engine, UnitOfWork, keep_answers, [envelope(fact, "/traboule/events")])


async def test_keeping_an_answer_wakes_who_waits_for_it_even_after_its_connection_died(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaited, "_AGAIN_SECONDS", 0.05)
    answers = AwaitedAnswers(asyncpg_url(gateway.context.engine.url.render_as_string(False)), "answers of a test")
    first, second, another = new_id(AT), new_id(AT), new_id(AT)

    async def listens() -> list[int]:
        return [row["pid"] for row in await gateway.rows(LISTENS)]

    try:
        with answers.expecting(first) as arrived, answers.expecting(another) as other:
            await eventually(listens)
            await answered(gateway, first)
            async with asyncio.timeout(5):
                await arrived.wait()
            assert not other.is_set()
        (killed,) = await listens()
        await gateway.rows(f"select pg_terminate_backend({killed})")

        async def listens_again() -> bool:
            return await listens() not in ([], [killed])

        with answers.expecting(second) as arrived:
            await eventually(listens_again)
            await answered(gateway, second)
            async with asyncio.timeout(5):
                await arrived.wait()
    finally:
        await answers.close()
    assert await listens() == []
