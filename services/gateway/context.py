"""What the routes work with."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from services.gateway.auth.key_cache import ApiKeyCache
from services.membership.connections import ReadPool, writing
from services.membership.policy import Policy
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """Made once in ``create_http`` and given to every module of routes.

    ``answer_seconds`` is how long it waits for another service's answer.
    """

    pool: ReadPool
    keyring: ApiKeyCache
    clock: Clock
    policy: Policy
    engine: AsyncEngine
    answer_seconds: float

    def writing(self) -> AbstractAsyncContextManager[MembershipUnitOfWork]:
        """One transaction of what staff ask for. Raises DatabaseAwayError, DatabaseBusyError."""
        return writing(self.engine, self.policy)


def answer(content: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """JSON that no cache keeps, since it holds members' data."""
    kept = {"cache-control": "private, no-store", **(headers or {})}
    return Response(orjson.dumps(content), status, headers=kept, media_type="application/json")
