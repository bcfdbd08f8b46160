"""All write SQL of billing."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing import BillingConflictAnswered, InvoiceRecorded, PaymentRecorded
from schemas.conflicts import ConflictAnswered
from schemas.envelope import Envelope
from services.billing.documents.rules import verdicts
from services.billing.documents.trial import Rules
from services.billing.issuers.issuer import Issuer
from services.billing.tables import invoices, payments
from services.common.sections import serialise_writers
from services.conflicts.repository import ConflictsUnitOfWork
from shared.persistence.mirror import Mirror


class BillingUnitOfWork(ConflictsUnitOfWork):
    """One transaction of billing, with the legal bodies that bill, who asks the schematrons, and former software."""

    answered: ClassVar[type[ConflictAnswered]] = BillingConflictAnswered

    def __init__(
        self,
        connection: AsyncConnection,
        conflict_owner: str,
        issuers: Mapping[str, Issuer] = MappingProxyType({}),
        rules: Rules = verdicts,
        products: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(connection, conflict_owner)
        self.issuers = issuers
        self.rules = rules
        self._products = products

    def software(self, cluster: str) -> str:
        """What the cluster's former billing system is; plain where the clusters file names none."""
        return self._products.get(cluster, "plain")

    async def serialise_writers(self) -> None:
        """Wait for whoever saves what sections are made of: before a row is locked, for they may want that row."""
        await super().serialise_writers()
        await serialise_writers(self.connection)

    async def save_invoices(
        self, messages: Sequence[Envelope[InvoiceRecorded]]
    ) -> list[tuple[Envelope[InvoiceRecorded], int]]:
        """Mirror invoices; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(invoices).save(self.connection, messages)

    async def save_payments(
        self, messages: Sequence[Envelope[PaymentRecorded]]
    ) -> list[tuple[Envelope[PaymentRecorded], int]]:
        """Mirror payments; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(payments).save(self.connection, messages)
