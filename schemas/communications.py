"""Facts about consents and mailings; *Recorded* and *Changed* as in :mod:`schemas.billing`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.base import AnnouncedRecord, Fact, Key, Label, MirroredRecord, Moment, Part
from schemas.cutover import COUNTS, PART_RECORDS, RECORDS, Count, ManifestRecord, ManifestRecorded, StageChanged
from schemas.cutover_requests import CutoverAnswered
from schemas.membership import Channel

CommunicationsKind = Literal["consent", "mailing"]
ConsentStatus = Literal["granted", "refused", "withdrawn"]


class _Consent(Fact):
    service: ClassVar[str] = "communications"

    consent_id: Key
    record_id: Key | None = Field(
        default=None, description="The member; absent where the former system knows an address alone"
    )
    channel: Channel
    purpose: Label
    status: ConsentStatus
    brand: Label | None = None
    decided_at: Moment
    proof: Label | None = Field(
        default=None, description="Where the proof is kept, such as a form's reference; RGPD art. 7(1)"
    )
    address: Label | None = Field(
        default=None,
        description="The e-mail address that it is about, as written: beside record_id, or instead of it. One of the "
        "two must be there. It holds for every record that has this address",
    )
    wording: Label | None = Field(default=None, description="What the person read when deciding, or its version")
    source: Label | None = Field(
        default=None, description="How it was learned: form, one-click, staff, import and the line of which file"
    )

    @model_validator(mode="after")
    def _is_about_somebody(self) -> Self:
        if self.record_id is None and self.address is None:
            raise ValueError("a consent is about a record_id, an address, or both: name at least one of them")
        return self


def _one_order(recipients: tuple[str, ...]) -> tuple[str, ...]:
    # A list that says the same in any order is one fact, with one id.
    return tuple(sorted(set(recipients)))


class _Mailing(Fact):
    service: ClassVar[str] = "communications"

    mailing_id: Key
    subject: Label
    purpose: Label | None = None
    brand: Label | None = None
    sent_at: Moment
    recipients: Annotated[tuple[Key, ...], Field(max_length=5_000), AfterValidator(_one_order)] = Field(
        description="record_id of every member that it was sent to; what was sent cannot be unsent, so these add up"
    )
    addresses: Annotated[tuple[Label, ...], Field(max_length=5_000), AfterValidator(_one_order)] = Field(
        default=(), description="E-mail addresses that it was sent to and that no record is known of; these add up too"
    )
    part: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="Of a mailing to more than 5,000: which part of its list this is, from 1"
    )
    parts: Annotated[int, Field(ge=1, le=1_000)] | None = Field(default=None, description="How many parts there are")


class ConsentRecorded(_Consent):
    """What a member agreed to or objected to, as a former system recorded it."""

    key: ClassVar[str] = "consent-recorded"


class ConsentChanged(_Consent, MirroredRecord):
    """A consent as the communications service holds it now."""

    key: ClassVar[str] = "consent-changed"


class MailingRecorded(_Mailing):
    """A mailing that a former system sent."""

    key: ClassVar[str] = "mailing-recorded"


class MailingChanged(_Mailing, MirroredRecord):
    """A mailing as the communications service holds it now."""

    key: ClassVar[str] = "mailing-changed"


class ConsentDecision(Part):
    """A consent or objection, as a record's preferences list it."""

    consent_id: Key
    channel: Channel
    purpose: Label
    status: ConsentStatus
    brand: Label | None = None
    decided_at: Moment
    proof: Label | None = Field(default=None, description="Where the proof is kept, such as a form's reference")
    known_in: Key | None = Field(
        default=None, description="The cluster that knows it of the record's address alone; absent if of the record"
    )


class Preference(Part):
    """What one source record's decisions on a channel and purpose come to."""

    channel: Channel
    purpose: Label
    allowed: bool = Field(description="Whether it may be contacted so; * as the purpose means every purpose")
    consent_id: Key = Field(description="The consent that decides it")
    known_in: Key | None = Field(
        default=None, description="The cluster that knows it of the record's address alone; absent if of the record"
    )


class Suppressed(Part):
    """Something that keeps mail from a record. It holds for every brand, until the person lifts it.

    Which purposes a former system's consents allow does not matter beside it.
    """

    covers: Literal["everything", "bulk"] = Field(description="All mail, or bulk mail of the purpose alone")
    purpose: Label = Field(description="* is every purpose")
    reason: Literal["objection", "complaint", "unknown-user", "unreachable"]
    source: Literal["own-act", "staff", "former-system", "returned-mail"] = Field(
        description="Who said so: the person by a link or a mail, staff for them, a former system, or a mail server"
    )
    known_in: Key | None = Field(default=None, description="The cluster whose former system said so")
    concerns: Literal["record", "address"] = Field(
        description="The record, whatever its address; or whoever has the address that it has now"
    )
    since: Moment | None = Field(default=None, description="Absent where the former system keeps no day")


class PreferencesChanged(AnnouncedRecord):
    """What one source record agreed or objected to, and which decisions are in force: by communications' rules.

    Each fact is the whole. Of several records of one member, a single refusal forbids.
    """

    service: ClassVar[str] = "communications"
    key: ClassVar[str] = "preferences-changed"

    record_id: Key
    in_force: tuple[Preference, ...] = Field(
        default=(),
        description="By channel and purpose: of each brand the last decision, and of several brands a refusal",
    )
    decisions: tuple[ConsentDecision, ...] = Field(default=(), description="Every consent and objection, by time")
    suppressed: Annotated[tuple[Suppressed, ...], Field(max_length=100)] = Field(
        default=(), description="What keeps mail from it, those first that cover everything"
    )
    unlisted: Annotated[int, Field(ge=0)] = Field(
        default=0, description="How many more there are: older ones, of a record that has too many for a message"
    )


class CommunicationsStageChanged(StageChanged):
    """Where a cluster's former communications system stands: legacy, mirror, live or retired."""

    service: ClassVar[str] = "communications"


class CommunicationsCutoverAnswered(CutoverAnswered):
    """What communications did or told of what was asked about its former systems."""

    service: ClassVar[str] = "communications"


class CommunicationsManifestRecord(ManifestRecord):
    """One record that a former communications system holds."""

    kind: CommunicationsKind = Field(description="What it is")


class CommunicationsManifestRecorded(ManifestRecorded):
    """What a former communications system holds: how many of each kind and, if it can tell, each record."""

    service: ClassVar[str] = "communications"

    counts: dict[CommunicationsKind, Count] = Field(default_factory=dict, description=COUNTS)
    records: Annotated[tuple[CommunicationsManifestRecord, ...], Field(max_length=PART_RECORDS)] = Field(
        default=(), description=RECORDS
    )
