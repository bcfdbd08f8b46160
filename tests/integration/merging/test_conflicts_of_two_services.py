"""Conflicts of several services, decided by one command: all of them, or none, and what is said is so."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS
from services.billing.mirror.repository import BillingUnitOfWork
from services.cli.conflicts import operations
from services.conflicts.handlers import keep_conflicts
from services.events.mirror.repository import EventsUnitOfWork
from shared.cli.errors import Unreachable
from tests.support.command import traboule
from tests.support.merging import Database, a_conflict, a_database, envelope, gathering, handled, year

PAID, REGISTERED = "aaaa0123456789abcdef", "bbbb0123456789abcdef"
BOTH = (f"billing:{PAID[:12]}", f"events:{REGISTERED[:12]}")
WHY = ("--reason", "refunded")


@pytest.fixture(scope="module")
def databases(nodes: Nodes) -> Iterator[tuple[Database, Database]]:
    with a_database(nodes, "billing") as billing, a_database(nodes, "events") as events:
        yield billing, events


@pytest.fixture
async def two(databases: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """One open conflict each."""
    paid = a_conflict(1, year(2026), conflict_id=PAID)
    registered = a_conflict(1, gathering("Salon"), service="events", conflict_id=REGISTERED)
    facts = (paid, registered)
    for database, unit_of_work, fact in zip(databases, (BillingUnitOfWork, EventsUnitOfWork), facts, strict=True):
        prefix = f"TRABOULE_{database.service.upper()}"
        monkeypatch.setenv(f"{prefix}_DATABASE_URL", database.url)
        monkeypatch.setenv(f"{prefix}_BROKER_URL", "amqp://nobody")
        await sql(database, "truncate merge_conflicts, outbox")
        async with database.engine() as engine:
            await handled(engine, partial(unit_of_work, conflict_owner="x"), keep_conflicts, [envelope(fact)])
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(CLUSTERS))


async def sql(database: Database, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database.url, timeout=10)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def states(databases: tuple[Database, Database]) -> list[str]:
    return [(await sql(database, "select state from merge_conflicts"))[0]["state"] for database in databases]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("order", [BOTH, BOTH[::-1]])
async def test_all_are_decided_at_once(databases: tuple[Database, Database], order: tuple[str, str]) -> None:
    answer = await traboule("conflicts", "settle", *order, *WHY)

    assert (answer.exit_code, answer.err) == (0, "")
    assert answer.out.splitlines() == [f"{name} settled" for name in BOTH]
    assert await states(databases) == ["settled", "settled"]
    again = await traboule("conflicts", "reopen", *order, "--json")
    assert again.json == {"reopened": list(BOTH)}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("more", [(), ("--json",)])
async def test_where_one_cannot_be_decided_none_is(databases: tuple[Database, Database], more: tuple[str, ...]) -> None:
    for settled, other in (BOTH, BOTH[::-1]):
        await traboule("conflicts", "settle", settled, *WHY)
        before = await states(databases)

        refused = await traboule("conflicts", "settle", other, settled, *WHY, *more)
        unknown = await traboule("conflicts", "settle", other, f"{settled.partition(':')[0]}:nobody", *WHY, *more)

        assert (refused.exit_code, refused.out, unknown.exit_code, unknown.out) == (2, "", 1, "")
        assert "Nothing was done" in refused.err
        assert await states(databases) == before
        await traboule("conflicts", "reopen", settled)


@pytest.mark.usefixtures("two")
async def test_a_database_that_fails_is_told_with_what_was_done(
    databases: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_EVENTS_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    away = await traboule("conflicts", "settle", *BOTH, *WHY)
    assert (away.exit_code, away.out, "Nothing was done" in away.err) == (2, "", True)
    assert await states(databases) == ["open", "open"]

    monkeypatch.setenv("TRABOULE_EVENTS_DATABASE_URL", databases[1].url)
    _fails_to_commit(monkeypatch, "billing")
    half = await traboule("conflicts", "settle", *BOTH, *WHY, "--json")
    assert (half.exit_code, half.out) == (2, "")
    assert f"Done: only {BOTH[1]}" in half.err
    assert await states(databases) == ["open", "settled"]


def _fails_to_commit(patch: pytest.MonkeyPatch, where: str) -> None:
    whole = operations.transaction

    class Failing:
        def __init__(self, definition: Any, *more: Any) -> None:
            self._service, self._inner = definition.name, whole(definition, *more)

        async def __aenter__(self) -> object:
            return await self._inner.__aenter__()

        async def __aexit__(self, *raised: Any) -> bool | None:
            if self._service != where:
                return await self._inner.__aexit__(*raised)
            error = Unreachable(f"the {where} service's database: it went away")
            await self._inner.__aexit__(Unreachable, error, None)
            raise error

    patch.setattr(operations, "transaction", Failing)
