"""One transaction: the inbox row, the state and the outbox row, together or not at all."""

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.outbox import Outbox


class UnitOfWork:
    """What a handler may touch. A service's own unit of work adds its repositories."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.outbox = Outbox()
