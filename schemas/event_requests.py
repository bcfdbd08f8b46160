"""What people asked by the public pages of gatherings: kept by the gateway, also while events is away."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.base import Announced, Moment, Part
from schemas.events_operations import Email, PersonName
from schemas.objections import LinkDigest
from schemas.operation import Id

MOST_PEOPLE: Final = 5
"""People of one form. Larger groups ask staff."""
MOST_ENTRIES: Final = 200
"""People of one message. A phone that was off line sends several."""
FormKey = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]


class PersonAsked(Part):
    """Somebody who is to come."""

    name: PersonName = Field(description="First and last name, on one line")
    email: Email | None = Field(default=None, description="None: their mails go to whoever filled the form in")


class RegistrationRequested(Announced):
    """Somebody asked for seats by the page of a session. Whether they get them is decided by events alone."""

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "registration-requested"

    session_id: Id = Field(description="The session's id in Traboule; nobody has checked that there is one")
    form: FormKey = Field(description="The form's own random key: under one key seats are given once")
    people: Annotated[tuple[PersonAsked, ...], Field(min_length=1, max_length=MOST_PEOPLE)] = Field(
        description="Who is to come, in the order of the form"
    )
    email: Email = Field(description="Where the answer goes")
    language: Literal["fr", "en"] = Field(description="The language of the page")
    fewer: bool = Field(default=False, description="Each person is seated or waits alone; else all together")
    received_at: Moment = Field(description="When the gateway kept it: deadlines count by it")


class RegistrationAnswered(Announced):
    """Somebody used the personal link of a registration: they take or leave a seat, come no more, or change who comes.

    The token is not told, its digest is: nobody who reads this can use the link.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "registration-answered"

    link_digest: LinkDigest = Field(description="SHA-256 of the link's token, in hexadecimal")
    act: Literal["accept", "decline", "cancel", "replace"] = Field(
        description="accept, decline: the seat that is offered; cancel: they come no more; replace: who comes instead"
    )
    attendee_id: Id | None = Field(
        default=None, description="Who comes no more, or is replaced; None: everybody that the link is about"
    )
    person: PersonAsked | None = Field(
        default=None, description="Who comes instead; without an address of their own, that of whoever stays the same"
    )
    same_person: bool = Field(default=False, description="It is the same person, who was written wrong")
    received_at: Moment = Field(description="When the gateway kept it: deadlines count by it")


EntryKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{8,80}$")]


class PersonNoted(Part):
    """Somebody who came in: by their place on the list, by their ticket, or by name where they are on no list."""

    key: EntryKey = Field(description="Of this entry, chosen by the page: sent again it is one")
    attendee_id: Id | None = Field(default=None, description="Their place on the list")
    ticket_digest: LinkDigest | None = Field(
        default=None, description="SHA-256 of their ticket's code, in hexadecimal: the code is not told"
    )
    name: PersonName | None = Field(default=None, description="Who is on no list")
    at: Moment = Field(description="When they came in")

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if sum(given is not None for given in (self.attendee_id, self.ticket_digest, self.name)) != 1:
            raise ValueError("give an attendee_id, a ticket_digest, or the name of somebody who is on no list")
        return self


class AttendanceNoted(Announced):
    """The holder of a check-in pass let people in at a session.

    The token is not told, its digest is: nobody who reads this can use the pass.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "attendance-noted"

    link_digest: LinkDigest = Field(description="SHA-256 of the pass's token, in hexadecimal")
    device: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}$")] | None = Field(
        default=None, description="Which of several phones with one pass"
    )
    entries: Annotated[tuple[PersonNoted, ...], Field(min_length=1, max_length=MOST_ENTRIES)] = Field(
        description="Who came in"
    )
    received_at: Moment = Field(description="When the gateway kept it")
