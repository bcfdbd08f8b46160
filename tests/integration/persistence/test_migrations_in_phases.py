"""Migrations before and after the version before is gone, and a schema that is not as the program's."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from deploy.errors import NodeError
from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS, provision
from services import EXTENSIONS
from services.cli.migrate import migrations_of
from shared.persistence.migrations import Pending, UnknownRevisionError, pending, upgrade
from tests.support.builders import a_member
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually

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

    left = Pending(waiting=("0003", "0004"), blocked=("0004",))
    assert pending(history.folder, database) == replace(left, now=("0002",))
    assert upgrade(history.folder, database) == left
    assert upgrade(history.folder, database) == left, "again changes nothing"
    assert upgrade(history.folder, database, post=True) == Pending()
    assert pending(history.folder, database) == Pending()


def test_a_new_database_waits_for_nothing(history: History, database: str) -> None:
    history.add("0001")
    history.add("0002", "post")
    assert upgrade(history.folder, database) == Pending()


def test_the_version_before_can_live_with_a_newer_database_until_post_has_run(
    history: History, database: str, tmp_path: Path
) -> None:
    older = History(tmp_path / "older")
    for revision, phase in (("0001", "pre"), ("0002", "post")):
        history.add(revision, phase)
        older.add(revision, phase)
    upgrade(history.folder, database)
    for revision, phase in (("0003", "pre"), ("0004", "post")):
        history.add(revision, phase)

    assert upgrade(history.folder, database) == Pending(waiting=("0004",))
    assert pending(older.folder, database) == Pending(newer="0003")
    assert upgrade(older.folder, database, post=True) == Pending(newer="0003"), "nothing is undone"
    assert pending(history.folder, database) == Pending(waiting=("0004",))
    upgrade(history.folder, database, post=True)
    for look in (pending, upgrade):
        with pytest.raises(UnknownRevisionError, match="at revision 0004, which this program does not know"):
            look(older.folder, database)
    # What came since is of no matter: it is the one of phase post that has no way back.
    history.add("0005")
    upgrade(history.folder, database)
    with pytest.raises(UnknownRevisionError, match="at revision 0005"):
        pending(older.folder, database)


@pytest.fixture(scope="module")
def membership(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


async def test_what_a_program_needs_may_have_to_wait_and_then_it_does_so_too(
    membership: OwnService, nodes: Nodes, passwords: Passwords
) -> None:
    """Membership's 0003 and what follows, as a database lacks them that was made before."""
    own = membership
    with own.environment():
        url = own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]
        await own.query("drop schema public cascade")
        await own.query("create schema public")
        for extension in EXTENSIONS["membership"]:
            await own.query(f"create extension {extension}")
        config = Config()
        config.set_main_option("script_location", str(migrations_of("membership")))
        config.attributes["database_url"] = url
        await asyncio.to_thread(command.upgrade, config, "0002")

        for _ in range(2):
            answer = await traboule("migrate", "membership")
            assert answer.exit_code == 0
            assert answer.out.startswith("membership: this program needs 0004, ")
            assert answer.out.endswith("stop the services, then run traboule migrate membership --post\n")
        answer = await traboule("migrate", "membership", "--check")
        assert answer.exit_code == 1, "new pods must not start"
        assert "membership: 0003 has not run: traboule migrate membership --post\n" in answer.out
        with pytest.raises(NodeError, match="membership: this program needs 0004"):
            await asyncio.to_thread(provision_again, nodes, passwords, own)

        async with own.running() as service:
            await own.publish_as("numelink.membership", a_member(record_id="1", name="Pendant"))
            await eventually(lambda: _true(any(lane.paused for lane in service.bus.lanes)))
            await asyncio.sleep(2.5)
            assert await own.column("select count(*) from dead_letters") == [0]
            assert await own.column("select count(*) from outbox") == [0], "no attempt is made meanwhile"
            answer = await traboule("migrate", "membership", "--post")
            assert answer.exit_code == 0
            assert "membership: the schema is up to date\n" in answer.out
            assert "membership: what was computed is up to date\n" in answer.out

            async def shown() -> bool:
                return await own.column("select summary ->> 'name' from views") == ["Pendant"]

            await eventually(shown)
        answer = await traboule("migrate", "membership", "--check")
        assert (answer.exit_code, answer.out) == (0, "membership: the schema is as this program's\n")


def provision_again(nodes: Nodes, passwords: Passwords, own: OwnService) -> None:
    provision(
        nodes.database.url, own.admin_url, nodes.broker.management_url, clusters_file=CLUSTERS,
        services=["membership"], secrets=passwords, databases=own.vhost.replace("-", "_"),
    )  # fmt: skip


async def _true(value: bool) -> bool:
    return value


async def test_check_tells_what_is_otherwise_than_the_program_says(empty_billing: OwnService) -> None:
    with empty_billing.environment():
        well = await traboule("migrate", "billing", "--check")
        assert (well.exit_code, well.out) == (0, "billing: the schema is as this program's\n")
        await empty_billing.query("alter table invoices add column odd text")
        await empty_billing.query("drop index payments_by_record")
        try:
            wrong = await traboule("migrate", "--all", "--check")
        finally:
            await empty_billing.query("alter table invoices drop column odd")
            await empty_billing.query("create index payments_by_record on payments (cluster, record_id)")
    assert wrong.exit_code == 1
    assert sorted(wrong.out.splitlines()) == [
        "billing: add index: payments_by_record",
        "billing: remove column: invoices odd",
    ]
