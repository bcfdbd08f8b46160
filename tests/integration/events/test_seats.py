"""Seats on a real database: who has one, who waits, and what staff may decide."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from services.events.usecases.tasks import settle_offers
from tests.support.events import Events, people
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


async def test_the_database_refuses_a_seat_too_many(events: Events) -> None:
    session = await events.session(capacity=2)
    with pytest.raises(IntegrityError, match="sessions_never_overfull"):
        await events.run("update sessions set held = 3 where session_id = $1::uuid", session)


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
    assert len(ends) == 2


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
