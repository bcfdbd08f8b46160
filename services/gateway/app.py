"""The only place where the HTTP gateway is built.

fast lane → app: /members.csv  /members  /members/by-source/…  /members/{id}  …/timeline  …/sources  /statistics…
                 …/fields/{field}  …/take-back  …/overrides  /conflicts  /conflicts/{id}
                 /duplicates  /duplicates/{id}  /duplicates/decisions…  /members/{id}/identity  …/separations…
                 /cutover  /cutover/requests/{id}  and every operation of schemas/operations.py:
                 /cutover/{cluster}/{service}…  /cutover/backups  /{service}/mirror
                 /records/{cluster}  /records/{cluster}/{record_id}  …/changes  …/end  …/contact
                 /waiting
                 /p/u/{token}  /p/e/{session_id}  /p/r/{token}  /p/feed/events.ics  /p/feed/{cluster}.ics
                 /p/feed/r/{token}.ics
                 /p/check-in.js  /p/c/{token}  …/list  …/entries
                 /console…  (pages for staff, which ask the routes above: see console/README.md)
                 /openapi.json  /health/live  /health/ready  /metrics
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from services import VERSION
from services.common.app import build, certificate_of, health_only
from services.common.definition import ServiceDefinition
from services.gateway import idempotency, requests
from services.gateway.api import (
    access,
    access_trail,
    conflicts,
    cutover,
    duplicates,
    export,
    identity,
    lists,
    members,
    operations,
    overrides,
    previews,
    records,
    statistics,
    waiting,
)
from services.gateway.auth import audit, sessions
from services.gateway.auth.audit import AuditQueue
from services.gateway.auth.caller_cache import CallerCache
from services.gateway.auth.oidc import RETURNED, Client, Provider, new_http
from services.gateway.auth.request_limits import request_limits
from services.gateway.auth.writers import ANNOUNCE_EVERY, watch_write_access
from services.gateway.awaited import AwaitedAnswers
from services.gateway.console.guard import Guard
from services.gateway.console.mounting import mount
from services.gateway.console.outside import Outside
from services.gateway.context import GatewayContext
from services.gateway.dependencies import refuse_without_right, rights_by_route
from services.gateway.fast_path import FastPath
from services.gateway.lookups import Lookups
from services.gateway.openapi import describe
from services.gateway.problems import answer_problems, described
from services.gateway.public import (
    checkin,
    checkin_offline,
    checkin_script,
    feeds,
    gatherings,
    links,
    unsubscribe,
)
from services.membership.connections import ReadPool
from services.membership.identity import review_rows
from services.membership.policy import Policy, policy_of
from services.membership.rows import InTransaction
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork, unit_of_work
from services.membership.usecases.withdraw import MINUTES, withdraw_unlinked
from services.membership.views.daily_statistics import KEEP_EVERY, keep_today
from shared.messaging.rpc_client import RpcClient
from shared.messaging.topology import OWN_PUBLISHER
from shared.persistence.database import asyncpg_url, create_engine, is_reachable
from shared.process.backlog import watch_engine, watch_pool
from shared.process.http_process import HttpProcess
from shared.process.http_side import HttpSide
from shared.process.service import PeriodicTask, Service
from shared.runtime.clock import Clock
from shared.runtime.health import Checks, health_routes
from shared.runtime.http_metrics import Measured

NEEDED = ("database",)
"""The checks without which the gateway answers nobody. While the broker is away, or a lane waits, it reads on."""
FORGET_EVERY = 3600.0
WITHDRAW_EVERY = 60.0
SEE_TO_CASES_EVERY = 5.0
"""Seconds."""
_APPLICATION = "traboule.membership.http"
_ROUTERS = (
    *(part.router for part in (unsubscribe, gatherings, links, feeds, checkin_script, checkin, checkin_offline)),
    *(part.router for part in (lists, export, members, identity, overrides, conflicts, previews, duplicates, records)),
    *(part.router for part in (statistics, waiting, access_trail, access)),
    # Cutover's own first: what comes after would take its words for a cluster and a service.
    *(cutover.router, operations.router),
)


def create_http(
    settings: MembershipSettings,
    policy: Policy,
    checks: Checks,
    clock: Clock | None = None,
) -> ASGIApp:
    """The gateway, on connections of its own: they are opened when first needed, and closed with the app's lifespan."""
    return create_with_context(settings, policy, checks, clock)[0]


