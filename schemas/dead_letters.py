"""How a service is, and what was set aside in it: looked at, sent again, or discarded by a person."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from schemas.operation import Arguments, Kind, Operation
from schemas.rights import Right

SERVICES: Final = ("membership", "billing", "events", "communications")
LONGEST_BODY: Final = 64 * 1024
"""Bytes of a parked message's body that are shown; also the most that a corrected one may have."""
MOST_REPLAYED: Final = 1_000
"""Messages that one request replays or discards; the oldest first."""
MOST_GROUPS: Final = 200
"""Groups that one answer names; the most numerous first."""

Status = Literal["parked", "replaying", "replayed", "discarded"]
Number = Annotated[int, Field(ge=1, lt=2**63)]
Text = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")]


class QueueWaits(BaseModel):
    """Messages that wait in a queue; null where the broker has no such queue."""

    queue: str
    waiting: int | None


class Health(BaseModel):
    """How a service is. It answers, so its database and its consumers of questions do.

    ``ready``: the broker has all queues that it hears, and took all that it publishes. ``waits`` counts what it has not
    read yet, ``unsent`` what the broker has not confirmed, the oldest of which waits since ``unsent_since``.
    """

    service: str
    version: str
    ready: bool
    waits: int
    queues: list[QueueWaits]
    unsent: int
    unsent_since: datetime | None
    refused: int
    newest_received_at: datetime | None
    parked: int
    parked_since: datetime | None


class ParkedGroup(BaseModel):
    """Messages of one queue, reason, type and producer. ``newest`` is the largest number among them.

    ``parked_again`` counts those that somebody replayed before. ``detail`` is that of the ``example``.
    """

    queue: str
    reason: str
    type: str | None
    producer: str | None
    count: int
    parked_again: int
    first_at: datetime
    last_at: datetime
    newest: int
    example: int
    detail: str


class ParkedGroups(BaseModel):
    """The most numerous first: 200 at most, and ``more`` besides. In all of them are ``count`` messages.

    ``newest`` is the largest number among these; null where there are none.
    """

    service: str
    items: list[ParkedGroup]
    more: int
    count: int
    newest: int | None


class ParkedMessage(BaseModel):
    """One message that was set aside, without its content; ``count`` is how often it came."""

    number: int
    status: Status
    queue: str
    reason: str
    detail: str
    type: str | None
    producer: str | None
    routing_key: str
    message_id: str | None
    count: int
    first_at: datetime
    last_at: datetime


class ParkedMessages(BaseModel):
    """The oldest first; ``next`` goes into ``after``."""

    service: str
    items: list[ParkedMessage]
    next: int | None


class WholeMessage(ParkedMessage):
    """The same with headers, history and body. It may hold personal data.

    ``body`` is text, whatever it was; ``body_is`` says what. Of more than 64 KiB the beginning is shown (``cut``).
    """

    content_type: str | None
    headers: dict[str, Any]
    history: list[dict[str, Any]]
    body: str
    body_is: Literal["json", "text", "bytes"]
    body_bytes: int
    cut: bool


class Replayed(BaseModel):
    """The numbers that were sent again, and about each that has nowhere to go what to do.

    ``more`` are left that match, up to the newest that was asked for: one request sends no more than 64 MiB.
    What became of a replay says its message.
    """

    service: str
    replayed: list[int]
    nowhere: list[str]
    more: int


class Discarded(BaseModel):
    """The numbers that were discarded; ``more`` are left that match, up to the newest that was asked for."""

    service: str
    discarded: list[int]
    more: int


class NoArguments(Arguments):
    """Nothing besides."""


class GroupArguments(Arguments):
    """Which group: of what is left out, all. ``cause`` is the ``reason`` of the group: a command has one of its own."""

    queue: Text | None = None
    cause: Text | None = None
    type: Text | None = None
    producer: Text | None = None


class GroupsArguments(GroupArguments):
    """Of which state, and what they have in common; or of some ``numbers`` alone."""

    status: Status = "parked"
    numbers: list[Number] | None = Field(default=None, max_length=MOST_REPLAYED)


class ListArguments(GroupArguments):
    """A page of one group."""

    status: Status = "parked"
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class OneMessage(Arguments):
    """Which message."""

    number: Number


class ChosenMessages(GroupArguments):
    """These numbers; or all of a group up to the newest number that the person saw (``up_to``), and no later ones.

    Of more than 1,000 the oldest are taken.
    """

    numbers: Annotated[list[Number], Field(max_length=MOST_REPLAYED)] | None = None
    up_to: Number | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_REPLAYED)] = MOST_REPLAYED

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        group = any(value is not None for value in (self.queue, self.cause, self.type, self.producer))
        if bool(self.numbers) == (self.up_to is not None) or (self.numbers and group):
            raise ValueError("name either numbers, or up_to with what they have in common")
        return self


class ReplayArguments(ChosenMessages):
    """Also a corrected ``body`` for a single one, as the service must accept it."""

    body: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_BODY)] | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.body is not None and len(self.numbers or ()) != 1:
            raise ValueError("a corrected body is for one message: name its number, and no other")
        return self


def _operation(
    name: str, kind: Kind, right: Right, path: str, shapes: tuple[type[Arguments], type[BaseModel]], *summaries: str
) -> Operation:
    return Operation(
        name=name,
        kind=kind,
        services=SERVICES,
        right=right,
        path=f"/{{service}}/{path}",
        arguments=shapes[0],
        answer=shapes[1],
        summary=summaries[0],
        summary_fr=summaries[1],
        verb=f"traboule dead-letters {name}" if kind == "command" else None,
        more_rights={"body": "edit-parked"} if name == "replay" else {},
    )


HEALTH: Final = _operation(
    "health", "query", "see-operations", "health", (NoArguments, Health),
    "How a service is: what waits in its queues and its outbox, and what was set aside.",
    "Comment va un service : ce qui attend dans ses files et à l'envoi, et ce qui a été mis de côté.",
)  # fmt: skip
GROUPS: Final = _operation(
    "parked-groups", "query", "see-operations", "parked-groups", (GroupsArguments, ParkedGroups),
    "Messages that were set aside, grouped by queue, reason, type and producer.",
    "Les messages mis de côté, groupés par file, motif, type et expéditeur.",
)  # fmt: skip
PARKED: Final = _operation(
    "parked", "query", "see-operations", "parked", (ListArguments, ParkedMessages),
    "The messages of one group, the oldest first, without their content.",
    "Les messages d'un groupe, du plus ancien au plus récent, sans leur contenu.",
)  # fmt: skip
MESSAGE: Final = _operation(
    "parked-message", "query", "read-parked", "parked/{number}", (OneMessage, WholeMessage),
    "One message whole: why it was set aside, its history, headers and body.",
    "Un message en entier : pourquoi il a été mis de côté, son historique, ses en-têtes, son corps.",
)  # fmt: skip
REPLAY: Final = _operation(
    "replay", "command", "replay-parked", "parked/replay", (ReplayArguments, Replayed),
    "Send messages to their queues again. One that fails again is set aside again.",
    "Renvoyer des messages dans leur file. Celui qui échoue encore est remis de côté.",
)  # fmt: skip
DISCARD: Final = _operation(
    "discard", "command", "replay-parked", "parked/discard", (ChosenMessages, Discarded),
    "Decide that messages are not applied. They are kept.",
    "Décider que des messages ne sont pas appliqués. Ils sont gardés.",
)  # fmt: skip

ALL: Final = (HEALTH, GROUPS, PARKED, MESSAGE, REPLAY, DISCARD)
