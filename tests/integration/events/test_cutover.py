"""Events moved over and back: what the former system is told, what confirms it, and what stands in the way."""

from collections.abc import Sequence
from typing import Any

from schemas.envelope import Envelope
from schemas.events import Registrant
from services.common.sections import Record
from services.cutover.fence import Fenced
from services.events.cutover import gate, write_back
from services.events.cutover.confirmations import confirms
from services.events.cutover.write_back import write_untold
from services.events.mirror import handlers
from services.events.registrations.queries import participations
from services.events.usecases.tasks import follow_stages
from tests.integration.events.test_taking_over import STATES, a_registration, an_event, taken_over
from tests.support.events import CLUSTER, Events
from tests.support.merging import envelope, handled


async def conditions(events: Events, which: Any = gate.for_rollback) -> dict[str, bool]:
    async with events.engine.connect() as connection:
        return {each.name: each.holds for each in await which(events.begin(connection), CLUSTER)}


async def unconfirmed(events: Events) -> list[str]:
    async with events.engine.connect() as connection:
        return list(await write_back.digests(events.begin(connection), CLUSTER))


async def published_late(events: Events, *facts: Any) -> None:
    """By the former system, while we are the authority."""

    async def nothing_matches(_: Any, messages: Sequence[Envelope[Any]]) -> list[bool]:
        return [False] * len(messages)

    handler = Fenced(handlers.record_registrations, nothing_matches, confirms)
    await handled(events.engine, events.begin, handler, [envelope(fact, f"/{CLUSTER}/events") for fact in facts])
    await follow_stages(events.begin, events.engine)


async def test_what_was_taken_over_needs_no_telling_and_what_changed_does(events: Events) -> None:
    await events.mirror(an_event(), a_registration(1), a_registration(2))
    await taken_over(events)
    assert await conditions(events) == {"registrations": True, "gatherings": True}
    [(booking,)] = await events.rows("select booking_id::text from bookings where former_id = 'r-1'")
    await events.ask("cancel-registration", registration_id=booking)
    assert await conditions(events) == {"registrations": False, "gatherings": True}
    for _ in range(2):
        await write_untold(events.begin, events.engine)
    [letter] = await events.letters(f"registration-written.{CLUSTER}")
    assert (letter["registration_id"], letter["status"]) == ("r-1", "cancelled")
    await published_late(events, a_registration(1, "cancelled", version=2))
    assert await conditions(events) == {"registrations": True, "gatherings": True}


async def test_a_registration_made_here_is_known_again_under_the_former_systems_id(events: Events) -> None:
    await events.mirror(an_event())
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    guest = await events.register(session, "Zoé")
    member = await events.register(session, "Ada", "Alan", record=f"{CLUSTER}/cn-9")
    assert await unconfirmed(events) == sorted([guest["registration_id"], member["registration_id"]])
    typed = Registrant(kind="guest", name="Zoe", email="ZOÉ@example.fr")
    await published_late(
        events, a_registration(70, record_id=None, registrant=typed), a_registration(71, record_id="cn-9")
    )
    # The member's has another number of seats: a person looks at it.
    assert await events.rows("select count(*) from quarantine") == [(1,)]
    await published_late(events, a_registration(72, record_id="cn-9", seats=2))
    assert await unconfirmed(events) == []
    assert [row[0] for row in await events.rows(STATES)] == ["r-70", "r-72"]
    assert await events.rows("select held from sessions") == [(3,)]


async def test_two_alike_are_two_and_what_is_more_is_a_registration_of_today(events: Events) -> None:
    await events.mirror(an_event(capacity=9))
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    for name in ("Ada", "Alan"):
        await events.register(session, name, record=f"{CLUSTER}/cn-9")
    await events.stage("mirror", 3)
    await events.mirror(*(a_registration(number, record_id="cn-9") for number in (80, 81, 82)))
    await events.stage("live", 4)
    await follow_stages(events.begin, events.engine)
    assert [row[0] for row in await events.rows(STATES)] == ["r-80", "r-81", "r-82"]


async def test_the_table_for_a_person_says_who_comes(events: Events) -> None:
    await events.mirror(an_event())
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    kept = await events.register(session, "=Ada", "Alan")
    async with events.engine.connect() as connection:
        uow = events.begin(connection)
        records = [each async for each in write_back.unconfirmed(uow, CLUSTER, [kept["registration_id"]])]
    text = write_back.files(records)["registrations"].decode("utf-8-sig")
    header, row = text.splitlines()
    assert header.startswith('"registration_id";"event_id";"event"')
    assert '"\'=Ada"' in row
    assert '"=Ada, Alan"' not in row
    assert records[0].new_id


