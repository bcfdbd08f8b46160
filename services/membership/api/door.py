"""What the routes work with."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from services.membership.api.keyring import Keyring
from services.membership.api.pool import DatabaseAwayError, ReadPool
from services.membership.domain.policy import Policy
from services.membership.repository import MembershipUnitOfWork
from shared.messaging.failures import Again, Hold, decide
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Door:
    """Made once in ``create_http`` and given to every module of routes."""

    pool: ReadPool
    keyring: Keyring
    clock: Clock
    policy: Policy
    engine: AsyncEngine

    def writing(self) -> AbstractAsyncContextManager[MembershipUnitOfWork]:
        """One transaction of what staff ask for. Raises DatabaseAwayError."""
        return writing(self.engine, self.policy)


@asynccontextmanager
async def writing(engine: AsyncEngine, policy: Policy) -> AsyncGenerator[MembershipUnitOfWork]:
    """One transaction: what it writes and what it announces, together or not at all. Raises DatabaseAwayError."""
    try:
        async with engine.begin() as connection:
            uow = MembershipUnitOfWork(connection, policy)
            yield uow
            await uow.outbox.flush(connection)
    except Exception as error:
        if isinstance(decide(error, attempt=0), Hold | Again):
            raise DatabaseAwayError(type(error).__name__) from error
        raise


def answer(content: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """JSON that no cache keeps, since it holds members' data."""
    kept = {"cache-control": "private, no-store", **(headers or {})}
    return Response(orjson.dumps(content), status, headers=kept, media_type="application/json")
