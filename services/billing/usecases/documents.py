"""Documents that were issued, as staff look at them; and whether the series still hold what was issued."""

from base64 import b64encode
from typing import Any

from schemas.billing_documents import (
    DocumentFiles,
    DocumentLine,
    Documents,
    DocumentShown,
    OfDocuments,
    OneDocument,
    Series,
    SeriesShown,
)
from services.billing.documents import repository
from services.billing.documents.files import files_of
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
    return _shown(rows[0], [DocumentLine.model_validate(line) for line in lines])


async def files(call: Call[OneDocument]) -> DocumentFiles:
    """The files of one document, which a task makes seconds after it was issued."""
    number = call.arguments.number
    kept = await files_of(call.uow.connection, number)
    if not kept:
        await one_document(call)
        detail = f"the files of {number} are not made yet: ask again, or run `traboule billing render`"
        raise RefusedError("document-unready", detail)
    (pdf, pdf_digest), (xml, xml_digest) = kept["pdf"], kept["xml"]
    return DocumentFiles(
        number=number,
        pdf=b64encode(pdf).decode(),
        pdf_sha256=pdf_digest.hex(),
        xml=b64encode(xml).decode(),
        xml_sha256=xml_digest.hex(),
    )


async def series(call: Call[Any]) -> Series:
    """Each series: first, last, how many, and whether any is missing."""
    rows = (await call.uow.connection.exec_driver_sql(_SERIES)).mappings()
    return Series(items=[SeriesShown(**row) for row in rows])


def _shown(row: dict[str, Any], lines: list[DocumentLine]) -> DocumentShown:
    return DocumentShown(**row, lines=lines)
