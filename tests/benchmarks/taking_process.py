"""The process that ``--only taking`` measures: membership as it is served, without broker and HTTP.

It reads batches from its standard input, takes each in, and writes an empty line when it has done so.
"""

import gc
import struct
import sys
from functools import partial
from typing import Any, BinaryIO, Final

import uvloop

from schemas.envelope import BATCH, Envelope
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.cli.environment import settings_of
from services.cli.registry import definition_of
from services.cli.serve import SERVED
from services.membership.policy import policy_of
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.keep_records import record_members
from services.membership.usecases.take_in import take_in
from shared.persistence.database import create_engine

LENGTH: Final = struct.Struct("!I")
"""In front of each batch: how long it is."""


def main() -> None:
    """Take in whatever comes, until the end of input."""
    settings = settings_of("membership")
    # All that the service itself has in memory.
    definition_of("membership").create_app(settings)
    gc.freeze()
    gc.set_threshold(*SERVED)
    uvloop.run(_work(settings))


async def _work(settings: Any) -> None:
    begin = partial(MembershipUnitOfWork, policy=policy_of(settings))
    engine = create_engine(str(settings.database_url), application="taking", pool_size=1)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("select 1")
    _answer()
    while (body := _next(sys.stdin.buffer)) is not None:
        batch = [item for item in read(MemberRecorded, body, BATCH, {}) if isinstance(item, Envelope)]
        taken = await take_in(engine, begin, batch)
        async with engine.begin() as connection:
            uow = begin(connection)
            uow.prepared = taken
            await uow.serialise_writers()
            await record_members(uow, batch)
        del batch, taken, uow
        _answer()
    await engine.dispose()


def _next(where: BinaryIO) -> bytes | None:
    head = where.read(LENGTH.size)
    return where.read(LENGTH.unpack(head)[0]) if head else None


def _answer() -> None:
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
