"""Feeds: what everybody may subscribe to, and what one person may, as two parsers read it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.events_public import feed_token
from schemas.objections import link_digest
from tests.support.calendars import PARSERS, Shown
from tests.support.events import CLUSTER, LATER, Events

BASE = "https://adhesion.example"
JOIN = "https://visio.example/salle-1"


@pytest.fixture
async def linking(events: Events) -> Events:
    return replace(events, public_url=BASE)


async def planned(events: Events, title: str, cluster: str = CLUSTER, **more: Any) -> dict[str, Any]:
    await events.stage("live", cluster=cluster)
    session = {"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC", "capacity": 5, "minutes": 90}
    usual = {"cluster": cluster, "key": title, "title": title, "link": JOIN, "organiser": "role@example.fr"}
    return await events.ask("plan-gathering", **usual | more, sessions=[session])


async def shown(events: Events, operation: str = "public-feed", **asked: Any) -> list[Shown]:
    """What both parsers read alike."""
    text = (await events.ask(operation, **asked))["calendar"]
    for word in ("METHOD", "ORGANIZER", "ATTENDEE", "VALARM", "example.fr"):
        assert word not in text
    by_icalendar, by_vobject = (read(text.encode()) for read in PARSERS.values())
    assert [(each.uid, each.summary, each.status) for each in by_icalendar.events] == [
        (each.uid, each.summary, each.status) for each in by_vobject.events
    ]
    return list(by_icalendar.events)


async def fed(events: Events, name: str) -> list[Shown]:
    """What somebody reads at the address that their newest letter brought."""
    letters = await events.letters("registration-confirmed")
    [*_, address] = [each["feed"] for each in letters if each["recipient"]["name"] == name]
    token = address.removeprefix(f"{BASE}/p/feed/r/").removesuffix(".ics")
    return await shown(events, "personal-feed", digest=link_digest(token))


async def test_only_what_everybody_may_see_is_in_public_feeds(linking: Events) -> None:
    ours = await planned(linking, "Pour tous")
    await planned(linking, "Réservé", visible_to=[CLUSTER])
    await planned(linking, "Chez eux", cluster="numelink")
    assert {each.summary for each in await shown(linking)} == {"Pour tous", "Chez eux"}
    [event] = await shown(linking, cluster=CLUSTER)
    session = ours["sessions"][0]["session_id"]
    assert (event.summary, event.uid) == ("Pour tous", f"{session}@adhesion.example")
    assert (event.starts_at, event.ends_at) == (
        LATER.replace(second=0),
        LATER.replace(second=0) + timedelta(minutes=90),
    )
    assert (event.url, event.location) == (f"{BASE}/p/e/{session}", None)
    assert JOIN not in (await linking.ask("public-feed"))["calendar"]
    # What its former system has again is none of ours.
    await linking.stage("mirror", cluster="numelink")
    assert {each.summary for each in await shown(linking)} == {"Pour tous"}
    assert await shown(linking, cluster="numelink") == []


async def test_a_feed_keeps_its_bytes_until_a_session_changes_and_keeps_what_was_called_off(linking: Events) -> None:
    gathering = await planned(linking, "Pour tous")
    session = gathering["sessions"][0]["session_id"]
    before = await linking.ask("public-feed")
    await linking.register(session, "Ada")
    assert await linking.ask("public-feed") == before
    later = (LATER + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    await linking.ask("change-session", session_id=session, key="later", starts=later)
    [moved] = await shown(linking)
    assert (moved.sequence, moved.starts_at) == (1, LATER.replace(second=0) + timedelta(hours=1))
    await linking.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    [gone] = await shown(linking)
    assert (gone.uid, gone.status, gone.sequence, gone.url) == (moved.uid, "CANCELLED", 2, None)
    assert gone.stamped_at >= moved.stamped_at
    await linking.run("update sessions set starts_at = now() - interval '181 days', ends_at = null")
    assert await shown(linking) == []


async def test_a_person_reads_their_own_seats_and_how_to_join(linking: Events) -> None:
    first = (await planned(linking, "Petit-déjeuner", visible_to=[CLUSTER]))["sessions"][0]["session_id"]
    second = (await planned(linking, "Atelier"))["sessions"][0]["session_id"]
    await linking.register(first, "Ada", "Alan")
    await linking.register(first, "Blaise")
    kept = await linking.register(second, "Ada")
    for person in ("Ada", "Alan"):
        assert JOIN in (await fed(linking, person))[0].description  # pyright: ignore[reportOperatorIssue]
    assert {each.summary for each in await fed(linking, "Ada")} == {"Petit-déjeuner", "Atelier"}
    assert [each.summary for each in await fed(linking, "Alan")] == ["Petit-déjeuner"]

    await linking.ask("cancel-registration", registration_id=kept["registration_id"])
    [gone] = [each for each in await fed(linking, "Ada") if each.summary == "Atelier"]
    assert (gone.status, gone.sequence, gone.description) == ("CANCELLED", 1, None)
    # Where they waited, and gave that up, nothing was in their calendar.
    full = (await planned(linking, "Complet"))["sessions"][0]["session_id"]
    await linking.ask("change-session", session_id=full, key="none", capacity=0)
    waiting = await linking.register(full, "Ada")
    await linking.ask("cancel-registration", registration_id=waiting["registration_id"])
    assert {each.summary for each in await fed(linking, "Ada")} == {"Petit-déjeuner", "Atelier"}
    # Who comes back has it again, and a later entry than the one that took it away.
    await linking.register(second, "Ada")
    [again] = [each for each in await fed(linking, "Ada") if each.summary == "Atelier"]
    assert (again.uid, again.status, again.sequence) == (gone.uid, "CONFIRMED", 1)


async def test_whoever_is_replaced_reads_no_more_and_whoever_waits_reads_nothing_yet(linking: Events) -> None:
    session = (await planned(linking, "Atelier"))["sessions"][0]["session_id"]
    kept = await linking.register(session, "Ada", "Alan")
    await linking.ask("change-session", session_id=session, key="full", capacity=2)
    await linking.register(session, "Blaise")
    await linking.ask("replace-attendee", attendee_id=kept["attendees"][1]["attendee_id"], name="Anne", email="a@b.fr")
    assert [each.summary for each in await fed(linking, "Anne")] == ["Atelier"]
    letters = await linking.letters("registration-confirmed")
    [address] = [each["feed"] for each in letters if each["recipient"]["name"] == "Alan"]
    digest = link_digest(address.rpartition("/")[2].removesuffix(".ics"))
    assert (await linking.refusal("personal-feed", digest=digest))[0] == "link-unknown"
    # A seat that is offered is in no calendar until it is taken.
    await linking.ask("cancel-registration", registration_id=kept["registration_id"])
    offered = (await linking.letters("seat-offered"))[0]
    assert "feed" not in offered
    token = feed_token(offered["link"].rpartition("/")[2])
    assert await shown(linking, "personal-feed", digest=link_digest(token)) == []


async def test_a_feed_leads_to_no_registration_and_a_link_opens_no_feed(linking: Events) -> None:
    session = (await planned(linking, "Atelier"))["sessions"][0]["session_id"]
    await linking.register(session, "Ada")
    [letter] = await linking.letters("registration-confirmed")
    link, fed_by = letter["link"].rpartition("/")[2], letter["feed"].rpartition("/")[2].removesuffix(".ics")
    assert fed_by == feed_token(link)
    assert (await linking.refusal("linked-registration", digest=link_digest(fed_by)))[0] == "link-unknown"
    assert (await linking.refusal("personal-feed", digest=link_digest(link)))[0] == "link-unknown"
    assert (await linking.ask("linked-registration", digest=link_digest(link)))["has_feed"] is True
