"""Check-in passes: who holds one sees one session, and lets people in until it ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from schemas.event_requests import AttendanceNoted, PersonNoted
from schemas.objections import link_digest
from services.events.checkin.ticket import digest_of
from services.events.usecases.noted import note
from tests.support.events import Events
from tests.support.merging import envelope, handled

TOKEN = "mfrggzdfmztwq2lkmfrggzdfmz"


def a_key() -> str:
    return str(uuid4())


def noted(*entries: PersonNoted, token: str = TOKEN, **more: Any) -> AttendanceNoted:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "version": int(now.timestamp() * 1_000_000),
        "link_digest": link_digest(token),
        "entries": entries,
        "received_at": now,
    }
    return AttendanceNoted(**usual | more)


def entry(*, ago: float = 0, **who: Any) -> PersonNoted:
    return PersonNoted(**{"key": a_key(), "at": datetime.now(UTC) - timedelta(seconds=ago)} | who)


async def hear(events: Events, *facts: AttendanceNoted) -> None:
    await handled(events.engine, events.begin, note, [envelope(fact) for fact in facts])


async def with_pass(events: Events, session: str, token: str = TOKEN, device: str = "Accueil") -> str:
    made = await events.ask("check-in-pass", session_id=session, digest=link_digest(token), device=device)
    # Before who came in, whatever these tests take.
    await events.run("update checkin_passes set made_at = made_at - interval '1 day'")
    return str(made["pass_id"])


async def the_list(events: Events, token: str = TOKEN) -> dict[str, Any]:
    return await events.ask("check-in-list", digest=link_digest(token))


async def came(events: Events, token: str = TOKEN) -> Sequence[tuple[str, str | None]]:
    people = (await the_list(events, token))["people"]
    return [(person["name"], person["device"]) for person in people if person["attended_at"] is not None]


async def attendee(events: Events, session: str, name: str) -> str:
    return str((await events.register(session, name))["attendees"][0]["attendee_id"])


async def test_a_pass_shows_one_session_and_only_its_digest_is_kept(events: Events) -> None:
    session, other = await events.session(key="one"), await events.session(key="other")
    ada = await attendee(events, session, "Ada")
    await attendee(events, other, "Blaise")
    await with_pass(events, session)

    shown = await the_list(events)
    assert [person["attendee_id"] for person in shown["people"]] == [ada]
    assert (shown["present"], shown["expected"], shown["session"]["gathering"]) == (0, 1, "Petit-déjeuner")
    [row] = await events.rows("select digest, author, reason from checkin_passes")
    assert (bytes(row[0]).hex(), row[1:]) == (link_digest(TOKEN), ("secretaire", "un test"))


async def test_people_come_in_by_list_by_ticket_and_although_they_did_not_register(events: Events) -> None:
    session = await events.session()
    ada, _ = await attendee(events, session, "Ada"), await attendee(events, session, "Blaise")
    ticket = (await events.letters("registration-confirmed"))[-1]["ticket"]["code"]
    await with_pass(events, session)
    walk_in = entry(name="Zoé Guest")
    fact = noted(entry(attendee_id=ada), entry(ticket_digest=digest_of(ticket).hex()), walk_in, device="K7")
    await hear(events, fact, fact)
    await hear(events, fact)

    assert await came(events) == [("Ada", "Accueil K7"), ("Blaise", "Accueil K7"), ("Zoé Guest", "Accueil K7")]
    shown = await the_list(events)
    assert (shown["present"], shown["expected"]) == (3, 2)
    assert sorted(shown["keys"]) == sorted(each.key for each in fact.entries)
    assert (await events.ask("attendance", session_id=session))["total"]["walk_ins"] == 1


async def test_of_two_phones_the_first_moment_counts_whichever_is_heard_first(events: Events) -> None:
    session = await events.session()
    ada = await attendee(events, session, "Ada")
    await with_pass(events, session, device="Accueil 1")
    await with_pass(events, session, token=TOKEN[::-1], device="Accueil 2")
    early, late = entry(attendee_id=ada, ago=600), entry(attendee_id=ada, ago=60)
    await hear(events, noted(late))
    await hear(events, noted(early, token=TOKEN[::-1]))

    assert await came(events) == [("Ada", "Accueil 2")]
    listed = await events.ask("expected", session_id=session)
    assert (listed["items"][0]["attended_at"][:19], listed["twice"]) == (early.at.isoformat()[:19], [ada])


async def test_a_pass_that_ended_shows_nothing_and_takes_nobody(events: Events) -> None:
    session = await events.session()
    ada = await attendee(events, session, "Ada")
    pass_id = await with_pass(events, session)
    before = noted(entry(attendee_id=ada))
    await events.ask("end-check-in-pass", pass_id=pass_id)
    await events.ask("end-check-in-pass", pass_id=pass_id)
    await hear(events, noted(entry(attendee_id=ada)))
    assert (await events.refusal("check-in-list", digest=link_digest(TOKEN)))[0] == "pass-unknown"
    assert await events.rows("select 1 from checkins") == []
    # What the gateway kept before the end counts, however late it is heard.
    await hear(events, before)
    assert len(await events.rows("select 1 from checkins")) == 1


async def test_it_ends_by_itself_and_takes_for_a_week_what_a_phone_kept_off_line(events: Events) -> None:
    session = await events.session(minutes=60)
    ada, blaise = await attendee(events, session, "Ada"), await attendee(events, session, "Blaise")
    await with_pass(events, session)
    hours = "update sessions set starts_at = now() - $1::interval, ends_at = now() - $1::interval where true"
    await events.run(hours, timedelta(hours=5, minutes=59))
    assert (await the_list(events))["expected"] == 2

    await events.run(hours, timedelta(hours=7))
    assert (await events.refusal("check-in-list", digest=link_digest(TOKEN)))[0] == "pass-unknown"
    await hear(events, noted(entry(attendee_id=ada, ago=2 * 3600), entry(attendee_id=blaise)))
    assert [row[0] for row in await events.rows("select attendee_id::text from checkins")] == [ada]

    await events.run(hours, timedelta(days=7, hours=7))
    await hear(events, noted(entry(attendee_id=blaise, ago=7 * 86_400 + 2 * 3600)))
    assert len(await events.rows("select 1 from checkins")) == 1


async def test_a_phone_whose_clock_is_wrong_lets_nobody_in_before_the_pass_was_made(events: Events) -> None:
    session = await events.session()
    ada, blaise = await attendee(events, session, "Ada"), await attendee(events, session, "Blaise")
    await with_pass(events, session)
    await hear(events, noted(entry(attendee_id=ada, ago=90 * 86_400), entry(attendee_id=blaise, ago=-3_600)))

    rows = await events.rows(
        "select c.at >= p.made_at and c.at <= now() from checkins c cross join checkin_passes p order by c.at"
    )
    assert rows == [(True,), (True,)]


async def test_a_pass_lets_nobody_in_elsewhere(events: Events) -> None:
    session, other = await events.session(key="one"), await events.session(key="other")
    blaise = await attendee(events, other, "Blaise")
    await with_pass(events, session)
    await hear(events, noted(entry(attendee_id=blaise)), noted(entry(attendee_id=blaise), token="a" * 26))

    assert await events.rows("select 1 from checkins") == []


async def test_passes_are_listed_and_a_token_serves_once(events: Events) -> None:
    session = await events.session()
    pass_id = await with_pass(events, session)
    listed = await events.ask("check-in-passes", session_id=session)
    assert [(each["pass_id"], each["device"], each["ended_at"]) for each in listed["items"]] == [
        (pass_id, "Accueil", None)
    ]
    again = {"session_id": session, "digest": link_digest(TOKEN)}
    assert (await events.refusal("check-in-pass", **again))[0] == "pass-taken"
    unknown = {"session_id": str(uuid4()), "digest": link_digest("b" * 26)}
    assert (await events.refusal("check-in-pass", **unknown))[0] == "session-unknown"
    assert (await events.refusal("end-check-in-pass", pass_id=str(uuid4())))[0] == "pass-unknown"
