"""What billing may be asked about seats that cost something: what is to be billed, to be credited, or done by hand."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.base import Key, Name
from schemas.billing_documents import NotIssued
from schemas.billing_operations import IssuerCode, billing
from schemas.operation import Arguments, Id

ChargeState = Literal["to-invoice", "to-credit", "by-hand", "done"]

# --- answers --------------------------------------------------------------------------------------------------------


class ChargeShown(BaseModel):
    """What a registration costs, and what was billed of it. ``todo`` is what is to be done, in a sentence."""

    registration_id: str
    cluster: str
    title: str
    day: date
    record: str | None
    name: str | None
    email: str | None
    seats: int
    amount: Decimal
    billed: Decimal
    references: list[str]
    state: ChargeState
    todo: str


class Charges(BaseModel):
    """Charges, the next gathering first; ``more`` of them are not listed."""

    items: list[ChargeShown]
    more: int


class ChargesBilled(BaseModel):
    """What was issued, and what could not be."""

    documents: int
    total: Decimal
    numbers: list[str]
    held_back: list[NotIssued]


# --- arguments ------------------------------------------------------------------------------------------------------


class OfCharges(Arguments):
    """Of which organising cluster, and in which state."""

    organiser: Key | None = Field(None, description="only of gatherings of this cluster")
    state: ChargeState | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ChargesToBill(Arguments):
    """By which issuer; only these registrations, where some are named."""

    issuer: IssuerCode
    registrations: Annotated[tuple[Id, ...], Field(max_length=500)] = ()


class SettledCharge(Arguments):
    """Which registration was billed, or paid back, elsewhere; ``reference`` says where."""

    registration_id: Id
    reference: Annotated[Name, Field(max_length=200, description="such as the number of an invoice elsewhere")]


# --- the table ------------------------------------------------------------------------------------------------------

CHARGES: Final = billing(
    "charges", "query", "see-billing", "charges", (OfCharges, Charges),
    ("Seats that cost something: to be invoiced, to be credited, to be done by hand.",
     "Les places payantes : à facturer, à rembourser par avoir, à traiter à la main."),
)  # fmt: skip
BILL_CHARGES: Final = billing(
    "bill-charges", "command", "approve-billing", "charges/bill", (ChargesToBill, ChargesBilled),
    ("Issue invoices for seats, and credit notes for those that were given up.",
     "Émettre les factures des places, et les avoirs de celles qui ont été rendues."),
    "traboule billing bill-charges",
)  # fmt: skip
SETTLE_CHARGE: Final = billing(
    "settle-charge", "command", "bill", "charges/{registration_id}/settle", (SettledCharge, ChargeShown),
    ("Enter that seats were billed, or paid back, elsewhere.",
     "Noter que des places ont été facturées, ou remboursées, ailleurs."),
    "traboule billing settle-charge",
)  # fmt: skip

ALL: Final = (CHARGES, BILL_CHARGES, SETTLE_CHARGE)
