"""What the migrations make is what the code's tables say; and running them again, or at once, is harmless."""

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, provision
from services import SERVICES
from services.cli.registry import definition_of
from tests.support.in_process import Passwords


@pytest.fixture(scope="module")
def migrated(nodes: Nodes, passwords: Passwords) -> Iterator[Mapping[str, str]]:
    """Databases of all four services, made by their migrations."""
    name = f"schema-{secrets.token_hex(3)}"
    broker = urlunsplit(urlsplit(nodes.broker.url)._replace(path=f"/{name}"))
    yield provision(
        nodes.database.url,
        broker,
        nodes.broker.management_url,
        clusters_file=CLUSTERS,
        secrets=passwords,
        databases=name.replace("-", "_"),
    ).env
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{name}")


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_make_the_tables_that_the_code_names(migrated: Mapping[str, str], service: str) -> None:
    url = migrated[f"TRABOULE_{service.upper()}_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(sync, opts={"compare_type": True, "compare_server_default": True}),
                definition_of(service).metadata,
            )
        )
    await engine.dispose()
    assert differences == []


@pytest.mark.parametrize("service", SERVICES)
async def test_each_database_belongs_to_its_service_alone(migrated: Mapping[str, str], service: str) -> None:
    own = urlsplit(migrated[f"TRABOULE_{service.upper()}_DATABASE_URL"])
    other = urlsplit(migrated[f"TRABOULE_{SERVICES[SERVICES.index(service) - 1].upper()}_DATABASE_URL"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(urlunsplit(own._replace(path=other.path)))


@pytest.mark.faults
async def test_migrations_may_run_at_once_and_again(nodes: Nodes, passwords: Passwords) -> None:
    name = f"at_once_{secrets.token_hex(3)}"
    admin = await asyncpg.connect(nodes.database.url)
    await admin.execute(f"create database {name}")
    await admin.close()
    url = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    env = os.environ | {"TRABOULE_BILLING_DATABASE_URL": url, "TRABOULE_BILLING_BROKER_URL": "amqp://nowhere"}

    async def migrate() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "migrate", "billing",
            env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        body, _ = await process.communicate()
        return process.returncode, body.decode()

    for results in (await asyncio.gather(*(migrate() for _ in range(2))), [await migrate()]):
        assert results == [(0, "billing: the schema is up to date\n")] * len(results)


@pytest.mark.parametrize("service", SERVICES)
async def test_bodies_in_the_outbox_are_compressed_with_lz4(migrated: Mapping[str, str], service: str) -> None:
    """PostgreSQL's own compression takes four times as long; a server that was built without lz4 goes on using it."""
    connection = await asyncpg.connect(migrated[f"TRABOULE_{service.upper()}_DATABASE_URL"])
    try:
        await connection.execute(
            "insert into outbox (exchange, routing_key, message_id, headers, body) values ('e', 'r', 'm', '{}', $1)",
            b"ten letters" * 1_000,
        )
        assert await connection.fetchval("delete from outbox returning pg_column_compression(body)") == "lz4"
    finally:
        await connection.close()
