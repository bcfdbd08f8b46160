"""A former system that is told of our documents enters them, and says them: that is no late message.

What it says so changes nothing of what is billed, so it is mirrored although the former system is no authority. It is
how a rollback learns that nobody will bill the same days again. Whatever differs from the document waits in quarantine.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from schemas.billing import InvoiceRecorded
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

_KINDS: Final = {"invoice": ("invoice", "dues-notice"), "credit-note": ("credit-note",)}
_OURS = """
    select d.cluster, d.number, d.record_id, d.kind, d.gross
    from unnest($1::text[], $2::text[]) as n (cluster, number) join documents d using (cluster, number)
"""


async def confirms(uow: UnitOfWork, messages: Sequence[Envelope[InvoiceRecorded]]) -> list[bool]:
    """Of each message, whether it repeats a document of ours."""
    columns = [message.cluster for message in messages], [message.data.number for message in messages]
    ours = {
        (cluster, number): (record_id, kind, gross)
        for cluster, number, record_id, kind, gross in rows_of(await uow.connection.exec_driver_sql(_OURS, columns))
    }
    documents = [ours.get((message.cluster, message.data.number)) for message in messages]
    return [
        document is not None and _repeats(message.data, *document)
        for message, document in zip(messages, documents, strict=True)
    ]


def _repeats(invoice: InvoiceRecorded, record_id: str, kind: str, gross: Decimal) -> bool:
    """Whether it is in force and says what the document does; some systems write a credit note as negative."""
    same = invoice.record_id == record_id and kind in _KINDS[invoice.kind] and abs(invoice.gross) == gross
    return same and invoice.status in ("issued", "paid")
