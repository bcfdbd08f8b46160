"""Work of a command in one transaction of membership's database."""

from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.environment import load_settings
from services.membership.settings import MembershipSettings
from shared.cli.errors import Unreachable
from shared.cli.terminal import run
from shared.persistence.database import create_engine


def in_database(work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]], *, application: str) -> Any:
    """What the work returns. Raises Unreachable, and whatever the work raises."""

    async def in_transaction() -> Any:
        url = load_settings("membership", MembershipSettings).database_url
        engine = create_engine(url, application=application, pool_size=1)
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
            raise Unreachable.database("membership", error) from None
        finally:
            await engine.dispose()

    return run(in_transaction())
