"""What services answer about their former systems. It is written as it was answered or read."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from schemas.cutover import Stage

Authority = Literal["Traboule", "former system"]


class NewestParity(BaseModel):
    """When the former system was last compared with our mirror, and how many differences are open now."""

    at: datetime
    open_differences: int


class StageShown(BaseModel):
    """Where a former system stands, as its service tells now: also why, and what waits in quarantine."""

    system: str
    stage: Stage
    authority: Authority
    epoch: int
    since: datetime | None
    by: str | None
    reason: str | None
    overruled: list[str]
    quarantine: int
    parity: NewestParity | None


class ConditionShown(BaseModel):
    """What was found, and if it does not hold the command that mends it, and the same over HTTP if there is one."""

    name: str
    holds: bool
    detail: str
    remedy: str | None
    http: str | None
    told: str = Field(deprecated="read detail")
    mend: str | None = Field(deprecated="read remedy")
    call: str | None = Field(deprecated="read http")


class Conditions(BaseModel):
    """All must hold or be overruled."""

    system: str
    move: Literal["switch", "rollback"] = Field(alias="for")
    holds: bool
    conditions: list[ConditionShown]


class MovedShown(BaseModel):
    """Where it stands now; ``already`` when that move had been made before.

    Of one that is retired, ``remains`` says what is still to be done so that it can write no more.
    """

    system: str
    stage: Stage
    authority: Authority
    epoch: int
    since: datetime
    by: str
    already: bool
    remains: str | None = None


class MoveMade(BaseModel):
    """One move: the stage that it led to, and the conditions that did not hold and were overruled."""

    epoch: int
    stage: Stage
    at: datetime
    by: str
    reason: str
    overruled: list[str]


class Moves(BaseModel):
    """The newest first."""

    system: str
    items: list[MoveMade]


class LateLine(BaseModel):
    """What a former system said after it ceased to be the authority, without its content."""

    id: str
    service: str
    cluster: str
    epoch: int
    message_id: str
    type: str
    received_at: datetime
    state: Literal["waiting", "applied", "dismissed"]
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


class Quarantine(BaseModel):
    """The oldest first; ``next`` goes into ``after``."""

    items: list[LateLine]
    next: int | None


class LateShown(LateLine):
    """One late message whole: what it ``said`` of its record, and what is ``held`` of that now."""

    said: dict[str, Any]
    held: dict[str, Any] | None


class DifferenceChoices(BaseModel):
    """What its differences can be filtered by."""

    kinds: list[str]
    fields: list[str]
    owners: list[str]


class ParityShown(BaseModel):
    """The newest comparison, and a page of its differences; ``next`` goes into ``after``.

    ``open`` and ``accepted`` are of all its differences, as they are now. ``matching`` is how many the filters leave.
    """

    system: str
    run: int
    subject: Literal["mirror", "rehearsal"]
    at: datetime
    by: str
    source: list[str]
    manifest: int | None
    clean: bool
    open: int
    accepted: int
    counts: dict[str, Any]
    sums: dict[str, Any]
    choices: DifferenceChoices
    matching: int
    differences: list[dict[str, Any]]
    next: int | None


class WrittenBack(BaseModel):
    """A record that was written here and that its former system has not said so since.

    ``commands`` changed it here, or a late message about it was ``dismissed``. There, it gets another id if it has a
    ``new_id``, and is to be taken away if it is ``removed``; ``left_out`` are the fields that its columns (those of a
    ``file`` that it imports) cannot say, which somebody has to note there by hand.
    """

    record_id: str
    commands: list[str]
    dismissed: bool
    new_id: bool
    removed: bool
    file: str | None
    left_out: list[str]


class WayBack(BaseModel):
    """What was written here, told to the former system: messages that it has not read in its ``queue`` (null: there
    is none), that are still to be sent there, and that it gave back and are parked. Of the ``records`` that it has not
    said so since, a page by id; ``next`` goes into ``after``.
    """

    system: str
    queue: str
    unread: int | None
    to_be_sent: int
    given_back: int
    records: int
    items: list[WrittenBack]
    next: str | None


class BackupNoted(BaseModel):
    """It is noted in this service's database."""

    noted: bool
