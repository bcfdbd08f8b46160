"""What billing may be asked about payments that are recorded here: what they pay, what is free, refunds and returns."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.base import Amount, Day, Key, Label
from schemas.billing_documents import Number
from schemas.billing_operations import IssuerCode, billing
from schemas.operation import Arguments, Id

Means = Literal["transfer", "direct-debit", "cheque", "card", "cash"]
Euros = Annotated[Amount, Field(gt=Decimal(0), lt=10**9)]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,10}$", description="the bank's reason, such as AC04 or MD06")]

# --- answers --------------------------------------------------------------------------------------------------------


class AllocationShown(BaseModel):
    """What a payment pays of one document."""

    allocation_id: str
    number: str
    record: str
    amount: Decimal
    author: str
    at: datetime


class RefundShown(BaseModel):
    """What is paid back of a payment; ``approved_by`` is null until somebody else approved it."""

    refund_id: str
    amount: Decimal
    asked_by: str
    approved_by: str | None
    paid_on: date | None


class ReturnShown(BaseModel):
    """That the bank took the payment back: when, why, and what it charged for it."""

    returned_on: date
    code: str
    fee: Decimal


class PaymentShown(BaseModel):
    """A payment of the record ``record``. ``free`` is what of it pays no document, and was not paid back.

    ``pending`` is what somebody asked to pay back, and nobody approved yet.
    ``allocations`` are those that hold. In a list the three last are left out.
    """

    payment_id: str
    issuer: str
    record: str
    amount: Decimal
    free: Decimal
    pending: Decimal = Decimal("0.00")
    received_on: date
    means: Means
    reference: str
    key: str
    recorded_by: str
    reason: str
    at: datetime
    allocations: list[AllocationShown] = Field(default_factory=list[AllocationShown])
    refunds: list[RefundShown] = Field(default_factory=list[RefundShown])
    returned: ReturnShown | None = None


class Payments(BaseModel):
    """A page of payments, the newest first; ``count`` is how many there are on all pages.

    ``next`` is the id after which to ask on; null on the last page.
    """

    items: list[PaymentShown]
    count: int = 0
    next: str | None = None


# --- arguments ------------------------------------------------------------------------------------------------------


class OfPayments(Arguments):
    """Of which issuer, payer's cluster and record; of all where they are left out. ``free``: only with free money."""

    issuer: IssuerCode | None = None
    record: Label | None = Field(None, description="the payer, as cluster and id, such as numelink/1042")
    cluster: Annotated[str, Field(max_length=100, description="the payer's cluster, such as numelink")] | None = None
    free: bool = False
    after: Annotated[Id, Field(description="the id of the payment after which to begin")] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class OnePayment(Arguments):
    """Which payment."""

    payment_id: Id


class Recorded(Arguments):
    """A payment that came in. Under one ``key`` an issuer's payment is recorded once, however often it is asked for."""

    issuer: IssuerCode
    record: Annotated[Key, Field(description="the payer, as cluster and id, such as numelink/1042")]
    amount: Euros
    received_on: Annotated[Day, Field(description="value date: the day on which the bank has it")]
    means: Means = "transfer"
    reference: Annotated[str, Field(max_length=140, description="what the payer wrote")] = ""
    key: Annotated[Key, Field(description="what tells it apart, such as the bank's reference of the movement")]


class PartOfPayment(BaseModel):
    """A document that it pays; without an amount, as much as is free and owed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Number
    amount: Euros | None = None


class Allocated(OnePayment):
    """Which documents the payment pays, in this order. They may be of other records than the payer's."""

    documents: Annotated[tuple[PartOfPayment, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({part.number for part in self.documents}) < len(self.documents):
            raise ValueError("a document is named twice")
        return self


class OneAllocation(Arguments):
    """Which allocation."""

    allocation_id: Id


class Refunded(OnePayment):
    """How much of the payment is to be paid back; without an amount, all that is free."""

    amount: Euros | None = None


class ApprovedRefund(Arguments):
    """Which refund, and the day on which the bank pays it."""

    refund_id: Id
    paid_on: Day


class Returned(OnePayment):
    """That the bank took it back: a direct debit that was refused, a cheque that bounced."""

    returned_on: Day
    code: Code
    fee: Annotated[Amount, Field(ge=Decimal(0), lt=10**6, description="what the bank charged")] = Decimal("0.00")


# --- the table ------------------------------------------------------------------------------------------------------

PAYMENTS: Final = billing(
    "payments", "query", "see-billing", "payments", (OfPayments, Payments),
    ("Payments that were recorded here, and what of each is free.",
     "Les paiements saisis ici, et ce qui reste libre de chacun."),
    "traboule billing payments list",
)  # fmt: skip
PAYMENT: Final = billing(
    "payment", "query", "see-billing", "payments/{payment_id}", (OnePayment, PaymentShown),
    ("One payment: the documents that it pays, refunds, and whether the bank took it back.",
     "Un paiement : les pièces qu'il règle, ses remboursements, et s'il a été rejeté."),
    "traboule billing payments show",
)  # fmt: skip
RECORD: Final = billing(
    "record-payment", "command", "bill", "payments", (Recorded, PaymentShown),
    ("Record a payment that came in; once under one key.", "Saisir un paiement reçu ; une seule fois par clé."),
    "traboule billing payments record",
)  # fmt: skip
ALLOCATE: Final = billing(
    "allocate-payment", "command", "bill", "payments/{payment_id}/allocations", (Allocated, PaymentShown),
    ("Let a payment pay documents; never more than is free of it, nor than is owed on them.",
     "Affecter un paiement à des pièces ; jamais plus que ce qui est libre, ni que ce qui est dû."),
    "traboule billing payments allocate",
)  # fmt: skip
UNDO: Final = billing(
    "undo-allocation", "command", "bill", "allocations/{allocation_id}/undo", (OneAllocation, PaymentShown),
    ("Undo an allocation: its money is free again, and the document is owed.",
     "Annuler une affectation : l'argent redevient libre, et la pièce est due."),
    "traboule billing payments undo",
)  # fmt: skip
REFUND: Final = billing(
    "refund-payment", "command", "bill", "payments/{payment_id}/refunds", (Refunded, PaymentShown),
    ("Ask that what is free of a payment be paid back; somebody else approves it.",
     "Demander le remboursement de ce qui est libre d'un paiement ; une autre personne l'approuve."),
    "traboule billing payments refund",
)  # fmt: skip
APPROVE_REFUND: Final = billing(
    "approve-refund", "command", "approve-billing", "refunds/{refund_id}/approve", (ApprovedRefund, PaymentShown),
    ("Approve a refund, by somebody else than who asked for it.",
     "Approuver un remboursement, par quelqu'un d'autre que son demandeur."),
    "traboule billing payments approve-refund",
)  # fmt: skip
RETURN: Final = billing(
    "return-payment", "command", "bill", "payments/{payment_id}/return", (Returned, PaymentShown),
    ("Record that the bank took a payment back: what it paid is owed again, since the day it first was.",
     "Saisir un rejet de la banque : ce que le paiement réglait est de nouveau dû, à l'échéance d'origine."),
    "traboule billing payments returned",
)  # fmt: skip

ALL: Final = (PAYMENTS, PAYMENT, RECORD, ALLOCATE, UNDO, REFUND, APPROVE_REFUND, RETURN)
