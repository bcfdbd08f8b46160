"""What billing hears: the routing table."""

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing import handlers
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("billing.invoice-recorded", InvoiceRecorded, handlers.record_invoices),
    Subscription("billing.payment-recorded", PaymentRecorded, handlers.record_payments),
)
