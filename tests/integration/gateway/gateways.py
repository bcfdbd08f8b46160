"""The HTTP gateway over a database of its own, fed the way consumers feed it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.provisioning.provision import CLUSTERS
from schemas.base import Announced, Fact
from schemas.envelope import encode, source_of
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.gateway import consumers
from services.gateway.app import create_with_context
from services.gateway.auth.audit import AuditQueue
from services.gateway.auth.caller import CALLER, Caller, Grant
from services.gateway.auth.caller_cache import CallerCache
from services.gateway.auth.people import create_person
from services.gateway.auth.sessions import Browser, create_session
from services.gateway.console.session import COOKIE
from services.gateway.context import GatewayContext
from services.membership.consumers import SUBSCRIPTIONS
from services.membership.records.record import RecordKey
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.persistence.database import create_engine
from shared.runtime.clock import Clock
from tests.support.in_memory import POLICY
from tests.support.keys import create_key

NUMELINK, CLUSTR = "numelink", "clustr-numerique"

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)

BROWSER = {"sec-fetch-site": "same-origin"}
"""What a browser says of a form of our own pages."""
A_BROWSER = Browser("link", "Chrome, Linux", "127.0.0.0/24")

_handlers = {subscription.fact: subscription.handler for subscription in (*SUBSCRIPTIONS, *consumers.SUBSCRIPTIONS)}


class SetClock(Clock):
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant


class GatewayUnderTest:
    """``await door.tell(NUMELINK, a_member())``, then ``await door.get("/members")``."""

    def __init__(self, app: Any, engine: AsyncEngine, clock: SetClock, context: GatewayContext) -> None:
        self.app, self.engine, self.clock, self.context = app, engine, clock, context
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://localhost")
        self._keys: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    async def feed(self, cluster: str, *facts: Fact) -> None:
        """Let the service hear facts of a cluster, each in a transaction of its own, as its consumers would."""
        for fact in facts:
            source = source_of("traboule" if isinstance(fact, Announced) else cluster, fact.service)
            message = encode(source, [fact])
            envelopes = read(type(fact), message.body, message.content_type, {})
            async with self.engine.begin() as connection:
                await _handlers[type(fact)](MembershipUnitOfWork(connection, POLICY), envelopes)

    async def feed_together(self, cluster: str, facts: list[MemberRecorded]) -> None:
        """The same for many facts of one type in one transaction."""
        message = encode(source_of(cluster, "membership"), facts)
        envelopes = read(MemberRecorded, message.body, message.content_type, {})
        async with self.engine.begin() as connection:
            await _handlers[MemberRecorded](MembershipUnitOfWork(connection, POLICY), envelopes)

    async def key(self, role: str = "reader", days: int = 3_650) -> str:
        """A new key, good for long on any machine's clock."""
        async with self.engine.begin() as connection:
            return await create_key(connection, f"a {role}", role, days)

    async def sql(self, statement: str, *values: Any) -> None:
        """One statement against the database."""
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(statement, values)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """What one query answers."""
        async with self.engine.connect() as connection:
            return list((await connection.exec_driver_sql(statement, values)).mappings())

    async def get(
        self, path: str, *, role: str = "admin", headers: dict[str, str] | None = None, **parameters: Any
    ) -> Any:
        """One answer, with a key of this role."""
        return await self.ask("GET", path, role=role, headers=headers, params=parameters or None)

    async def ask(
        self, method: str, path: str, *, role: str = "admin", headers: dict[str, str] | None = None, **request: Any
    ) -> Any:
        """The same for any method; ``request`` is the client's: ``json``, ``content``, ``params``."""
        if path.startswith("/console"):
            sent = BROWSER | {"cookie": f"{COOKIE}={await self.session(role)}"} | (headers or {})
        else:
            if role not in self._keys:
                self._keys[role] = await self.key(role)
            sent = {"authorization": f"Bearer {self._keys[role]}"} | (headers or {})
        return await self.client.request(method, path, headers=sent, **request)

    async def person(self, role: str, name: str | None = None) -> str:
        """A new person of this role, ``staff`` or ``staff@numelink``; returns their id."""
        async with self.engine.begin() as connection:
            return await create_person(connection, name or f"a {role}", None, [Grant.parse(role)], by="a test")

    async def session(self, role: str) -> str:
        """The cookie of somebody of this role who has signed in."""
        if role not in self._sessions:
            person_id = await self.person(role)
            async with self.engine.begin() as connection:
                self._sessions[role], _ = await create_session(connection, person_id, A_BROWSER, None)
        return self._sessions[role]

    @property
    def callers(self) -> CallerCache:
        """Who may ask, as the gateway remembers it."""
        return self.context.callers

    @property
    def audit(self) -> AuditQueue:
        """Reads on their way to the database."""
        return self.context.audit

    async def inside(self, role: str) -> dict[str, Any]:
        """For ``gateway.ask_as``, which then asks as the console does for a person of this role."""
        caller = await self.callers.signed_in(await self.session(role))
        assert caller is not None
        return {"caller": caller}

    async def ask_as(self, method: str, path: str, *, caller: Caller | None = None, **request: Any) -> Any:
        """One answer for somebody who is signed in; for whoever the headers name where nobody is."""
        if caller is None:
            return await self.client.request(method, path, **request)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope | {CALLER: caller}, receive, send)

        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as client:
            return await client.request(method, path, **request)

    async def names(self, **parameters: Any) -> list[str]:
        """The names of the members that a list shows."""
        answer = await self.get("/members", **parameters)
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]


@asynccontextmanager
async def open_gateway(
    database_url: str, served_url: str | None = None, public_url: str = "", **more: Any
) -> AsyncGenerator[GatewayUnderTest]:
    """The door, from its lifespan's start to its end; ``served_url`` is where it looks for the database."""
    settings = MembershipSettings(  # pyright: ignore[reportCallIssue]
        database_url=served_url or database_url,
        broker_url="amqp://nobody",
        clusters_file=CLUSTERS,
        public_url=public_url,
        **more,
        answer_seconds=0,  # no service is there that could answer
    )
    engine = create_engine(database_url, application="test", pool_size=2)
    clock = SetClock()
    app, context = create_with_context(settings, POLICY, _well, clock)
    gateway = GatewayUnderTest(app, engine, clock, context)
    async with lifespan(app):
        try:
            yield gateway
        finally:
            await gateway.client.aclose()
            await engine.dispose()


def own_id(cluster: str, record_id: str) -> str:
    """The member id that a record has by itself."""
    return RecordKey(cluster, record_id).own_id


async def _well() -> dict[str, bool]:
    return {"database": True}


@asynccontextmanager
async def lifespan(app: Any) -> AsyncGenerator[None]:
    """What a server does around its requests."""
    published, answer = asyncio.Queue[Any](), asyncio.Queue[Any]()
    task = asyncio.create_task(
        app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, published.get, answer.put)
    )
    await published.put({"type": "lifespan.startup"})
    assert (await answer.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await published.put({"type": "lifespan.shutdown"})
        assert (await answer.get())["type"] == "lifespan.shutdown.complete"
        await task
