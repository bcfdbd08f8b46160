"""Documents that were issued here, told to the former system of the record that they are made out to.

A document is confirmed when the former system says an invoice under its number: by then it knows that the days are
billed. Documents are never altered, so each is told once, and again only after a restore.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing import DocumentWritten
from services.billing.cutover.way_back import IssuedDocument, file_of, form_for, rows_of
from services.billing.documents.repository import Issued
from services.billing.mirror.repository import BillingUnitOfWork
from services.billing.money import rounded
from services.common.republish import CAUSE, PAGE, to_live_systems
from shared.messaging.publishing import publish
from shared.persistence.database import json_of, microseconds_now
from shared.persistence.database import rows_of as rows_read

NOT_CONFIRMED: Final = """
    not exists (select from invoices i where i.cluster = d.cluster and i.number = d.number
                                         and i.status not in ('draft', 'cancelled'))
"""
"""Of a document ``d``: its former system has not said it again."""
_NUMBERS = f"""
    select d.number from documents d where d.cluster = $1 and {NOT_CONFIRMED} and d.number > $2
    order by d.number limit $3
"""
_DOCUMENTS = """
    select d.number, d.kind, d.record_id, coalesce(d.buyer->>'name', ''),
           (select o.number from documents o where o.document_id = d.corrects),
           d.issued_on, d.due_on, d.first, d.net, d.vat, d.gross, d.why,
           (extract(epoch from d.issued_at) * 1000000)::bigint,
           (select json_agg(json_build_object('place', l.place, 'label', l.label, 'amount', l.amount::text,
                                              'vat_rate', l.vat_rate::text) order by l.place)
            from document_lines l where l.document_id = d.document_id)::text,
           d.last
    from documents d where d.cluster = $1 and d.number = any($2::text[]) order by d.number
"""
_CORRECTED = "select document_id::text, number from documents where document_id = any($1::uuid[])"
_LATE = """
    select exists (select from invoices where cluster = $1 and invoice_id = $2),
           (select number from documents where cluster = $1 and number = $3)
"""


@dataclass(frozen=True, slots=True)
class UnconfirmedDocument:
    """A document that the former system has not said. ``software`` is what that system is."""

    document: IssuedDocument
    software: str

    @property
    def record_id(self) -> str:
        """Its number, by which it is known here and there."""
        return self.document.number

    @property
    def digest(self) -> bytes:
        """The same for ever: a document is never altered."""
        return self.document.number.encode()

    @property
    def new_id(self) -> bool:
        """It keeps its number there."""
        return False

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the columns of the software cannot say."""
        return form_for(self.software).left_out(self.document)

    def as_json(self) -> dict[str, Any]:
        """For programs: what it is about, without what it says."""
        return {
            "record_id": self.record_id,
            "commands": [f"{self.document.kind} for {self.document.record_id}"],
            "dismissed": False,
            "new_id": False,
            "removed": False,
            "file": form_for(self.software).file,
            "left_out": self.left_out,
            "not_imported": (),
        }


async def digests(
    uow: BillingUnitOfWork, cluster: str, after: str = "", limit: int | None = None
) -> dict[str, bytes | None]:
    """Every document made out to a record of the cluster that its former system has not said, by number."""
    numbers = (await uow.connection.exec_driver_sql(_NUMBERS, (cluster, after, limit))).scalars()
    return {number: number.encode() for number in numbers}


async def unconfirmed(
    uow: BillingUnitOfWork, cluster: str, record_ids: Sequence[str]
) -> AsyncGenerator[UnconfirmedDocument]:
    """Those documents, with their lines; ``record_ids`` are numbers."""
    for document in await _documents(uow.connection, cluster, record_ids):
        yield UnconfirmedDocument(document, uow.software(cluster))


def files(records: Iterable[UnconfirmedDocument]) -> dict[str, bytes]:
    """The documents as files that the former system imports, by kind; as a table for a person where it reads none."""
    by_software: dict[str, list[IssuedDocument]] = {}
    for record in records:
        by_software.setdefault(record.software, []).append(record.document)
    forms = {software: form_for(software) for software in by_software}
    return {forms[software].file: file_of(documents, forms[software]) for software, documents in by_software.items()}


