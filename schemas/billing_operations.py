"""What billing may be asked: issuers, grids, what they would bring, what a member owes."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from schemas.base import Day, Key
from schemas.billing_grids import Grid
from schemas.operation import Arguments, Id, operation_of

IssuerCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
MemberName = Annotated[Key, Field(description="a member's id, or one of its records, such as numelink/1042")]


class IssuerShown(BaseModel):
    """A legal body, and what holds of it today; ``settings`` is null where it is not there yet, or no more."""

    code: str
    clusters: list[str]
    since: date
    until: date | None
    settings: dict[str, Any] | None


class Issuers(BaseModel):
    """All legal bodies that bill."""

    items: list[IssuerShown]


class GridShown(BaseModel):
    """A grid; ``adopted_at`` is null while it is a proposal. ``until`` is its last day, if another one follows."""

    grid_id: str
    issuer: str
    number: int
    grid: dict[str, Any]
    proposed_by: str
    proposed_at: datetime
    adopted_by: str | None = None
    adopted_at: datetime | None = None
    until: date | None = None


class Grids(BaseModel):
    """Grids, the newest first."""

    items: list[GridShown]


class Compared(BaseModel):
    """What a group of members was billed before, and would owe; ``more`` of them pay more, ``less`` pay less."""

    group: str
    members: int
    more: int
    less: int
    before: Decimal
    after: Decimal


class SimulatedMember(BaseModel):
    """One member: what former systems billed it for the twelve months before, and what it would owe, and why."""

    member_id: str
    name: str
    records: list[str]
    departement: str
    band: str
    before: Decimal
    after: Decimal
    doubt: str | None
    why: str


class Simulation(BaseModel):
    """What a grid would bring: in all, by band, cluster and département, and member by member."""

    grid_id: str
    first: date
    total: Compared
    by_band: list[Compared]
    by_cluster: list[Compared]
    by_departement: list[Compared]
    unknown_headcount: list[str]
    members: list[SimulatedMember]


class RecordOwes(BaseModel):
    """What one record of a member owes for a period, which days that is for, and why, in a sentence."""

    record: str
    amount: Decimal
    days: list[tuple[date, date]]
    why: str


class MemberOwes(BaseModel):
    """What a member owes for a period, by record."""

    member_id: str
    issuer: str
    first: date
    last: date
    amount: Decimal
    records: list[RecordOwes]


GridDifference = Literal[
    "same", "price-unknown", "billed-twice", "not-billed-there", "exempt", "no-member", "covered", "other-days",
    "other-price",
]  # fmt: skip


class ComparedMember(BaseModel):
    """What former systems billed a member for a period, and what the grid asks; why they differ, from a closed list."""

    member_id: str
    name: str
    records: list[str]
    theirs: Decimal
    ours: Decimal
    reason: GridDifference
    sentence: str
    sources: list[str]
    why: str


class ReasonTotal(BaseModel):
    """How many members differ for one reason, and what ours comes to less theirs."""

    reason: GridDifference
    members: int
    difference: Decimal


class GridComparison(BaseModel):
    """A grid beside what former systems billed, member by member; ``reasons`` add up the difference."""

    grid_id: str
    first: date
    theirs: Decimal
    ours: Decimal
    reasons: list[ReasonTotal]
    members: list[ComparedMember]


class NothingMore(Arguments):
    """Nothing but the operation."""


class OfIssuer(Arguments):
    """Of which issuer; of all where it is left out."""

    issuer: IssuerCode | None = None


class Proposed(Arguments):
    """The grid whole."""

    grid: Grid


class OneGrid(Arguments):
    """Which grid."""

    grid_id: Id


class Adopted(OneGrid):
    """Which grid, and which one in force ends the day before it begins."""

    replaces: Id | None = None


class Simulated(OneGrid):
    """Which grid, for the period that begins on which day."""

    first: Annotated[Day, Field(description="first day of the period")]


class OfMember(Arguments):
    """Which member, for the period of which issuer, that begins on which day."""

    member: MemberName
    issuer: IssuerCode
    first: Annotated[Day, Field(description="first day of the period")]
    language: Literal["fr", "en"] = "fr"


class ComparedWithGrid(Arguments):
    """Which grid, adopted or not, for the period that begins on which day."""

    grid_id: Id
    first: Annotated[Day, Field(description="first day of the period")]
    language: Literal["fr", "en"] = "fr"


billing: Final = partial(operation_of, "billing")
"""Declares an operation of billing."""

ISSUERS: Final = billing(
    "issuers", "query", "see-billing", "issuers", (NothingMore, Issuers),
    ("The legal bodies that bill, with what holds of each today.",
     "Les organismes qui facturent, avec ce qui vaut pour chacun aujourd'hui."),
)  # fmt: skip
GRIDS: Final = billing(
    "grids", "query", "see-billing", "grids", (OfIssuer, Grids),
    ("Grids of fees: proposed, and adopted.", "Les grilles de cotisation : proposées et adoptées."),
)  # fmt: skip
PROPOSE_GRID: Final = billing(
    "propose-grid", "command", "bill", "grids", (Proposed, GridShown),
    ("Propose a grid of fees; it can be simulated then, and is not in force.",
     "Proposer une grille de cotisation ; elle peut alors être simulée, et n'est pas en vigueur."),
    "traboule billing propose-grid",
)  # fmt: skip
ADOPT_GRID: Final = billing(
    "adopt-grid", "command", "approve-billing", "grids/{grid_id}/adopt", (Adopted, GridShown),
    ("Adopt a proposed grid, by somebody else than who proposed it. It never changes after that.",
     "Adopter une grille proposée, par quelqu'un d'autre que son auteur. Elle ne change plus ensuite."),
    "traboule billing adopt-grid",
)  # fmt: skip
SIMULATE: Final = billing(
    "simulation", "query", "see-billing", "grids/{grid_id}/simulation", (Simulated, Simulation),
    ("What a grid would bring for a period: who pays more, who less, and why.",
     "Ce que donnerait une grille pour une période : qui paie plus, qui paie moins, et pourquoi."),
)  # fmt: skip
OWED: Final = billing(
    "dues", "query", "see-billing", "dues", (OfMember, MemberOwes),
    ("What a member owes for a period, with the reasons.", "Ce que doit un membre pour une période, avec les raisons."),
)  # fmt: skip
COMPARE: Final = billing(
    "grid-comparison", "query", "see-billing", "grid-comparison", (ComparedWithGrid, GridComparison),
    ("What we would have billed by a grid, and what former systems billed, member by member, with the reason.",
     "Ce que nous aurions facturé d'après une grille et ce qui l'a été, membre par membre, avec la raison."),
    "traboule billing compare",
)  # fmt: skip

ALL: Final = (ISSUERS, GRIDS, PROPOSE_GRID, ADOPT_GRID, SIMULATE, OWED, COMPARE)
