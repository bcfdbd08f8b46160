"""What ``traboule status`` looks at: each service's process, queues, outbox, inbox and dead letters."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import orjson
from aio_pika.exceptions import AMQPError
from prometheus_client.parser import text_string_to_metric_families

from services.cli.registry import definition_of
from shared.messaging.rpc import queries_queue
from shared.messaging.topology import dead_queue, retry_queues, unrouted_queue, way_back_queue
from shared.persistence.database import asyncpg_url
from shared.runtime.clusters import load_clusters
from shared.runtime.settings import ServiceSettings
from shared.runtime.tls import own_certificate_context

_IN_FLIGHT, _IN_FLIGHT_AGE = "traboule_messages_in_flight", "traboule_in_flight_age_seconds"
OLD_SECONDS = 60
"""An outbox row that waits longer, or a message that waits while nothing was applied for longer, is a fault."""

_DATABASE = """
    select (select count(*) from outbox) as outbox_rows,
           (select extract(epoch from now() - min(created_at))::float from outbox) as outbox_oldest_seconds,
           (select count(*) from outbox where attempts > 0) as outbox_refused,
           (select extract(epoch from now() - max(received_at))::float from inbox
            where received_at > now() - interval '1 day') as last_event_seconds,
           (select count(*) from dead_letters where status = 'parked') as dead_letters,
           (select count(*) from dead_letters where status = 'replaying') as replaying,
           (select count(*) from quarantine where state = 'waiting') as quarantined
