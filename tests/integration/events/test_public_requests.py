"""Forms of the public page, as events decides them: in their order, once, by the moment when they were kept."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.event_requests import PersonAsked, RegistrationRequested
from services.events.public.metrics import ASKED
from services.events.usecases.requested import register
from services.gateway.public.forms import new_key
from tests.support.events import CLUSTER, LATER, Events
from tests.support.merging import envelope, handled

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def a_form(session_id: str, *names: str, **more: Any) -> RegistrationRequested:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "version": int(now.timestamp() * 1_000_000),
        "session_id": session_id,
        "form": new_key(),
        "people": tuple(PersonAsked(name=name) for name in names),
        "email": f"{names[0].lower()}@example.fr",
        "language": "fr",
        "received_at": now,
    }
    return RegistrationRequested(**usual | more)


async def hear(events: Events, *forms: RegistrationRequested) -> None:
    await handled(events.engine, events.begin, register, [envelope(form) for form in forms])


async def refusals(events: Events, session_id: str) -> Sequence[str]:
    rows = await events.rows(
        "select refusal from booking_log where session_id = $1::uuid and refusal is not null order by number",
        session_id,
    )
    return [row[0] for row in rows]


async def test_forms_are_decided_in_the_order_in_which_they_came(events: Events) -> None:
    session = await events.session(capacity=2)
    await hear(events, *(a_form(session, name) for name in ("Ada", "Blaise", "Chloé")))

    assert await events.states(session) == [("Ada", "registered"), ("Blaise", "registered"), ("Chloé", "waiting")]
    letters = await events.letters("registration-confirmed")
    assert [(each["recipient"]["email"], each["recipient"]["language"]) for each in letters] == [
        ("ada@example.fr", "fr"), ("blaise@example.fr", "fr"),
    ]  # fmt: skip


async def test_a_form_that_is_sent_twice_is_decided_once(events: Events) -> None:
    session = await events.session(capacity=5)
    form = a_form(session, "Ada", "Alan")
    await hear(events, form, form)
    await hear(events, form)

    assert await events.states(session) == [("Ada", "registered")]
    assert len(await events.rows("select 1 from booking_log where act = 'register'")) == 1


async def test_where_fewer_is_fine_each_is_seated_alone(events: Events) -> None:
    session = await events.session(capacity=2)
    await hear(events, a_form(session, "Ada", "Blaise", "Chloé", fewer=True))

    assert [state for _, state in await events.states(session)] == ["registered", "registered", "waiting"]


async def test_the_deadline_counts_by_the_moment_when_the_gateway_kept_it(events: Events) -> None:
    closes_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    session = await events.session(closes_at=closes_at)
    await hear(
        events,
        a_form(session, "Ada", received_at=closes_at),
        a_form(session, "Blaise", received_at=closes_at + timedelta(seconds=1)),
    )

    assert await events.states(session) == [("Ada", "registered")]
    assert await refusals(events, session) == ["list-closed"]


async def test_a_gathering_that_is_over_not_ours_or_not_for_all_refuses_in_its_log(events: Events) -> None:
    gathering = await events.planned()
    over = gathering["sessions"][0]["session_id"]
    await events.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    for_some = await events.ask(
        "plan-gathering",
        cluster=CLUSTER,
        key="members only",
        title="Entre membres",
        visible_to=[CLUSTER],
        sessions=[{"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC"}],
    )
    for_members = for_some["sessions"][0]["session_id"]
    former = await events.session(key="of the former system")
    before = ASKED.labels("gathering-over")._value.get()  # pyright: ignore[reportPrivateUsage]
    await hear(events, a_form(over, "Ada"), a_form(for_members, "Ada"), a_form(UNKNOWN, "Ada"))
    await events.stage("mirror")
    await hear(events, a_form(former, "Ada"))

    assert await refusals(events, over) == ["gathering-over"]
    assert await refusals(events, for_members) == ["not-public"]
    assert await refusals(events, former) == ["not-the-authority"]
    assert await events.rows("select 1 from bookings") == []
    assert ASKED.labels("gathering-over")._value.get() == before + 1  # pyright: ignore[reportPrivateUsage]


async def test_people_without_an_address_of_their_own_are_not_taken_for_others_of_their_name(events: Events) -> None:
    session = await events.session(capacity=5)
    await hear(
        events,
        a_form(session, "Ada", "Jean Martin", email="ada@example.fr"),
        a_form(session, "Blaise", "Jean Martin", email="blaise@example.fr"),
        a_form(session, "Ada", email="ada@example.fr"),
    )

    assert [name for name, _ in await events.states(session)] == ["Ada", "Blaise"]
    assert await refusals(events, session) == ["already-registered"]


@pytest.mark.parametrize("name", ["Ada\nBcc: x@example.fr", "", "A" * 201])
def test_no_form_with_a_name_that_is_no_line_can_travel(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        PersonAsked(name=name)


async def test_guests_pay_what_guests_pay_and_the_price_is_kept(events: Events) -> None:
    planned = await events.ask(
        "plan-gathering",
        cluster=CLUSTER,
        key=f"priced {await events.stage('live')}",
        title="Atelier",
        guest_price="15.00",
        sessions=[{"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC"}],
    )
    session = planned["sessions"][0]["session_id"]
    await hear(events, a_form(session, "Ada"))

    assert [str(row[0]) for row in await events.rows("select price from bookings")] == ["15.00"]
