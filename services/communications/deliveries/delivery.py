"""The states of a delivery, and what an answer of a mail server makes of it: pure.

::

    due → handing (committed before the text leaves) → accepted | due again (4xx) | refused (5xx) | uncertain

Between the dot that ends a mail and its answer nobody can know whether it arrived (RFC 1047). What is found in
``handing`` later is *uncertain* in bulk mode: never sent again but by a person's decision. In transactional mode it is
sent again, under the same Message-ID and with the same bytes: an invoice that never came costs more than two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Mode = Literal["bulk", "transactional"]
State = Literal["due", "handing", "accepted", "refused", "gave-up", "uncertain", "suppressed", "cancelled"]
ENDED: Final[frozenset[State]] = frozenset({"accepted", "refused", "gave-up", "uncertain", "suppressed", "cancelled"})

RETRY_AFTER: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""Waits after the first answers "not now"; the last one is repeated."""
GIVE_UP_AFTER: Final = timedelta(hours=48)
"""From when it was first due."""
RESEND_AFTER: Final = timedelta(minutes=15)
"""A transactional mail of which nobody knows whether it arrived is sent again then."""
ANSWER_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, or None as ``code`` if the connection ended before it did.

    ``text_left``: the server had asked for the text (354), so the mail may have arrived. ``final`` concerns the
    recipient; else the connection or the relay is at fault, and the recipient is not.
    """

    code: int | None
    text: str
    text_left: bool = False
    about_recipient: bool = True

    @property
    def printable(self) -> str:
        """Its words in one line, for a table."""
        return " ".join("".join(c if c.isprintable() else " " for c in self.text).split())[:ANSWER_LENGTH]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery is from now on; ``due_at`` if it is tried again."""

    state: State
    due_at: datetime | None = None


def outcome_of(answer: Answer, mode: Mode, attempt: int, first_due: datetime, now: datetime) -> Outcome:
    """What an answer to the ``attempt``-th try makes of a delivery (RFC 5321 §4.2.1 and §4.5.4.1)."""
    if answer.code is None:
        if not answer.text_left:
            return _again(attempt, first_due, now)
        if mode == "bulk" or now - first_due >= GIVE_UP_AFTER:
            return Outcome("uncertain")
        return Outcome("due", now + RESEND_AFTER)
    if 200 <= answer.code < 300:
        return Outcome("accepted")
    if 500 <= answer.code < 600 and answer.about_recipient:
        return Outcome("refused")
    return _again(attempt, first_due, now)


def _again(attempt: int, first_due: datetime, now: datetime) -> Outcome:
    if now - first_due >= GIVE_UP_AFTER:
        return Outcome("gave-up")
    return Outcome("due", now + RETRY_AFTER[min(attempt, len(RETRY_AFTER)) - 1])
