"""Numbers of documents under ten thousand rollbacks and cuts, and kills at every statement: no gap, and no double."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS, ISSUERS
from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.documents.repository import Issuing, issue
from services.billing.dues.case import Key
from services.billing.dues.days import between
from shared.persistence.database import create_engine
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.dues import YEAR
from tests.support.killed import COMMIT, COMMITTED, STATEMENT
from tests.support.merging import Database, a_database

ATTEMPTS = int(os.environ.get("NUMBERING_ATTEMPTS", "10000"))
AT_ONCE = 50
LAST = date(2027, 12, 31)


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as made:
        yield made


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Billing]:
    async with database.engine() as engine:
        office = Billing(engine, shipped_issuers())
        await office.empty()
        yield office


async def holds(office: Billing) -> int:
    """Make sure that each series is 1..n, days never fall, counters follow; returns how many there are."""
    rows = await office.rows("select kind, year, place, issued_on from documents order by kind, year, place")
    places: dict[Any, list[int]] = {}
    for kind, year, place, _ in rows:
        places.setdefault((kind, year), []).append(place)
    for series, given in places.items():
        assert given == [*range(1, len(given) + 1)], series
        days = [row[3] for row in rows if (row[0], row[1]) == series]
        assert days == sorted(days), series
    for kind, year, following in await office.rows("select kind, year, next from series"):
        assert following == len(places.get((kind, year), [])) + 1
    lines = await office.rows("select count(distinct document_id) from document_lines")
    assert lines == [(len(rows),)], "a document without its lines, or lines without it"
    return len(rows)


# --- rollbacks and cuts ---------------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)
async def test_rollbacks_and_cuts_at_any_moment_leave_no_gap(office: Billing, database: Database) -> None:
    engine = create_engine(database.url, application="tests", pool_size=AT_ONCE)
    attempts, outcomes = iter(range(ATTEMPTS)), list[str]()

    async def issuer(seed: int) -> None:
        chance = random.Random(seed)
        for attempt in attempts:
            outcomes.append(await item(engine, office, attempt, chance))

    await asyncio.gather(*(issuer(seed) for seed in range(AT_ONCE)))
    await engine.dispose()
    assert len(outcomes) == ATTEMPTS
    assert outcomes.count("committed") == await holds(office)
    # Each way to end came up often enough to say something.
    assert min(outcomes.count(each) for each in ("committed", "rolled back", "cut")) > ATTEMPTS // 25


async def item(engine: AsyncEngine, office: Billing, attempt: int, chance: random.Random) -> str:
    """Issue one document, and end somehow."""
    end = chance.choice(["committed", "rolled back", "rolled back", "rolled back", "rolled back", "cut"])
    by = Issuing(issuer="merged", settings=office.issuers["merged"].settings[0], author="x")
    async with engine.connect() as connection:
        transaction = await connection.begin()
        working = asyncio.ensure_future(issue(connection, by, [a_draft(str(attempt))]))
        if end == "cut":
            # As where the client dies: its connection ends, wherever it was.
            await asyncio.sleep(chance.random() * 0.02)
            raw: Any = (await connection.get_raw_connection()).driver_connection
            raw.terminate()
            await asyncio.gather(working, return_exceptions=True)
            await connection.invalidate()
            return end
        await working
        await (transaction.commit() if end == "committed" else transaction.rollback())
    return end


def a_draft(record_id: str) -> Draft:
    line = DraftLine(
        code="dues", label="Cotisation", amount=Decimal("100.00"), units=(0,), days=(between(YEAR, LAST),),
        vat=Vat(), account="7561",
    )  # fmt: skip
    key = Key("numelink", record_id)
    return Draft(kind="invoice", key=key, first=YEAR, buyer={}, lines=(line,), why="")


async def an_approved_run(office: Billing) -> str:
    """Of five documents."""
    await office.describe(*(a_description("numelink", str(n), "12") for n in range(1, 6)))
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    run_id = (await office.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await office.ask("approve-run", by="tresoriere", run_id=run_id)
    return run_id


# --- kills ----------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(900)
async def test_a_process_that_is_killed_before_any_statement_leaves_no_gap(
    office: Billing, database: Database, tmp_path: Path
) -> None:
    run_id = await an_approved_run(office)
    statement = 1
    while killed(database, tmp_path, STATEMENT, statement, run_id):
        assert await holds(office) == 0
        statement += 1
    # It lived, so there was no such statement any more.
    assert statement > 8
    assert await holds(office) == 5


async def test_a_process_that_is_killed_around_the_commit_has_issued_all_or_nothing(
    office: Billing, database: Database, tmp_path: Path
) -> None:
    run_id = await an_approved_run(office)
    for step, expected in ((COMMIT, 0), (COMMITTED, 5)):
        assert killed(database, tmp_path, step, 0, run_id)
        assert await holds(office) == expected
    # Whoever asks again, for nobody answered, is told.
    assert (await office.refusal("issue-run", by="tresoriere", run_id=run_id))[0] == "run-state"


def killed(database: Database, folder: Path, step: str, number: int, run_id: str) -> bool:
    """Let a process issue the run; whether it died at this step."""
    env = os.environ | {
        "TRABOULE_BILLING_DATABASE_URL": database.url,
        "TRABOULE_BILLING_BROKER_URL": "amqp://traboule.billing:x@127.0.0.1:1/traboule",
        "TRABOULE_BILLING_ISSUERS_FILE": str(ISSUERS),
        "TRABOULE_CLUSTERS_FILE": str(CLUSTERS),
    }
    asked = ["billing", "issue-run", run_id, "--by", "tresoriere", "--reason", "x"]
    command = [sys.executable, "-m", "tests.support.killed", step, str(number), *asked]
    ended = subprocess.run(command, env=env, capture_output=True, check=False, timeout=60, text=True)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode == -9
