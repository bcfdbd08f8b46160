"""What staff change while Traboule is the authority, and what the former system heard of it."""

from typing import Any

import aio_pika
import orjson
import pytest

from schemas.commands import ChangeMember, RecordCommand
from schemas.envelope import encode, routing_key
from schemas.membership_write_back import MemberWritten
from shared.runtime.clock import PARIS, Clock
from tests.support import servers
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

CONNECTIONS_ARE_CLOSED = pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited")
"""A connection that the broker closes leaves a coroutine behind in the AMQP library."""
SYSTEM, USER, STAFF = "numelink/membership", "numelink.membership", "staff.membership"
QUEUE = f"{USER}.way-back"
BY: dict[str, Any] = {"cluster": "numelink", "author": "zoé"}
TODAY = Clock().now().astimezone(PARIS).date()
OVERRULED = ("parity", "rehearsal", "writers", "backup")


async def switch() -> None:
    overruled = [word for name in OVERRULED for word in ("--overrule", name)]

    async def made() -> bool:
        # What was announced just now must be sent first.
        return (await cutover("switch", SYSTEM, "--reason", "a test", *overruled)).exit_code == 0

    await eventually(made)


async def cutover(*words: str) -> Answer:
    return await traboule("cutover", *words)


async def written(stack: OwnService, record_id: str, **fields: Any) -> bool:
    column = await stack.column("select written::text from source_records where record_id = $1", record_id)
    return bool(column) and fields.items() <= orjson.loads(column[0]).items()


async def version_of(stack: OwnService, record_id: str) -> int:
    [version] = await stack.column("select version from source_records where record_id = $1", record_id)
    return version


async def ask(stack: OwnService, command: RecordCommand, **expected: Any) -> None:
    """Send a command as a staff tool does, and wait until it is carried out."""
    await send(stack, command)
    await eventually(lambda: written(stack, command.record_id, **expected))


async def send(stack: OwnService, command: RecordCommand) -> None:
    encoded = encode(f"/{STAFF.replace('.', '/')}", [command])
    key = routing_key("staff", type(command))
    await stack.publish_as(STAFF, encoded.body, key=key, message_id=encoded.message_id)


async def change(stack: OwnService, record_id: str = "B-1", **fields: Any) -> None:
    seen = await version_of(stack, record_id)
    command = ChangeMember(**BY, record_id=record_id, expected_version=seen, fields=fields)
    await ask(stack, command, **{name: value for name, value in fields.items() if value is not None})


async def told(stack: OwnService, at_least: int, user: str = USER) -> list[MemberWritten]:
    """What the former system reads from its own queue, as itself."""
    result: list[MemberWritten] = []
    async with await aio_pika.connect(servers.broker_url(stack.env, user), timeout=10) as connection:
        queue = await (await connection.channel()).get_queue(f"{user}.way-back", ensure=False)

        async def enough() -> bool:
            while (message := await queue.get(fail=False)) is not None:
                tree = orjson.loads(message.body)
                events = tree if isinstance(tree, list) else [tree]
                result.extend(MemberWritten.model_validate_json(orjson.dumps(event["data"])) for event in events)
                await message.ack()
            return len(result) >= at_least

        await eventually(enough)
    return result
