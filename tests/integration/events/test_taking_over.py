"""A former system with a gathering that is open while it is moved over: no seat given twice, none lost, order kept."""

from datetime import timedelta
from typing import Any

from schemas.events import EventRecorded, Registrant, RegistrationRecorded
from services.common.sections import state_the_rest
from services.events.gatherings.republish import BOOKINGS_AGAIN, GATHERINGS_AGAIN
from services.events.registrations.queries import PARTICIPATIONS
from services.events.usecases.tasks import follow_stages
from tests.support.events import CLUSTER, LATER, Events

STATES = "select former_id, state, seats, arrival from bookings order by arrival"


def an_event(event_id: str = "ev-1", **more: Any) -> EventRecorded:
    usual: dict[str, Any] = {"version": 1, "title": "Rencontre", "starts_at": LATER, "capacity": 4}
    return EventRecorded(event_id=event_id, **usual | more)


def a_registration(number: int, status: str = "registered", seats: int = 1, **more: Any) -> RegistrationRecorded:
    """The smaller its number, the earlier it came."""
    usual: dict[str, Any] = {
        "version": 1,
        "event_id": "ev-1",
        "record_id": f"cn-{number}",
        "registered_at": LATER - timedelta(days=60) + timedelta(hours=number),
        "status": status,
        "seats": seats,
    }
    return RegistrationRecorded(registration_id=f"r-{number}", **usual | more)


async def taken_over(events: Events, stage: str = "live", epoch: int = 2) -> None:
    await events.stage(stage, epoch)
    await follow_stages(events.begin, events.engine)


async def test_seats_are_kept_and_those_who_wait_keep_their_order(events: Events) -> None:
    await events.mirror(
        an_event(),
        a_registration(3, "waiting", seats=2),
        a_registration(1, seats=2),
        a_registration(2),
        a_registration(4, "waiting", seats=2),
        a_registration(5, "cancelled"),
        a_registration(6),
    )
    await taken_over(events)
    states = [("r-1", "registered", 2, 1), ("r-2", "registered", 1, 2), ("r-3", "waiting", 2, 3)]
    states += [("r-4", "waiting", 2, 4), ("r-6", "registered", 1, 5)]
    assert await events.rows(STATES) == states
    await taken_over(events)
    assert await events.rows(STATES) == states
    [session] = [str(row[0]) for row in await events.rows("select session_id from sessions")]
    assert (await events.register(session, "Ada"))["state"] == "waiting"


async def test_what_the_former_system_left_free_is_offered_in_order(events: Events) -> None:
    await events.mirror(an_event(capacity=2), a_registration(1), a_registration(2, "waiting"))
    await taken_over(events)
    assert [row[1] for row in await events.rows(STATES)] == ["registered", "offered"]


async def test_a_former_system_that_gave_more_than_there_is_keeps_them(events: Events) -> None:
    await events.mirror(an_event(capacity=1), a_registration(1), a_registration(2), a_registration(3, "waiting"))
    await taken_over(events)
    assert await events.rows("select held, capacity, overbooked from sessions") == [(2, 1, 1)]
    assert [row[1] for row in await events.rows(STATES)] == ["registered", "registered", "waiting"]
    written = [await events.letters(f"registration-{kind}") for kind in ("confirmed", "waiting")]
    assert written == [[], []], "the former system told them"
    # A seat above the capacity is not given again; the next one is.
    for cancelled, waiting in (("r-1", "waiting"), ("r-2", "offered")):
        [(booking,)] = await events.rows("select booking_id::text from bookings where former_id = $1", cancelled)
        await events.ask("cancel-registration", registration_id=booking)
        assert [row[1] for row in await events.rows(STATES)][2] == waiting


async def test_without_a_capacity_what_was_given_is_what_there_is_if_somebody_waits(events: Events) -> None:
    await events.mirror(
        an_event(capacity=None), a_registration(1), a_registration(2, "waiting"),
        an_event("ev-2", capacity=None), a_registration(3, event_id="ev-2"),
    )  # fmt: skip
    await taken_over(events)
    capacities = "select g.event_id, s.capacity from sessions s join gatherings g using (gathering_id) order by 1"
    assert await events.rows(capacities) == [("ev-1", 1), ("ev-2", None)]


async def test_past_and_cancelled_gatherings_stay_where_they_are(events: Events) -> None:
    await events.mirror(
        an_event("past", starts_at=LATER - timedelta(days=90)), an_event("off", status="cancelled"), an_event("next")
    )
    await taken_over(events)
    assert await events.rows("select event_id from gatherings") == [("next",)]


