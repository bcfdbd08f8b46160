"""Seats on a real database: who has one, who waits, and what staff may decide."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from services.events.usecases.tasks import settle_offers
from tests.support.events import LATER, Events, people
from tests.support.merging import OURS, THEIRS, merged

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_who_comes_first_is_seated_and_the_next_waits(events: Events) -> None:
    session = await events.session(capacity=2)
    for name in ("Ada", "Blaise", "Chloé"):
        await events.register(session, name)
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "registered"), ("Chloé", "waiting")]
    assert [letter["recipient"]["name"] for letter in await events.letters("registration-confirmed")] == [
        "Ada",
        "Blaise",
    ]


async def test_a_group_that_does_not_fit_waits_whole_and_the_next_who_fits_is_seated(events: Events) -> None:
    session = await events.session(capacity=3)
    await events.register(session, "Ada", "Alan")
    await events.register(session, "Blaise", "Béatrice")
    await events.register(session, "Chloé")
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "waiting"), ("Chloé", "registered")]


async def test_where_fewer_is_fine_as_many_as_fit_are_seated(events: Events) -> None:
    session = await events.session(capacity=2)
    answer = await events.ask(
        "register", session_id=session, key="k", people=people("Ada", "Blaise", "Chloé"), fewer=True
    )
    assert [item["state"] for item in answer["items"]] == ["registered", "registered", "waiting"]


async def test_what_is_cancelled_is_offered_to_who_waited_longest_and_fits(events: Events) -> None:
    session = await events.session(capacity=2)
    first = await events.register(session, "Ada")
    for name in ("Blaise", "Chloé", "Denis"):
        await events.register(session, name)
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    states = [("Ada", "cancelled"), ("Blaise", "registered"), ("Chloé", "offered"), ("Denis", "waiting")]
    assert await events.states(session) == states
    [letter] = await events.letters("seat-offered")
    assert letter["recipient"]["email"] == "chloé@example.fr"
    assert [letter["recipient"]["name"] for letter in await events.letters("registration-cancelled")] == ["Ada"]


async def test_one_of_a_group_frees_one_seat(events: Events) -> None:
    session = await events.session(capacity=2)
    group = await events.register(session, "Ada", "Alan")
    await events.register(session, "Blaise")
    leaving = group["attendees"][1]["attendee_id"]
    kept = await events.ask("cancel-registration", registration_id=group["registration_id"], attendees=[leaving])
    assert (kept["state"], kept["seats"], [p["left"] for p in kept["attendees"]]) == ("registered", 1, [False, True])
    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "offered")]
    assert [letter["recipient"]["name"] for letter in await events.letters("registration-cancelled")] == ["Alan"]


async def test_an_offer_is_accepted_or_left_to_the_next(events: Events) -> None:
    session, waiting = await _with_an_offer(events, "Chloé", "Denis")
    offered, following = waiting
    await events.ask("answer-offer", registration_id=offered, accept=False)
    await events.ask("answer-offer", registration_id=following, accept=True)
    assert await events.states(session) == [("Ada", "cancelled"), ("Chloé", "declined"), ("Denis", "registered")]
    assert await events.ask("answer-offer", registration_id=following, accept=True)
    assert (await events.refusal("answer-offer", registration_id=offered, accept=True))[0] == "no-offer"


async def test_an_offer_that_lapses_goes_to_the_next_and_its_booking_to_the_end_once(events: Events) -> None:
    session, _ = await _with_an_offer(events, "Chloé", "Denis")
    await events.a_week_passes()
    await settle_offers(events.begin, events.engine)
    assert await events.states(session) == [("Ada", "cancelled"), ("Denis", "offered"), ("Chloé", "waiting")]
    await events.a_week_passes()
    await settle_offers(events.begin, events.engine)
    assert await events.states(session) == [("Ada", "cancelled"), ("Chloé", "offered"), ("Denis", "waiting")]
    await events.a_week_passes()
    await settle_offers(events.begin, events.engine)
    assert await events.states(session) == [("Ada", "cancelled"), ("Chloé", "lapsed"), ("Denis", "offered")]
    assert len(await events.letters("seat-offered")) == 4


async def test_a_member_of_both_clusters_is_asked_about_and_holds_nothing(events: Events) -> None:
    await events.merge(merged(1, "ateliers", OURS, THEIRS))
    session = await events.session(capacity=3)
    ours, theirs = (f"{record.cluster}/{record.record_id}" for record in (OURS, THEIRS))
    await events.register(session, "Ada", "Alan", record=ours)
    twice = await events.register(session, "Ada L", record=theirs)
    others = await events.register(session, "Alan T", record=theirs)
    assert (twice["state"], others["state"]) == ("asked", "asked")
    await events.register(session, "Blaise")
    await events.ask("decide-registration", registration_id=twice["registration_id"], same_people=True)
    await events.ask("decide-registration", registration_id=others["registration_id"], same_people=False)
    assert [state for _, state in await events.states(session)] == ["registered", "cancelled", "waiting", "registered"]


async def test_two_people_of_one_record_are_two_people(events: Events) -> None:
    session = await events.session(capacity=2)
    record = f"{OURS.cluster}/{OURS.record_id}"
    for name in ("Ada", "Alan"):
        await events.register(session, name, record=record)
    assert [state for _, state in await events.states(session)] == ["registered", "registered"]


async def test_somebody_is_registered_once_whatever_the_case_of_their_name(events: Events) -> None:
    session = await events.session(capacity=5)
    await events.register(session, "Ada")
    again = [{"name": "ADA", "email": "Ada@Example.FR"}]
    refused = await events.refusal("register", session_id=session, key="again", people=again)
    assert refused[0] == "already-registered"
    colleague = [{"name": "Blaise", "email": "ada@example.fr"}]
    await events.ask("register", session_id=session, key="colleague", people=colleague)


async def test_an_order_of_one_key_is_taken_once(events: Events) -> None:
    session = await events.session(capacity=5)
    first = await events.register(session, "Ada", key="form 12")
    assert (await events.register(session, "Ada", key="form 12"))["registration_id"] == first["registration_id"]
    assert len(await events.states(session)) == 1


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


async def test_the_database_refuses_a_seat_too_many(events: Events) -> None:
    session = await events.session(capacity=2)
    with pytest.raises(IntegrityError, match="sessions_never_overfull"):
        await events.run("update sessions set held = 3 where session_id = $1::uuid", session)


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


async def test_a_gathering_that_is_called_off_tells_everybody_who_had_a_seat(events: Events) -> None:
    gathering = await events.planned(capacity=1)
    session = gathering["sessions"][0]["session_id"]
    await events.register(session, "Ada")
    await events.register(session, "Blaise")
    for _ in range(2):
        gone = await events.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    assert (gone["state"], gone["sessions"][0]["held"]) == ("cancelled", 0)
    assert [state for _, state in await events.states(session)] == ["cancelled", "cancelled"]
    [letter] = await events.letters("registration-cancelled")
    assert (letter["recipient"]["name"], letter["gathering_cancelled"]) == ("Ada", True)
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


@pytest.mark.parametrize("name", ["Ada\nBcc: x@example.fr", "", "A" * 201])
async def test_a_name_that_is_no_line_is_refused(events: Events, name: str) -> None:
    session = await events.session()
    kind, detail = await events.refusal("register", session_id=session, key="k", people=[{"name": name}])
    assert (kind, "people.0.name" in detail) == ("arguments-invalid", True)


async def test_spaces_of_french_and_joined_emoji_are_text(events: Events) -> None:
    session = await events.session()
    name = "Zoé\u00a0: l\u2019équipe \U0001f469\u200d\U0001f4bb"
    [item] = (await events.ask("register", session_id=session, key="k", people=[{"name": name}]))["items"]
    assert item["name"] == name


async def test_many_at_once_get_just_the_seats_that_there_are(events: Events) -> None:
    session = await events.session(capacity=10)
    await asyncio.gather(*(events.register(session, f"P{n}", f"Q{n}", key=str(n)) for n in range(20)))
    states = [state for _, state in await events.states(session)]
    assert (states.count("registered"), states.count("waiting")) == (5, 15)
    assert states[:5] == ["registered"] * 5


async def _with_an_offer(events: Events, *names: str) -> tuple[str, list[str]]:
    """A session of one seat which is offered to the first of those who wait."""
    session = await events.session(capacity=1)
    first = await events.register(session, "Ada")
    waiting = [(await events.register(session, name))["registration_id"] for name in names]
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    return session, waiting


async def test_whoever_is_offered_a_seat_once_more_in_the_same_moment_is_written_to(events: Events) -> None:
    await _with_an_offer(events, "Chloé")
    for _ in range(2):
        await events.a_week_passes()
        await settle_offers(events.begin, events.engine)
    ends = [letter["offered_until"] for letter in await events.letters("seat-offered")]
    assert len(set(ends)) == len(ends) == 2


@pytest.mark.parametrize("key", ["opened", "call-off", "take-over/settled", "room"])
async def test_a_key_of_one_act_is_no_key_of_another(events: Events, key: str) -> None:
    gathering = await events.planned(capacity=2)
    session = gathering["sessions"][0]["session_id"]
    await events.ask("change-session", session_id=session, key="room", capacity=3)
    await events.register(session, "Ada", key=key)
    await events.ask("change-session", session_id=session, key=key, capacity=4)
    assert await events.states(session) == [("Ada", "registered")]
    await events.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    assert await events.states(session) == [("Ada", "cancelled")]


async def test_orders_of_several_and_of_one_have_keys_of_their_own(events: Events) -> None:
    session = await events.session(capacity=5)
    await events.ask("register", session_id=session, key="a", people=people("Ada", "Alan"), fewer=True)
    assert (await events.register(session, "Blaise", key="a/1"))["name"] == "Blaise"


@pytest.mark.parametrize("record", ["numelink/" + "9" * 201, "n" * 201 + "/1"])
async def test_a_record_that_no_fact_can_name_is_refused(events: Events, record: str) -> None:
    session = await events.session()
    refused = await events.refusal("register", session_id=session, key="k", people=people("Ada"), record=record)
    assert refused[0] == "arguments-invalid"


@pytest.mark.parametrize("zone", ["Europe", "Etc", "CET", "Europe/Nowhere", "../etc"])
async def test_what_is_no_zone_of_a_place_is_refused(events: Events, zone: str) -> None:
    await events.stage("live")
    session = {"starts": "2027-03-25T09:30", "zone": zone}
    refused = await events.refusal("plan-gathering", cluster="clustr-numerique", key="k", title="T", sessions=[session])
    assert refused[0] in ("arguments-invalid", "gathering-invalid")