async def publish_documents(uow: BillingUnitOfWork, numbers: Mapping[str, Collection[str]], cause: str | None) -> None:
    """Tell each cluster's former system of these documents, when the transaction commits.

    ``numbers`` are by cluster: of those whose former system could come back, and so is in stage live.
    """
    for cluster in sorted(numbers):
        documents = await _documents(uow.connection, cluster, numbers[cluster])
        facts = [(_written(uow, cluster, document), cause) for document in documents]
        publish(uow, DocumentWritten, facts, to=cluster)


async def publish_issued(uow: BillingUnitOfWork, issued: Mapping[str, Sequence[Issued]]) -> None:
    """The same of documents that this transaction issues: they need not be read again."""
    corrected = {each.draft.corrects for some in issued.values() for each in some if each.draft.corrects}
    numbers: dict[str | None, str] = {}
    if corrected:
        rows = rows_read(await uow.connection.exec_driver_sql(_CORRECTED, (list(corrected),)))
        numbers = dict(map(tuple, rows))
    for cluster in sorted(issued):
        some = sorted(issued[cluster], key=lambda each: each.number)
        documents = (_as_issued(each, numbers.get(each.draft.corrects)) for each in some)
        publish(uow, DocumentWritten, ((_written(uow, cluster, document), None) for document in documents), to=cluster)


def _as_issued(issued: Issued, corrects: str | None) -> IssuedDocument:
    draft = issued.draft
    return IssuedDocument(
        number=issued.number,
        kind=draft.kind,
        record_id=draft.key.record_id,
        buyer=str(draft.buyer.get("name") or ""),
        corrects=corrects,
        issued_on=issued.issued_on,
        due_on=issued.due_on,
        first=draft.first,
        net=issued.net,
        vat=issued.vat,
        gross=issued.gross,
        why=draft.why,
        version=issued.version,
        lines=[
            {"place": place, "label": line.label, "amount": line.amount, "vat_rate": rounded(line.vat.rate)}
            for place, line in enumerate(draft.lines)
        ],
        last=draft.last,
    )


async def publish_current(uow: BillingUnitOfWork, cluster: str, document: Mapping[str, Any], cause: str) -> None:
    """Tell the former system what is held of the invoice of a late message: our document of that number, or nothing.

    Of an invoice that is mirrored, and of a payment, there is nothing to tell: parity shows what differs.
    """
    if (invoice_id := document.get("invoice_id")) is None or "number" not in document:
        return
    number = document["number"]
    [(mirrored, ours)] = rows_read(await uow.connection.exec_driver_sql(_LATE, (cluster, invoice_id, number)))
    if ours is not None:
        await publish_documents(uow, {cluster: [ours]}, cause)
    elif not mirrored:
        version = await microseconds_now(uow.connection)
        gone = DocumentWritten(
            version=version,
            cluster=cluster,
            record_id=document["record_id"],
            number=number,
            kind=document.get("kind", "invoice"),
            product=uow.software(cluster),
            file="",
            removed=True,
        )
        publish(uow, DocumentWritten, [(gone, cause)], to=cluster)


async def _documents(connection: AsyncConnection, cluster: str, numbers: Collection[str]) -> list[IssuedDocument]:
    rows = rows_read(await connection.exec_driver_sql(_DOCUMENTS, (cluster, list(numbers))))
    return [IssuedDocument(*values, lines=_lines(lines), last=last) for *values, lines, last in rows]


def _lines(lines: str) -> list[dict[str, Any]]:
    amounts = ("amount", "vat_rate")
    return [line | {name: Decimal(line[name]) for name in amounts} for line in json_of(lines)]


def _written(uow: BillingUnitOfWork, cluster: str, document: IssuedDocument) -> DocumentWritten:
    software = uow.software(cluster)
    form = form_for(software)
    return DocumentWritten(
        version=document.version,
        cluster=cluster,
        record_id=document.record_id,
        number=document.number,
        kind=document.kind,  # type: ignore[arg-type]
        product=software,
        file=form.file,
        columns=tuple(form.cells),
        rows=rows_of(document, form),
        left_out=form.left_out(document),
    )


# --- after a restore ------------------------------------------------------------------------------------------------


async def _publish_unconfirmed(uow: BillingUnitOfWork, cluster: str, after: str) -> list[str]:
    """Tell of the next documents that its former system has not said; their numbers, in order."""
    numbers = list(await digests(uow, cluster, after, PAGE))
    await publish_documents(uow, {cluster: numbers}, CAUSE)
    return numbers


DOCUMENTS_AGAIN: Final = to_live_systems(
    "documents written here", "select count(*) from documents", _publish_unconfirmed
)
"""What live former systems have not said of our documents: their queues may have been lost."""
