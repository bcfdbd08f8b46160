"""What the answers look like: for OpenAPI. They are written as they are stored or read, not through these."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Listed(BaseModel):
    """One member in a list."""

    id: str
    name: str | None
    brand: str | None
    siren: str | None
    city: str | None
    departement: str | None
    clusters: list[str]
    lineages: list[str]
    paid_until: date | None
    paid_up: bool
    active: bool


class Page(BaseModel):
    """Members by name; ``next`` goes into ``after`` to read on, and is null on the last page."""

    items: list[Listed]
    next: str | None
    total: int | None = None


class ManualValue(BaseModel):
    """When, and on which source record; of ``contact`` also which ``fields`` were set. The history tells who did."""

    at: datetime
    on: str
    fields: list[str] | None = None


class Said(BaseModel):
    """A value, the source records that say it, and the day on which each that has one was changed last.

    ``value`` is text; of ``naf`` and ``contact`` an object. ``override`` is there when staff set it.
    """

    value: Any
    said_by: list[str]
    said_on: dict[str, date] | None = None
    override: ManualValue | None = None


class ShownValue(Said):
    """What is shown of a field.

    ``because`` is there when there was a choice: the survivorship rule that made it, ``record-order`` where none did,
    or ``override``. ``others`` are what else is said, the best first.
    """

    because: str | None = None
    others: list[Said] | None = None


class TwiceItem(BaseModel):
    """An invoice, a term of membership, the day that a record is paid until, or a registration, of a source record."""

    record: str = Field(alias="from")
    kind: Literal["invoice", "subscription", "paid-until", "registration"]
    item_id: str | None = None


class Twice(BaseModel):
    """A period (first and last day) or an event that is there twice; ``items`` are what tells of it."""

    starts_on: date | None = None
    ends_on: date | None = None
    event: str | None = None
    items: list[TwiceItem]


class MemberConflict(BaseModel):
    """What two of the member's records have twice; where it stands is told by ``/conflicts``."""

    conflict_id: str
    kind: Literal["paid-twice", "registered-twice"]
    responsible: Literal["billing", "events"]
    between: tuple[str, str]
    overlaps: list[Twice]


class _Fields(BaseModel):
    name: ShownValue | None = None
    brand: ShownValue | None = None
    legal_form: ShownValue | None = None
    siren: ShownValue | None = None
    siret: ShownValue | None = None
    vat: ShownValue | None = None
    rna: ShownValue | None = None
    naf: ShownValue | None = None
    website: ShownValue | None = None
    email: ShownValue | None = None
    phone: ShownValue | None = None
    mobile: ShownValue | None = None
    street: ShownValue | None = None
    postcode: ShownValue | None = None
    city: ShownValue | None = None
    departement: ShownValue | None = None
    country: ShownValue | None = None
    headcount: ShownValue | None = None
    contact: ShownValue | None = None


class Member(_Fields):
    """A consolidated view. A field that anybody filled or staff set is there as below; the others are missing.

    A field is ``{value, said_by, said_on?, because?, override?, others?}``; who said what, when, and why it is shown.
    ``conflicts`` are what a merge brought together that a member should not have twice.
    """

    id: str
    former_ids: list[str]
    clusters: list[str]
    lineages: list[str]
    paid_until: date | None
    memberships: list[dict[str, Any]]
    dues: dict[str, Any]
    registrations: list[dict[str, Any]]
    consents: dict[str, Any]
    mailings: list[dict[str, Any]]
    conflicts: list[MemberConflict]
    sources: list[dict[str, Any]]


class Happening(BaseModel):
    """One entry of a timeline: ``on`` a day or ``at`` an instant; ``from`` names the source record."""

    model_config = ConfigDict(extra="allow")

    kind: str
    what: str
    on: date | None = None
    at: datetime | None = None


class Timeline(BaseModel):
    """Newest first; ``next`` goes into ``after``."""

    items: list[Happening]
    next: str | None


class Doubt(BaseModel):
    """What is doubtful about a value, and the value as written."""

    field: str
    code: str
    meaning: str
    written: str | None


class Source(BaseModel):
    """A former system's record: as written there, as understood here."""

    cluster: str
    record_id: str
    member_id: str
    version: int
    written: dict[str, Any]
    understood: dict[str, Any]
    problems: list[Doubt]


class Sources(BaseModel):
    """All records that are one member."""

    id: str
    items: list[Source]


class Count(BaseModel):
    """Members, each counted once here; ``code`` is null where it is unknown."""

    members: int
    active: int
    paid_up: int


class CountFor(Count):
    """The members of one cluster, lineage or département."""

    code: str | None
    name: str | None


class Statistics(BaseModel):
    """A member of two clusters counts in both, and once in the total."""

    on: date
    total: Count
    in_several_clusters: Count
    clusters: list[CountFor]
    lineages: list[CountFor]
    departements: list[CountFor]


class ShownField(ShownValue):
    """One field as the member is shown with it now; ``value`` is null when nobody fills it."""

    member_id: str
    field: str


class TakenBack(BaseModel):
    """By whom, when and why."""

    by: str
    at: datetime
    reason: str


class OverrideEntry(BaseModel):
    """A value as it was set by hand on a source record; ``taken_back`` is null while it is in force."""

    record: str
    field: str
    value: str
    author: str
    at: datetime
    reason: str
    taken_back: TakenBack | None


class Overrides(BaseModel):
    """All that were ever set on the member's records, the newest first."""

    member_id: str
    items: list[OverrideEntry]


