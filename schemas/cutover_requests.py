"""What is asked of the service that keeps a former system's stage, and what it answers.

The membership service is the only HTTP door, and nobody reads another's database: so what staff ask there about
another service's former systems crosses as a fact, and comes back as one.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field

from schemas.base import Announced, Key, Label, Moment
from schemas.commands import NewId
from schemas.operation import Outcome

Operation = Literal[
    "standing",
    "conditions",
    "move",
    "history",
    "quarantine",
    "late-message",
    "apply-late",
    "dismiss-late",
    "parity",
    "way-back",
    "note-backup",
    "propose-grid",
    "adopt-grid",
    "decide-due",
    "take-back-due-decision",
    "prepare-run",
    "approve-run",
    "issue-run",
    "correct-document",
    "compare-series",
    "record-payment",
    "allocate-payment",
    "undo-allocation",
    "refund-payment",
    "approve-refund",
    "return-payment",
    "close-year",
    "remind-overdue",
    "bill-charges",
    "settle-charge",
    "suppress",
    "lift-suppression",
    "resume-domain",
    "decide-uncertain",
    "send-test-mail",
    "confirm-test-mail",
    "send-information-letter",
    "plan-gathering",
    "cancel-gathering",
    "change-session",
    "register",
    "cancel-registration",
    "answer-offer",
    "prefer-registration",
    "decide-registration",
    "replace-attendee",
    "take-over-gatherings",
    "check-in",
    "undo-check-in",
    "check-in-pass",
    "end-check-in-pass",
    "replay",
    "discard",
    "accept-differences",
    "take-back-acceptances",
    "assign-differences",
]


class CutoverRequested(Announced):
    """Staff asked at the door for something that the responsible service alone can tell or do."""

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "cutover-requested"
    addressed_by: ClassVar[str | None] = "responsible"

    request_id: NewId = Field(description="The request's id, a UUIDv7: the answer names it")
    responsible: Literal["membership", "billing", "events", "communications"] = Field(
        description="The service that is asked: it alone hears it"
    )
    cluster: Key | None = Field(
        default=None, description="Whose former system it is about; none where it is about them all"
    )
    operation: Operation = Field(description="What to tell or do")
    arguments: dict[str, Any] = Field(description="What the operation needs to know")
    author: Key = Field(description="Who asks; kept in the history of what is done")
    key_id: Key | None = Field(
        default=None, description="Id of the API key that the gateway authenticated; the author is but what was written"
    )
    key_name: Key | None = Field(default=None, description="Name of that key, as an operator gave it")
    reason: Label | None = Field(default=None, description="Why; kept in the history of what is done")
    asked_at: Moment = Field(description="When: one that is answered too late is refused, for staff ask again")


class CutoverAnswered(Announced):
    """What came of a request: it was done, or refused without any effect."""

    key: ClassVar[str] = "cutover-answered"

    request_id: NewId = Field(description="The request that it answers")
    outcome: Outcome = Field(description="done, or refused: then nothing was changed")
    answer: dict[str, Any] = Field(description="What was asked for; or, if refused, why and what mends it")
    answered_at: Moment = Field(description="When it was done or refused")
