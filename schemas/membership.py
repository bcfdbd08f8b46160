"""Facts about members, as former systems record them."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.fields import Amount, Day, Fact, Key, Label, Name, Note, Part

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
        None,
        description="Another record of the same former system that it holds to be the same company. "
        "Followed only when the names agree.",
    )
    brand: Label | None = None
    legal_form: Label | None = None
    siren: Label | None = None
    siret: Label | None = None
    vat: Label | None = None
    rna: Label | None = None
    naf: Label | None = None
    naf_nomenclature: Literal["rev2", "2025"] | None = Field(
        None, description="NAF rev. 2, or NAF 2025, which replaces it on 1 January 2027 (décret 2025-736)"
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
    lineage: Label | None = Field(None, description="The older body inside the cluster that the member came by")
    category: Label | None = Field(None, description="The kind of member, in the former system's words")
    fee_band: Label | None = None
    headcount: Label | None = None
    status: MemberStatus | None = None
    member_since: Day | None = None
    paid_until: Day | None = None
    exempt: bool | None = Field(None, description="Owes no dues")
    subscriptions: tuple[Subscription, ...] = ()
    opt_outs: tuple[Channel, ...] = Field((), description="Ways in which this member must not be contacted")
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
