"""Facts about dues: what former systems record, and what the billing service announces of it.

A *Recorded* fact is published by a former system about its own record. Billing mirrors it and announces the state
that it now holds as a *Changed* fact, which names the cluster, under the former system's own ids and version.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Amount, Day, Fact, Key, Label, MirroredRecord
from schemas.conflicts import ConflictAnswered
from schemas.cutover import COUNTS, PART_RECORDS, RECORDS, Count, ManifestRecord, ManifestRecorded, StageChanged
from schemas.cutover_requests import CutoverAnswered

BillingKind = Literal["invoice", "payment"]
InvoiceStatus = Literal["draft", "issued", "paid", "cancelled"]


class _Invoice(Fact):
    service: ClassVar[str] = "billing"

    invoice_id: Key
    record_id: Key
    number: Label
    kind: Literal["invoice", "credit-note"] = "invoice"
    corrects: Key | None = Field(
        default=None, description="invoice_id of the invoice that a credit note corrects or cancels"
    )
    status: InvoiceStatus = "issued"
    label: Label | None = None
    issued_on: Day
    due_on: Day | None = None
    period_starts_on: Day | None = None
    period_ends_on: Day | None = None
    net: Amount
    vat: Amount
    gross: Amount
    currency: Literal["EUR"] = "EUR"


class _Payment(Fact):
    service: ClassVar[str] = "billing"

    payment_id: Key
    record_id: Key
    invoice_id: Key | None = None
    paid_on: Day
    amount: Amount
    currency: Literal["EUR"] = "EUR"
    method: Label | None = None


class InvoiceRecorded(_Invoice):
    """A former system's invoice or credit note, whole."""

    key: ClassVar[str] = "invoice-recorded"


class InvoiceChanged(_Invoice, MirroredRecord):
    """An invoice as billing holds it now."""

    key: ClassVar[str] = "invoice-changed"


class PaymentRecorded(_Payment):
    """A payment, or with a negative amount a refund, as a former system recorded it."""

    key: ClassVar[str] = "payment-recorded"


class PaymentChanged(_Payment, MirroredRecord):
    """A payment as billing holds it now."""

    key: ClassVar[str] = "payment-changed"


class BillingConflictAnswered(ConflictAnswered):
    """Whose a conflict about dues is, and where it stands."""

    service: ClassVar[str] = "billing"


class BillingStageChanged(StageChanged):
    """Where a cluster's former billing system stands: legacy, mirror, live or retired."""

    service: ClassVar[str] = "billing"


class BillingCutoverAnswered(CutoverAnswered):
    """What billing did or told of what was asked about its former systems."""

    service: ClassVar[str] = "billing"


class BillingManifestRecord(ManifestRecord):
    """One record that a former billing system holds."""

    kind: BillingKind = Field(description="What it is")


class BillingManifestRecorded(ManifestRecorded):
    """What a former billing system holds: how many of each kind and, if it can tell, each record."""

    service: ClassVar[str] = "billing"

    counts: dict[BillingKind, Count] = Field(default_factory=dict, description=COUNTS)
    records: Annotated[tuple[BillingManifestRecord, ...], Field(max_length=PART_RECORDS)] = Field(
        default=(), description=RECORDS
    )
