"""One service inside the test's own process, with a virtual host and a database of its own.

It can be started, stopped and patched by one test without disturbing the house that the others share. Delays before a
retry are one and two seconds here, and a queue named ``heard`` keeps what the service announces.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import aio_pika
import asyncpg
import orjson
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, provision
from schemas.base import Fact
from schemas.billing import AccountChanged
from schemas.communications import PreferencesChanged
from schemas.cutover import WriteAccessChanged
from schemas.events import ParticipationChanged
from services.cli.environment import settings_of
from services.cli.registry import definition_of
from services.common.waiting import FACT_OF
from shared.messaging import failures, topology
from shared.process.service import Service
from tests.support import servers
from tests.support.emptying import EMPTY
from tests.support.waiting import eventually

RETRY_DELAYS = (1, 2)
HEARD = "heard"
STATED = {
    fact.type_name()
    for fact in (AccountChanged, ParticipationChanged, PreferencesChanged, WriteAccessChanged, *FACT_OF.values())
}


class Passwords(dict[str, str]):
    """Makes up a password when first asked for it: broker users belong to all virtual hosts of a session."""

    def get(self, name: str, default: Any = None) -> str:
        return self.setdefault(name, default or secrets.token_urlsafe(18))


@dataclass(frozen=True)
class OwnService:
    """Where one service can be run in-process: ``async with own.running() as service``."""

    name: str
    vhost: str
    env: Mapping[str, str]
    admin_url: str
    management_url: str

    async def publish_as(self, user: str, what: Fact | Sequence[Fact] | bytes, **properties: Any) -> str:
        """Publish as a former system: see :func:`tests.support.servers.publish_as`."""
        return await servers.publish_as(self.env, user, what, **properties)

    async def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the service's own database."""
        return await servers.query(self.env, self.name, sql, *values)

    async def column(self, sql: str, *values: Any) -> list[Any]:
        """The first column of those rows."""
        return [next(iter(row.values())) for row in await self.query(sql, *values)]

    async def parked(self) -> list[dict[str, Any]]:
        """Every dead letter, oldest first."""
        return await self.query("select * from dead_letters order by id")

    async def heard(self, at_least: int) -> list[dict[str, Any]]:
        """Events that the service announced since the last call, once there are ``at_least`` so many.

        What it states of source records, of API keys and of what waits besides is left out.
        """
        return await self._heard(lambda events: len(events) >= at_least)

    async def first_heard(self, kind: str) -> dict[str, Any]:
        """The first event of this kind since the last call, however many others come before it."""
        events = await self._heard(lambda events: any(event["type"] == kind for event in events))
        return next(event for event in events if event["type"] == kind)

    async def _heard(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        async with await aio_pika.connect(self.admin_url, timeout=10) as connection:
            queue = await (await connection.channel()).declare_queue(HEARD, passive=True)

            async def all_present() -> bool:
                while (message := await queue.get(no_ack=True, fail=False)) is not None:
                    tree = orjson.loads(message.body)
                    published = tree if isinstance(tree, list) else [tree]
                    events.extend(event for event in published if event["type"] not in STATED)
                return enough(events)

            await eventually(all_present)
        return events

    @contextmanager
    def environment(self) -> Generator[pytest.MonkeyPatch]:
        """The process's environment and retry delays are this house's."""
        with pytest.MonkeyPatch.context() as patch:
            _short_delays(patch)
            for name, value in self.env.items():
                patch.setenv(name, value)
            yield patch

    @asynccontextmanager
    async def running(self, **different: Any) -> AsyncGenerator[Service]:
        """The service, started; ``different`` are settings that differ from the usual."""
        with self.environment():
            settings = settings_of(self.name).model_copy(update=different)
            service = definition_of(self.name).create_app(settings)
            try:
                await service.start()
                yield service
            finally:
                await service.stop()

    async def empty_tables(self) -> None:
        """Forget the tables alone: the queues of a virtual host are emptied once, however many services it has."""
        await self.query(EMPTY)

    async def empty(self) -> None:
        """Forget what an earlier test left in tables and queues."""
        await self.empty_tables()
        vhost = quote(self.vhost, safe="")
        queues = definitions.call(self.management_url, "GET", f"/api/queues/{vhost}?columns=name")
        async with await aio_pika.connect(self.admin_url, timeout=10) as connection:
            channel = await (await connection.channel()).get_underlay_channel()
            for queue in queues:
                await channel.queue_purge(queue["name"])


@contextmanager
def own_service(nodes: Nodes, passwords: Passwords, service: str, *others: str) -> Generator[OwnService]:
    """Provision it, and remove its virtual host and its database at the end: the server may be a named one.

    ``others`` are services beside it: ``replace(own, name="billing")`` runs one of them in the same place.
    """
    name = f"own-{secrets.token_hex(3)}"
    url = urlunsplit(urlsplit(nodes.broker.url)._replace(path=f"/{name}"))
    with pytest.MonkeyPatch.context() as patch:
        _short_delays(patch)
        provisioned = provision(
            nodes.database.url,
            url,
            nodes.broker.management_url,
            clusters_file=CLUSTERS,
            services=[service, *others],
            secrets=passwords,
            databases=name.replace("-", "_"),
            private_broker=nodes.broker.owned,
        )
    definitions.load_definitions(nodes.broker.management_url, _heard(name, service))
    try:
        yield OwnService(service, name, provisioned.env, url, nodes.broker.management_url)
    finally:
        definitions.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{name}")
        for item in (service, *others):
            asyncio.run(_drop(nodes.database.url, f"{name.replace('-', '_')}_{item}"))


async def _drop(admin_url: str, database: str) -> None:
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        await admin.execute(f"drop database {database} with (force)")
        await admin.execute(f"drop role {database}")
    finally:
        await admin.close()


def _short_delays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(failures, "RETRY_DELAYS", RETRY_DELAYS)
    patch.setattr(topology, "RETRY_DELAYS", RETRY_DELAYS)


def _heard(vhost: str, service: str) -> dict[str, Any]:
    binding = {"source": topology.EXCHANGE, "destination": HEARD, "destination_type": "queue", "arguments": {}}
    return {
        "queues": [{"vhost": vhost, "name": HEARD, "durable": True, "auto_delete": False, "arguments": {}}],
        "bindings": [{"vhost": vhost, "routing_key": f"{topology.OWN_PUBLISHER}.{service}.#"} | binding],
    }
