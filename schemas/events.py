"""Facts about gatherings and who registered for them; *Recorded* and *Changed* as in :mod:`schemas.billing`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.base import (
    AnnouncedRecord,
    Fact,
    ForFormerSystem,
    Key,
    Label,
    MirroredRecord,
    Moment,
    Name,
    Note,
    Part,
)
from schemas.conflicts import ConflictAnswered
from schemas.cutover import COUNTS, PART_RECORDS, RECORDS, Count, ManifestRecord, ManifestRecorded, StageChanged
from schemas.cutover_requests import CutoverAnswered

EventsKind = Literal["event", "registration"]
RegistrationStatus = Literal["registered", "waiting", "attended", "absent", "cancelled"]
EventStatus = Literal["planned", "held", "cancelled"]
Seats = Annotated[int, Field(ge=1, le=10_000)]


Capacity = Annotated[int, Field(ge=0, le=1_000_000)]


class EventSession(Part):
    """One part of a gathering that people register for by itself."""

    session_id: Key
    title: Label | None = None
    starts_at: Moment
    ends_at: Moment | None = None
    capacity: Capacity | None = Field(default=None, description="How many people it holds; absent if nobody counts")


class Registrant(Part):
    """Who registered, where that is no member of the cluster: a guest, or a record of another cluster."""

    kind: Literal["record", "guest"]
    cluster: Key | None = Field(default=None, description="Of a record: its cluster, if it is another")
    record_id: Key | None = Field(default=None, description="Of a record: its id there")
    name: Label | None = Field(default=None, description="Who comes")
    email: Label | None = Field(default=None, description="E-mail address of who comes, as written")


class _Event(Fact):
    service: ClassVar[str] = "events"
    stored_as_json: ClassVar[tuple[str, ...]] = ("sessions",)

    event_id: Key
    title: Name
    starts_at: Moment
    ends_at: Moment | None = None
    place: Label | None = None
    status: EventStatus = "planned"
    capacity: Capacity | None = Field(default=None, description="How many people it holds; absent if nobody counts")
    closes_at: Moment | None = Field(default=None, description="Until when one may register")
    sessions: Annotated[tuple[EventSession, ...], Field(max_length=500)] = Field(
        default=(), description="Its parts, where people register for each"
    )


class _Registration(Fact):
    service: ClassVar[str] = "events"
    stored_as_json: ClassVar[tuple[str, ...]] = ("registrant",)

    registration_id: Key
    event_id: Key
    record_id: Key | None = Field(
        default=None, description="The member; absent where registrant says who it is instead"
    )
    registered_at: Moment
    status: RegistrationStatus = "registered"
    seats: Seats = 1
    registrant: Registrant | None = Field(
        default=None, description="Who comes, beside record_id or instead of it. One of the two must be there"
    )

    @model_validator(mode="after")
    def _is_somebody_s(self) -> Self:
        if self.record_id is None and self.registrant is None:
            raise ValueError("a registration has a record_id, a registrant, or both: name at least one of them")
        return self


class EventRecorded(_Event):
    """A gathering that a former system organises."""

    key: ClassVar[str] = "event-recorded"


class EventChanged(_Event, MirroredRecord):
    """A gathering as the events service holds it now."""

    key: ClassVar[str] = "event-changed"


class RegistrationRecorded(_Registration):
    """A member's registration for a gathering, as a former system recorded it."""

    key: ClassVar[str] = "registration-recorded"


class RegistrationChanged(_Registration, MirroredRecord):
    """A registration as the events service holds it now."""

    key: ClassVar[str] = "registration-changed"


class Gathering(Part):
    """The gathering that a registration is for."""

    event_id: Key
    title: Name
    starts_at: Moment
    ends_at: Moment | None = None
    place: Label | None = None
    status: EventStatus = "planned"


class ParticipationEntry(Part):
    """A registration, with its gathering once that is known."""

    registration_id: Key
    event_id: Key
    registered_at: Moment
    status: RegistrationStatus = "registered"
    seats: Seats = 1
    event: Gathering | None = Field(default=None, description="The gathering; absent until it is recorded")


class ParticipationChanged(AnnouncedRecord):
    """What one source record registered for, and for what it is still expected: by the rules of events.

    Each fact is the whole.
    """

    service: ClassVar[str] = "events"
    key: ClassVar[str] = "participation-changed"

    record_id: Key
    expected: tuple[Key, ...] = Field(
        default=(),
        description="registration_id of those that take a place, or wait for one, at a gathering that is still planned",
    )
    registrations: tuple[ParticipationEntry, ...] = Field(default=(), description="Its registrations, by time")
    unlisted: Annotated[int, Field(ge=0)] = Field(
        default=0, description="How many more there are: older ones, of a record that has too many for a message"
    )


class RegistrationWritten(ForFormerSystem):
    """A registration as it is here, for the former system of the gathering's cluster.

    Told while Traboule is the authority, so that moving back gives no seat twice. Once the former system says it as it
    is here, it is not told any more.
    """

    service: ClassVar[str] = "events"
    key: ClassVar[str] = "registration-written"

    registration_id: Key = Field(description="The former system's id; ours where it was made here")
    event_id: Key
    record_id: Key | None = None
    registered_at: Moment
    status: RegistrationStatus
    seats: Seats = 1
    product: Label = Field(description="The software that the former system is, as the clusters file names it")
    file: Label = Field(description="The kind of table in which such rows stand")
    columns: tuple[Note, ...] = Field(default=(), description="The columns of the rows")
    rows: tuple[tuple[Note, ...], ...] = Field(default=(), description="The registration as a row")


class EventsConflictAnswered(ConflictAnswered):
    """Whose a conflict about registrations is, and where it stands."""

    service: ClassVar[str] = "events"


class EventsStageChanged(StageChanged):
    """Where a cluster's former events system stands: legacy, mirror, live or retired."""

    service: ClassVar[str] = "events"


class EventsCutoverAnswered(CutoverAnswered):
    """What the events service did or told of what was asked about its former systems."""

    service: ClassVar[str] = "events"


class EventsManifestRecord(ManifestRecord):
    """One record that a former events system holds."""

    kind: EventsKind = Field(description="What it is")


class EventsManifestRecorded(ManifestRecorded):
    """What a former events system holds: how many of each kind and, if it can tell, each record."""

    service: ClassVar[str] = "events"

    counts: dict[EventsKind, Count] = Field(default_factory=dict, description=COUNTS)
    records: Annotated[tuple[EventsManifestRecord, ...], Field(max_length=PART_RECORDS)] = Field(
        default=(), description=RECORDS
    )