def create_with_context(
    settings: MembershipSettings, policy: Policy, checks: Checks, clock: Clock | None = None
) -> tuple[ASGIApp, GatewayContext]:
    """The same, and what its routes work with."""
    pool = ReadPool(asyncpg_url(settings.database_url), application=_APPLICATION)
    # A person waits for the answer: while a rebuild or an import has the turn, "try again" within 5 s is better.
    engine = create_engine(
        settings.database_url, application=f"{_APPLICATION}.writing", pool_size=4, pool_timeout=1.5, lock_timeout=3
    )
    watch_engine("http writing", engine)
    watch_pool("http reading", pool.size, pool.in_use)
    clock = clock or Clock()
    rpc = RpcClient(settings.broker_url, f"{OWN_PUBLISHER}.membership", settings.answer_seconds)
    context = GatewayContext(
        pool=pool,
        callers=CallerCache(pool),
        audit=AuditQueue(engine),
        clock=clock,
        policy=policy,
        engine=engine,
        answer_seconds=settings.answer_seconds,
        awaited=AwaitedAnswers(asyncpg_url(settings.database_url), f"{_APPLICATION}.answers"),
        rpc=rpc,
        console_url=settings.console_url,
        provider=provider_of(settings),
        limits=request_limits(settings.requests_per_second),
    )

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncGenerator[None]:
        noting = asyncio.create_task(context.audit.run())
        yield
        context.audit.close()
        await noting
        await context.callers.close()
        await context.awaited.close()
        await rpc.close()
        await pool.close()
        await engine.dispose()
        if context.provider is not None:
            await context.provider.http.aclose()

    app = FastAPI(
        title="Traboule",
        version=VERSION,
        summary="The members of merging clusters, as one",
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=closing,
    )
    app.state.context = context
    if settings.gateway_port is None:
        app.router.routes.extend(health_routes(checks, NEEDED))
    app.router.routes.extend(_routes())
    mount(app, policy.clusters, clock)
    answer_problems(app)
    rights = rights_by_route(route for router in _ROUTERS for route in router.routes)
    app.openapi = partial(describe, app, sorted(policy.clusters), rights)
    form_targets = () if context.provider is None else (context.provider.origin,)
    return Measured(FastPath(Outside(app, Guard(settings.public_url), form_targets), context, Lookups(pool))), context


@cache
def _routes() -> Sequence[BaseRoute]:
    """What the API answers. What FastAPI makes of a route at its first request, applications of a process share."""
    api = APIRouter()
    for router in _ROUTERS:
        refuse_without_right(router.routes)
        api.include_router(router, responses=described(400, 401, 403, 422, 429, 500, 503))
    return api.routes


def provider_of(settings: MembershipSettings) -> Provider | None:
    """The identity provider that the settings name, if they name one."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=f"{settings.console_url}{RETURNED}",
    )
    return Provider(client, new_http(), settings.oidc_name)


def create_app(definition: ServiceDefinition[MembershipSettings], settings: MembershipSettings) -> Service:
    """Membership with its HTTP gateway, ready to run; nothing is connected yet.

    Raises ClustersFileError, RulesFileError.
    """
    create = partial(create_http, settings, policy_of(settings))
    if settings.gateway_port is None:
        service = build(definition, settings, create)
    else:
        service = build(definition, settings)
        service.public, service.public_port = create(service.checks), settings.gateway_port
    return _with_tasks(service, settings)


def create_messages(definition: ServiceDefinition[MembershipSettings], settings: MembershipSettings) -> Service:
    """Membership without its gateway: messages and tasks alone. Raises as :func:`create_app` does."""
    return _with_tasks(build(definition, settings), settings)


def create_gateway(settings: MembershipSettings) -> HttpProcess:
    """The gateway alone, beside processes that :func:`create_messages` made. Raises as :func:`create_app` does."""
    engine = create_engine(settings.database_url, application=f"{_APPLICATION}.ready", pool_size=1)

    async def checks() -> Mapping[str, bool]:
        return {"database": await is_reachable(engine)}

    gateway = create_http(settings, policy_of(settings), checks)
    apps = [(gateway, settings.http_port)]
    if settings.gateway_port is not None:
        apps = [(health_only(checks), settings.http_port), (gateway, settings.gateway_port)]
    certificate = certificate_of(settings)
    return HttpProcess("membership", engine, HttpSide(apps, settings.http_host, certificate, settings.trusted_proxies))


def _with_tasks(service: Service, settings: MembershipSettings) -> Service:
    service.periodic_tasks = (
        *service.periodic_tasks,
        PeriodicTask("forgetting", FORGET_EVERY, forget),
        PeriodicTask("write access", ANNOUNCE_EVERY, watch_write_access),
        PeriodicTask("review queue", SEE_TO_CASES_EVERY, partial(see_to_cases, unit_of_work(settings))),
        PeriodicTask("daily statistics", KEEP_EVERY, keep_today),
        PeriodicTask("withdrawing", WITHDRAW_EVERY, partial(withdraw, unit_of_work(settings))),
    )
    return service


async def see_to_cases(begin: Callable[[AsyncConnection], MembershipUnitOfWork], engine: AsyncEngine) -> None:
    """Make the cases of the review queue that somebody left: a process of the version before, or a migration."""
    async with engine.connect() as connection:
        if not await review_rows.any_marks(InTransaction(connection)):
            return
    left = review_rows.MOST_MARKS
    while left == review_rows.MOST_MARKS:
        async with engine.begin() as connection:
            uow = begin(connection)
            await uow.serialise_writers()
            left = await review_rows.refresh_others(uow)


async def withdraw(begin: Callable[[AsyncConnection], MembershipUnitOfWork], engine: AsyncEngine) -> None:
    """Take away what was published and never linked."""
    # Two transactions: who read these tables may not wait for the turn of a rebuild, which empties them.
    async with engine.begin() as connection:
        if not await begin(connection).unlinked(MINUTES):
            return
    async with engine.begin() as connection:
        uow = begin(connection)
        await withdraw_unlinked(uow, MINUTES)
        await uow.outbox.flush(connection)


async def forget(engine: AsyncEngine) -> None:
    """What was asked and answered at the gateway and need not be known any longer."""
    async with engine.begin() as connection:
        await requests.forget(connection)
        await idempotency.forget(connection)
        await audit.forget(connection)
        await sessions.forget(connection)
