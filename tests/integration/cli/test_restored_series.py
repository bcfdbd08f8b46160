"""Billing's database comes out of a real backup: no number is given again that had been sent since."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.nodes import Nodes
from services import SERVICES
from shared.persistence.database import asyncpg_url, create_engine
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.command import Answer, traboule
from tests.support.dues import YEAR
from tests.support.in_process import OwnService, Passwords, own_service

# Four databases are dumped, dropped and made again: a minute on a busy machine.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    """Four services that do not run; the command is told of them, and of the administrator."""
    with own_service(nodes, passwords, *SERVICES) as own, own.environment() as patch:
        patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
        patch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
        yield own


@asynccontextmanager
async def billing_of(own: OwnService) -> AsyncIterator[Billing]:
    """Connections are closed at the end: the database is dropped next."""
    engine = create_engine(own.env["TRABOULE_BILLING_DATABASE_URL"], application="tests", pool_size=1)
    try:
        yield Billing(engine, shipped_issuers())
    finally:
        await engine.dispose()


async def well(*words: str) -> Answer:
    answer = await traboule(*words)
    assert answer.exit_code == 0, (words, answer.out, answer.err)
    return answer


async def a_run(office: Billing, record_id: str) -> str:
    """One more member to bill, and its approved run."""
    await office.describe(a_description("numelink", record_id))
    run_id = (await office.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await office.ask("approve-run", by="tresoriere", run_id=run_id)
    return str(run_id)


async def all_is_lost(nodes: Nodes, folder: Path) -> None:
    """Databases are dropped by the very lines that the restore asks for."""
    answer = await traboule("restore", str(folder))
    assert answer.exit_code == 2, answer.out
    lines = answer.err.split("\n")[1].strip().split("; ")
    connection = await asyncpg.connect(asyncpg_url(nodes.database.url))
    try:
        for line in lines:
            await connection.execute(line)
    finally:
        await connection.close()


async def test_after_a_restore_numbers_go_on_after_what_was_sent(own: OwnService, nodes: Nodes, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    async with billing_of(own) as office:
        await office.adopted()
        await office.takes_over("clustr-numerique", "numelink")
        await office.describe(a_description("numelink", "1"))
        [kept] = (await office.issued(YEAR))["numbers"]
        await well("backup", str(folder))
        await office.describe(a_description("numelink", "2"))
        [sent] = (await office.issued(YEAR))["numbers"]
    await all_is_lost(nodes, folder)
    await well("restore", str(folder))

    checked = await traboule("billing", "check")
    assert (checked.exit_code, "compare-series" in checked.out + checked.err) == (1, True), checked.out
    async with billing_of(own) as office:
        assert await office.rows("select number from documents") == [(kept,)]
        run_id = await a_run(office, "3")
        refused = await office.refusal("issue-run", by="tresoriere", run_id=run_id)
        assert refused[0] == "series-uncompared"
        compared = await office.ask("compare-series", by="tresoriere", sent=[sent])
        assert [(lost["first"], lost["last"]) for lost in compared["lost"]] == [(sent, sent)]
        [number] = (await office.ask("issue-run", by="tresoriere", run_id=run_id))["numbers"]
    assert number == f"{sent[:-1]}{int(sent[-1]) + 1}"
    assert (await traboule("billing", "check")).exit_code == 0
