"""Commands on one source record of a cluster that has been moved over, as staff tools send them.

Whoever sends one names the record and the version of it that they saw. A command that cannot be carried out, because
the former system is the authority or the record changed meanwhile, is kept as a dead letter that says so.
"""

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import Command, Day, Key, Label, Version

NewId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
"""A UUIDv7, in lower case."""


class RecordCommand(Command):
    """What every command on a source record says."""

    service: ClassVar[str] = "membership"

    cluster: Key = Field(description="The cluster whose record it is")
    record_id: Key = Field(description="The record's id")
    author: Key = Field(description="Who asks for it; kept for ever")
    reason: Label | None = Field(default=None, description="Why; kept for ever")


class _Seen(RecordCommand):
    expected_version: Version = Field(
        description="The record's version as last seen: if it is another now, nothing is changed"
    )


class _Accepting(RecordCommand):
    accept_doubtful: bool = Field(default=False, description="Keep values that are not understood as they are written")


class CreateMember(_Accepting):
    """Create a member of a cluster, under an id of the sender's own making."""

    key: ClassVar[str] = "create-member"

    record_id: NewId = Field(description="The new record's id: a UUIDv7")  # pyright: ignore[reportGeneralTypeIssues]
    fields: dict[str, Any] = Field(
        description="The record, in the fields of member-recorded, without record_id, version, created_on, modified_on"
    )


class ChangeMember(_Seen, _Accepting):
    """Change some fields of a member's source record."""

    key: ClassVar[str] = "change-member"

    fields: dict[str, Any] = Field(
        description="A JSON merge patch (RFC 7396) of the fields of member-recorded: "
        "what is not named stays, null removes"
    )


class EndMembership(_Seen):
    """End a membership: its status becomes ended, and its terms and dues stay as they are."""

    key: ClassVar[str] = "end-membership"

    on: Day = Field(description="Its last day; none that is still to come")


class ChangeContacts(_Seen, _Accepting):
    """Replace whom to write to, whole: what is left out is removed."""

    key: ClassVar[str] = "change-contacts"

    first_name: Label | None = None
    last_name: Label | None = None
    role: Label | None = None
    email: Label | None = None
    phone: Label | None = None
    mobile: Label | None = None
