"""Files of issued documents: made after the commit, kept once with their digests, and never made again.

In the transaction that keeps them the document is announced (``DocumentIssued``): once, whatever is restored later.

A number is taken in a transaction that must be short, and a page takes 20 ms: so a task makes what is missing.
"""

from asyncio import to_thread
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import structlog
import typst
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.base import RecordRef
from schemas.letters import DocumentIssued
from services.billing.documents.announcement import announcement
from services.billing.documents.facturx import Document, with_xml, xml_of
from services.billing.documents.page import pdf_of
from services.billing.documents.repository import lines_of
from services.billing.dues.days import year_from
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import json_of, rows_of

log = structlog.get_logger()

RENDER_EVERY = 5.0
"""Seconds after which the files of what was issued are made."""
_PAGE = 20
_LONGEST_WAIT = 3600
"""Seconds after which a document whose files could not be made is tried again, at the latest."""
# Those that could not be made wait longer each time, or they would keep later ones from being made.
_MISSING = f"""
    select d.number from documents d
    where not exists (select from document_files f where f.document_id = d.document_id)
      and not exists (select from document_failures x where x.document_id = d.document_id and x.next_at > now())
    order by d.issued_at, d.number limit {_PAGE}
"""
_FAILED = f"""
    insert into document_failures as kept (document_id, attempts, error, next_at)
    select document_id, 1, $2, now() + make_interval(secs => {RENDER_EVERY}) from documents where number = $1
    on conflict (document_id) do update
    set attempts = kept.attempts + 1, error = excluded.error,
        next_at = now() + make_interval(secs => least({_LONGEST_WAIT}, {RENDER_EVERY} * 2 ^ least(kept.attempts, 20)))
    returning attempts
"""
_MADE = "delete from document_failures where document_id = $1::uuid"
_FAILURES = """
    select d.number, x.attempts, x.error, x.first_at, x.next_at
    from document_failures x join documents d using (document_id)
    where $1::text is null or d.number = $1 order by x.first_at, d.number limit 100
"""
_DOCUMENT = """
    select d.document_id::text, d.number, d.kind, d.issued_on, d.due_on, d.first, d.last, d.seller, d.buyer, d.net,
           d.vat, d.gross, d.reference, d.why, o.number as corrected, o.issued_on as corrected_on,
           d.cluster, d.record_id, (extract(epoch from d.issued_at) * 1000000)::bigint as version
    from documents d left join documents o on o.document_id = d.corrects where d.number = $1
"""
# By rate of VAT: what earlier credit notes left of the document that this one corrects.
_LEFT = """
    with corrected as (select corrects as document_id, year, place from documents where number = $1)
    select l.vat_rate, sum(l.amount) - coalesce((
        select sum(e.amount) from documents d join document_lines e using (document_id)
        where d.corrects = c.document_id and e.vat_rate = l.vat_rate and (d.year, d.place) < (c.year, c.place)), 0)
    from corrected c join document_lines l using (document_id)
    group by l.vat_rate, c.document_id, c.year, c.place
"""
_KEEP = """
    insert into document_files (document_id, kind, content, sha256)
    select $1::uuid, * from unnest($2::text[], $3::bytea[], $4::bytea[]) on conflict do nothing
    returning kind
"""
_FILES = """
    select f.kind, f.content, f.sha256 from document_files f join documents d using (document_id) where d.number = $1
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A document whose files could not be made: how often that was tried, why, since when, and the next try."""

    number: str
    attempts: int
    error: str
    first_at: datetime
    next_at: datetime


async def render_the_rest(engine: AsyncEngine) -> None:
    """Make the files of every document that has none. One that cannot be made is tried again, ever later."""
    while True:
        async with engine.begin() as connection:
            numbers = list((await connection.exec_driver_sql(_MISSING)).scalars())
            for number in numbers:
                await _render_or_note(connection, number)
        if len(numbers) < _PAGE:
            return


async def try_failed_again(engine: AsyncEngine) -> None:
    """Make the files of documents that failed before, whenever their next try would be."""
    async with engine.begin() as connection:
        for failure in await failures(connection):
            await _render_or_note(connection, failure.number)


async def _render_or_note(connection: AsyncConnection, number: str) -> None:
    try:
        await render(connection, number)
    except (ValueError, typst.TypstError) as error:
        noted = await connection.exec_driver_sql(_FAILED, (number, f"{type(error).__name__}: {error}"[:500]))
        # By its type alone: what it says may hold what is on the page.
        log.warning("document.not_rendered", number=number, error=type(error).__name__, attempts=noted.scalar_one())


async def failures(connection: AsyncConnection, number: str | None = None) -> list[Failure]:
    """Documents whose files could not be made, those that wait longest first; or the one of this number."""
    return [Failure(*row) for row in rows_of(await connection.exec_driver_sql(_FAILURES, (number,)))]


async def failure_of(connection: AsyncConnection, number: str) -> Failure | None:
    """Why this document's files could not be made; None if it was not tried."""
    return next(iter(await failures(connection, number)), None)


async def render(connection: AsyncConnection, number: str) -> None:
    """Make and keep the PDF, with the XML inside, and the XML; then announce the document, so that it is sent.

    Raises UnfitDocumentError, typst.TypstError.
    """
    row, document = await _read(connection, number)
    xml = await to_thread(xml_of, document)
    pdf = await to_thread(lambda: with_xml(pdf_of(document), xml))
    contents = [pdf, xml]
    digests = [sha256(content).digest() for content in contents]
    kept = await connection.exec_driver_sql(_KEEP, (row["document_id"], ["pdf", "xml"], contents, digests))
    await connection.exec_driver_sql(_MADE, (row["document_id"],))
    # Another replica that made them meanwhile announced them: the PDF that is kept is the one that is sent.
    if "pdf" in kept.scalars():
        uow = UnitOfWork(connection)
        record = RecordRef(cluster=row["cluster"], record_id=row["record_id"])
        publish(uow, DocumentIssued, [(announcement(document, record, row["version"], pdf), None)])
        await uow.outbox.flush(connection)


async def files_of(connection: AsyncConnection, number: str) -> dict[str, tuple[bytes, bytes]]:
    """Content and SHA-256 of each file of a document, by kind."""
    rows = rows_of(await connection.exec_driver_sql(_FILES, (number,)))
    return {kind: (bytes(content), bytes(digest)) for kind, content, digest in rows}


async def _read(connection: AsyncConnection, number: str) -> tuple[RowMapping, Document]:
    row = (await connection.exec_driver_sql(_DOCUMENT, (number,))).mappings().one()
    left = rows_of(await connection.exec_driver_sql(_LEFT, (number,)))
    names = ("number", "kind", "issued_on", "due_on", "first", "net", "vat", "gross", "reference", "why")
    amounts: dict[str, Any] = {name: row[name] for name in names}
    document = Document(
        **amounts,
        last=row["last"] or year_from(row["first"]).last_day,
        seller=json_of(row["seller"]),
        buyer=json_of(row["buyer"]),
        lines=[{**line, "vat_rate": Decimal(line["vat_rate"])} for line in await lines_of(connection, number)],
        corrects=(row["corrected"], row["corrected_on"]) if row["corrected"] else None,
        left=dict(left),
    )
    return row, document
