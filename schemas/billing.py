"""Facts about dues: what former systems record, and what the billing service announces of it.

A *Recorded* fact is published by a former system about its own record. Billing mirrors it and announces the state
that it now holds as a *Changed* fact, which names the cluster, under the former system's own ids and version.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.base import (
    Amount,
    AnnouncedRecord,
    Day,
    Fact,
    ForFormerSystem,
    Key,
    Label,
    MirroredRecord,
    Note,
    Part,
    Total,
)
from schemas.billing_lines import Allocations, Lines, VatRates, WrittenOff
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
    lines: Lines = Field(default=(), description="Its lines, in order, where the former system says them")
    vat_rates: VatRates = Field(default=(), description="What it comes to at each rate of VAT, where that is said")
    written_off: WrittenOff | None = Field(
        default=None, description="What the former system gave up of it: it is owed no more, and was not paid"
    )


class _Payment(Fact):
    service: ClassVar[str] = "billing"

    payment_id: Key
    record_id: Key
    invoice_id: Key | None = None
    paid_on: Day
    amount: Amount
    currency: Literal["EUR"] = "EUR"
    method: Label | None = None
    allocations: Allocations = Field(
        default=(), description="The invoices that it pays, where it pays several; invoice_id is left out then"
    )


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


class AccountInvoice(Part):
    """An invoice or credit note of an account, and what was paid on it."""

    invoice_id: Key
    number: Label
    kind: Literal["invoice", "credit-note"] = "invoice"
    corrects: Key | None = Field(default=None, description="invoice_id of the invoice that it corrects or cancels")
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
    paid: Total | None = Field(
        default=None, description="All payments on it, less refunds, whichever record they name; absent without one"
    )
    written_off: Total | None = Field(default=None, description="What the former system gave up of it")


class AccountPayment(Part):
    """A payment, or with a negative amount a refund, of an account."""

    payment_id: Key
    invoice_id: Key | None = None
    paid_on: Day
    amount: Amount
    currency: Literal["EUR"] = "EUR"
    method: Label | None = None
    allocations: Allocations = Field(default=(), description="The invoices that it pays, where it pays several")


class PaidPeriod(Part):
    """Days of membership that were billed and paid in full."""

    invoice_id: Key
    starts_on: Day
    ends_on: Day


class AccountDocument(Part):
    """A document that was issued here, made out to the record of an account."""

    number: Label
    kind: Literal["invoice", "credit-note", "dues-notice"]
    corrects: Label | None = Field(default=None, description="Number of the document that a credit note corrects")
    issued_on: Day
    due_on: Day | None = None
    period_starts_on: Day
    period_ends_on: Day
    net: Amount
    vat: Amount
    gross: Amount
    currency: Literal["EUR"] = "EUR"
    why: Annotated[str, StringConstraints(max_length=8_000)] = Field(
        description="Why the amount is what it is, as the document says"
    )
    mirrored: bool = Field(
        default=False,
        description="The former system has it too, under the same number: there it is counted, and not here",
    )
    about: Literal["seats"] | None = Field(
        default=None, description="seats: of a gathering, on the day of the period; None: dues for the period"
    )


class PeriodOfAccount(Part):
    """What was billed for a period, less what was credited, and what was paid of it."""

    starts_on: Day
    ends_on: Day
    billed: Total = Field(description="Invoices and dues notices for the period, less credit notes")
    paid: Total = Field(description="Payments on them, less refunds; the whole of an invoice that is said to be paid")
    outstanding: Total = Field(description="billed less paid and written off: what is owed for the period")
    written_off: Total | None = Field(
        default=None, description="What the former system gave up of it; absent if nothing"
    )
    paid_up: bool = Field(description="Something was billed for the period, and it is paid in full")
    reasons: tuple[Annotated[str, StringConstraints(max_length=8_200)], ...] = Field(
        description="A sentence for each invoice, credit note and notice that counts, by day"
    )


class AccountChanged(AnnouncedRecord):
    """What one source record was billed, paid and owes, and until when it is paid: by billing's rules.

    Each fact is the whole account. Whoever adds up accounts needs no rule of billing.
    """

    service: ClassVar[str] = "billing"
    key: ClassVar[str] = "account-changed"

    record_id: Key
    invoiced: Total | None = Field(
        default=None, description="What was billed, less credit notes; absent while no invoice counts"
    )
    received: Total | None = Field(default=None, description="What was paid, less refunds; absent without a payment")
    transferred: Total | None = Field(
        default=None,
        description="What payments of other records settle of its documents, less what its own settle of theirs",
    )
    outstanding: Total | None = Field(
        default=None,
        description="invoiced less received, transferred and written off: what is owed; absent while all are",
    )
    written_off: Total | None = Field(
        default=None, description="What former systems gave up of what was billed; absent if nothing"
    )
    currency: Literal["EUR"] = "EUR"
    paid_until: Day | None = Field(default=None, description="Last day of a period whose invoice is paid in full")
    paid_periods: tuple[PaidPeriod, ...] = Field(
        default=(), description="Periods whose invoice is paid in full, and not taken off by a credit note"
    )
    invoices: tuple[AccountInvoice, ...] = Field(default=(), description="Its invoices and credit notes, by day")
    payments: tuple[AccountPayment, ...] = Field(default=(), description="Its payments and refunds, by day")
    documents: tuple[AccountDocument, ...] = Field(
        default=(), description="Invoices, credit notes and dues notices that were issued here, by day"
    )
    periods: tuple[PeriodOfAccount, ...] = Field(
        default=(), description="By first and last day; what names no period counts in the sums alone"
    )
    unlisted: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many older invoices and payments are not listed, for want of room; the amounts count them",
    )


class DocumentWritten(ForFormerSystem):
    """A document that was issued here, for the former system of the record that it is made out to.

    Told while Traboule is the authority, so that moving back bills nothing twice. The former system enters it under
    the same number, and says it as its own invoice from then on: it counts once.
    """

    service: ClassVar[str] = "billing"
    key: ClassVar[str] = "document-written"

    record_id: Key
    number: Label = Field(description="Its number, of a series of our own")
    kind: Literal["invoice", "credit-note", "dues-notice"]
    product: Label = Field(description="The software that the former system is, as the clusters file names it")
    file: Label = Field(description="The kind of its files in which such rows stand, or documents for a plain table")
    columns: tuple[Note, ...] = Field(default=(), description="The columns of the rows")
    rows: tuple[tuple[Note, ...], ...] = Field(default=(), description="A row for each line of the document")
    left_out: tuple[Key, ...] = Field(
        default=(), description="What the document says and these columns cannot: it would be lost there"
    )
    removed: bool = Field(
        default=False,
        description="Traboule holds no such document: what was recorded there after the switch is to be cancelled",
    )


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
