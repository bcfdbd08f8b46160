"""What staff decide about a session and its seats: dates, sizes, exceptions with a reason, and calling off."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.events import LATER, Events, people

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("session", "kind"),
    [
        ({"closes_at": datetime.now(UTC) - timedelta(seconds=1)}, "list-closed"),
        ({"opens_at": LATER - timedelta(days=1)}, "not-open-yet"),
        ({"capacity": 1, "waiting_list": False}, "session-full"),
    ],
)
async def test_dates_and_full_lists_refuse_and_staff_may_overrule_dates(
    events: Events, session: dict[str, Any], kind: str
) -> None:
    session_id = await events.session(**session)
    refused = await events.refusal("register", session_id=session_id, key="k", people=people("Ada", "Alan"))
    assert refused[0] == kind
    if kind != "session-full":
        await events.register(session_id, "Ada", "Alan", overrule=True)


async def test_whoever_calls_off_too_late_asks_staff(events: Events) -> None:
    session = await events.session(cancel_until=datetime.now(UTC) - timedelta(hours=1))
    kept = await events.register(session, "Ada")
    waiting_id = {"registration_id": kept["registration_id"]}
    assert (await events.refusal("cancel-registration", **waiting_id))[0] == "too-late-to-cancel"
    assert (await events.ask("cancel-registration", **waiting_id, overrule=True))["state"] == "cancelled"


async def test_a_session_is_not_made_smaller_than_what_is_held_unless_staff_allow_it(events: Events) -> None:
    session = await events.session(capacity=3)
    await events.register(session, "Ada", "Alan", "Anne")
    await events.register(session, "Blaise")
    kind, detail = await events.refusal("change-session", session_id=session, key="room", capacity=2)
    assert (kind, "1 more" in detail) == ("capacity-below-held", True)
    changed = await events.ask("change-session", session_id=session, key="room 2", capacity=2, overbooked=1)
    assert [changed["sessions"][0][name] for name in ("capacity", "overbooked", "held")] == [2, 1, 3]
    await events.ask("change-session", session_id=session, key="room 3", capacity=4, overbooked=0)
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "offered")]


async def test_who_has_a_seat_is_written_to_when_the_time_changes(events: Events) -> None:
    gathering = await events.planned(capacity=1, minutes=90)
    session = gathering["sessions"][0]["session_id"]
    await events.register(session, "Ada")
    await events.register(session, "Blaise")
    later = LATER + timedelta(hours=1)
    starts = later.strftime("%Y-%m-%dT%H:%M")
    changed = await events.ask("change-session", session_id=session, key="later", starts=starts)
    shown = changed["sessions"][0]
    assert (shown["local_start"], shown["ends_at"][11:16]) == (
        starts,
        (later + timedelta(minutes=90)).strftime("%H:%M"),
    )
    first, second = await events.letters("registration-confirmed")
    assert (first.get("sequence", 0), second["sequence"], second["rescheduled"]) == (0, 1, True)
    assert second["recipient"]["name"] == "Ada"
    assert second["session_id"] == session


async def test_staff_prefer_somebody_with_a_reason_where_there_is_room(events: Events) -> None:
    session = await events.session(capacity=2)
    first = await events.register(session, "Ada")
    await events.register(session, "Blaise", "Béatrice")
    waiting = await events.register(session, "Chloé", "Carl")
    waiting_id = {"registration_id": waiting["registration_id"]}
    assert (await events.refusal("prefer-registration", **waiting_id))[0] == "session-full"
    single = await events.register(session, "Denis")
    assert single["state"] == "registered"
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    # One seat is free, nobody who waits fits, and a second one is allowed for this pair alone.
    changed = await events.ask("change-session", session_id=session, key="more", overbooked=1)
    assert await events.states(session) == [
        ("Ada", "cancelled"), ("Blaise", "offered"), ("Chloé", "waiting"), ("Denis", "registered"),
    ]  # fmt: skip
    assert changed["sessions"][0]["held"] == 3


async def test_a_seat_above_the_capacity_is_for_who_is_preferred_and_is_not_given_again(events: Events) -> None:
    session = await events.session(capacity=1)
    await events.register(session, "Ada")
    await events.register(session, "Blaise")
    speaker = {"registration_id": (await events.register(session, "Chloé"))["registration_id"]}
    await events.ask("prefer-registration", **speaker, overrule=True)
    await events.ask("answer-offer", **speaker, accept=True)
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "waiting"), ("Chloé", "registered")]
    await events.ask("cancel-registration", **speaker)
    assert dict(await events.states(session))["Blaise"] == "waiting"
    assert await events.rows("select held, overbooked from sessions") == [(1, 0)]


async def test_a_gathering_that_is_called_off_is_over_for_everybody(events: Events) -> None:
    gathering = await events.planned(capacity=1)
    session = gathering["sessions"][0]["session_id"]
    await events.register(session, "Ada")
    await events.register(session, "Blaise")
    for _ in range(2):
        gone = await events.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    assert (gone["state"], gone["sessions"][0]["held"]) == ("cancelled", 0)
    assert [state for _, state in await events.states(session)] == ["cancelled", "cancelled"]
    assert [letter["recipient"]["name"] for letter in await events.letters("registration-cancelled")] == [
        "Ada",
        "Blaise",
    ]
    refused = await events.refusal("register", session_id=session, key="late", people=people("Chloé"))
    assert refused[0] == "gathering-over"


async def test_nothing_is_written_while_a_former_system_has_the_gatherings(events: Events) -> None:
    session = await events.session()
    await events.stage("mirror")
    refused = await events.refusal("register", session_id=session, key="k", people=people("Ada"))
    assert refused[0] == "not-the-authority"


async def test_somebody_else_may_come_instead(events: Events) -> None:
    session = await events.session()
    kept = await events.register(session, "Ada")
    await events.register(session, "Blaise")
    attendee = {"attendee_id": kept["attendees"][0]["attendee_id"]}
    taken = await events.refusal("replace-attendee", **attendee, name="blaise", email="blaise@example.fr")
    assert taken[0] == "already-registered"
    replaced = await events.ask("replace-attendee", **attendee, name="Chloé", email="chloe@example.fr")
    assert [person["name"] for person in replaced["attendees"]] == ["Chloé"]
    assert (await events.letters("registration-confirmed"))[-1]["recipient"]["email"] == "chloe@example.fr"
    [gone] = await events.letters("registration-cancelled")
    assert (gone["recipient"]["email"], gone["registration_id"]) == ("ada@example.fr", attendee["attendee_id"])
    # An address that is corrected cancels nothing.
    await events.ask("replace-attendee", **attendee, name="chloé", email="chloe@autre.example")
    assert len(await events.letters("registration-cancelled")) == 1
    reasons = "select author, reason from booking_log where act = 'replace'"
    assert await events.rows(reasons) == [("secretaire", "un test")] * 2
    assert (await events.refusal("replace-attendee", attendee_id=UNKNOWN, name="X"))[0] == "attendee-unknown"
