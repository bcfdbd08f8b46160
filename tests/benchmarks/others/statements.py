"""One message's three statements in SQLAlchemy Core, built once, for FastStream and Celery alike."""

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.billing.tables import invoices, messaging
from tests.benchmarks.others import rows

ADMIT = insert(messaging.inbox).on_conflict_do_nothing().returning(messaging.inbox.c.message)
"""The inbox row; returns it if it is new."""

_INSERT = insert(invoices)
SAVE = _INSERT.on_conflict_do_update(
    index_elements=["cluster", "invoice_id"],
    set_={name: _INSERT.excluded[name] for name in rows.COLUMNS[2:]},
    where=sa.tuple_(invoices.c.version, invoices.c.digest)
    < sa.tuple_(_INSERT.excluded.version, _INSERT.excluded.digest),
)
"""The mirror's row, if it is newer."""

ANNOUNCE = insert(messaging.outbox)


def admitted(event: dict[str, Any]) -> dict[str, Any]:
    """Values of the inbox row."""
    return {"message": rows.inbox_key(event), "digest": rows.digest(event)}


def announced(event: dict[str, Any], cluster: str) -> dict[str, Any]:
    """Values of the outbox row."""
    message_id, body = rows.announcement(event, cluster)
    values = (rows.EXCHANGE, rows.KEY, message_id, rows.SINGLE, {}, body)
    return dict(zip(rows.OUTBOX, values, strict=True))


def row_of(event: dict[str, Any], typed: dict[str, Any] | None = None) -> dict[str, Any]:
    """The mirror's row with Python dates and decimals: those given, else read from the text."""
    from datetime import date
    from decimal import Decimal

    row = rows.invoice(event)
    if typed is not None:
        return row | {name: typed[name] for name in rows.CASTS if name in typed}
    read = {"date": date.fromisoformat, "numeric": Decimal}
    return row | {
        name: read[kind](row[name]) for name, kind in rows.CASTS.items() if kind in read and row[name] is not None
    }


def loads(body: bytes | str) -> dict[str, Any]:
    """An event as a tree."""
    return orjson.loads(body)
