"""Facts about members, as former systems record them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.base import (
    Amount,
    Announced,
    AnnouncedRecord,
    Day,
    Fact,
    Key,
    Label,
    Name,
    Note,
    Part,
    RecordRef,
)
from schemas.cutover import COUNTS, PART_RECORDS, RECORDS, Count, ManifestRecord, ManifestRecorded, StageChanged
from schemas.cutover_requests import CutoverAnswered

MembershipKind = Literal["member"]
Channel = Literal["email", "bulk-email", "phone", "post", "sms"]
MemberStatus = Literal["active", "pending", "ended"]


class Subscription(Part):
    """One term of membership that was paid for, or is due."""

    subscription_id: Key
    starts_on: Day
    ends_on: Day | None = None
    amount: Amount | None = None
    label: Label | None = None


class MemberRecorded(Fact):
    """A former system's whole record of one member, as written there.

    Every field but ``record_id``, ``version`` and ``name`` may be missing. Identifiers, phones, e-mails, postcodes and
    the country are carried as written: the membership service keeps that writing, and what it understood, side by side.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "member-recorded"

    record_id: Key
    name: Name
    same_as: Key | None = Field(
        default=None,
        description="Another record of the same former system that it holds to be the same company. "
        "Followed only when the names agree.",
    )
    works_for: Key | None = Field(
        default=None,
        description="Another record of the same former system: the company that this person works for, or belongs to. "
        "The person is shown with that company.",
    )
    is_member: bool | None = Field(
        default=None,
        description="False for a record that only names a company or a person, such as a customer, a supplier or a "
        "prospect: it has no say in who is a member",
    )
    brand: Label | None = None
    legal_form: Label | None = None
    siren: Label | None = None
    siret: Label | None = None
    vat: Label | None = None
    rna: Label | None = None
    naf: Label | None = None
    naf_nomenclature: Literal["rev2", "2025"] | None = Field(
        default=None, description="NAF rev. 2, or NAF 2025, which replaces it on 1 January 2027 (décret 2025-736)"
    )
    website: Label | None = None
    email: Label | None = None
    phone: Label | None = None
    mobile: Label | None = None
    street: Label | None = None
    postcode: Label | None = None
    city: Label | None = None
    country: Label | None = None
    contact_first_name: Label | None = None
    contact_last_name: Label | None = None
    contact_role: Label | None = None
    lineage: Label | None = Field(default=None, description="The older body inside the cluster that the member came by")
    category: Label | None = Field(default=None, description="The kind of member, in the former system's words")
    fee_band: Label | None = None
    headcount: Label | None = None
    status: MemberStatus | None = None
    member_since: Day | None = None
    paid_until: Day | None = None
    ended_on: Day | None = Field(default=None, description="Last day of a membership that has ended")
    exempt: bool | None = Field(default=None, description="Owes no dues")
    subscriptions: tuple[Subscription, ...] = ()
    opt_outs: tuple[Channel, ...] = Field(default=(), description="Ways in which this member must not be contacted")
    created_on: Day | None = None
    modified_on: Day | None = None
    extra: dict[Label, Note] = Field(
        default_factory=dict, description="Columns of the former system that have no field here, as written"
    )


class MemberRemoved(Fact):
    """A former system deleted its record of a member, or put it in its bin."""

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "member-removed"

    record_id: Key
    reason: Label | None = None


MemberId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
"""The id of a member: the UUIDv5 of its first source record."""


class MemberPart(Part):
    """A member and all source records that it is made of now, those included that their former systems removed."""

    member_id: MemberId
    records: tuple[RecordRef, ...]


