"""Migrations before and after the version before is gone, and a schema that is not as the program's."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.nodes import Nodes
from shared.persistence.migrations import Pending, UnknownRevisionError, pending, upgrade
from tests.support.command import traboule
from tests.support.in_process import OwnHouse

ENV = """
import sqlalchemy as sa
from shared.persistence.migrations import run

run(sa.MetaData())
"""
MIGRATION = """
from alembic import op

revision = "{revision}"
down_revision = {before!r}
phase = "{phase}"


def upgrade() -> None:
    op.execute("create table t{revision} (id int)")
"""


class History:
    """A service's migrations, which grow from version to version."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.newest = folder, None
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(ENV)

    def add(self, revision: str, phase: str = "pre") -> None:
        text = MIGRATION.format(revision=revision, before=self.newest, phase=phase)
        (self.folder / "versions" / f"{revision}.py").write_text(text)
        self.newest = revision


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "migrations")


@pytest.fixture
def database(nodes: Nodes) -> Iterator[str]:
    name = f"phases_{secrets.token_hex(3)}"

    async def execute(statement: str) -> None:
        admin = await asyncpg.connect(nodes.database.url)
        await admin.execute(statement)
        await admin.close()

    asyncio.run(execute(f"create database {name}"))
    yield urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    asyncio.run(execute(f"drop database {name} with (force)"))


def test_what_the_version_before_cannot_live_with_waits_and_so_does_all_that_follows(
    history: History, database: str
) -> None:
    history.add("0001")
    upgrade(history.folder, database)
    for revision, phase in (("0002", "pre"), ("0003", "post"), ("0004", "pre")):
        history.add(revision, phase)

    assert pending(history.folder, database) == Pending(("0002",), ("0003", "0004"))
    assert upgrade(history.folder, database) == Pending((), ("0003", "0004"))
    assert upgrade(history.folder, database) == Pending((), ("0003", "0004")), "again changes nothing"
    assert upgrade(history.folder, database, post=True) == Pending((), ())
    assert pending(history.folder, database) == Pending((), ())


def test_a_new_database_waits_for_nothing(history: History, database: str) -> None:
    history.add("0001")
    history.add("0002", "post")
    assert upgrade(history.folder, database) == Pending((), ())


def test_a_database_that_is_newer_than_the_program_is_told_and_left_alone(
    history: History, database: str, tmp_path: Path
) -> None:
    history.add("0001")
    older = History(tmp_path / "older")
    older.add("0001")
    history.add("0002")
    upgrade(history.folder, database)
    with pytest.raises(UnknownRevisionError, match="at revision 0002, which this program does not know"):
        upgrade(older.folder, database)


async def test_check_tells_what_is_otherwise_than_the_program_says(billing_house: OwnHouse) -> None:
    with billing_house.environment():
        well = await traboule("migrate", "billing", "--check")
        assert (well.exit_code, well.out) == (0, "billing: the schema is as this program's\n")
        await billing_house.query("alter table invoices add column odd text")
        await billing_house.query("drop index payments_by_record")
        try:
            wrong = await traboule("migrate", "--all", "--check")
        finally:
            await billing_house.query("alter table invoices drop column odd")
            await billing_house.query("create index payments_by_record on payments (cluster, record_id)")
    assert wrong.exit_code == 1
    assert sorted(wrong.out.splitlines()) == [
        "billing: add index: payments_by_record",
        "billing: remove column: invoices odd",
    ]
