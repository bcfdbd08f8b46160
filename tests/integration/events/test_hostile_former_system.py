"""What a former system may send, however odd: it is taken over, shown and announced, and keeps no other back."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.events import EventSession, Registrant
from services.events.usecases.tasks import follow_stages
from tests.integration.events.test_taking_over import a_registration, an_event, taken_over
from tests.support.events import LATER, Events

LONG = "x" * 1_000
ODD: list[dict[str, Any]] = [
    {"title": "Rencontre\r\nBcc: x@example.fr"},
    {"title": LONG, "place": LONG},
    {"ends_at": LATER - timedelta(days=400)},
    {"ends_at": LATER - timedelta(days=1)},
    {"closes_at": LATER + timedelta(days=400)},
    {"closes_at": LATER - timedelta(days=400)},
    {"capacity": 0},
    {"capacity": 1_000_000},
    {"starts_at": LATER.replace(year=2199)},
    {"sessions": tuple(EventSession(session_id=f"s{n}", starts_at=LATER, capacity=0) for n in range(500))},
]
PEOPLE: list[dict[str, Any]] = [
    {"seats": 10_000},
    {"seats": 10_000, "status": "waiting"},
    {"registered_at": LATER.replace(year=2199)},
    {"registered_at": LATER.replace(year=1850)},
    {"record_id": None, "registrant": Registrant(kind="guest")},
    {"record_id": None, "registrant": Registrant(kind="guest", name="Zoé\nMüller", email="no address\n")},
    {"record_id": None, "registrant": Registrant(kind="guest", name=LONG, email=LONG)},
    {
        "record_id": None,
        "registrant": Registrant(kind="record", cluster="nobody", record_id="'; drop table bookings; --"),
    },
    {"record_id": None, "registrant": Registrant(kind="record", name="half")},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: next(iter(odd)))
async def test_an_odd_gathering_keeps_no_other_back(events: Events, odd: dict[str, Any]) -> None:
    await events.mirror(an_event("odd", **odd), an_event("usual"), a_registration(1, event_id="usual"))
    await events.mirror(*(a_registration(9 + n, event_id="odd", **each) for n, each in enumerate(PEOPLE)))
    await taken_over(events)
    await follow_stages(events.begin, events.engine)
    taken = await events.rows("select count(*) from bookings where former_id = 'r-1'")
    assert taken == [(1,)]
    of_odd = await events.rows("select session_id::text from sessions join gatherings using (gathering_id) "
                               "where event_id = 'odd'")  # fmt: skip
    for (session,) in of_odd:
        shown = await events.ask("registrations", session_id=session)
        assert len(shown["items"]) == len(PEOPLE)
        for item in shown["items"]:
            await events.ask("cancel-registration", registration_id=item["registration_id"], overrule=True)
    assert len((await events.ask("gatherings", past=True))["items"]) == 1 + len(of_odd)


async def test_two_hundred_characters_of_anything_are_an_id(events: Events) -> None:
    odd = "é'\"%;--/" * 25
    await events.mirror(an_event(odd), a_registration(1, event_id=odd).model_copy(update={"registration_id": odd}))
    await taken_over(events)
    assert await events.rows("select former_id from bookings") == [(odd,)]
