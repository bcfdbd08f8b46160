"""One transaction: the inbox row, the state and the outbox row, together or not at all."""

from collections.abc import Collection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.outbox import Outbox
from shared.messaging.waiting import BrokerUnavailableError, CountWaiting


class UnitOfWork:
    """What a handler may touch. A service's own unit of work adds its repositories."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.outbox = Outbox()
        self.count_waiting: CountWaiting = _nobody_knows
        self.prepared: Any = None
        """What the handler's own first step gave, if it has one."""

    async def serialise_writers(self) -> None:
        """Wait for whoever writes what this transaction goes by; where writers only meet in rows, there is no turn."""


async def _nobody_knows(_: Collection[str]) -> dict[str, int]:
    raise BrokerUnavailableError("the broker is not known here: its queues cannot be looked at")
