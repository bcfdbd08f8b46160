"""What billing tells again after a restore."""

from schemas.billing import InvoiceChanged, InvoiceRecorded, PaymentChanged, PaymentRecorded
from services.billing.tables import invoices, payments
from services.conflicts.retelling import answers
from services.retelling import mirrored, stages_of

TELLINGS = (
    mirrored(invoices, InvoiceRecorded, InvoiceChanged),
    mirrored(payments, PaymentRecorded, PaymentChanged),
    answers(),
    stages_of("billing"),
)
