"""What the gateway itself answers about former systems, for OpenAPI. What services answer: schemas/cutover_answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from schemas.cutover import Stage
from schemas.cutover_answers import Authority
from schemas.cutover_requests import Operation


class BoardLine(BaseModel):
    """Where a former system stands. ``epoch`` counts its moves; ``since`` and ``by`` are null while there was none."""

    system: str
    cluster: str
    service: str
    stage: Stage
    authority: Authority
    epoch: int
    since: datetime | None
    by: str | None


class Board(BaseModel):
    """Every former system, as its service last told."""

    items: list[BoardLine]


class RequestShown(BaseModel):
    """What was asked of a service, and what came of it: ``answer`` is what the request itself would have been
    answered, ``problem`` why it was refused. Both are forgotten after a week.
    """

    id: str
    system: str | None
    service: str
    operation: Operation
    author: str
    reason: str | None
    at: datetime
    state: Literal["waiting", "done", "refused"]
    answer: dict[str, Any] | None
    problem: dict[str, Any] | None
    answered_at: datetime | None


class Waiting(BaseModel):
    """The service has not answered yet: ask again at ``location``."""

    id: str
    state: Literal["waiting"]
    location: str


class Backups(BaseModel):
    """In which services' databases it is noted, and where to ask whether it is in the others."""

    noted: list[str]
    waiting: list[str]
