"""What billing does with each fact: save what is newer, announce what was saved and the accounts that it changes."""

from collections.abc import Sequence

from schemas.billing import InvoiceChanged, InvoiceRecorded, PaymentChanged, PaymentRecorded
from schemas.envelope import Envelope
from services.billing.accounts.queries import ACCOUNTS
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.sections import stating
from shared.messaging.publishing import publish_mirrored


async def record_invoices(uow: BillingUnitOfWork, messages: Sequence[Envelope[InvoiceRecorded]]) -> None:
    """Mirror the former system's invoices."""
    async with stating(uow, ACCOUNTS, messages):
        publish_mirrored(uow, InvoiceChanged, await uow.save_invoices(messages))


async def record_payments(uow: BillingUnitOfWork, messages: Sequence[Envelope[PaymentRecorded]]) -> None:
    """Mirror the former system's payments."""
    async with stating(uow, ACCOUNTS, messages):
        publish_mirrored(uow, PaymentChanged, await uow.save_payments(messages))
