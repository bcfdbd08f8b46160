"""Files of issued documents: made after the commit, kept once with their digests, and never made again.

A number is taken in a transaction that must be short, and a page takes 20 ms: so a task makes what is missing.
"""

from asyncio import to_thread
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import structlog
import typst
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.billing.documents.facturx import Document, with_xml, xml_of
from services.billing.documents.page import pdf_of
from services.billing.documents.repository import lines_of
from services.billing.dues.days import units_of
from shared.persistence.database import json_of, rows_of

log = structlog.get_logger()

RENDER_EVERY = 5.0
"""Seconds after which the files of what was issued are made."""
_PAGE = 20
_MISSING = f"""
    select d.number from documents d
    where not exists (select from document_files f where f.document_id = d.document_id) and d.number <> all($1::text[])
    order by d.issued_at, d.number limit {_PAGE}
"""
_DOCUMENT = """
    select d.document_id::text, d.number, d.kind, d.issued_on, d.due_on, d.first, d.seller, d.buyer, d.net, d.vat,
           d.gross, d.reference, d.why, o.number as corrected, o.issued_on as corrected_on
    from documents d left join documents o on o.document_id = d.corrects where d.number = $1
"""
_KEEP = """
    insert into document_files (document_id, kind, content, sha256)
    select $1::uuid, * from unnest($2::text[], $3::bytea[], $4::bytea[]) on conflict do nothing
"""
_FILES = """
    select f.kind, f.content, f.sha256 from document_files f join documents d using (document_id) where d.number = $1
"""


async def render_the_rest(engine: AsyncEngine) -> None:
    """Make the files of every document that has none. One that cannot be made is logged, and stays without."""
    failed: set[str] = set()
    while True:
        async with engine.begin() as connection:
            # Those that cannot be made are left out, or twenty of them would keep all later ones from being made.
            numbers = list((await connection.exec_driver_sql(_MISSING, (sorted(failed),))).scalars())
            for number in numbers:
                try:
                    await render(connection, number)
                except (ValueError, typst.TypstError) as error:
                    failed.add(number)
                    log.warning("document.not_rendered", number=number, error=type(error).__name__)
        if len(numbers) < _PAGE:
            return


async def render(connection: AsyncConnection, number: str) -> None:
    """Make and keep the PDF, with the XML inside, and the XML. Raises UnfitDocumentError, typst.TypstError."""
    document_id, document = await _read(connection, number)
    xml = await to_thread(xml_of, document)
    pdf = await to_thread(lambda: with_xml(pdf_of(document), xml))
    contents = [pdf, xml]
    digests = [sha256(content).digest() for content in contents]
    await connection.exec_driver_sql(_KEEP, (document_id, ["pdf", "xml"], contents, digests))


async def files_of(connection: AsyncConnection, number: str) -> dict[str, tuple[bytes, bytes]]:
    """Content and SHA-256 of each file of a document, by kind."""
    rows = rows_of(await connection.exec_driver_sql(_FILES, (number,)))
    return {kind: (bytes(content), bytes(digest)) for kind, content, digest in rows}


async def _read(connection: AsyncConnection, number: str) -> tuple[str, Document]:
    row = (await connection.exec_driver_sql(_DOCUMENT, (number,))).mappings().one()
    names = ("number", "kind", "issued_on", "due_on", "first", "net", "vat", "gross", "reference", "why")
    amounts: dict[str, Any] = {name: row[name] for name in names}
    document = Document(
        **amounts,
        last=_last_of(row["first"]),
        seller=json_of(row["seller"]),
        buyer=json_of(row["buyer"]),
        lines=[{**line, "vat_rate": Decimal(line["vat_rate"])} for line in await lines_of(connection, number)],
        corrects=(row["corrected"], row["corrected_on"]) if row["corrected"] else None,
    )
    return row["document_id"], document


def _last_of(first: date) -> date:
    return units_of(first, 12)[0].last_day
