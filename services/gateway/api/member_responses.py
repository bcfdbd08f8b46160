"""What the answers look like: for OpenAPI. They are written as they are stored or read, not through these."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.cutover import Stage


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
    changed_at: datetime
    matched: Literal["email", "phone", "record", "contact"] | None = None


class Option(BaseModel):
    """How many members a filter would leave with this option, all others as they are."""

    code: str
    name: str | None
    members: int


class YesOrNo(BaseModel):
    """The same, for a filter of two options."""

    yes: int
    no: int


class Facets(BaseModel):
    """The options of each filter."""

    clusters: list[Option]
    lineages: list[Option]
    departements: list[Option]
    paid_up: YesOrNo
    active: YesOrNo


class Page(BaseModel):
    """Members; ``next`` goes into ``after`` to read on, and is null on the last page.

    ``matched`` is there when a member has what was searched for as its e-mail, phone, former id or contact's name.
    """

    items: list[Listed]
    next: str | None
    exact: list[Listed] | None = None
    total: int | None = None
    facets: Facets | None = None


class ManualValue(BaseModel):
    """When, and on which source record; of ``contact`` also which ``fields`` were set. The history tells who did."""

    at: datetime
    on: str
    fields: list[str] | None = None


class StatedValue(BaseModel):
    """A value, the source records that say it, and the day on which each that has one was changed last.

    ``value`` is text; of ``naf`` and ``contact`` an object. ``override`` is there when staff set it.
    """

    value: Any
    said_by: list[str]
    said_on: dict[str, date] | None = None
    override: ManualValue | None = None


class ShownValue(StatedValue):
    """What is shown of a field.

    ``because`` is there when there was a choice: the survivorship rule that made it, ``record-order`` where none did,
    or ``override``. ``others`` are what else is said, the best first.
    """

    because: str | None = None
    others: list[StatedValue] | None = None


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
    """A former system's record: as written there, as understood here. ``changeable``: it is changed here."""

    cluster: str
    record_id: str
    member_id: str
    version: int
    stage: Stage
    changeable: bool
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


class DayCount(CountFor):
    """The members of one day, each counted once in it."""

    on: date


class StatisticsHistory(BaseModel):
    """Day by day, those days left out of which nothing is kept; ``from`` and ``to`` are among them."""

    model_config = ConfigDict(populate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Literal["total", "several-clusters", "cluster", "lineage", "departement"]
    items: list[DayCount]


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
    """The oldest first; ``next`` goes into ``after``; ``total`` counts all that the filters leave."""

    items: list[Conflict]
    next: str | None
    total: int
