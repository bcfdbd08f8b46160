"""What billing does with each fact: save what is newer, announce what was saved and the accounts that it changes."""

from collections.abc import Sequence

from schemas.billing import InvoiceChanged, InvoiceRecorded, PaymentChanged, PaymentRecorded
from schemas.envelope import Envelope
from services.billing.accounts.queries import ACCOUNTS
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.sections import stating
from shared.messaging.failures import Refusal
from shared.messaging.publishing import publish_mirrored


async def record_invoices(uow: BillingUnitOfWork, messages: Sequence[Envelope[InvoiceRecorded]]) -> None:
    """Mirror the former system's invoices."""
    async with stating(uow, ACCOUNTS, messages):
        publish_mirrored(uow, InvoiceChanged, await uow.save_invoices(messages))


async def record_payments(uow: BillingUnitOfWork, messages: Sequence[Envelope[PaymentRecorded]]) -> None:
    """Mirror the former system's payments. Raises Refusal where allocations would count money twice."""
    for message in messages:
        _require_counted_once(message.data)
    async with stating(uow, ACCOUNTS, messages):
        publish_mirrored(uow, PaymentChanged, await uow.save_payments(messages))


def _require_counted_once(payment: PaymentRecorded) -> None:
    """Raises Refusal."""
    parts = payment.allocations
    if parts and payment.invoice_id is not None:
        raise Refusal(
            "invalid-field", "allocations: a payment with allocations names its invoices there, not in invoice_id"
        )
    if any(part.amount * payment.amount <= 0 for part in parts):
        raise Refusal("invalid-field", "allocations: each allocation has the sign of its payment, and is not nothing")
    if abs(sum(part.amount for part in parts)) > abs(payment.amount):
        raise Refusal("invalid-field", "allocations: they come to more than the payment")
