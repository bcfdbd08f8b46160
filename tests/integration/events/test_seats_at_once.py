"""Two who change one session in the same moment: what each read before its turn is not what it decides by."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.usecases.tasks import follow_stages
from tests.integration.events.test_personal_links import BASE, an_answer, hear, tokens
from tests.integration.events.test_taking_over import a_registration, an_event, taken_over
from tests.support.events import CLUSTER, LATER, Events, people

_WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@asynccontextmanager
async def locked(events: Events, session: str) -> AsyncIterator[AsyncConnection]:
    """The session's row, as a transaction that is under way holds it."""
    async with events.engine.begin() as connection:
        await connection.exec_driver_sql("select from sessions where session_id = $1::uuid for update", (session,))
        yield connection


async def waiting(events: Events, number: int) -> None:
    """Until so many wait for their turn."""
    async with asyncio.timeout(20):
        while (await events.rows(_WAITING))[0][0] < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_one_who_calls_off_twice_frees_one_seat(events: Events) -> None:
    session = await events.session(capacity=3)
    group = await events.register(session, "Ada", "Alan", "Anne")
    which = {"registration_id": group["registration_id"], "attendees": [group["attendees"][1]["attendee_id"]]}
    async with locked(events, session):
        both = [asyncio.create_task(events.ask("cancel-registration", **which)) for _ in range(2)]
        await waiting(events, 2)
    assert [answer["seats"] for answer in await asyncio.gather(*both)] == [2, 2]
    assert len(await events.letters("registration-cancelled")) == 1


async def test_nobody_registers_for_a_gathering_that_is_being_called_off(events: Events) -> None:
    gathering = await events.planned()
    session = gathering["sessions"][0]["session_id"]
    async with locked(events, session):
        off = asyncio.create_task(events.ask("cancel-gathering", gathering_id=gathering["gathering_id"]))
        await waiting(events, 1)
        late = asyncio.create_task(events.refusal("register", session_id=session, key="k", people=people("Ada")))
        await waiting(events, 2)
    assert (await off)["state"] == "cancelled"
    assert (await late)[0] == "gathering-over"
    assert await events.letters("registration-confirmed") == []


async def test_a_change_keeps_the_time_that_another_gave(events: Events) -> None:
    session = await events.session(minutes=60)
    later = (LATER + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    async with locked(events, session):
        first = asyncio.create_task(events.ask("change-session", session_id=session, key="a", starts=later))
        await waiting(events, 1)
        second = asyncio.create_task(events.ask("change-session", session_id=session, key="b", capacity=9))
        await waiting(events, 2)
    await asyncio.gather(first, second)
    rows = await events.rows("select local_start, ends_at - starts_at, capacity, sequence from sessions")
    assert rows == [(later, timedelta(hours=1), 9, 1)]


async def test_whoever_left_meanwhile_is_not_replaced(events: Events) -> None:
    session = await events.session()
    group = await events.register(session, "Ada", "Alan")
    attendee = group["attendees"][1]["attendee_id"]
    async with locked(events, session):
        leaving = asyncio.create_task(
            events.ask("cancel-registration", registration_id=group["registration_id"], attendees=[attendee])
        )
        await waiting(events, 1)
        other = asyncio.create_task(events.refusal("replace-attendee", attendee_id=attendee, name="Blaise"))
        await waiting(events, 2)
    await leaving
    assert (await other)[0] == "attendee-unknown"


async def test_taking_over_takes_its_turn_before_it_knows_a_registration_again(events: Events) -> None:
    await events.mirror(an_event(capacity=9))
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    await events.register(session, "Ada", record=f"{CLUSTER}/cn-9")
    await events.stage("mirror", 3)
    await events.mirror(a_registration(1), a_registration(9))
    await events.stage("live", 4)
    async with locked(events, session) as connection:
        following = asyncio.create_task(follow_stages(events.begin, events.engine))
        await waiting(events, 1)
        await connection.exec_driver_sql("update bookings set lapses = lapses")
    await following
    assert await events.rows("select former_id from bookings order by arrival") == [("r-9",), ("r-1",)]


async def test_two_links_about_one_person_free_one_seat(events: Events) -> None:
    linking = replace(events, public_url=BASE)
    session = await linking.session(capacity=3)
    group = await linking.register(session, "Ada", "Alan", "Anne")
    alan = group["attendees"][1]["attendee_id"]
    [of_order, of_alan] = await tokens(linking, "registration-confirmed", "Ada", "Alan")
    answers = [an_answer(of_order, "cancel", alan), an_answer(of_alan, "cancel")]
    async with locked(linking, session):
        both = [asyncio.create_task(hear(linking, each)) for each in answers]
        await waiting(linking, 2)
    await asyncio.gather(*both)
    kept = await linking.ask("registration", registration_id=group["registration_id"])
    assert (kept["seats"], [person["left"] for person in kept["attendees"]]) == (2, [False, True, False])
