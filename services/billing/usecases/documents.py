"""Documents that were issued, as staff look at them."""

from base64 import b64encode
from typing import Any

from schemas.billing_documents import (
    DocumentFiles,
    DocumentLine,
    Documents,
    DocumentShown,
    OfDocuments,
    OneDocument,
)
from services.billing.documents import repository
from services.billing.documents.files import failure_of, files_of
from services.operations.binding import Call, RefusedError


async def documents(call: Call[OfDocuments]) -> Documents:
    """Documents, the newest first."""
    asked = call.arguments
    rows = await repository.documents(call.uow.connection, asked.issuer, asked.record, limit=asked.limit)
    return Documents(items=[_shown(row, []) for row in rows])


async def one_document(call: Call[OneDocument]) -> DocumentShown:
    """One document with its lines."""
    return await document_shown(call, call.arguments.number)


async def document_shown(call: Call[Any], number: str) -> DocumentShown:
    """The document of this number, with its lines. Raises RefusedError."""
    rows = await repository.documents(call.uow.connection, number=number)
    if not rows:
        raise RefusedError("document-unknown", "there is no document of this number")
    lines = await repository.lines_of(call.uow.connection, number)
    return _shown(rows[0], [DocumentLine.model_validate(line) for line in lines])


async def files(call: Call[OneDocument]) -> DocumentFiles:
    """The files of one document, which a task makes seconds after it was issued."""
    number = call.arguments.number
    kept = await files_of(call.uow.connection, number)
    if not kept:
        await one_document(call)
        raise RefusedError("document-unready", await _why_not(call, number))
    (pdf, pdf_digest), (xml, xml_digest) = kept["pdf"], kept["xml"]
    return DocumentFiles(
        number=number,
        pdf=b64encode(pdf).decode(),
        pdf_sha256=pdf_digest.hex(),
        xml=b64encode(xml).decode(),
        xml_sha256=xml_digest.hex(),
    )


async def _why_not(call: Call[Any], number: str) -> str:
    if (failure := await failure_of(call.uow.connection, number)) is None:
        return f"the files of {number} are not made yet: ask again, or run `traboule billing render`"
    return (
        f"the files of {number} could not be made {failure.attempts} times ({failure.error}); the next try is at "
        f"{failure.next_at:%Y-%m-%d %H:%M} UTC, or run `traboule billing render`"
    )


def _shown(row: dict[str, Any], lines: list[DocumentLine]) -> DocumentShown:
    return DocumentShown(**row, lines=lines)
