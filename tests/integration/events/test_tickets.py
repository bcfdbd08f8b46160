"""Tickets in letters: each works until its person was replaced or comes no more."""

from datetime import timedelta
from secrets import token_hex
from typing import Any

from services.events.checkin.ticket import digest_of
from tests.support.events import LATER, Events


async def let_in(events: Events, session: str, *tickets: str) -> list[tuple[str, str | None]]:
    entries = [{"key": token_hex(8), "ticket": ticket} for ticket in tickets]
    answer = await events.ask("check-in", session_id=session, entries=entries)
    return [(item["outcome"], item["name"]) for item in answer["items"]]


async def codes(events: Events) -> list[str]:
    """The codes of all confirmations, in their order."""
    return [letter["ticket"]["code"] for letter in await events.letters("registration-confirmed")]


async def test_every_letter_has_a_ticket_of_its_own_and_all_of_them_work(events: Events) -> None:
    session = await events.session(capacity=3)
    kept = await events.register(session, "Ada")
    later = (LATER + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    await events.ask("change-session", session_id=session, key="later", starts=later)
    first, second = await codes(events)
    assert first != second
    [listed] = (await events.ask("expected", session_id=session))["items"]
    assert listed["tickets"] == [digest_of(second).hex(), digest_of(first).hex()]
    assert listed["ticket"] == digest_of(second).hex()
    assert await let_in(events, session, first, second) == [("in", "Ada"), ("already-in", "Ada")]
    await events.ask("cancel-registration", registration_id=kept["registration_id"])
    assert await let_in(events, session, second) == [("not-expected", "Ada")]


async def test_a_corrected_address_or_name_keeps_tickets_and_attendance(events: Events) -> None:
    session = await events.session()
    who = {"attendee_id": (await events.register(session, "Ada"))["attendees"][0]["attendee_id"]}
    [first] = await codes(events)
    assert await let_in(events, session, first) == [("in", "Ada")]
    await events.ask("replace-attendee", **who, name="ada", email="ada@autre.example")
    await events.ask("replace-attendee", **who, name="Ada Lovelace", email="ada@autre.example", same_person=True)
    tickets = await codes(events)
    assert await let_in(events, session, *tickets) == [("already-in", "Ada Lovelace")] * 3
    assert await events.letters("registration-cancelled") == []
    # Another person's ticket is not theirs: neither of the three lets Grace in.
    await events.ask("replace-attendee", **who, name="Grace", email="ada@autre.example")
    assert await let_in(events, session, *tickets) == [("not-expected", "Ada Lovelace")] * 3
    assert await let_in(events, session, (await codes(events))[-1]) == [("in", "Grace")]


async def test_who_waits_and_who_ordered_for_others_have_no_ticket(events: Events) -> None:
    session = await events.session(capacity=1)
    await events.register(session, "Ada", email="assistant@example.fr")
    await events.register(session, "Blaise")
    letters: dict[str, Any] = {
        letter["recipient"]["email"]: letter.get("ticket") for letter in await events.letters("registration-confirmed")
    }
    assert set(letters) == {"ada@example.fr", "assistant@example.fr"}
    assert letters["assistant@example.fr"] is None
    assert await events.rows("select count(*) from tickets") == [(1,)]
    # Without the gateway's address the picture holds the code.
    assert set(letters["ada@example.fr"]) == {"code"}
