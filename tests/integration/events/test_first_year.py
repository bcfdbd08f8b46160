"""What organisers meet in the first year after the merger: cases of the plan by their number.

Case 8 is in tests/unit/events/test_room.py, for it is about hours alone.
"""

from asyncio import sleep
from datetime import UTC, datetime, timedelta

from schemas.base import RecordRef
from schemas.events import EventRecorded
from services.common.sections import Record
from services.events.registrations.queries import participations
from tests.support.events import CLUSTER, LATER, Events
from tests.support.merging import merged

OWN, OTHER = f"{CLUSTER}/7", "numelink/1042"


async def test_1_the_same_two_people_by_both_forms_of_firms_that_are_merged_later(events: Events) -> None:
    """Nobody is called off in silence: both hold what they had, membership sees it twice, and all are let in."""
    session = await events.session(capacity=4)
    ours = await events.register(session, "Léa Martin", "Max Roux", record=OWN)
    theirs = await events.register(session, "Lea MARTIN-DUPONT", "Maxime Roux", record=OTHER)
    records = [RecordRef(cluster=CLUSTER, record_id="7"), RecordRef(cluster="numelink", record_id="1042")]
    await events.merge(merged(1, "Ateliers", *records))
    assert [state for _, state in await events.states(session)] == ["registered", "registered"]
    async with events.engine.connect() as connection:
        stated = await participations(connection, [Record(CLUSTER, "7"), Record("numelink", "1042")])
    expected = [getattr(each, "expected", ()) for each in stated.values()]
    assert expected == [(ours["registration_id"],), (theirs["registration_id"],)]
    people = [person["attendee_id"] for person in (*ours["attendees"], *theirs["attendees"])]
    entries = [{"key": person, "attendee_id": person} for person in people]
    entered = (await events.ask("check-in", session_id=session, entries=entries))["items"]
    assert [each["outcome"] for each in entered] == ["in"] * 4


async def test_6_a_gathering_of_a_former_system_is_opened_here_as_well(events: Events) -> None:
    await events.mirror(
        EventRecorded(
            version=1, event_id="E80", title="Petit-déjeuner", starts_at=LATER.replace(second=0), capacity=80
        ),
        cluster="numelink",
    )
    await events.stage("live")
    asked = {
        "cluster": CLUSTER,
        "title": "petit-déjeuner",
        "sessions": [{"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC", "capacity": 20}],
    }
    kind, detail = await events.refusal("plan-gathering", key="a", **asked)
    assert (kind, "numelink/events: E80" in detail) == ("given-elsewhere", True)
    assert (await events.ask("plan-gathering", key="a", allotment=True, **asked))["sessions"][0]["capacity"] == 20
    kind, _ = await events.refusal("plan-gathering", key="b", **asked)
    assert kind == "given-elsewhere"


async def test_7_the_sponsors_room_shrinks_below_what_is_seated(events: Events) -> None:
    """Refused, or taken with what it means: nobody leaves by it, and no seat that becomes free is given again."""
    session = await events.session(capacity=3)
    names = ("Léa", "Max", "Zoé")
    seated = [await events.register(session, name) for name in names]
    await events.register(session, "Paul")
    kind, detail = await events.refusal("change-session", session_id=session, key="room", capacity=2)
    assert (kind, "3" in detail) == ("capacity-below-held", True)
    await events.ask("change-session", session_id=session, key="room 2", capacity=2, overbooked=1)
    await events.ask("cancel-registration", registration_id=seated[2]["registration_id"])
    states = await events.states(session)
    assert states == [("Léa", "registered"), ("Max", "registered"), ("Zoé", "cancelled"), ("Paul", "waiting")]
    [letter] = await events.letters("registration-cancelled")
    assert letter["recipient"]["name"] == "Zoé"


async def test_10_a_guest_corrects_an_address_and_colleagues_share_one(events: Events) -> None:
    """Each gets a mail of their own, also at one address; a corrected address cancels nothing."""
    session = await events.session(capacity=4)
    people = [{"name": "Léa", "email": "info@ateliers.example"}, {"name": "Max", "email": "info@ateliers.example"}]
    answer = await events.ask("register", session_id=session, key="both", people=people)
    [registration] = answer["items"]
    first = await events.letters("registration-confirmed")
    assert [letter["recipient"]["name"] for letter in first] == ["Léa", "Max"]
    lea = next(each for each in registration["attendees"] if each["name"] == "Léa")
    await events.ask(
        "replace-attendee",
        attendee_id=lea["attendee_id"],
        name="Léa",
        email="lea@ateliers.example",
    )
    again = (await events.letters("registration-confirmed"))[len(first) :]
    assert [letter["recipient"]["email"] for letter in again] == ["lea@ateliers.example"]
    assert await events.letters("registration-cancelled") == []
    assert await events.states(session) == [("Léa", "registered")]


async def test_a_webinar_in_the_hour_that_clocks_show_twice(events: Events) -> None:
    await events.stage("live")
    asked = {"cluster": CLUSTER, "key": "webinar", "title": "Webinaire"}
    twice = {"starts": "2027-10-31T02:30", "zone": "Europe/Paris"}
    kind, detail = await events.refusal("plan-gathering", **asked, sessions=[twice])
    assert (kind, "+02:00" in detail, "+01:00" in detail) == ("gathering-invalid", True, True)
    kind, _ = await events.refusal("plan-gathering", **asked, sessions=[{**twice, "starts": "2027-03-28T02:30"}])
    assert kind == "gathering-invalid"
    planned = await events.ask("plan-gathering", **asked, sessions=[{**twice, "offset": "+01:00"}])
    assert planned["sessions"][0]["starts_at"] == "2027-10-31T01:30:00Z"


async def test_a_list_closes_in_the_very_second(events: Events) -> None:
    """A second after the deadline is late; staff may overrule it by name."""
    closes_at = datetime.now(UTC) + timedelta(seconds=1)
    session = await events.session(capacity=2, closes_at=closes_at)
    await sleep(1.1)
    people = [{"name": "Léa", "email": "lea@example.fr"}]
    kind, _ = await events.refusal("register", session_id=session, key="late", people=people)
    assert kind == "list-closed"
    await events.ask("register", session_id=session, key="late by name", people=people, overrule=True)
    assert await events.states(session) == [("Léa", "registered")]
