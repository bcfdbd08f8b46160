"""A session that staff change: limits that go, and offers that end earlier because it begins earlier."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.events import Events


def local(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


async def offered(events: Events, starts: datetime) -> tuple[str, dict[str, Any]]:
    """A session in which Blaise is offered the only seat, and Chloé waits; and the offer's letter."""
    session = await events.session(capacity=1, starts=local(starts), minutes=60)
    first = await events.register(session, "Ada")
    for name in ("Blaise", "Chloé"):
        await events.register(session, name)
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    [letter] = await events.letters("seat-offered")
    return session, letter


async def test_without_a_capacity_everybody_who_waits_is_offered_a_seat(events: Events) -> None:
    session = await events.session(capacity=1)
    await events.register(session, "Ada")
    await events.register(session, "Blaise", "Béatrice")
    await events.ask("change-session", session_id=session, key="more", overbooked=1)
    changed = await events.ask("change-session", session_id=session, key="all", without=["capacity"])
    assert [changed["sessions"][0][name] for name in ("capacity", "overbooked", "held")] == [None, 0, 3]
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "offered")]
    await events.register(session, "Chloé", "Carl", "Denis")
    assert dict(await events.states(session))["Chloé"] == "registered"


async def test_without_a_closing_one_may_register_until_the_beginning(events: Events) -> None:
    session = await events.session(closes_at=datetime.now(UTC) - timedelta(minutes=1))
    late = {"session_id": session, "key": "late", "people": [{"name": "Ada"}]}
    assert (await events.refusal("register", **late))[0] == "list-closed"
    changed = await events.ask("change-session", session_id=session, key="open", without=["closes_at"])
    assert changed["sessions"][0]["closes_at"] is None
    assert (await events.ask("register", **late))["items"][0]["state"] == "registered"


async def test_a_limit_is_given_or_removed_and_not_both(events: Events) -> None:
    session = await events.session()
    both = {"session_id": session, "key": "both", "capacity": 3, "without": ["capacity"]}
    assert (await events.refusal("change-session", **both))[0] == "arguments-invalid"


async def test_an_offer_ends_earlier_where_the_session_begins_earlier_and_its_person_hears_so(events: Events) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    session, letter = await offered(events, now + timedelta(days=30))
    earlier = now + timedelta(hours=30)
    await events.ask("change-session", session_id=session, key="earlier", starts=local(earlier))
    [_, again] = await events.letters("seat-offered")
    ends = datetime.fromisoformat(again["offered_until"])
    # As a new offer would end: six hours before the beginning.
    assert ends == earlier - timedelta(hours=6)
    assert (again["shortened"], again["recipient"]["email"]) == (True, "blaise@example.fr")
    assert again["offer_id"] != letter["offer_id"]
    assert datetime.fromisoformat(again["starts_at"]) == earlier
    assert await events.rows("select offered_until from bookings where state = 'offered'") == [(ends,)]
    # Later again, it is not lengthened, and nobody is written to once more.
    await events.ask("change-session", session_id=session, key="later", starts=local(now + timedelta(days=40)))
    assert len(await events.letters("seat-offered")) == 2


async def test_an_offer_ends_earlier_where_the_list_closes_earlier(events: Events) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    session, _ = await offered(events, now + timedelta(days=30))
    closes = now + timedelta(hours=20)
    await events.ask("change-session", session_id=session, key="close", closes_at=closes.isoformat())
    ends = [datetime.fromisoformat(each["offered_until"]) for each in await events.letters("seat-offered")]
    assert ends[1] == closes - timedelta(hours=6)


async def test_who_would_have_no_time_to_answer_has_the_seat_at_the_new_time(events: Events) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    session, _ = await offered(events, now + timedelta(days=30))
    soon = now + timedelta(hours=7)
    await events.ask("change-session", session_id=session, key="soon", starts=local(soon))
    assert dict(await events.states(session)) == {"Ada": "cancelled", "Blaise": "registered", "Chloé": "waiting"}
    [_, confirmed] = await events.letters("registration-confirmed")
    # One mail, with the entry of the new time.
    assert (confirmed["recipient"]["email"], confirmed["sequence"]) == ("blaise@example.fr", 1)
    assert datetime.fromisoformat(confirmed["starts_at"]) == soon
    assert datetime.fromisoformat(confirmed["ends_at"]) == soon + timedelta(hours=1)
    assert "rescheduled" not in confirmed
