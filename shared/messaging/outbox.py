"""The outbox: what a transaction wants published is a row of it, so that both happen or neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.storable import storable_json
from shared.persistence.batches import columns_of

CHANNEL = "outbox"
"""Name of the LISTEN/NOTIFY channel that wakes the relay."""

_ADD = """
    insert into outbox (exchange, routing_key, message_id, content_type, headers, body)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::bytea[])
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    exchange: str
    routing_key: str
    message_id: str
    content_type: str | None
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])


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
        rows = self._outgoing
        await connection.exec_driver_sql(
            _ADD,
            (
                *columns_of(rows, "exchange", "routing_key", "message_id", "content_type"),
                [storable_json(row.headers) for row in rows],
                [row.body for row in rows],
            ),
        )
        await connection.exec_driver_sql(f"notify {CHANNEL}")
        self._outgoing = []
