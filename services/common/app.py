"""Where facts and machinery meet: what every service's ``create_app`` and handlers are made with."""

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.types import ASGIApp

from schemas.reading import read_parts
from services.common.definition import S, ServiceDefinition
from services.common.queries import Answering
from services.common.sections import STATE_EVERY, YIELDS_FOR, state_the_rest
from services.common.waiting import ANNOUNCE_EVERY, announce_waiting
from services.cutover.metrics import measure_cutover
from services.cutover.parity import scheduled
from services.cutover.parity.scheduled import Comparing
from services.cutover.rehearsal import scheduled as scheduled_rehearsal
from services.cutover.rehearsal.scheduled import Rehearsing
from shared.messaging.bus import Bus
from shared.messaging.consumer import BatchSettings
from shared.messaging.relay import Relay
from shared.messaging.rpc_server import WORKERS, RpcServer
from shared.messaging.topology import OWN_PUBLISHER
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.waiting import count_waiting
from shared.persistence.database import asyncpg_url, create_engine
from shared.process.backlog import watch_engine
from shared.process.service import PeriodicTask, Service
from shared.runtime.clusters import load_clusters
from shared.runtime.health import Checks, health_routes
from shared.runtime.http_metrics import Measured
from shared.runtime.settings import ServiceSettings
from shared.runtime.tls import TlsCertificate

BuildHttp = Callable[[Checks], ASGIApp]

EXTRA_CONNECTIONS = 13 + WORKERS
"""Connections for what a service does beside its subscriptions: two queues of last resort, housekeeping, readiness,
comparing and rehearsing (two each), telling how the comparisons stand, announcing what waits, stating sections, and
answering questions."""
ASKERS = (f"{OWN_PUBLISHER}.membership",)
"""The broker users whose questions are answered: the gateway runs in the membership process."""


def with_queue_counts(
    unit_of_work: Callable[[AsyncConnection], UnitOfWork], settings: ServiceSettings
) -> Callable[[AsyncConnection], UnitOfWork]:
    """The same, able to ask the broker how many messages wait in the service's queues."""

    def begin(connection: AsyncConnection) -> UnitOfWork:
        uow = unit_of_work(connection)
        uow.count_waiting = partial(count_waiting, settings.broker_url)
        return uow

    return begin


def health_only(checks: Checks) -> ASGIApp:
    """The HTTP side of a service that is no gateway: health and metrics."""
    return Measured(Starlette(routes=health_routes(checks)))


def build(
    definition: ServiceDefinition[S],
    settings: S,
    http: BuildHttp = health_only,
) -> Service:
    """Put one service together. Nothing is connected yet. Raises ClustersFileError, TlsError."""
    name, subscriptions = definition.name, definition.subscriptions
    # Every lane may wait for another's lock at once, and readiness must still find a connection.
    pool_size = len(subscriptions) + EXTRA_CONNECTIONS
    engine = create_engine(settings.database_url, application=f"{OWN_PUBLISHER}.{name}", pool_size=pool_size)
    watch_engine("consumers", engine)
    clusters = load_clusters(settings.clusters_file)
    unit_of_work = with_queue_counts(definition.unit_of_work(settings), settings)
    bus = Bus(
        name,
        settings.broker_url,
        subscriptions,
        clusters=clusters,
        engine=engine,
        unit_of_work=unit_of_work,
        read=read_parts,
        settings=BatchSettings(settings.prefetch, settings.batch_events, settings.linger_ms / 1000),
    )
    relay = Relay(asyncpg_url(settings.database_url), settings.broker_url, bus.user)
    service: Service | None = None

    async def checks() -> Mapping[str, bool]:
        assert service is not None, "HTTP is served only once the service is built"
        return await service.checks()

    service = Service(
        name, engine, bus, relay, http(checks), settings.http_host, settings.http_port, settings.inbox_days
    )
    answering = Answering(definition, engine, unit_of_work)
    service.queries = RpcServer(name, settings.broker_url, bus.user, ASKERS, answering)
    service.measures = (
        *service.measures,
        partial(measure_cutover, service=name, clusters=tuple(clusters)),
    )
    comparing = Comparing(definition.mirrored, settings.parity_hour, settings.parity_days)
    rehearsing = Rehearsing(definition, settings.parity_hour)
    service.periodic_tasks = (
        PeriodicTask("parity", scheduled.EVERY, comparing.compare),
        PeriodicTask("parity gauges", scheduled.MEASURED_EVERY, comparing.measure),
        PeriodicTask("rehearsal", scheduled_rehearsal.EVERY, rehearsing.rehearse),
        PeriodicTask("waiting", ANNOUNCE_EVERY, partial(announce_waiting, service=name)),
    )
    for section in definition.sections:
        state = partial(state_the_rest, section, definition.unit_of_work(settings))
        task = "sections" if section is definition.sections[0] else section.name
        service.periodic_tasks = (
            *service.periodic_tasks,
            PeriodicTask(task, STATE_EVERY, state, yields_for=YIELDS_FOR),
        )
    service.trusted_proxies = settings.trusted_proxies
    service.certificate = certificate_of(settings)
    return service


def certificate_of(settings: ServiceSettings) -> TlsCertificate | None:
    """What HTTP is served with, if the settings name it. Raises TlsError."""
    if settings.http_certificate_file is None:
        return None
    return TlsCertificate(settings.http_certificate_file, settings.http_key_file)
