"""What is answered about source records: for OpenAPI."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel


class RecordShown(BaseModel):
    """A source record as it is written now.

    ``stage`` is where its cluster's former membership system stands; ``changeable``, whether the record is changed
    here. ``fields`` are those of the fact member-recorded; one that is empty is missing.
    """

    cluster: str
    record_id: str
    member_id: str | None
    stage: Literal["legacy", "mirror", "live", "retired"]
    changeable: bool
    version: int
    fields: dict[str, Any]


class RecordChange(BaseModel):
    """What one command made of a record. ``key_id`` is null if it came by the broker."""

    version: int
    command: Literal["create", "change", "end", "contact"]
    at: datetime
    author: str
    key_id: str | None
    reason: str | None
    fields: list[str]


class RecordChanges(BaseModel):
    """The newest first; ``next`` goes into ``after``."""

    items: list[RecordChange]
    next: str | None