class Named(BaseModel):
    """A member, and what it is called."""

    id: str
    name: str | None


class Conflict(MemberConflict):
    """A conflict as it stands.

    ``state`` and ``owner`` are as the responsible service answered; until it did, the state is ``told``. ``what`` is
    the kind in words. ``member`` is null once nothing is left of it; ``gone_at`` is when it was there twice no more.
    """

    what: str
    owner: str | None
    state: Literal["told", "open", "settled", "gone"]
    member: Named | None
    found_at: datetime
    answered_at: datetime | None
    gone_at: datetime | None


class Conflicts(BaseModel):
    """The oldest first; ``next`` goes into ``after``."""

    items: list[Conflict]
    next: str | None


class Weighed(BaseModel):
    """One field's part in the evidence: a ``weight`` above 0 speaks for one company, below 0 against it (bits)."""

    field: str
    level: str
    weight: float
    words: str


class Coded(BaseModel):
    """A stable word, and what it means to a person."""

    code: str
    words: str


class CaseRecord(BaseModel):
    """A source record: ``record`` is how decisions name it, ``written`` what it says, as written."""

    record: str
    cluster: str
    record_id: str
    written: dict[str, Any]


class CaseMember(BaseModel):
    """A member as it stands."""

    id: str
    name: str | None
    siren: str | None
    city: str | None
    clusters: list[str]
    records: list[CaseRecord]


class CaseQuestion(BaseModel):
    """Whether two members are one company, by the two ``records`` that speak most for it.

    ``score`` is the ``prior`` of any two records and all weights of the evidence (bits); ``twice`` is what is done with
    both today.
    """

    records: tuple[str, str]
    members: tuple[str, str]
    gain: float
    probability: float
    score: float
    twice: list[Coded]
    not_merged: Coded
    prior: float
    evidence: list[Weighed]


class Contradicting(Coded):
    """Two records that one member may not hold."""

    records: tuple[str, str]


class Case(BaseModel):
    """Two members in question, or all members of a contested group.

    ``contradictions`` are why links of such a group, those in ``held_back``, were not followed.
    """

    id: str
    kind: Literal["pair", "contested"]
    gain: float
    probability: float
    score: float
    members: list[CaseMember]
    questions: list[CaseQuestion]
    contradictions: list[Contradicting]
    held_back: list[tuple[str, str]]


class Crowd(BaseModel):
    """What too many records share to be compared each with each, and the first few of them."""

    code: str
    shared: str
    records: int
    examples: list[str]
    words: str


class Queue(BaseModel):
    """The largest gain first; ``next`` goes into ``after``; ``total`` counts all that the filters leave."""

    items: list[Case]
    next: str | None
    total: int
    too_many_alike: list[Crowd]


class DecidedNow(BaseModel):
    """A decision's number, whether it was there already, and the member of each of its records now."""

    decision: int
    repeated: bool
    members: dict[str, str | None]


class BulkResult(BaseModel):
    """What came of one decision: what a request of its own would have answered, or its ``problem``."""

    status: int
    decision: int | None = None
    repeated: bool | None = None
    members: dict[str, str | None] | None = None
    problem: dict[str, Any] | None = None


class BulkDecided(BaseModel):
    """In the order in which they were asked."""

    results: list[BulkResult]


class DecidedPair(BaseModel):
    """What a decision says of two source records."""

    records: tuple[str, str]
    verdict: Literal["same", "different"]


class DecisionTakenBack(BaseModel):
    """When, by whom and why."""

    at: datetime
    author: str
    reason: str


class DecisionShown(BaseModel):
    """A decision. ``key_id`` is the API key that it came with; null if it came from the command line."""

    decision: int
    at: datetime
    author: str
    reason: str
    key_id: str | None
    pairs: list[DecidedPair]
    taken_back: DecisionTakenBack | None


class Decisions(BaseModel):
    """The newest first; ``next`` goes into ``after``."""

    items: list[DecisionShown]
    next: str | None


class Link(BaseModel):
    """Two records that are held together ``by`` evidence (with its ``score``) or by a decision (with its number)."""

    model_config = ConfigDict(extra="allow")

    records: tuple[str, str]
    by: Literal["evidence", "decision"]


class Turn(BaseModel):
    """``merged`` and ``separated`` tell records and their ``cause``, ``decided`` and ``taken-back`` the decision."""

    model_config = ConfigDict(extra="allow")

    what: Literal["merged", "separated", "decided", "taken-back"]
    at: datetime


class Identity(BaseModel):
    """A member's source records, what links them now, and what became of them, the newest first."""

    id: str
    records: list[str]
    removed: list[str]
    links: list[Link]
    items: list[Turn]
    next: str | None


class RecordShown(BaseModel):
    """A source record as it is written now.

    ``stage`` is where its cluster's former membership system stands; ``changeable``, whether the record is changed
    here. ``fields`` are those of the fact member-recorded; one that is empty is missing.
    """

    cluster: str
    record_id: str
    member_id: str | None
    stage: Literal["legacy", "mirror", "live", "retired"]
    changeable: bool
    version: int
    fields: dict[str, Any]


class RecordChange(BaseModel):
    """What one command made of a record. ``key_id`` is null if it came by the broker."""

    version: int
    command: Literal["create", "change", "end", "contact"]
    at: datetime
    author: str
    key_id: str | None
    reason: str | None
    fields: list[str]


class RecordChanges(BaseModel):
    """The newest first; ``next`` goes into ``after``."""

    items: list[RecordChange]
    next: str | None
