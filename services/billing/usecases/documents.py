"""Documents that were issued, as staff look at them; and whether the series still hold what was issued."""

from typing import Any

from schemas.billing_documents import (
    DocumentLine,
    Documents,
    DocumentShown,
    OfDocuments,
    OneDocument,
    Series,
    SeriesShown,
)
from services.billing.documents import repository
from services.operations.binding import Call, RefusedError

_SERIES = """
    select s.issuer, s.kind, d.year, min(d.number) as first, max(d.number) as last, count(*)::int as count,
           (max(d.place) - count(*))::int as missing, max(d.issued_on) as last_on,
           bool_and(d.year < s.year or d.place < s.next) as counted
    from series s join documents d using (issuer, kind) group by s.issuer, s.kind, d.year order by 1, 2, 3
"""


async def documents(call: Call[OfDocuments]) -> Documents:
    """Documents, the newest first."""
    asked = call.arguments
    rows = await repository.documents(call.uow.connection, asked.issuer, asked.record, limit=asked.limit)
    return Documents(items=[_shown(row, []) for row in rows])


async def one_document(call: Call[OneDocument]) -> DocumentShown:
    """One document with its lines."""
    rows = await repository.documents(call.uow.connection, number=call.arguments.number)
    if not rows:
        raise RefusedError("document-unknown", "there is no document of this number")
    lines = await repository.lines_of(call.uow.connection, call.arguments.number)
    return _shown(rows[0], [DocumentLine(**line) for line in lines])


async def series(call: Call[Any]) -> Series:
    """Each series: first, last, how many, and whether any is missing."""
    rows = (await call.uow.connection.exec_driver_sql(_SERIES)).mappings()
    return Series(items=[SeriesShown(**row) for row in rows])


def _shown(row: dict[str, Any], lines: list[DocumentLine]) -> DocumentShown:
    return DocumentShown(**row, lines=lines)
