"""Migrations: each service has its own Alembic history, run from code."""

import asyncio
from pathlib import Path

import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from sqlalchemy import pool
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine


def upgrade(folder: Path, database_url: str, revision: str = "head") -> None:
    """Bring a database to a revision. ``folder`` is the service's ``migrations``. Safe to run from several replicas."""
    command.upgrade(_config(folder, database_url), revision)


def _config(folder: Path, database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = database_url
    return config


def run(metadata: sa.MetaData) -> None:
    """What a service's ``env.py`` calls."""
    url = make_url(context.config.attributes["database_url"]).set(drivername="postgresql+asyncpg")

    def migrate(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            # One replica migrates, all in one transaction; the others wait here and then find nothing to do.
            connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('migrations'))"))
            context.run_migrations()

    async def connect() -> None:
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
        await engine.dispose()

    asyncio.run(connect())
