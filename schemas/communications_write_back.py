"""What communications writes back to a former system: objections that were taken here."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.base import ForFormerSystem, Key, Label, Moment
from schemas.membership import Channel
from schemas.membership_write_back import Cell


class ObjectionWritten(ForFormerSystem):
    """An objection that was taken here, for the former system that knows the record or the address.

    Told while Traboule is the authority: before the former list sends again, it must know whom not to write to. It is
    confirmed when the former system says a consent of this record or address that is refused or withdrawn.
    """

    service: ClassVar[str] = "communications"
    key: ClassVar[str] = "objection-written"

    objection_id: Key = Field(description="Its id here")
    record_id: Key | None = Field(default=None, description="The member; absent where an address alone is known")
    address: Label | None = Field(default=None, description="The e-mail address; absent where it was forgotten")
    channel: Channel
    purpose: Label
    status: Literal["withdrawn"] = "withdrawn"
    decided_at: Moment
    reason: Label = Field(description="How it was taken: one-click, a letter, a complaint…")
    product: Label = Field(description="The software that the former system is, as the clusters file names it")
    file: Label = Field(description="The kind of its files in which such rows stand, or objections for a plain table")
    columns: tuple[Cell, ...] = Field(default=(), description="The columns of the rows")
    rows: tuple[tuple[Cell, ...], ...] = Field(default=(), description="The objection as a row of that software")
    left_out: tuple[Key, ...] = Field(
        default=(), description="What these columns need and is not known: it must be seen to by hand there"
    )
