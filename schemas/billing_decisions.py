"""What billing may be asked about decisions: those that wait for a person, and those that were made."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.base import Amount, Day, Key, Label
from schemas.billing_operations import IssuerCode, billing
from schemas.operation import Arguments, Id

DecisionKind = Literal["exempt", "one-bill", "extension", "release", "remit", "credit"]


class BillingTask(BaseModel):
    """What differs of a period that was billed, in a sentence. ``amount`` is that of the document that would say so.

    ``corrects`` is the number of the invoice that a credit note would correct.
    """

    issuer: str
    first: date
    record: str
    name: str
    kind: Literal["invoice", "credit-note"]
    amount: Decimal
    corrects: str | None
    cause: Literal["merge", "separation", "resignation", "cover", "decision", "joined", "other"]
    sentence: str
    why: str


class BillingTasks(BaseModel):
    """Tasks, the newest period first; ``more`` counts those that are not listed."""

    items: list[BillingTask]
    more: int


class DecisionShown(BaseModel):
    """A decision about dues; ``taken_back_at`` is null while it is in force, ``line`` unless it is about one alone."""

    decision_id: str
    kind: DecisionKind
    record: str
    first: date | None
    last: date | None
    amount: Decimal
    author: str
    reason: str
    at: datetime
    taken_back_by: str | None = None
    taken_back_at: datetime | None = None
    taken_back_reason: str | None = None
    line: str | None = None


class Decisions(BaseModel):
    """Decisions, the newest first."""

    items: list[DecisionShown]


class OfTasks(Arguments):
    """Of which issuer; of all where it is left out."""

    issuer: IssuerCode | None = None
    language: Literal["fr", "en"] = "fr"
    limit: Annotated[int, Field(ge=1, le=2_000)] = 500


class OfRecord(Arguments):
    """About which record; about all where it is left out."""

    record: Label | None = Field(None, description="cluster and id, such as numelink/1042")


class Decided(Arguments):
    """A decision about one record. ``amount`` is that of a remit or credit of the period that begins on ``first``."""

    kind: DecisionKind
    record: Annotated[Key, Field(description="cluster and id, such as numelink/1042")]
    first: Day | None = None
    last: Day | None = None
    amount: Annotated[Amount, Field(ge=0)] = Decimal("0.00")


class OneDecision(Arguments):
    """Which decision."""

    decision_id: Id


TASKS: Final = billing(
    "billing-tasks", "query", "see-billing", "tasks", (OfTasks, BillingTasks),
    ("What differs of periods that were billed, since a merge, an un-merge, a resignation or a decision, and why.",
     "Ce qui diffère des périodes facturées, depuis une fusion, une séparation, un départ ou une décision ; pourquoi."),
    "traboule billing tasks",
)  # fmt: skip
DECISIONS: Final = billing(
    "due-decisions", "query", "see-billing", "decisions", (OfRecord, Decisions),
    ("Decisions about dues: in force, and taken back.", "Les décisions sur les cotisations : en vigueur et reprises."),
)  # fmt: skip
DECIDE: Final = billing(
    "decide-due", "command", "bill", "decisions", (Decided, DecisionShown),
    ("Decide about a record's dues: exempt, one-bill, extension, release, remit or credit.",
     "Décider des cotisations d'une fiche : exempt, one-bill, extension, release, remit ou credit."),
    "traboule billing decide",
)  # fmt: skip
TAKE_BACK: Final = billing(
    "take-back-due-decision", "command", "bill", "decisions/{decision_id}/take-back", (OneDecision, DecisionShown),
    ("Take a decision about dues back.", "Reprendre une décision sur les cotisations."),
    "traboule billing take-back",
)  # fmt: skip

ALL: Final = (TASKS, DECISIONS, DECIDE, TAKE_BACK)
