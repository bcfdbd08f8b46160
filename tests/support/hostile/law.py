"""The law: whatever was sent, a healthy message after it is applied within seconds, and it is settled exactly once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from deploy.provisioning import definitions
from schemas.base import Fact
from tests.support.builders import unique
from tests.support.hostile.accounts import Accounts
from tests.support.hostile.message import HostileMessage, Writer, mark_of
from tests.support.hostile.publisher import Answer, Publisher, publishing
from tests.support.servers import broker_url

HOSTILE, NEIGHBOUR = "numelink", "clustr-numerique"
WITHIN = 5.0
"""Seconds in which a healthy message has to be applied, whatever was published before it."""
SETTLED = 15.0
"""Seconds in which everything has to be settled: a message that fails in its handler is tried a few times."""
IN_FLIGHT = 32
_APPLIED = "select count(*) from inbox where message = any($1::text[])"


class Broken(AssertionError):
    """A healthy message was not applied in time, or something was lost or done twice."""


@dataclass(slots=True)
class Law:
    """One service under attack: a hostile former system and a neighbour of it that does everything right."""

    hostile: Writer
    neighbour: Writer
    accounts: Accounts
    slowest: float = 0.0
    healthy: int = 0
    _publisher: Publisher = field(init=False)
    _periodic_tasks: Publisher = field(init=False)
    _database: asyncpg.Connection[Any] = field(init=False)

    async def send(self, messages: Sequence[HostileMessage], *, alone: bool) -> None:
        """Publish, each by itself or many at once, and note what the broker answers."""
        step = 1 if alone else IN_FLIGHT
        for at in range(0, len(messages), step):
            some = messages[at : at + step]
            self.accounts.add(some, await self._publisher.publish(some))

    async def attack(self, body: bytes, **properties: Any) -> Answer:
        """Publish one message that is not counted: it is known by what it does to the service."""
        [answer] = await self._publisher.publish([self.hostile.message(self.hostile.mark(), body, **properties)])
        return answer

    async def neighbour_is_served(self, within: float = WITHIN) -> float:
        """Publish a healthy message to the same queue; the seconds until it was applied. Raises Broken if too many."""
        message = self.neighbour.sound()
        started = time.monotonic()
        [answer] = await self._periodic_tasks.publish([message])
        if answer != "confirmed":
            raise Broken(f"the broker did not take a healthy message: {self._periodic_tasks.refusals}")
        name = f"{self.neighbour.source} {mark_of(message.number)}"
        while not await self._database.fetchval(_APPLIED, [name]):
            if time.monotonic() - started > within:
                raise Broken(f"a healthy message was not applied within {within} s")
            await asyncio.sleep(0.01)
        took = time.monotonic() - started
        self.healthy += 1
        self.slowest = max(self.slowest, took)
        return took

    async def settled(self, within: float = SETTLED) -> None:
        """Wait until everything is settled, exactly once. Raises Broken with what is not."""
        deadline = time.monotonic() + within
        while wrong := await self.accounts.wrong(self._database):
            if time.monotonic() > deadline:
                raise Broken(f"{len(wrong)} wrong: " + "; ".join(wrong[:5]))
            await asyncio.sleep(0.1)

    def told(self) -> str:
        """Where everything ended, in one line."""
        totals = ", ".join(f"{count:,} {name}" for name, count in sorted(self.accounts.totals.items()))
        return f"{totals}; {self.healthy:,} healthy beside, the slowest after {self.slowest:.2f} s"

    @property
    def refusals(self) -> Sequence[str]:
        """Why the broker closed the hostile publisher's channel."""
        return self._publisher.refusals


def holds_against_headers(management_url: str) -> bool:
    """Whether the broker is 4.0 or later.

    Before, a forged ``x-death`` that is dead-lettered ends dead-lettering for the whole broker, and ``CC`` takes a
    message into the queues of a service to which its producer may not write.
    """
    version: str = definitions.call(management_url, "GET", "/api/overview")["rabbitmq_version"]
    return int(version.split(".")[0]) >= 4


@asynccontextmanager
async def law(env: Mapping[str, str], service: str, fact: Callable[[str], Fact], run: str = "") -> AsyncGenerator[Law]:
    """Attack the queue of this fact; ``fact`` makes a sound one about a record that bears the mark that it is given."""
    run = run or unique("r").replace("-", "")
    item = Law(
        Writer(f"{HOSTILE}.{service}", fact, run), Writer(f"{NEIGHBOUR}.{service}", fact, f"{run}n"), Accounts(HOSTILE)
    )
    item._database = await asyncpg.connect(env[f"TRABOULE_{service.upper()}_DATABASE_URL"], timeout=10)
    try:
        async with (
            publishing(broker_url(env, item.hostile.user)) as item._publisher,
            publishing(broker_url(env, item.neighbour.user)) as item._periodic_tasks,
        ):
            yield item
    finally:
        await item._database.close()
