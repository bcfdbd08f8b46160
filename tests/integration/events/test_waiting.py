"""What people who wait are written: their place, and why they wait no more."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from schemas.event_requests import RegistrationAnswered
from schemas.objections import link_digest
from services.events.usecases.answered import answer
from services.events.usecases.tasks import settle_offers
from tests.support.events import Events
from tests.support.merging import OURS, THEIRS, envelope, handled, merged

BASE = "https://adhesion.example"


async def cancellations(events: Events) -> list[tuple[str, bool, bool, str | None]]:
    """To whom, whether the gathering is called off, whether they had a seat, and the reason."""
    return [
        (
            each["recipient"]["email"],
            each.get("gathering_cancelled", False),
            each.get("seated", True),
            each.get("reason"),
        )
        for each in await events.letters("registration-cancelled")
    ]


async def lines(events: Events) -> list[tuple[str, int, bool]]:
    return [
        (each["recipient"]["email"], each["line"], each.get("offer_lapsed", False))
        for each in await events.letters("registration-waiting")
    ]


async def time_passes(events: Events) -> None:
    await events.a_week_passes()
    await settle_offers(events.begin, events.engine)


async def test_whoever_waits_hears_their_place_and_may_cancel_by_the_link(events: Events) -> None:
    linking = replace(events, public_url=BASE)
    session = await linking.session(capacity=1)
    await linking.register(session, "Ada")
    gone = await linking.register(session, "Blaise")
    await linking.register(session, "Chloé", "Carl", email="office@example.fr")
    await linking.ask("cancel-registration", registration_id=gone["registration_id"])
    await linking.register(session, "Denis")
    # The place is one in the line of today; a booking of two people is one mail, to whoever ordered.
    assert await lines(linking) == [
        ("blaise@example.fr", 1, False), ("office@example.fr", 2, False), ("denis@example.fr", 2, False),
    ]  # fmt: skip
    letter = (await linking.letters("registration-waiting"))[-1]
    assert not {"join", "ticket", "feed"} & set(letter)

    now: dict[str, Any] = {"version": 1, "received_at": datetime.now(UTC)}
    digest = link_digest(letter["link"].removeprefix(f"{BASE}/p/r/"))
    fact = RegistrationAnswered(**now, link_digest=digest, act="cancel")
    await handled(linking.engine, linking.begin, answer, [envelope(fact)])
    assert dict(await linking.states(session))["Denis"] == "cancelled"
    assert await cancellations(linking) == [
        ("blaise@example.fr", False, False, None), ("denis@example.fr", False, False, None),
    ]  # fmt: skip


async def test_whoever_waits_hears_that_the_gathering_is_called_off(events: Events) -> None:
    gathering = await events.planned(capacity=1)
    session = gathering["sessions"][0]["session_id"]
    for name in ("Ada", "Blaise"):
        await events.register(session, name)
    await events.ask("cancel-gathering", gathering_id=gathering["gathering_id"])
    assert await cancellations(events) == [
        ("ada@example.fr", True, True, None), ("blaise@example.fr", True, False, None),
    ]  # fmt: skip


async def test_whoever_staff_found_twice_hears_that_the_first_registration_holds(events: Events) -> None:
    await events.merge(merged(1, "ateliers", OURS, THEIRS))
    session = await events.session(capacity=5)
    await events.register(session, "Ada", record=f"{OURS.cluster}/{OURS.record_id}")
    twice = await events.register(session, "A. Lovelace", record=f"{THEIRS.cluster}/{THEIRS.record_id}")
    assert (twice["state"], await lines(events)) == ("asked", [])
    await events.ask("decide-registration", registration_id=twice["registration_id"], same_people=True)
    assert await cancellations(events) == [("a.lovelace@example.fr", False, False, "registered-twice")]


async def test_an_offer_that_lapses_sends_to_the_end_of_the_line_and_the_second_out_of_it(events: Events) -> None:
    session = await events.session(capacity=1)
    first = await events.register(session, "Ada")
    for name in ("Blaise", "Chloé"):
        await events.register(session, name)
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    await time_passes(events)
    assert (await lines(events))[2:] == [("blaise@example.fr", 1, True)]
    await time_passes(events)
    await time_passes(events)
    assert ("Blaise", "lapsed") in await events.states(session)
    assert (await cancellations(events))[1:] == [("blaise@example.fr", False, False, "offer-lapsed")]
