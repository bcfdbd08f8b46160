"""What an answer makes of a mail."""

from datetime import UTC, datetime, timedelta

import pytest

from services.communications.deliveries.delivery import GIVE_UP_AFTER, RESEND_AFTER, Answer, Mode, outcome_of

NOW = datetime(2027, 1, 15, 9, tzinfo=UTC)
LOST_BEFORE, LOST_AFTER = Answer(None, "", about_recipient=False), Answer(None, "", text_left=True)


@pytest.mark.parametrize(
    ("answer", "mode", "state", "wait"),
    [
        (Answer(250, "ok"), "bulk", "accepted", None),
        (Answer(451, "later"), "bulk", "due", timedelta(minutes=5)),
        (Answer(550, "unknown"), "bulk", "refused", None),
        (Answer(550, "sender refused", about_recipient=False), "bulk", "due", timedelta(minutes=5)),
        (Answer(421, "bye", about_recipient=False), "transactional", "due", timedelta(minutes=5)),
        (LOST_BEFORE, "bulk", "due", timedelta(minutes=5)),
        (LOST_AFTER, "bulk", "uncertain", None),
        (LOST_AFTER, "transactional", "due", RESEND_AFTER),
    ],
)
def test_an_answer_decides(answer: Answer, mode: Mode, state: str, wait: timedelta | None) -> None:
    outcome = outcome_of(answer, mode, 1, NOW, NOW)
    assert outcome.state == state
    assert outcome.due_at == (None if wait is None else NOW + wait)


@pytest.mark.parametrize(
    ("answer", "state"), [(Answer(451, ""), "gave-up"), (LOST_BEFORE, "gave-up"), (LOST_AFTER, "uncertain")]
)
def test_it_ends_after_two_days(answer: Answer, state: str) -> None:
    assert outcome_of(answer, "transactional", 9, NOW - GIVE_UP_AFTER, NOW).state == state


def test_words_are_one_printable_line() -> None:
    assert Answer(550, "no\r\nsuch\x07 user" + "x" * 900).printable.startswith("no such user")
    assert len(Answer(550, "x" * 900).printable) == 500
