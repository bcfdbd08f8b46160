"""One message's three statements in SQLAlchemy Core, for FastStream and Celery alike."""

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.billing.tables import invoices, messaging
from tests.benchmarks.others import rows


def admit(event: dict[str, Any]) -> Any:
    """The inbox row; returns it if it is new."""
    inbox = messaging.inbox
    return insert(inbox).values(message=rows.inbox_key(event)).on_conflict_do_nothing().returning(inbox.c.message)


def save(row: dict[str, Any]) -> Any:
    """The mirror's row, if it is newer."""
    statement = insert(invoices).values(row)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["cluster", "invoice_id"],
        set_={name: new[name] for name in rows.COLUMNS[2:]},
        where=sa.tuple_(invoices.c.version, invoices.c.digest) < sa.tuple_(new.version, new.digest),
    )


def announce(event: dict[str, Any], cluster: str) -> Any:
    """The outbox row."""
    message_id, body = rows.announcement(event, cluster)
    values = (rows.EXCHANGE, rows.KEY, message_id, rows.SINGLE, {}, body)
    return insert(messaging.outbox).values(dict(zip(rows.OUTBOX, values, strict=True)))


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