async def test_what_was_told_and_cancelled_here_is_told_once_more(events: Events) -> None:
    await events.mirror(an_event())
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    kept = await events.register(session, "Zoé")
    await write_untold(events.begin, events.engine)
    await events.ask("cancel-registration", registration_id=kept["registration_id"])
    for _ in range(2):
        await write_untold(events.begin, events.engine)
    letters = await events.letters(f"registration-written.{CLUSTER}")
    assert [letter["status"] for letter in letters] == ["registered", "cancelled"]
    assert await unconfirmed(events) == []


async def test_a_gathering_that_was_called_off_here_must_be_called_off_there(events: Events) -> None:
    await events.mirror(an_event())
    await taken_over(events)
    [(gathering,)] = await events.rows("select gathering_id::text from gatherings")
    await events.ask("cancel-gathering", gathering_id=gathering)
    assert not (await conditions(events))["gatherings"]
    await events.stage("mirror", 3)
    await events.mirror(an_event(status="cancelled", version=2))
    assert (await conditions(events))["gatherings"]


async def test_a_gathering_planned_here_stands_in_the_way_of_a_rollback(events: Events) -> None:
    await events.planned()
    assert await conditions(events) == {"registrations": True, "gatherings": False}


async def test_one_gathering_in_two_former_systems_stands_in_the_way_of_a_switch(events: Events) -> None:
    await events.mirror(an_event())
    assert (await conditions(events, gate.for_switch))["sold-twice"]
    await events.mirror(an_event("other", title="RENCONTRE"), cluster="numelink")
    assert not (await conditions(events, gate.for_switch))["sold-twice"]


async def test_registrations_for_a_gathering_that_nobody_stated_stand_in_the_way_of_a_switch(events: Events) -> None:
    await events.mirror(a_registration(1), a_registration(2, "cancelled"))
    assert not (await conditions(events, gate.for_switch))["registrations-without-gathering"]
    await events.mirror(an_event())
    assert (await conditions(events, gate.for_switch))["registrations-without-gathering"]


async def test_the_second_of_two_alike_that_comes_back_is_not_taken_for_the_first(events: Events) -> None:
    await events.mirror(an_event(capacity=9))
    await taken_over(events)
    [(session,)] = await events.rows("select session_id::text from sessions")
    first, second = [
        (await events.register(session, name, record=f"{CLUSTER}/cn-9"))["registration_id"] for name in ("Ada", "Alan")
    ]
    back = a_registration(9).model_copy(update={"registration_id": second})
    await published_late(events, back)
    await events.stage("mirror", 3)
    await events.mirror(a_registration(1))
    await events.stage("live", 4)
    await follow_stages(events.begin, events.engine)
    assert await unconfirmed(events) == [first]


async def test_a_late_registration_for_another_gathering_confirms_nothing(events: Events) -> None:
    await events.mirror(an_event(), an_event("ev-2"))
    await taken_over(events)
    sessions = "select session_id::text from sessions join gatherings using (gathering_id) where event_id = 'ev-1'"
    [(session,)] = await events.rows(sessions)
    await events.register(session, "Ada", record=f"{CLUSTER}/cn-9")
    await published_late(events, a_registration(70, record_id="cn-9", event_id="ev-2"))
    assert await events.rows("select count(*) from quarantine") == [(1,)]
    assert await events.rows("select count(*) from bookings") == [(1,)]


async def test_what_one_former_system_is_told_is_not_noted_for_another(events: Events) -> None:
    for cluster in (CLUSTER, "numelink"):
        await events.stage("legacy", 1, cluster)
        await events.mirror(an_event(), a_registration(1), cluster=cluster)
        await events.stage("live", 2, cluster)
    await follow_stages(events.begin, events.engine)
    for (booking,) in await events.rows("select booking_id::text from bookings"):
        await events.ask("cancel-registration", registration_id=booking)
    await write_untold(events.begin, events.engine)
    for cluster in (CLUSTER, "numelink"):
        assert len(await events.letters(f"registration-written.{cluster}")) == 1


async def test_a_registration_of_one_session_that_comes_back_is_none_of_another(events: Events) -> None:
    await events.stage("live")
    moments = ("2027-03-25T09:30", "2027-03-25T14:00")
    gathering = await events.ask(
        "plan-gathering", cluster=CLUSTER, key="k", title="T", sessions=[{"starts": each} for each in moments]
    )
    kept = await events.register(gathering["sessions"][0]["session_id"], "Ada", record=f"{CLUSTER}/cn-9")
    back = a_registration(1, record_id="cn-9", event_id=gathering["gathering_id"])
    await published_late(events, back.model_copy(update={"registration_id": kept["registration_id"]}))
    assert await events.rows("select count(*) from bookings") == [(1,)]
    assert await unconfirmed(events) == []
    async with events.engine.begin() as connection:
        stated = await participations(connection, [Record(CLUSTER, "cn-9")])
    assert [len(each.registrations) for each in stated.values()] == [1]  # type: ignore[attr-defined]
