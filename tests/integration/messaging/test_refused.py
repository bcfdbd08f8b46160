"""What the broker does not take from the relay is tried again beside the rest, and keeps up nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aio_pika
import orjson
import pytest
from aio_pika import Channel
from aio_pika.abc import AbstractQueue
from aio_pika.connection import Connection

from shared.messaging import relay as relaying
from shared.messaging.metrics import RELAY_FAILURES
from shared.messaging.relay import Relay
from shared.messaging.topology import FRAME_BYTES
from shared.messaging.unsent import Unsent
from tests.support.in_process import HEARD, OwnService
from tests.support.waiting import eventually

ABSENT = "absent"
LEFT = "select count(*) from outbox where routing_key = $1"
TRIED = "select count(*) from outbox where routing_key = $1 and attempts > 0"


@dataclass
class Outbox:
    """An outbox that a test fills itself, and a relay for it."""

    own: OwnService
    relay: Relay

    async def add(self, routing_key: str, rows: int, *, exchange: str = "") -> None:
        """Rows as a transaction would announce them; by the default exchange the routing key is a queue's name."""
        await self.own.query(
            "insert into outbox (exchange, routing_key, message_id, headers, body) "
            "select $1::text, $2::text, $2 || n, '{}', '{}' from generate_series(1, $3::int) as n",
            exchange,
            routing_key,
            rows,
        )

    async def gone(self, routing_key: str, within: float = 15) -> None:
        """Wait until no row of this routing key is left."""

        async def none_left() -> bool:
            return await self.own.column(LEFT, routing_key) == [0]

        await eventually(none_left, within)

    async def all_tried(self, routing_key: str, rows: int) -> None:
        """Wait until each of them was refused at least once."""

        async def refused() -> bool:
            return await self.own.column(TRIED, routing_key) == [rows]

        await eventually(refused, 60)


@pytest.fixture
async def outbox(empty_billing: OwnService):
    env = empty_billing.env
    relay = Relay(
        env["TRABOULE_BILLING_DATABASE_URL"], env["TRABOULE_BILLING_BROKER_URL"], "traboule.billing", poll=0.1
    )
    yield Outbox(empty_billing, relay)
    await relay.stop()


@pytest.fixture
async def the_mend(empty_billing: OwnService) -> AsyncIterator[Callable[[], Awaitable[AbstractQueue]]]:
    """Makes the queue that was absent, as an operator would."""
    async with await aio_pika.connect(empty_billing.admin_url, timeout=10) as connection:
        channel = await connection.channel()
        yield lambda: channel.declare_queue(ABSENT, durable=True)
        await channel.queue_delete(ABSENT)


async def test_what_is_refused_keeps_up_nobody_however_much_of_it_is_before(outbox: Outbox) -> None:
    await outbox.add(ABSENT, 3_000)
    outbox.relay.start()
    await outbox.all_tried(ABSENT, 3_000)
    # By now a part is due again; alone it would take the relay far longer than this test waits.
    await outbox.add(HEARD, 250)
    await outbox.gone(HEARD)
    assert await outbox.own.column(LEFT, ABSENT) == [3_000]


async def test_what_was_refused_goes_out_soon_after_its_queue_takes_messages(
    outbox: Outbox, the_mend: Callable[[], Awaitable[AbstractQueue]]
) -> None:
    await outbox.add(ABSENT, 1_000)
    await outbox.add("absent-for-good", 1_000)
    outbox.relay.start()
    await outbox.all_tried(ABSENT, 1_000)
    await outbox.all_tried("absent-for-good", 1_000)
    queue = await the_mend()
    await outbox.gone(ABSENT)
    declared = await queue.declare()
    assert (declared.message_count or 0) >= 1_000
    assert await outbox.own.column(LEFT, "absent-for-good") == [1_000]


