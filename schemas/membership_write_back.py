"""What membership writes back to a former system, in that system's own columns."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import NO_NUL, ForFormerSystem, Key, Label

Cell = Annotated[str, StringConstraints(pattern=NO_NUL)]
"""What stands in one column of one row of a file: of any length, for a product may keep several fields in one."""


class MemberWritten(ForFormerSystem):
    """What Traboule holds of one member, for the former system that it came from, in that system's own columns.

    Told of every change that is made here while Traboule is the authority, so that moving back loses nothing.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "member-written"

    record_id: Key
    product: Label = Field(description="The software that the former system is, as the clusters file names it")
    file: Label = Field(description="The kind of its files in which such rows stand")
    columns: tuple[Cell, ...] = Field(
        description="The columns of the rows, as a file of that software heads them; a name may stand there twice"
    )
    rows: tuple[tuple[Cell, ...], ...] = Field(
        description="The record: one row, or one for each of its terms. What is empty in all of them is to be emptied"
    )
    left_out: tuple[Key, ...] = Field(
        default=(), description="Fields of the record that these columns cannot say: they would be lost there"
    )
    new_id: bool = Field(
        default=False,
        description="The record was made here: the former system gives it an id of its own, and says same_as",
    )
    removed: bool = Field(
        default=False, description="Traboule holds no such record, so it is to be taken away there; there are no rows"
    )
