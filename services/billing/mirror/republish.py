"""What billing tells again after a restore."""

from schemas.billing import InvoiceChanged, InvoiceRecorded, PaymentChanged, PaymentRecorded
from services.billing.tables import invoices, payments
from services.common.republish import mirrored, stages_of
from services.conflicts.republish import answers

REPUBLISHED = (
    mirrored(invoices, InvoiceRecorded, InvoiceChanged),
    mirrored(payments, PaymentRecorded, PaymentChanged),
    answers(),
    stages_of("billing"),
)
