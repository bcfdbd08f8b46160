"""Speaker knows the newest answer to each conflict, in whatever order they come."""

import asyncio
from datetime import UTC, datetime
from itertools import permutations

from schemas.billing import BillingConflictAnswered
from schemas.conflicts import ConflictState
from schemas.events import EventsConflictAnswered
from services.membership.usecases.keep_conflict_answers import keep_answers
from shared.messaging.unit_of_work import UnitOfWork
from tests.support.in_process import OwnService, Passwords
from tests.support.merging import Database, envelope, handled, speaker_in
from tests.support.waiting import eventually


def test_the_newest_answer_is_kept(membership_database: Database) -> None:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    newer: list[tuple[int, str, ConflictState]] = [
        (1, "tresorerie", "open"),
        (2, "Loire", "open"),
        (3, "Loire", "settled"),
    ]
    dues = [
        BillingConflictAnswered(version=version, conflict_id="dues", owner=owner, state=state, changed_at=at)
        for version, owner, state in newer
    ]
    seats = EventsConflictAnswered(version=1, conflict_id="seats", owner="evenements", state="gone", changed_at=at)
    envelopes = [envelope(fact, "/traboule/billing") for fact in dues]

    async def held() -> None:
        async with membership_database.engine() as engine:
            for order in permutations([*envelopes, envelopes[0]]):
                async with engine.begin() as connection:
                    await connection.exec_driver_sql("truncate conflict_answers")
                for batch in ([*order[:2]], [*order[2:]], [envelope(seats, "/traboule/events")]):
                    await handled(engine, UnitOfWork, keep_answers, batch)
                async with engine.begin() as connection:
                    rows = await connection.exec_driver_sql(
                        "select conflict_id, responsible, version, owner, state, changed_at from conflict_answers "
                        "order by conflict_id"
                    )
                    assert [tuple(row) for row in rows] == [
                        ("dues", "billing", 3, "Loire", "settled", at),
                        ("seats", "events", 1, "evenements", "gone", at),
                    ]

    asyncio.run(held())


async def test_membership_hears_both_services(membership_stack: OwnService, passwords: Passwords) -> None:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    published = {"owner": "Loire", "state": "open", "changed_at": at, "version": 1}
    billing, events = (speaker_in(membership_stack, passwords, service) for service in ("billing", "events"))
    async with membership_stack.running():
        await billing.publishes(BillingConflictAnswered(conflict_id="dues", **published))
        await events.publishes(EventsConflictAnswered(conflict_id="seats", **published))

        async def both_came() -> bool:
            heard = await membership_stack.query("select responsible, conflict_id from conflict_answers order by 1")
            return [tuple(row.values()) for row in heard] == [("billing", "dues"), ("events", "seats")]

        await eventually(both_came)
