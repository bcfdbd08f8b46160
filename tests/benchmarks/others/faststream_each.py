"""FastStream as its documentation shows it: a typed handler, one SQLAlchemy transaction for each message."""

import asyncio
import os
import signal
from typing import Any

import uvloop
from faststream import StreamMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from schemas.billing import InvoiceRecorded
from schemas.envelope import Envelope
from tests.benchmarks.others import statements

broker = RabbitBroker(os.environ["BENCH_BROKER_URL"], logger=None)
engine = create_async_engine(make_url(os.environ["BENCH_DATABASE_URL"]).set(drivername="postgresql+asyncpg"))


async def decode(message: StreamMessage[Any]) -> Any:
    """FastStream knows application/json, and not the content type of CloudEvents."""
    return statements.loads(message.body)


@broker.subscriber(
    RabbitQueue(os.environ["BENCH_QUEUE"], declare=False),
    channel=Channel(prefetch_count=int(os.environ["BENCH_PREFETCH"])),
    no_reply=True,
    decoder=decode,
)
async def record(event: Envelope[InvoiceRecorded]) -> None:
    """Inbox, mirror, outbox, commit; FastStream acknowledges afterwards."""
    tree = statements.loads(event.encode())
    async with engine.begin() as connection:
        if (await connection.execute(statements.ADMIT, statements.admitted(tree))).scalar() is None:
            return
        row = statements.row_of(tree, dict(event.data.__dict__))
        await connection.execute(statements.SAVE, row)
        await connection.execute(statements.ANNOUNCE, statements.announced(tree, event.cluster))


async def main() -> None:
    """Consume until told to stop."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with broker:
        await broker.start()
        await stopping.wait()


if __name__ == "__main__":
    uvloop.run(main())
