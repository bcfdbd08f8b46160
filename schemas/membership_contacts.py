"""What membership announces of the people who are written to, for communications."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.base import AnnouncedRecord, Key, Label
from schemas.membership import Channel, MemberId, MemberStatus


class ContactDescribed(AnnouncedRecord):
    """What communications must know of one source record to write to it: whole each time.

    Which member it is part of when members merge later is said by MembersMerged and MembersSeparated.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "contact-described"

    record_id: Key
    member_id: MemberId | None = Field(
        default=None, description="The member that it was part of then; absent once nothing is left of it"
    )
    removed: bool = Field(default=False, description="Its former system has it no more")
    name: Label | None = Field(default=None, description="The company, as the record says; absent if it never spoke")
    first_name: Label | None = None
    last_name: Label | None = None
    role: Label | None = None
    salutation: Label | None = Field(default=None, description="Madame, Monsieur…, as written; absent if nobody knows")
    language: Literal["fr", "en"] | None = Field(default=None, description="French where it is absent")
    email_written: Label | None = Field(default=None, description="E-mail address, as the record says it")
    email: Label | None = Field(default=None, description="The same as it is understood; absent if it is no address")
    shown_name: Label | None = Field(default=None, description="The company, as its member is shown")
    shown_email: Label | None = Field(
        default=None, description="As its member is shown with, with all its records and what staff set by hand"
    )
    opt_outs: tuple[Channel, ...] = Field(default=(), description="Ways in which the record says not to contact it")
    is_member: bool | None = Field(default=None, description="False for a record that only names a company or a person")
    status: MemberStatus | None = None
    lineage: Label | None = None
