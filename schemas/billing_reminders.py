"""What billing may be asked about documents that are overdue: which ones, and to remind of them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, Field

from schemas.billing_operations import IssuerCode, billing
from schemas.operation import Arguments

# --- answers --------------------------------------------------------------------------------------------------------


class OverdueShown(BaseModel):
    """A document that is overdue; ``reminder`` is the one that is next. ``by_post``: there is no e-mail address."""

    number: str
    record: str
    name: str
    owed: Decimal
    due_on: date
    reminder: int
    reminded_on: date | None = None
    by_post: bool


class OverdueDocuments(BaseModel):
    """Those that would be reminded of today. ``items`` are the first thousand, the oldest first.

    Those without an e-mail address come before the others, and all of them are named.
    """

    items: list[OverdueShown]
    count: int
    owed: Decimal


class Reminded(OverdueDocuments):
    """Those that were reminded of now. Who has no e-mail address is written to by post."""

    without_email: int


# --- arguments ------------------------------------------------------------------------------------------------------


class OfReminders(Arguments):
    """Of which issuer; ``every``: days that a document waits between two reminders."""

    issuer: IssuerCode
    every: Annotated[int, Field(ge=1, le=365)] = 15


# --- the table ------------------------------------------------------------------------------------------------------

OVERDUE: Final = billing(
    "overdue-documents", "query", "see-billing", "overdue-documents", (OfReminders, OverdueDocuments),
    ("Documents that a reminder would go out of today.", "Les pièces qui seraient relancées aujourd'hui."),
)  # fmt: skip
REMIND: Final = billing(
    "remind-overdue", "command", "bill", "reminders", (OfReminders, Reminded),
    ("Remind whoever owes a document that is overdue: each level once.",
     "Relancer qui doit une pièce échue : chaque relance une fois."),
    "traboule billing remind",
)  # fmt: skip

ALL: Final = (OVERDUE, REMIND)