async def test_of_what_was_refused_every_routing_key_is_heard_of_in_one_look(outbox: Outbox) -> None:
    """However many rows of another wait: the refused are many only when one queue is full or missing."""
    await outbox.add(ABSENT, 500)
    await outbox.own.query("update outbox set attempts = 1")
    keys = [f"{ABSENT}-{n}" for n in range(9)]
    for key in keys:
        await outbox.add(key, 2)
    await outbox.own.query("update outbox set attempts = attempts + 1, not_before = now() where attempts = 0")
    outbox.relay.poll = 60  # so that there is no second look
    outbox.relay.start()

    async def all_heard_of() -> bool:
        tried = await outbox.own.column("select routing_key from outbox where last_error is not null")
        assert len(tried) == len(set(tried)), "a second row of a routing key before the first of another"
        return set(tried) == {ABSENT, *keys}

    await eventually(all_heard_of)


async def test_a_row_that_closes_the_channel_takes_none_of_its_neighbours_with_it(outbox: Outbox) -> None:
    await outbox.add(HEARD, 40)
    await outbox.add("anything", 2, exchange="no-such-exchange")
    await outbox.add(HEARD, 40)
    outbox.relay.start()
    await outbox.gone(HEARD)
    assert await outbox.own.column(LEFT, "anything") == [2]
    assert outbox.relay.active


async def test_a_row_that_would_close_the_connection_takes_none_of_its_neighbours_with_it(outbox: Outbox) -> None:
    """Headers of a message must fit one frame."""
    headers = orjson.dumps({"ce-large": "x" * FRAME_BYTES}).decode()
    await outbox.own.query(
        "insert into outbox (exchange, routing_key, message_id, headers, body) values ('', $1, 'large', $2, '{}')",
        ABSENT,
        headers,
    )
    await outbox.add(HEARD, 40)
    outbox.relay.start()
    await outbox.gone(HEARD)
    await outbox.add(HEARD, 40)
    await outbox.gone(HEARD)
    assert await outbox.own.column(LEFT, ABSENT) == [1]
    assert await outbox.own.column("select last_error from outbox") == ["HeadersTooLargeError"]


async def test_a_relay_stops_while_it_tries_refused_rows_again(outbox: Outbox) -> None:
    await outbox.add(ABSENT, 50)
    outbox.relay.start()
    await outbox.all_tried(ABSENT, 50)
    started = asyncio.get_running_loop().time()
    await outbox.relay.stop()
    assert asyncio.get_running_loop().time() - started < 5
    assert not outbox.relay.alive
    assert await outbox.own.column(LEFT, ABSENT) == [50]


def unanswered(done: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As it is done, but whoever asked for it never hears so."""

    async def and_wait(*arguments: Any, **options: Any) -> None:
        await done(*arguments, **options)
        await asyncio.Event().wait()

    return and_wait


async def test_a_closing_that_the_broker_never_answers_holds_nobody(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a broker that ended in the middle of it: the relay goes on with a connection of its own."""
    monkeypatch.setattr(relaying, "CLOSING_SECONDS", 0.2)
    monkeypatch.setattr(Connection, "close", unanswered(Connection.close))
    monkeypatch.setattr(Channel, "close", unanswered(Channel.close))
    outbox.relay.start()
    await outbox.add(ABSENT, 2)
    await outbox.all_tried(ABSENT, 2)
    before = RELAY_FAILURES.labels("RuntimeError")._value.get()
    with monkeypatch.context() as patch:
        patch.setattr(Unsent, "new", fails)
        await eventually(lambda: is_(RELAY_FAILURES.labels("RuntimeError")._value.get() > before))
    await outbox.add(HEARD, 5)
    await outbox.gone(HEARD)


async def test_a_channel_that_the_broker_never_opens_is_given_up(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.relay.publish_timeout = 0.2
    before = RELAY_FAILURES.labels("TimeoutError")._value.get()
    with monkeypatch.context() as patch:
        patch.setattr(Channel, "initialize", unanswered(Channel.initialize))
        outbox.relay.start()
        await eventually(lambda: is_(RELAY_FAILURES.labels("TimeoutError")._value.get() > before))
    outbox.relay.publish_timeout = 10
    await outbox.add(HEARD, 5)
    await outbox.gone(HEARD)


async def fails(*_: Any) -> None:
    raise RuntimeError("a fault")


async def is_(true: bool) -> bool:
    return true
