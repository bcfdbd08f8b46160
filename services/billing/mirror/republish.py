"""What billing tells again after a restore."""

from schemas.billing import InvoiceChanged, InvoiceRecorded, PaymentChanged, PaymentRecorded
from services.billing.accounts.queries import ACCOUNTS
from services.billing.charges.republish import BILLS_AGAIN
from services.billing.cutover.write_back import DOCUMENTS_AGAIN
from services.billing.tables import invoices, payments
from services.common.republish import mirrored, stages_of
from services.common.sections import statements
from services.common.waiting import waiting_of
from services.conflicts.republish import answers

REPUBLISHED = (
    mirrored(invoices, InvoiceRecorded, InvoiceChanged),
    mirrored(payments, PaymentRecorded, PaymentChanged),
    statements(ACCOUNTS),
    answers(),
    DOCUMENTS_AGAIN,
    BILLS_AGAIN,
    stages_of("billing"),
    waiting_of("billing"),
)