async def test_a_registration_that_comes_late_is_one_of_today_and_a_late_cancellation_ends_one(events: Events) -> None:
    await events.mirror(an_event(capacity=2), a_registration(1), a_registration(2))
    await taken_over(events)
    await events.stage("mirror", 3)  # so that late messages are applied, as staff let them
    await events.mirror(a_registration(0), a_registration(2, "cancelled", version=2))
    await events.stage("live", 4)
    await follow_stages(events.begin, events.engine)
    assert [row[:2] for row in await events.rows(STATES)] == [
        ("r-1", "registered"),
        ("r-2", "cancelled"),
        ("r-0", "offered"),
    ]


async def test_a_late_registration_of_somebody_who_is_registered_is_refused_once(events: Events) -> None:
    guest = Registrant(kind="guest", name="Zoé", email="zoé@example.fr")
    await events.mirror(an_event())
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    await events.register(session, "Zoé")
    await events.stage("mirror", 3)
    await events.mirror(a_registration(9, record_id=None, registrant=guest, seats=2))
    await events.stage("live", 4)
    for _ in range(2):
        await follow_stages(events.begin, events.engine)
    refused = "select refusal from booking_log where key = 'take-over/r-9'"
    assert await events.rows(refused) == [("already-registered",)]
    assert await events.rows("select held from sessions") == [(1,)]


async def test_what_was_rolled_back_is_given_back_and_taken_over_anew(events: Events) -> None:
    await events.mirror(an_event(), a_registration(1))
    await taken_over(events)
    planned = await events.planned(key="ours")
    await taken_over(events, "mirror", 3)
    assert await events.rows("select distinct state from gatherings") == [("given-back",)]
    assert planned["state"] == "planned"
    await events.mirror(a_registration(2))
    await taken_over(events, "live", 4)
    new = "select former_id from bookings b join sessions using (session_id) join gatherings g using (gathering_id) "
    assert await events.rows(new + "where g.state = 'planned' order by 1") == [("r-1",), ("r-2",)]


async def test_what_was_rolled_back_and_moved_over_again_unseen_is_given_back_all_the_same(events: Events) -> None:
    """The service was away for both moves: its former system had the gathering in between."""
    await events.mirror(an_event(), a_registration(1))
    await taken_over(events)
    await events.run(
        "insert into stage_history (cluster, epoch, stage, at, by, reason, overruled) "
        "values ($1, 3, 'mirror', now(), 'x', 'x', '{}')",
        CLUSTER,
    )
    await events.mirror(a_registration(1, "cancelled", version=2), a_registration(2))
    await taken_over(events, "live", 4)
    assert await events.rows("select state from gatherings order by at") == [("given-back",), ("planned",)]
    new = "select former_id from bookings b join sessions using (session_id) join gatherings g using (gathering_id) "
    assert await events.rows(new + "where g.state = 'planned'") == [("r-2",)]


async def test_of_what_was_given_back_nothing_is_announced_again(events: Events) -> None:
    await events.mirror(an_event(), a_registration(1))
    await taken_over(events)
    await taken_over(events, "mirror", 3)
    async with events.engine.begin() as connection:
        uow = events.begin(connection)
        for republisher in (GATHERINGS_AGAIN, BOOKINGS_AGAIN):
            assert (await republisher.page(uow, None)).published == 0


async def test_the_view_of_a_record_stays_as_it_was_and_follows(events: Events) -> None:
    await events.mirror(an_event(capacity=1), a_registration(1), a_registration(2, "waiting"))
    before = await _participations(events)
    await taken_over(events)
    assert await _participations(events) == before
    [(booking,)] = await events.rows("select booking_id::text from bookings where former_id = 'r-1'")
    await events.ask("cancel-registration", registration_id=booking)
    after = await _participations(events)
    assert "expected" not in after["cn-1"]
    assert [entry["status"] for entry in after["cn-1"]["registrations"]] == ["cancelled"]


async def test_guests_and_records_of_other_clusters_are_taken_over_too(events: Events) -> None:
    guest = Registrant(kind="guest", name="Zoé Guest", email="zoe@example.org")
    other = Registrant(kind="record", cluster="numelink", record_id="1042")
    await events.mirror(
        an_event(), a_registration(1, record_id=None, registrant=guest),
        a_registration(2, record_id=None, registrant=other),
    )  # fmt: skip
    await taken_over(events)
    rows = await events.rows("select cluster, record_id, name, email from orders order by placed_at")
    assert rows == [(None, None, "Zoé Guest", "zoe@example.org"), ("numelink", "1042", None, None)]


async def _participations(events: Events) -> dict[str, dict[str, Any]]:
    """The newest statement of each record."""
    await state_the_rest(PARTICIPATIONS, events.begin, events.engine)
    letters = await events.letters("participation-changed")
    return {letter["record_id"]: {**letter, "version": 0} for letter in letters if letter["cluster"] == CLUSTER}