"""


@dataclass(slots=True)
class QueueState:
    """Messages that are ready, and who consumes; None when the broker did not say."""

    name: str
    messages: int | None
    consumers: int | None


@dataclass(frozen=True, slots=True)
class InFlight:
    """Messages that a process took and has not acknowledged, and how long it has been settling the first of them."""

    messages: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class ServiceState:
    """What one service looks like from outside. ``faults`` are wrong now; ``notices`` wait for a person."""

    name: str
    url: str | None = None
    checks: Mapping[str, bool] = field(default_factory=dict[str, bool])
    database: Mapping[str, Any] = field(default_factory=dict[str, Any])
    queues: list[QueueState] = field(default_factory=list[QueueState])
    in_flight: Mapping[str, InFlight] = field(default_factory=dict[str, InFlight])
    faults: list[str] = field(default_factory=list[str])
    notices: list[str] = field(default_factory=list[str])


async def inspect(services: Mapping[str, ServiceSettings]) -> list[ServiceState]:
    """The state of each service, gathered together."""
    # Read before anything is waited for: it takes seconds on a busy machine, which would look like a slow server's.
    for name in services:
        definition_of(name)
    return list(await asyncio.gather(*(_service(name, settings) for name, settings in services.items())))


async def _service(name: str, settings: ServiceSettings) -> ServiceState:
    state = ServiceState(name)
    await asyncio.gather(_process(state, settings), _database(state, settings), _broker(state, settings))
    _judge(state)
    return state


async def _process(state: ServiceState, settings: ServiceSettings) -> None:
    if settings.http_port == 0:
        state.notices.append(f"TRABOULE_{state.name.upper()}_HTTP_PORT is not set: its process was not asked")
        return
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host  # noqa: S104 - an address to ask
    certificate = settings.http_certificate_file
    state.url = f"http{'' if certificate is None else 's'}://{host}:{settings.http_port}"
    try:
        state.checks = (await asyncio.to_thread(_readiness, state.url, certificate))["checks"]
        text, _ = await asyncio.to_thread(metrics, state.url, certificate)
        state.in_flight = _in_flight_of(text)
    except (OSError, ValueError, KeyError, HTTPException):
        state.faults.append(f"does not answer at {state.url}")
        return
    state.faults += [f"its {check} check fails" for check, works in state.checks.items() if not works]
    state.faults += stuck(state)


def stuck(state: ServiceState) -> list[str]:
    """Each queue whose consumer has been settling the same messages for over a minute."""
    return [
        f"{queue} has had {in_flight.messages:,} messages in hand for {in_flight.seconds:,.0f} s"
        for queue, in_flight in state.in_flight.items()
        if in_flight.seconds > OLD_SECONDS
    ]


def _in_flight_of(text: str) -> dict[str, InFlight]:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    messages = {sample.labels["queue"]: int(sample.value) for sample in samples if sample.name == _IN_FLIGHT}
    seconds = {sample.labels["queue"]: sample.value for sample in samples if sample.name == _IN_FLIGHT_AGE}
    return {queue: InFlight(count, seconds.get(queue, 0.0)) for queue, count in messages.items()}


def _readiness(url: str, certificate: Path | None) -> Any:
    try:
        with _opener(certificate).open(f"{url}/health/ready", timeout=5) as answer:
            return orjson.loads(answer.read())
    except urllib.error.HTTPError as not_ready:
        with not_ready:
            return orjson.loads(not_ready.read())


def metrics(url: str, certificate: Path | None) -> tuple[str, datetime]:
    """What a process measures, as Prometheus reads it, and what time it has; ``certificate`` is that of its HTTP side.

    Raises OSError, and ValueError for an answer that is not a service's.
    """
    with _opener(certificate).open(f"{url}/metrics", timeout=5) as answer:
        return answer.read().decode(), parsedate_to_datetime(answer.headers.get("date", ""))


def _opener(certificate: Path | None) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if certificate is not None:
        handlers.append(urllib.request.HTTPSHandler(context=own_certificate_context(certificate)))
    return urllib.request.build_opener(*handlers)


async def _database(state: ServiceState, settings: ServiceSettings) -> None:
    try:
        connection = await asyncpg.connect(asyncpg_url(settings.database_url), timeout=5, command_timeout=20)
        try:
            row = await connection.fetchrow(_DATABASE)
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        state.faults.append(f"its database has no schema: run `traboule migrate {state.name}`")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        state.faults.append(f"its database does not answer ({type(error).__name__})")
    else:
        state.database = dict(row or {})


async def _broker(state: ServiceState, settings: ServiceSettings) -> None:
    own = [subscription.queue_name for subscription in definition_of(state.name).subscriptions]
    names = [*own, queries_queue(state.name), unrouted_queue(state.name).name, dead_queue(state.name).name]
    ways_back = _ways_back(state.name, settings)
    try:
        connection = await aio_pika.connect(settings.broker_url, timeout=5)
    except (OSError, TimeoutError, AMQPError) as error:
        state.faults.append(f"the broker does not let it in ({type(error).__name__})")
        return
    async with connection:
        for name in [*names, *ways_back.values(), *retry_queues()]:
            state.queues.append(await _queue(connection, name))
    state.faults += [f"there is no queue {queue.name}" for queue in state.queues if queue.messages is None]
    alone = [queue.name for queue in state.queues if queue.consumers == 0 and queue.name in names]
    if len(alone) > 1:
        state.faults.append(f"nobody consumes {alone[0]} and {len(alone) - 1} more of its {len(names)} queues")
    else:
        state.faults += [f"nobody consumes {name}" for name in alone]
    unread = {queue.name: queue.messages for queue in state.queues if queue.messages}
    # A former system reads when it likes: what waits for it is no fault, until somebody wants to roll back.
    state.notices += [
        f"{unread[queue]:,} messages wait until {system} reads them: traboule cutover write-back {system}"
        for system, queue in ways_back.items()
        if queue in unread
    ]


def _ways_back(service: str, settings: ServiceSettings) -> dict[str, str]:
    """Each former system that is told what was written here, and its queue."""
    if definition_of(service).write_back is None:
        return {}
    clusters = load_clusters(settings.clusters_file)
    return {
        f"{code}/{service}": way_back_queue(code, service).name
        for code, cluster in clusters.items()
        if service in cluster.services
    }


async def _queue(connection: aio_pika.abc.AbstractConnection, name: str) -> QueueState:
    # A queue that is not there closes the channel: each has its own.
    try:
        async with await connection.channel(publisher_confirms=False) as channel:
            queue = await channel.declare_queue(name, passive=True, timeout=5)
            return QueueState(name, queue.declaration_result.message_count, queue.declaration_result.consumer_count)
    except (TimeoutError, AMQPError):
        return QueueState(name, None, None)


def _judge(state: ServiceState) -> None:
    known = state.database
    oldest = known.get("outbox_oldest_seconds") or 0
    if oldest > OLD_SECONDS:
        state.faults.append(f"{known['outbox_rows']:,} messages wait in its outbox, the oldest for {oldest:,.0f} s")
    waiting = sum(queue.messages or 0 for queue in state.queues if queue.name.startswith(f"{state.name}."))
    quiet = known.get("last_event_seconds")
    if waiting and (quiet is None or quiet > OLD_SECONDS):
        state.faults.append(f"{waiting:,} messages wait, and nothing was applied for over {OLD_SECONDS} s")
    if known.get("quarantined"):
        state.notices.append(f"{known['quarantined']:,} late messages wait in quarantine: traboule quarantine list")
    if known.get("dead_letters"):
        state.notices.append(
            f"{known['dead_letters']:,} dead letters: traboule dead-letters list --service {state.name}"
        )


def faults(states: Sequence[ServiceState]) -> bool:
    """Whether anything is wrong."""
    return any(state.faults for state in states)
