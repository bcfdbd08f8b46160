"""Hostile questions and forged answers stop nobody, and are believed by nobody."""

import asyncio
from typing import Any

import aio_pika
import orjson
import pytest
from aio_pika import Message

from shared.messaging import metrics
from shared.messaging.rpc import LONGEST_QUESTION, REPLY_TO
from shared.messaging.rpc_server import WORKERS
from tests.integration.cutover.queries.questions import MIRROR, QUEUE, asked_as, channel_of, counted, waiting
from tests.integration.cutover.staff import Staff
from tests.support.waiting import eventually


async def test_a_forged_answer_is_ignored(alone: Staff) -> None:
    """Here we are billing, and somebody else who has read the question: only billing's own answer counts."""
    async with channel_of(alone, "billing") as billing, channel_of(alone, "membership") as stranger:
        queue = await billing.get_queue(QUEUE, ensure=False)
        asking = asyncio.create_task(alone.get(MIRROR))
        question = await _next(queue)
        assert question.reply_to is not None
        before = metrics.QUESTIONS.labels("billing", "forged")._value.get()

        async def answer(by: aio_pika.abc.AbstractChannel, stage: str, **properties: Any) -> None:
            body = orjson.dumps({"service": stage, "items": []})
            message = Message(body, **{"type": "done", "correlation_id": question.correlation_id} | properties)
            await by.default_exchange.publish(message, str(question.reply_to), mandatory=False)

        await answer(stranger, "forged", user_id="traboule.membership")
        await answer(stranger, "forged")
        await answer(billing, "forged", user_id="traboule.billing", correlation_id="0" * 32)
        await answer(billing, "true", user_id="traboule.billing")
        assert (await asking).json()["service"] == "true"
        assert metrics.QUESTIONS.labels("billing", "forged")._value.get() == before + 2
        # Nobody may say that he is another: the broker looks.
        with pytest.raises(aio_pika.exceptions.AMQPError):
            await answer(stranger, "forged", user_id="traboule.billing")


async def test_hostile_questions_are_dropped_and_stop_nobody(staff: Staff) -> None:
    before = counted("dropped")
    good: dict[str, Any] = {"type": "x", "correlation_id": "1", "reply_to": REPLY_TO, "user_id": "traboule.membership"}
    async with channel_of(staff, "membership") as channel:
        replies = await channel.get_queue(REPLY_TO, ensure=False)
        await replies.consume(_ignored, no_ack=True)
        for body, properties in (
            (b"{}", good | {"user_id": None}),
            (b"{}", good | {"reply_to": None}),
            (b"{}", good | {"reply_to": "billing.invoice-recorded"}),
            (b"{}", good | {"correlation_id": None}),
            (b"x" * (LONGEST_QUESTION + 1), good),
        ):
            await channel.default_exchange.publish(Message(body, **properties), QUEUE)
    async with channel_of(staff, "billing") as channel:
        stranger = Message(b"{}", correlation_id="1", reply_to=f"{REPLY_TO}.x", user_id="traboule.billing")
        await channel.default_exchange.publish(stranger, QUEUE)

    async def all_dropped() -> bool:
        return counted("dropped") == before + 6

    await eventually(all_dropped)
    assert (await staff.get(MIRROR)).status_code == 200
    assert await waiting(staff) == 0
    assert await staff.billing.parked() == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"null", b'{"operation": 1}', b'{"operation": "x", "author": "z"}']
)
async def test_a_question_that_nobody_can_read_is_answered_so(staff: Staff, body: bytes) -> None:
    reply = await asked_as(staff, "membership", body)
    assert reply is not None
    assert (reply.type, orjson.loads(reply.body)["kind"]) == ("refused", "question-unreadable")
    assert (await staff.get(MIRROR)).status_code == 200


async def test_more_questions_than_workers_are_all_answered(staff: Staff) -> None:
    asked = await asyncio.gather(*(staff.get(MIRROR) for _ in range(8 * WORKERS)))
    assert {each.status_code for each in asked} == {200}


async def _next(queue: aio_pika.abc.AbstractQueue) -> aio_pika.abc.AbstractIncomingMessage:
    async def there() -> Any:
        return await queue.get(no_ack=True, fail=False)

    return await eventually(there)


async def _ignored(_: object) -> None:
    """What comes back to a hostile asker."""
