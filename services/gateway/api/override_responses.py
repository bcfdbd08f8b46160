"""What is answered about values that staff set: for OpenAPI."""

from datetime import datetime

from pydantic import BaseModel

from services.gateway.api.member_responses import ShownValue


class ShownField(ShownValue):
    """One field as the member is shown with it now; ``value`` is null when nobody fills it."""

    member_id: str
    field: str


class TakenBack(BaseModel):
    """By whom, when and why."""

    by: str
    at: datetime
    reason: str


class OverrideEntry(BaseModel):
    """A value as it was set by hand on a source record; ``taken_back`` is null while it is in force."""

    record: str
    field: str
    value: str
    author: str
    at: datetime
    reason: str
    taken_back: TakenBack | None


class Overrides(BaseModel):
    """All that were ever set on the member's records, the newest first."""

    member_id: str
    items: list[OverrideEntry]
