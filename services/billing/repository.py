"""All write SQL of billing."""

from collections.abc import Sequence

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.envelope import Envelope
from services.billing.tables import invoices, payments
from shared.persistence.mirror import Mirror
from shared.persistence.unit_of_work import UnitOfWork


class BillingUnitOfWork(UnitOfWork):
    """One transaction of billing."""

    async def save_invoices(self, messages: Sequence[Envelope[InvoiceRecorded]]) -> list[Envelope[InvoiceRecorded]]:
        """Mirror invoices; returns those that were newer than what was held."""
        return await Mirror(invoices).save(self.connection, messages)

    async def save_payments(self, messages: Sequence[Envelope[PaymentRecorded]]) -> list[Envelope[PaymentRecorded]]:
        """Mirror payments; returns those that were newer than what was held."""
        return await Mirror(payments).save(self.connection, messages)
