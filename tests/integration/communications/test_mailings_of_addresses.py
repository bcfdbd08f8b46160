"""Mailings to addresses that no record is known of, and to more than one fact may name: they add up, part by part."""

import asyncio
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.communications import MailingRecorded
from services.communications.mirror.handlers import record_mailings
from services.communications.mirror.parity import KINDS
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.mirror.republish import REPUBLISHED
from services.cutover.noop import matches_current
from services.cutover.parity.mirror_reader import read_mirror
from tests.support.builders import a_mailing
from tests.support.emptying import EMPTY
from tests.support.merging import Database, a_database, envelope, handled

SOURCE = "/numelink/communications"


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


def a_part(part: int, *recipients: str, addresses: tuple[str, ...] = (), version: int = 1) -> MailingRecorded:
    mailing = a_mailing(mailing_id="L1", version=version, recipients=recipients, addresses=addresses)
    return mailing.model_copy(update={"part": part, "parts": 2})


PARTS = (a_part(1, "A", "B", addresses=("x@a.example",)), a_part(2, "C", addresses=("y@a.example", "X@a.example")))


async def heard(engine: AsyncEngine, *facts: MailingRecorded) -> None:
    for fact in facts:
        await handled(engine, CommunicationsUnitOfWork, record_mailings, [envelope(fact, SOURCE)])


async def stored(engine: AsyncEngine) -> MailingRecorded:
    async with engine.begin() as connection:
        facts = await read_mirror(connection, KINDS[1], {("numelink", "L1")})
    fact: Any = facts["numelink", "L1"]
    return fact


def test_parts_add_up_in_any_order_and_are_announced_again_whole(database: Database) -> None:
    async def live() -> None:
        async with database.engine() as engine:
            for order in permutations((*PARTS, PARTS[0])):
                async with engine.begin() as connection:
                    await connection.exec_driver_sql(EMPTY)
                await heard(engine, *order)
                fact = await stored(engine)
                assert sorted(fact.recipients) == ["A", "B", "C"]
                assert sorted(fact.addresses) == ["X@a.example", "x@a.example", "y@a.example"]
                assert (fact.part, fact.parts) == (None, None)
            assert await announced_again(engine) == ({"A", "B", "C"}, {"X@a.example", "x@a.example", "y@a.example"})

    asyncio.run(live())


async def announced_again(engine: AsyncEngine) -> tuple[set[str], set[str]]:
    (republisher,) = (each for each in REPUBLISHED if each.name == "mailings")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate outbox")
        uow = CommunicationsUnitOfWork(connection)
        await republisher.page(uow, None)
        await uow.outbox.flush(connection)
        bodies = [
            orjson.loads(body) for body in (await connection.exec_driver_sql("select body from outbox")).scalars()
        ]
    events = [event["data"] for tree in bodies for event in (tree if isinstance(tree, list) else [tree])]
    recipients = {name for event in events for name in event.get("recipients", ())}
    return recipients, {name for event in events for name in event.get("addresses", ())}


def test_a_late_part_that_names_nobody_new_says_what_is_kept(database: Database) -> None:
    async def late(fact: MailingRecorded) -> bool:
        async with database.engine() as engine, engine.begin() as connection:
            return (await matches_current(KINDS, CommunicationsUnitOfWork(connection), [envelope(fact, SOURCE)]))[0]

    async def live() -> None:
        async with database.engine() as engine:
            async with engine.begin() as connection:
                await connection.exec_driver_sql(EMPTY)
            await heard(engine, *PARTS)
        assert await late(a_part(1, "B", version=9))
        assert not await late(a_part(1, "B", addresses=("new@a.example",), version=9))

    asyncio.run(live())
