"""``traboule backup`` that is disturbed, and ``traboule restore`` where it cannot be done: each tells what to do."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from deploy.local.nodes import Nodes
from services import SERVICES
from shared.persistence.database import asyncpg_url
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.servers import query
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def provisioned(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, *SERVICES) as own:
        yield own


@pytest.fixture
def own(provisioned: OwnService, nodes: Nodes) -> Iterator[OwnService]:
    """Four services that hold no row and do not run; the command is told of them and of the management API."""
    with provisioned.environment() as patch:
        patch.delenv("TRABOULE_DATABASE_URL", raising=False)
        patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
        yield provisioned


@pytest.fixture(scope="module")
def made(provisioned: OwnService, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a house with nothing in it."""
    folder = tmp_path_factory.mktemp("made") / "backup"
    with provisioned.environment() as patch:
        patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
        answer = asyncio.run(traboule("backup", str(folder)))
    assert answer.exit_code == 0, answer.err
    return folder


@pytest.fixture
async def backup(own: OwnService, made: Path, tmp_path: Path) -> Path:
    """The same backup for each test, and databases that hold no row."""
    for name in SERVICES:
        await query(own.env, name, "truncate backups")
    return shutil.copytree(made, tmp_path / "backup")


async def dry_run(folder: Path) -> Answer:
    return await traboule("restore", str(folder), "--dry-run")


async def begun(folder: Path) -> asyncio.subprocess.Process:
    """A backup as a process of its own."""
    command = [sys.executable, "-m", "services.cli", "backup", str(folder)]
    return await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, preexec_fn=as_in_a_terminal)


def as_in_a_terminal() -> None:
    """Whoever runs the tests may hide signals from what they start, as ``nohup`` does."""
    for item in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(item, signal.SIG_DFL)


def database(own: OwnService, name: str) -> str:
    return str(make_url(own.env[f"TRABOULE_{name.upper()}_DATABASE_URL"]).database)


def moved_to(monkeypatch: pytest.MonkeyPatch, own: OwnService, name: str) -> str:
    """One service's settings name a role and a database that are not there."""
    variable, theirs = f"TRABOULE_{name.upper()}_DATABASE_URL", f"own_{secrets.token_hex(3)}"
    parts = urlsplit(own.env[variable])
    netloc = f"{theirs}:secret@{parts.netloc.rpartition('@')[2]}"
    monkeypatch.setenv(variable, urlunsplit(parts._replace(netloc=netloc, path=f"/{theirs}")))
    return theirs


@asynccontextmanager
async def administrator(nodes: Nodes) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(asyncpg_url(nodes.database.url))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("warned_of_administrator", [False, True])
async def test_databases_that_hold_rows_are_all_told_with_what_to_type(
    own: OwnService, nodes: Nodes, backup: Path, monkeypatch: pytest.MonkeyPatch, warned_of_administrator: bool
) -> None:
    if warned_of_administrator:
        monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
    for name in ("billing", "events"):
        await query(own.env, name, "insert into backups (by, note) values ('zoé', 'half a restore')")
    for answer in (await dry_run(backup), await traboule("restore", str(backup))):
        assert answer.exit_code == 2
        for name in ("billing", "events"):
            assert f'drop database "{database(own, name)}";' in answer.err
        assert database(own, "membership") not in answer.err
        assert "backups holds rows" in answer.err
        assert answer.out == ""
    if warned_of_administrator:
        async with administrator(nodes) as connection:
            for line in answer.err.split("\n")[1].strip().split("; "):
                await connection.execute(line)
        answer = await traboule("restore", str(backup))
        assert (answer.exit_code, "events: restored" in answer.out) == (0, True), answer.err
        assert await query(own.env, "events", "select 1 from backups") == []
    else:
        for name in ("billing", "events"):
            await query(own.env, name, "truncate backups")


