"""What billing may be asked about corrections: a credit note by hand, by line or by days."""

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.base import Amount, Day
from schemas.billing_documents import DocumentShown, Number
from schemas.billing_operations import billing
from schemas.operation import Arguments

CorrectionReason = Literal["error", "duplicate", "departure", "exemption", "gesture", "dispute"]


class CreditedLine(BaseModel):
    """A line of the document, by its place; without an amount, all that is left of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Annotated[int, Field(ge=0, le=1000)]
    amount: Annotated[Amount, Field(gt=Decimal(0))] | None = None


class Correction(Arguments):
    """What is credited of which document: lines, or days of what it bills. Either, and not both."""

    number: Number
    cause: CorrectionReason
    lines: Annotated[tuple[CreditedLine, ...], Field(max_length=100)] = ()
    first: Day | None = None
    last: Day | None = None

    @model_validator(mode="after")
    def _lines_or_days(self) -> Self:
        by_days = self.first is not None and self.last is not None
        if bool(self.lines) == by_days or (self.first is None) != (self.last is None):
            raise ValueError("name lines, or the first and the last day")
        if self.first and self.last and self.last < self.first:
            raise ValueError("the last day lies before the first")
        if len({line.place for line in self.lines}) < len(self.lines):
            raise ValueError("a line is named twice")
        return self


CORRECT: Final = billing(
    "correct-document", "command", "approve-billing", "documents/{number}/corrections", (Correction, DocumentShown),
    ("Issue a credit note on a document, by line or by days; never more than is left of it.",
     "Émettre un avoir sur une pièce, par ligne ou par jours ; jamais plus que ce qu'il en reste."),
    "traboule billing correct",
)  # fmt: skip

ALL: Final = (CORRECT,)
