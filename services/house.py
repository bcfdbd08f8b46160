"""Where facts and machinery meet: what every service's ``create_app`` and handlers are made with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.types import ASGIApp

from schemas.envelope import Envelope, encode_all, encode_held, read, routing_key, source_of
from schemas.fields import Announced, AnnouncedRecord
from shared.messaging.bus import Bus
from shared.messaging.consumer import LaneSettings
from shared.messaging.outbox import Outgoing
from shared.messaging.relay import Relay
from shared.messaging.subscription import Subscription
from shared.messaging.topology import EXCHANGE, HOUSE
from shared.persistence.database import asyncpg_url, create_engine
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.clusters import load_clusters
from shared.runtime.health import Checks, health_routes
from shared.runtime.service import Service
from shared.runtime.settings import ServiceSettings

BuildHttp = Callable[[Checks], ASGIApp]

BESIDE_LANES = 6
"""Connections for what a service does beside its subscriptions: two queues of last resort, housekeeping, readiness."""


def announce(uow: UnitOfWork, fact_type: type[AnnouncedRecord], saved: Iterable[Envelope[Any]]) -> None:
    """Tell, when the transaction commits, of each record that a mirror saved: under its own ids and version."""
    key = routing_key(HOUSE, fact_type)
    for encoded in encode_held(fact_type, source_of(HOUSE, fact_type.service), saved):
        uow.outbox.add(Outgoing(EXCHANGE, key, encoded.message_id, encoded.content_type, encoded.body))


def tell(uow: UnitOfWork, fact_type: type[Announced], facts: Iterable[tuple[Announced, str | None]]) -> None:
    """Publish facts of one type when the transaction commits, each with the id of what caused it."""
    key = routing_key(HOUSE, fact_type)
    for encoded in encode_all(source_of(HOUSE, fact_type.service), facts):
        uow.outbox.add(Outgoing(EXCHANGE, key, encoded.message_id, encoded.content_type, encoded.body))


def health_only(checks: Checks) -> ASGIApp:
    """The HTTP side of a service that is no door: health and metrics."""
    return Starlette(routes=health_routes(checks))


def build(
    name: str,
    settings: ServiceSettings,
    subscriptions: Sequence[Subscription],
    unit_of_work: Callable[[AsyncConnection], UnitOfWork],
    http: BuildHttp = health_only,
) -> Service:
    """Put one service together. Nothing is connected yet. Raises ClustersFileError."""
    # Every lane may wait for another's lock at once, and readiness must still find a connection.
    pool_size = len(subscriptions) + BESIDE_LANES
    engine = create_engine(settings.database_url, application=f"{HOUSE}.{name}", pool_size=pool_size)
    bus = Bus(
        name,
        settings.broker_url,
        subscriptions,
        clusters=load_clusters(settings.clusters_file),
        engine=engine,
        unit_of_work=unit_of_work,
        read=read,
        settings=LaneSettings(settings.prefetch, settings.batch_events, settings.linger_ms / 1000),
    )
    relay = Relay(asyncpg_url(settings.database_url), settings.broker_url, bus.user)
    service: Service | None = None

    async def checks() -> Mapping[str, bool]:
        assert service is not None, "HTTP is served only once the service is built"
        return await service.checks()

    service = Service(
        name, engine, bus, relay, http(checks), settings.http_host, settings.http_port, settings.inbox_days
    )
    return service