class MembersMerged(Announced):
    """Source records that stood apart are one member now.

    ``version`` numbers what membership linked and parted, one after the other: of two facts about one source record the
    one with the larger version says whose it is now. A record that no such fact ever named is a member of its own.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "members-merged"

    member_id: MemberId
    records: Annotated[tuple[RecordRef, ...], Field(min_length=1)] = Field(
        description="All source records that the member is made of now, removed ones included"
    )
    former_ids: tuple[MemberId, ...] = Field(description="Ids that lead to this member from now on")


class MembersSeparated(Announced):
    """Source records that were one member are several now."""

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "members-separated"

    member_id: MemberId = Field(description="The id that they had together")
    parts: tuple[MemberPart, ...] = Field(description="The members that its source records are part of now")


class ConflictItem(Part):
    """An invoice, a membership term, or a registration, by the id that its former system gave it."""

    cluster: Key
    record_id: Key
    kind: Literal["invoice", "subscription", "paid-until", "registration"]
    item_id: Key | None = None


class Overlap(Part):
    """What two source records of one member hold twice, named by ``items``: one of each record at least.

    A period that both paid for (days, both included), or a gathering that both registered for.
    """

    starts_on: Day | None = None
    ends_on: Day | None = None
    event: Label | None = None
    items: tuple[ConflictItem, ...]


class MergeConflictChanged(Announced):
    """A merge brought together what one member should not have twice, and one service's staff must resolve it."""

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "merge-conflict-changed"

    conflict_id: Key
    kind: Literal["paid-twice", "registered-twice"]
    responsible: Literal["billing", "events"] = Field(description="The service that must resolve it")
    member_id: MemberId
    between: tuple[RecordRef, RecordRef]
    overlaps: tuple[Overlap, ...] = Field(
        default=(), description="What is there twice; nothing, once the conflict is gone"
    )


class Addressee(Part):
    """Who a document is made out to, and where it is sent."""

    name: Label
    brand: Label | None = None
    legal_form: Label | None = None
    siren: Label | None = None
    vat: Label | None = None
    email: Label | None = None
    street: Label | None = None
    postcode: Label | None = None
    city: Label | None = None
    departement: Label | None = None
    country: Label | None = None


class MemberDescribed(AnnouncedRecord):
    """What billing must know of one source record: whole each time, of the record itself and of its member.

    Which member it is part of when members merge later is said by MembersMerged and MembersSeparated.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "member-described"

    record_id: Key
    member_id: MemberId | None = Field(
        default=None, description="The member that it was part of then; absent once nothing is left of it"
    )
    removed: bool = Field(default=False, description="Its former system has it no more")
    is_member: bool | None = Field(default=None, description="False for a record that only names a company or a person")
    own: Addressee | None = Field(
        default=None, description="As the record itself says, as far as it is understood; absent if it never spoke"
    )
    shown: Addressee | None = Field(
        default=None, description="As the member is shown, with all its records and what staff set by hand"
    )
    lineage: Label | None = None
    category: Label | None = None
    fee_band: Label | None = None
    headcount: Label | None = Field(
        default=None, description="As the record says, as written: a number, a band, a text"
    )
    headcount_shown: Label | None = Field(default=None, description="As the member is shown with, as written")
    headcount_said_by: tuple[Label, ...] = Field(
        default=(), description="The records that say headcount_shown, such as numelink/1042"
    )
    status: MemberStatus | None = None
    member_since: Day | None = None
    ended_on: Day | None = Field(default=None, description="Last day of a membership that has ended")
    paid_until: Day | None = None
    exempt: bool | None = Field(default=None, description="Owes no dues, by what the former system says")
    terms: tuple[Subscription, ...] = Field(default=(), description="Terms of membership that the record lists")


class MembershipStageChanged(StageChanged):
    """Where a cluster's former membership system stands: legacy, mirror, live or retired."""

    service: ClassVar[str] = "membership"


class MembershipCutoverAnswered(CutoverAnswered):
    """What membership did or told of what was asked about its former systems."""

    service: ClassVar[str] = "membership"


class MembershipManifestRecord(ManifestRecord):
    """One record that a former membership system holds."""

    kind: MembershipKind = Field(description="What it is")


class MembershipManifestRecorded(ManifestRecorded):
    """What a former membership system holds: how many of each kind and, if it can tell, each record."""

    service: ClassVar[str] = "membership"

    counts: dict[MembershipKind, Count] = Field(default_factory=dict, description=COUNTS)
    records: Annotated[tuple[MembershipManifestRecord, ...], Field(max_length=PART_RECORDS)] = Field(
        default=(), description=RECORDS
    )
