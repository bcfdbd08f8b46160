"""One transaction of a service, for what operators decide: state and announcement together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from services.common.app import with_queue_counts
from services.common.definition import ServiceDefinition
from shared.cli.errors import Unreachable
from shared.persistence.database import create_engine
from shared.runtime.settings import ServiceSettings


@asynccontextmanager
async def transaction(
    definition: ServiceDefinition[Any], settings: ServiceSettings, command: str
) -> AsyncGenerator[Any]:
    """The service's own unit of work; it commits at the end. Raises Unreachable."""
    engine = create_engine(settings.database_url, application=f"traboule {command}", pool_size=1)
    unit_of_work = with_queue_counts(definition.unit_of_work(settings), settings)
    try:
        async with engine.begin() as connection:
            uow = unit_of_work(connection)
            yield uow
            await uow.outbox.flush(connection)
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Unreachable.database(definition.name, error) from None
    finally:
        await engine.dispose()
