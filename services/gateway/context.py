"""What the routes work with."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.responses import Response

from services.gateway.auth.audit import Access, AuditQueue, note
from services.gateway.auth.caller_cache import CallerCache
from services.gateway.auth.oidc import Provider
from services.gateway.auth.request_limits import RequestLimits, request_limits
from services.gateway.awaited import AwaitedAnswers
from services.gateway.problems import ProblemError
from services.membership.connections import ReadPool, previewing, writing
from services.membership.identity.review_answers import all_crowds
from services.membership.identity.review_queries import Crowd
from services.membership.pictures import CROWDS, MEMBERS, Picture
from services.membership.policy import Policy
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views import queries
from services.membership.views.lists import Group, kept_groups
from shared.messaging.rpc_client import RpcClient
from shared.runtime.clock import Clock

EXPORTS_AT_ONCE = 2


def _statistics() -> Picture[list[Mapping[str, Any]]]:
    return Picture(MEMBERS, queries.statistics)


def _groups() -> Picture[list[Group]]:
    return Picture(MEMBERS, kept_groups)


def _crowds() -> Picture[list[Crowd]]:
    return Picture(CROWDS, all_crowds)


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """Made once in ``create_http`` and given to every module of routes.

    ``answer_seconds`` is how long it waits for the answer to a command, ``awaited`` wakes it, ``rpc`` asks queries.
    ``statistics`` and ``groups`` of members are asked for a day.
    """

    pool: ReadPool
    callers: CallerCache
    audit: AuditQueue
    clock: Clock
    policy: Policy
    engine: AsyncEngine
    answer_seconds: float
    awaited: AwaitedAnswers
    rpc: RpcClient
    console_url: str
    provider: Provider | None = None
    limits: RequestLimits = field(default_factory=request_limits)
    exports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EXPORTS_AT_ONCE))
    """Each holds a connection of the pool for as long as it is read."""
    statistics: Picture[list[Mapping[str, Any]]] = field(default_factory=_statistics)
    groups: Picture[list[Group]] = field(default_factory=_groups)
    crowds: Picture[list[Crowd]] = field(default_factory=_crowds)

    def check_system(self, cluster: str, service: str) -> str:
        """The former system's name. Raises ProblemError where there is none such."""
        known = self.policy.clusters.get(cluster)
        if known is None or service not in known.services:
            raise ProblemError("former-system-unknown")
        return f"{known.code}/{service}"

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction of what is read with the tables of people. Raises DatabaseUnavailableError."""
        async with writing(self.engine, self.policy) as uow:
            yield uow.connection

    @asynccontextmanager
    async def writing(self, *accesses: Access) -> AsyncGenerator[MembershipUnitOfWork]:
        """One transaction of what somebody asks for, with its trace.

        Raises DatabaseUnavailableError, DatabaseBusyError.
        """
        async with writing(self.engine, self.policy) as uow:
            yield uow
            await note(uow.connection, *accesses)

    def previewing(self) -> AbstractAsyncContextManager[MembershipUnitOfWork]:
        """One snapshot to try something on, with nothing written. Raises as :meth:`writing` does."""
        return previewing(self.engine, self.policy)


def answer(content: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """JSON that no cache keeps, since it holds members' data."""
    kept = {"cache-control": "private, no-store", **(headers or {})}
    return Response(orjson.dumps(content), status, headers=kept, media_type="application/json")
