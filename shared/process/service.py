"""One service as a process: its bus, its relay, its housekeeping and its HTTP server, started and stopped in order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.types import ASGIApp

from shared.messaging import inbox
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.messaging.rpc_server import RpcServer
from shared.persistence.database import is_reachable
from shared.process.backlog import MEASURED, measure_backlog
from shared.process.http_server import HttpLimits
from shared.process.http_side import HTTP_CLOSING_SECONDS, REQUESTS_SECONDS, HttpSide, stop_signal
from shared.runtime.cancellation import is_cancelled, reraise_if_cancelled
from shared.runtime.tls import TlsCertificate
from shared.runtime.waiting import wait_at_most

log = structlog.get_logger()

LOOK_SECONDS = 0.1
"""How often a task that lets messages go first looks whether they still come."""
APART_SECONDS = 0.01
"""Between the first runs of periodic tasks: all at once would open a connection each, which handlers then lack."""
RARELY_SECONDS = 300.0
LATER_SECONDS = 10.0
"""What is done every five minutes or less often need not be done while a process starts."""
HOUSEKEEPING_SECONDS = 5.0

Measure = Callable[[AsyncConnection], Awaitable[None]]
"""Reads from the service's database, and sets gauges."""


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work that a service does beside its subscriptions: again and again, ``every`` so many seconds after it ended."""

    name: str
    every: float
    work: Callable[[AsyncEngine], Awaitable[None]]
    stop_seconds: float = 0
    """The most that it takes to end in order, once it is cancelled."""
    yields_for: float = 0
    """The most that it waits each time while much is consumed: messages go first."""

    @property
    def first_after(self) -> float:
        """Seconds from the start of the process to the first time."""
        return LATER_SECONDS if self.every >= RARELY_SECONDS else 0.0


@dataclass(slots=True)
class Service:
    """Everything that one process of a service runs. Build it with the service's ``create_app``."""

    name: str
    engine: AsyncEngine
    bus: Bus
    relay: Relay
    http: ASGIApp
    http_host: str
    http_port: int
    inbox_days: int
    queries: RpcServer | None = None
    certificate: TlsCertificate | None = None
    periodic_tasks: Sequence[PeriodicTask] = ()
    measures: Sequence[Measure] = (measure_backlog,)
    trusted_proxies: Sequence[str] = ()
    public: ASGIApp | None = None
    """What the public reaches, on a port of its own: then ``http`` is health and metrics alone."""
    public_port: int = 0
    limits: HttpLimits | None = None
    """None: the usual ones, as far as this process may open sockets."""
    _periodic_tasks: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    async def start(self) -> None:
        """Connect, then consume. Raises if the broker cannot be reached at all."""
        await self.bus.start()
        self.relay.start()
        if self.queries is not None:
            self.queries.start()
        self._periodic_tasks = [
            asyncio.create_task(self._repeat(task, task.first_after + number * APART_SECONDS), name=task.name)
            for number, task in enumerate(self.periodic_tasks)
        ]

    @property
    def stop_seconds(self) -> float:
        """The most that an orderly end takes: whoever ends the process by force should wait longer."""
        tasks = max((task.stop_seconds for task in self.periodic_tasks), default=0)
        return REQUESTS_SECONDS + HTTP_CLOSING_SECONDS + tasks + self.bus.stop_seconds + self.relay.stop_seconds

    async def stop(self) -> None:
        """Take no more in, settle what is in hand, publish what that wrote, close."""
        for task in self._periodic_tasks:
            task.cancel()
        await asyncio.gather(*self._periodic_tasks, return_exceptions=True)
        consuming = [self.bus.stop()]
        if self.queries is not None:
            consuming.append(self.queries.stop())
        await asyncio.gather(*consuming)
        await self.relay.stop()
        await self.engine.dispose()

    async def checks(self) -> Mapping[str, bool]:
        """What readiness looks at."""
        return {
            "database": await is_reachable(self.engine),
            "broker": await self.bus.broker.ping(timeout=2),
            "consumers": self.bus.healthy,
            "relay": self.relay.alive,
        }

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, then stop in order. The broker or the database may come later than we do."""
        stopping, side = stop_signal(), self._http_side()
        side.start()
        housekeeping = asyncio.create_task(
            self._repeat(PeriodicTask("housekeeping", HOUSEKEEPING_SECONDS, partial(self._housekeeping, side)))
        )
        try:
            if await self._start_when_possible(stopping):
                log.info("service.started", http_port=self.http_port)
                await stopping.wait()
        finally:
            log.info("service.stopping")
            housekeeping.cancel()
            side.end()
            with contextlib.suppress(asyncio.CancelledError):
                await housekeeping
            await side.ended()
            await self.stop()
            log.info("service.stopped")

    async def _start_when_possible(self, stopping: asyncio.Event) -> bool:
        while not stopping.is_set():
            try:
                await self.start()
                return True
            except (TimeoutError, OSError) as error:
                log.warning("service.waiting_for_broker", error=type(error).__name__)
                await wait_at_most(1, stopping)
        return False

    def _http_side(self) -> HttpSide:
        apps = [(self.http, self.http_port)]
        if self.public is not None:
            apps.append((self.public, self.public_port))
        return HttpSide(apps, self.http_host, self.certificate, self.trusted_proxies, self.limits)

    async def _repeat(self, task: PeriodicTask, after: float = 0) -> None:
        await asyncio.sleep(after)
        while True:
            try:
                await self._let_messages_go_first(task.yields_for)
                await task.work(self.engine)
            except (Exception, asyncio.CancelledError) as error:
                reraise_if_cancelled()
                # By its name alone: what it says may hold members' data.
                log.warning("beside.failed", work=task.name, error=type(error).__name__)
            if is_cancelled():
                return
            await asyncio.sleep(task.every)

    async def _let_messages_go_first(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while seconds and self.bus.is_busy and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - polled
            await asyncio.sleep(LOOK_SECONDS)

    async def _housekeeping(self, side: HttpSide, engine: AsyncEngine) -> None:
        """Measure the backlog, and forget old inbox rows little by little; look for a renewed certificate first."""
        side.renew()
        async with engine.begin() as connection:
            for measure in self.measures:
                await measure(connection)
            MEASURED.set_to_current_time()
            await inbox.forget(connection, self.inbox_days)
