"""What billing mirrors of a former system, for comparing the two."""

from decimal import Decimal

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing.tables import invoices, payments
from services.cutover.parity.mirror_reader import mirrored


def _billed(invoice: InvoiceRecorded) -> tuple[int, Decimal]:
    # Some systems write a credit note as a negative amount, some do not. Drafts and cancelled ones count: what is to be
    # proved is that both sides hold the same, not what is owed.
    gross = -abs(invoice.gross) if invoice.kind == "credit-note" else invoice.gross
    return invoice.issued_on.year, gross


def _paid(payment: PaymentRecorded) -> tuple[int, Decimal]:
    return payment.paid_on.year, payment.amount


KINDS = (
    mirrored("invoice", InvoiceRecorded, invoices, money=_billed),
    mirrored("payment", PaymentRecorded, payments, money=_paid),
)
