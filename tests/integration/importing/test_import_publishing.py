"""The importer's publisher against a real broker: whole, confirmed, honest about refusals, and patient with cuts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from uuid import uuid4

import aio_pika
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions
from shared.importing import publish
from shared.importing.publish import NotPublishedError, Outgoing, Publisher

KEY = "numelink.membership.member-recorded"


def messages(count: int) -> list[Outgoing]:
    return [Outgoing(KEY, b"{}" * 500, "application/json", f"{number:032x}", 2) for number in range(count)]


class Place:
    """An exchange and a queue of this test's own."""

    def __init__(
        self, url: str, channel: aio_pika.abc.AbstractChannel, exchange: str, queue: aio_pika.abc.AbstractQueue
    ):
        self.url, self.exchange, self._channel, self._queue = url, exchange, channel, queue

    async def arrived(self, at_least: int) -> list[aio_pika.abc.AbstractIncomingMessage]:
        result: list[aio_pika.abc.AbstractIncomingMessage] = []
        with suppress(TimeoutError):
            async with self._queue.iterator(timeout=2, no_ack=True) as incoming:
                async for message in incoming:
                    result.append(message)  # noqa: PERF401 - what came before the time is up must be kept
        assert len({m.message_id for m in result}) >= at_least
        return result


@pytest.fixture
async def place(nodes: Nodes) -> AsyncIterator[Place]:
    name = f"import-{uuid4().hex}"
    async with await aio_pika.connect(nodes.broker.url, timeout=10) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(name, exclusive=True)
        await queue.bind(exchange, KEY)
        yield Place(nodes.broker.url, channel, name, queue)


async def test_everything_arrives_once_persistent_and_under_the_users_own_name(place):
    progress: list[int] = []
    assert await Publisher(place.url, place.exchange, progress.append).run(messages(300)) == 600
    result = await place.arrived(300)
    assert len(result) == 300
    assert sum(progress) == 600
    first = result[0]
    assert (first.user_id, first.delivery_mode) == (urlsplit(place.url).username, aio_pika.DeliveryMode.PERSISTENT)


async def test_nothing_to_publish(place):
    assert await Publisher(place.url, place.exchange).run([]) == 0


async def test_a_message_that_no_queue_takes_is_told(place):
    lost = Outgoing("numelink.membership.unheard-of", b"{}", "application/json", "1", 1)
    with pytest.raises(NotPublishedError, match=r"no queue takes numelink\.membership\.unheard-of"):
        await Publisher(place.url, place.exchange).run([*messages(3), lost])


async def test_an_exchange_that_is_not_there_is_told(place):
    with pytest.raises(NotPublishedError, match="no exchange nowhere-at-all"):
        await Publisher(place.url, "nowhere-at-all").run(messages(20))


async def test_a_wrong_password_is_told(place):
    parts = urlsplit(str(place.url))
    wrong = urlunsplit(parts._replace(netloc=f"{parts.username}:wrong@{parts.hostname}:{parts.port}"))
    with pytest.raises(NotPublishedError, match="does not know the user"):
        await Publisher(wrong, place.exchange).run(messages(1))


async def test_another_systems_routing_key_is_refused_by_the_broker(place, nodes):
    user, parts = f"billing-{uuid4().hex}", urlsplit(str(place.url))
    vhost = quote(unquote(parts.path[1:]) or "/", safe="")
    for path, body in (
        (f"/api/users/{user}", {"password": "secret", "tags": ""}),
        (f"/api/permissions/{vhost}/{user}", {"configure": "^$", "write": ".*", "read": "^$"}),
        (
            f"/api/topic-permissions/{vhost}/{user}",
            {"exchange": place.exchange, "write": "^numelink\\.billing\\.", "read": "^$"},
        ),
    ):
        definitions.call(nodes.broker.management_url, "PUT", path, body)
    url = urlunsplit(parts._replace(netloc=f"{user}:secret@{parts.hostname}:{parts.port}"))
    try:
        with pytest.raises(NotPublishedError, match=f"the user {user} may not publish {KEY}"):
            await Publisher(url, place.exchange).run(messages(20))
    finally:
        definitions.call(nodes.broker.management_url, "DELETE", f"/api/users/{user}")


async def test_a_broker_that_is_away_is_given_up_after_a_while(monkeypatch, unused_tcp_port):
    monkeypatch.setattr(publish, "PATIENCE", 0.5)
    with pytest.raises(NotPublishedError, match="cannot be reached"):
        await Publisher(f"amqp://u:p@127.0.0.1:{unused_tcp_port}/", "any").run(messages(1))


async def test_a_connection_that_is_cut_again_and_again_loses_nothing(place):
    async with cutting_proxy(place.url, every_bytes=200_000, cuts=4) as url:
        assert await Publisher(url, place.exchange).run(messages(1_000)) == 2_000
    # More than 1,000 may arrive, never fewer: what was not confirmed before a cut is sent again under the same id.
    assert len(await place.arrived(1_000)) >= 1_000


@asynccontextmanager
async def cutting_proxy(url: str, every_bytes: int, cuts: int) -> AsyncIterator[str]:
    """A way to the broker that breaks off every so many bytes sent, ``cuts`` times in all."""
    parts = urlsplit(url)
    left = cuts

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        upstream, out = await asyncio.open_connection(parts.hostname, parts.port)
        back = asyncio.create_task(copy(upstream, writer))
        passed = 0
        while data := await reader.read(16_384):
            passed += len(data)
            if left and passed > every_bytes:
                left -= 1
                writer.transport.abort()
                break
            out.write(data)
            await out.drain()
        back.cancel()
        out.close()
        writer.transport.abort()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(16_384):
                writer.write(data)
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
        assert left == 0, "the test cut nothing"
    finally:
        server.close()
