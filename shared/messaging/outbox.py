"""The outbox: what a transaction wants published is a row of it, so that both happen or neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.storable import storable_json
from shared.persistence.new_rows import NewRows
from shared.persistence.statements import execute

CHANNEL = "outbox"
"""Name of the LISTEN/NOTIFY channel that wakes the relay."""

_ADDED = NewRows(
    "outbox", exchange="text", routing_key="text", message_id="text", content_type="text", headers="jsonb", body="bytea"
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    exchange: str
    routing_key: str
    message_id: str
    content_type: str | None
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def row(self) -> tuple[Any, ...]:
        """As it is kept."""
        about = (self.exchange, self.routing_key, self.message_id, self.content_type)
        return (*about, storable_json(self.headers), self.body)


@dataclass(slots=True)
class Outbox:
    """Collects what one transaction publishes; :meth:`flush` writes it in one statement before the commit."""

    _outgoing: list[Outgoing] = field(default_factory=list[Outgoing])

    def add(self, message: Outgoing) -> None:
        """Publish this when, and only when, the transaction commits."""
        self._outgoing.append(message)

    async def flush(self, connection: AsyncConnection) -> None:
        """Write the rows and wake the relay on commit."""
        if not self._outgoing:
            return
        await _ADDED.insert(connection, [message.row() for message in self._outgoing])
        await execute(connection, f"notify {CHANNEL}")
        self._outgoing = []
