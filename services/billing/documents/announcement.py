"""What is announced of a document whose files were made: all that its letter says, and the PDF."""

from base64 import b64encode

from schemas.base import RecordRef
from schemas.letters import PDF_BYTES, DocumentIssued, Recipient
from services.billing.documents.facturx import Document


def announcement(document: Document, record: RecordRef, version: int, pdf: bytes) -> DocumentIssued:
    """The fact. Who it is for was copied into the document when it was issued; ``version`` is that moment in µs."""
    seller, buyer = document.seller, document.buyer
    return DocumentIssued(
        version=version,
        cluster=record.cluster,
        recipient=Recipient(name=buyer["name"], email=buyer.get("email") or None, records=(record,)),
        number=document.number,
        issuer=seller["name"],
        amount=document.gross,
        iban=seller.get("iban"),
        reference=document.reference,
        kind=document.kind,  # type: ignore[arg-type]
        issued_on=document.issued_on,
        due_on=document.due_on,
        starts_on=document.first,
        ends_on=document.last,
        corrects=document.corrects[0] if document.corrects else None,
        pdf=b64encode(pdf).decode() if len(pdf) <= PDF_BYTES else None,
    )
