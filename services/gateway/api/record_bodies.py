"""Commands on source records, as the bodies of requests."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.base import Day, Label
from services.membership.identity.decisions import LONGEST_AUTHOR, LONGEST_REASON


def _readable(text: str) -> str:
    if not text.strip() or not text.replace("\n", " ").isprintable():
        raise ValueError("must be printable text")
    return text


_Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_readable)]
_Author = Annotated[str, Field(min_length=1, max_length=LONGEST_AUTHOR), AfterValidator(_readable)]


class Asking(BaseModel):
    """Who asks for a change if not the API key's own name, and why; both are kept for ever."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: _Reason | None = None
    author: _Author | None = Field(None, description="who asks for it; else the API key's name")


class Accepting(Asking):
    """A change that brings values, which somebody may insist on."""

    accept_doubtful: bool = Field(False, description="keep values that are not understood as they are written")


class NewRecord(Accepting):
    """A record to create."""

    fields: dict[str, Any] = Field(
        description="the record, in the fields of the fact member-recorded; `name` at least. `record_id`, `version`, "
        "`created_on` and `modified_on` are set here"
    )


class ChangedFields(Accepting):
    """What changes in a record."""

    fields: dict[str, Any] = Field(
        description="a JSON merge patch (RFC 7396) of the record's `fields`: what is not named stays, null removes"
    )


class Ending(Asking):
    """The end of a membership."""

    on: Day = Field(description="its last day; none that is still to come")


class Contact(Accepting):
    """Whom to write to, whole: what is left out is removed."""

    first_name: Label | None = None
    last_name: Label | None = None
    role: Label | None = Field(None, description="what that person does there")
    email: Label | None = None
    phone: Label | None = None
    mobile: Label | None = None
