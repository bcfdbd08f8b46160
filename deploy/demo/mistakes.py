"""What other systems get wrong: a few bad messages, published as one of them would."""

import json
from typing import Any

import aio_pika

from schemas.envelope import STRUCTURED

USER = "numelink.membership"
KEY = "numelink.membership.member-recorded"


async def publish_mistakes(broker_url: str) -> None:
    """Publish messages that must be parked, each for a reason of its own, among the good ones."""
    connection = await aio_pika.connect(broker_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("traboule", ensure=False)

        async def publish(body: bytes, *, key: str = KEY, user: str | None = USER) -> None:
            message = aio_pika.Message(body, content_type=STRUCTURED, user_id=user, delivery_mode=2)
            await exchange.publish(message, key)

        await publish(b'{"specversion": "1.0", "id": ')
        await publish(_event(id="m-1", data={"record_id": "9801", "version": 1, "nom": "Ateliers du Gier"}))
        await publish(_event(id="m-2", type="fr.traboule.membership.member-recorded.v7"))
        await publish(_event(id="m-3"), user=None)
        await publish(
            _event(id="m-4", data={"record_id": "9802", "version": 1, "name": "Société"}).replace(b"\xc3\xa9", b"\xe9")
        )
        await publish(_event(id="m-5"), key="numelink.membership.member-created")


def _event(**changes: Any) -> bytes:
    event = {
        "specversion": "1.0",
        "id": "m-0",
        "source": "/numelink/membership",
        "type": "fr.traboule.membership.member-recorded.v1",
        "data": {"record_id": "9800", "version": 1, "name": "Ateliers du Gier"},
    }
    return json.dumps(event | changes, ensure_ascii=False).encode()