async def test_an_administrator_who_does_not_answer_can_make_nothing(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "can be restored here" in (await dry_run(backup)).out
    monkeypatch.setenv("TRABOULE_DATABASE_URL", "postgresql://postgres:wrong@127.0.0.1:1/postgres")
    answer = await dry_run(backup)
    assert (answer.exit_code, answer.out) == (2, "")
    assert "the administrator's database: ConnectionRefusedError" in answer.err


async def test_what_is_missing_is_made_by_an_administrator_alone(
    own: OwnService, nodes: Nodes, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = moved_to(monkeypatch, own, "events")
    answer = await dry_run(backup)
    assert (answer.exit_code, "the events service's database" in answer.err) == (2, True)

    monkeypatch.setenv("TRABOULE_DATABASE_URL", own.env["TRABOULE_BILLING_DATABASE_URL"])
    answer = await dry_run(backup)
    assert (answer.exit_code, f"{theirs} is not there" in answer.err, "may not make" in answer.err) == (2, True, True)

    monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
    answer = await dry_run(backup)
    assert answer.exit_code == 0, answer.err
    assert "whole, and can be restored here" in answer.out
    async with administrator(nodes) as connection:
        assert not await connection.fetchval("select 1 from pg_roles where rolname = $1", theirs), "a dry run made it"


async def test_a_role_that_has_another_password_is_found_before_its_database_is_made(
    own: OwnService, nodes: Nodes, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
    theirs = moved_to(monkeypatch, own, "events")
    async with administrator(nodes) as connection:
        await connection.execute(f"create role {theirs} login password 'another'")
        try:
            for words in (["--dry-run"], []):
                answer = await traboule("restore", str(backup), *words)
                assert (answer.exit_code, "InvalidPasswordError" in answer.err) == (2, True), answer.err
            assert not await connection.fetchval("select 1 from pg_database where datname = $1", theirs)
        finally:
            await connection.execute(f"drop database if exists {theirs}")
            await connection.execute(f"drop role {theirs}")


async def test_a_database_that_somebody_made_by_hand_is_completed_by_an_administrator_alone(
    own: OwnService, nodes: Nodes, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = moved_to(monkeypatch, own, "membership")
    async with administrator(nodes) as connection:
        await connection.execute(f"create role {theirs} login password 'secret'")
        await connection.execute(f"create database {theirs}")
        try:
            answer = await dry_run(backup)
            assert (answer.exit_code, f"{theirs} may make no tables in {theirs}" in answer.err) == (2, True), answer.err
            await connection.execute(f"alter database {theirs} owner to {theirs}")
            answer = await dry_run(backup)
            assert (answer.exit_code, f"{theirs} lacks the extensions pg_trgm, unaccent" in answer.err) == (2, True)
            assert "TRABOULE_DATABASE_URL" in answer.err
            monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
            answer = await dry_run(backup)
            assert (answer.exit_code, "can be restored here" in answer.out) == (0, True), answer.err
        finally:
            await connection.execute(f"drop database {theirs}")
            await connection.execute(f"drop role {theirs}")


async def test_where_the_services_run_the_backup_alone_is_looked_at(own: OwnService, backup: Path) -> None:
    url = asyncpg_url(own.env["TRABOULE_BILLING_DATABASE_URL"])
    connection = await asyncpg.connect(url, server_settings={"application_name": "traboule.billing"})
    try:
        answer = await dry_run(backup)
        assert answer.exit_code == 0, answer.err
        assert "whole: all as of" in answer.out
        assert "billing" in answer.out
        assert "and can be restored here" not in answer.out
        assert (await traboule("restore", str(backup), "--dry-run", "--json")).json["running"] == ["billing"]

        refused = await traboule("restore", str(backup))
        assert (refused.exit_code, "billing service is running" in refused.err) == (2, True)
        (backup / "events.dump").write_bytes(b"changed")
        refused = await dry_run(backup)
        assert (refused.exit_code, "its SHA-256 differs" in refused.err) == (2, True)
    finally:
        await connection.close()


@pytest.mark.faults
async def test_two_backups_into_one_folder_make_one_that_can_be_restored(own: OwnService, tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    both = [await begun(folder), await begun(folder)]
    body = b"".join([error for _, error in await asyncio.gather(*(process.communicate() for process in both))])
    assert sorted(process.returncode or 0 for process in both) == [0, 2], body
    assert b"is there already" in body
    for name in SERVICES:
        assert len(await query(own.env, name, "select 1 from backups")) == 1
        await query(own.env, name, "truncate backups")
    answer = await dry_run(folder)
    assert answer.exit_code == 0, answer.err
    assert list(tmp_path.iterdir()) == [folder]


@asynccontextmanager
async def blocked(own: OwnService, folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A backup whose pg_dump waits for a table."""
    url = asyncpg_url(own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"])
    holder = await asyncpg.connect(url, server_settings={"application_name": "a test"})
    await holder.execute("begin; lock table api_keys")
    process = await begun(folder)

    async def waits() -> bool:
        assert process.returncode is None, await process.communicate()
        return await holder.fetchval("select exists (select from pg_locks where relation = 'api_keys'::regclass "
                                     "and mode = 'AccessShareLock' and not granted)")  # fmt: skip

    try:
        await eventually(waits, 60)
        yield process
        await asyncio.wait_for(process.wait(), 30)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await holder.close()


async def dumps(own: OwnService) -> int:
    sql = "select 1 from pg_stat_activity where application_name = 'traboule backup' and datname = current_database()"
    return len(await query(own.env, "membership", sql))


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.faults) for other in (signal.SIGHUP, signal.SIGINT))],
)
async def test_a_backup_that_is_ended_leaves_nothing(own: OwnService, tmp_path: Path, number: signal.Signals) -> None:
    async with blocked(own, tmp_path / "backup") as process:
        assert list(tmp_path.glob("backup.*.unfinished/membership.dump")) != []
        process.send_signal(number)
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
    assert await dumps(own) == 0


@pytest.mark.faults
async def test_what_a_killed_backup_left_is_told_by_the_next(own: OwnService, tmp_path: Path) -> None:
    async with blocked(own, tmp_path / "monday") as process:
        process.kill()
    (left,) = tmp_path.iterdir()

    async def nobody_dumps() -> bool:
        return await dumps(own) == 0

    await eventually(nobody_dumps, 60)
    answer = await traboule("backup", str(tmp_path / "tuesday"))
    assert (answer.exit_code, f"rm -r {left}" in answer.err) == (0, True), answer.err
    assert (await traboule("backup", str(tmp_path / "wednesday"), "--json")).json["left_behind"] == [str(left)]
    shutil.rmtree(left)
    assert (await traboule("backup", str(tmp_path / "thursday"))).err == ""
