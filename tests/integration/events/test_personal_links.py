"""Personal links: one in each letter, kept as a digest, and what may be done by them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.envelope import Envelope
from schemas.event_requests import PersonAsked, RegistrationAnswered
from schemas.events_public import feed_token
from schemas.objections import link_digest
from services.events.usecases.answered import answer
from services.events.usecases.tasks import settle_offers
from tests.support.events import LATER, Events
from tests.support.merging import envelope, handled

BASE = "https://adhesion.example"
FORGED = "a" * 26


@pytest.fixture
async def linking(events: Events) -> Events:
    """Events whose letters have links."""
    return replace(events, public_url=BASE)


async def tokens(events: Events, key: str, *names: str) -> list[str]:
    """The tokens of the newest letter of this kind to each of these people."""
    letters = {each["recipient"]["name"]: each["link"] for each in await events.letters(key)}
    return [letters[name].removeprefix(f"{BASE}/p/r/") for name in names]


def an_answer(token: str, act: str, attendee_id: str | None = None, **more: Any) -> Envelope[RegistrationAnswered]:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {"version": int(now.timestamp() * 1_000_000), "received_at": now}
    fact = RegistrationAnswered(
        **usual | more, link_digest=link_digest(token), act=act, attendee_id=attendee_id  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    return envelope(fact)


async def hear(events: Events, *answers: Envelope[RegistrationAnswered]) -> None:
    await handled(events.engine, events.begin, answer, list(answers))


async def shown(events: Events, token: str) -> dict[str, Any]:
    return await events.ask("linked-registration", digest=link_digest(token))


async def test_each_letter_has_a_link_of_its_own_and_tokens_are_kept_nowhere(linking: Events) -> None:
    session = await linking.session()
    await linking.register(session, "Ada", "Alan")
    ada, alan = await tokens(linking, "registration-confirmed", "Ada", "Alan")

    assert ada != alan
    assert await linking.rows("select encode(digest, 'hex'), attendee_id is null from links order by 2") == [
        (link_digest(alan), False), (link_digest(ada), True),
    ]  # fmt: skip


async def test_without_an_address_of_the_gateway_letters_have_no_links(events: Events) -> None:
    await events.register(await events.session(), "Ada")
    assert "link" not in (await events.letters("registration-confirmed"))[0]
    assert await events.rows("select 1 from links") == []


async def test_a_link_shows_what_its_holder_may_see(linking: Events) -> None:
    session = await linking.session()
    await linking.register(session, "Ada", "Alan")
    ada, alan = await tokens(linking, "registration-confirmed", "Ada", "Alan")

    whole, own = await shown(linking, ada), await shown(linking, alan)
    assert ([each["name"] for each in whole["people"]], whole["seats"], whole["whole"]) == (["Ada", "Alan"], 2, True)
    assert ([each["name"] for each in own["people"]], own["seats"], own["whole"]) == (["Alan"], 1, False)
    assert whole["open_to"] == own["open_to"] == ["cancel", "replace"]
    assert (await linking.refusal("linked-registration", digest=link_digest(FORGED)))[0] == "link-unknown"


async def test_an_offer_is_accepted_once_by_its_link(linking: Events) -> None:
    session, token = await _offered(linking, "Chloé")
    assert (await shown(linking, token))["open_to"] == ["accept", "decline"]
    await hear(linking, an_answer(token, "accept"))
    await hear(linking, an_answer(token, "accept"))

    assert await linking.states(session) == [("Ada", "cancelled"), ("Chloé", "registered")]
    assert [each["recipient"]["name"] for each in await linking.letters("registration-confirmed")] == ["Ada", "Chloé"]
    assert (await shown(linking, token))["state"] == "registered"


async def test_an_offer_that_is_left_goes_to_the_next_and_is_not_taken_afterwards(linking: Events) -> None:
    session, token = await _offered(linking, "Chloé", "Denis")
    await hear(linking, an_answer(token, "decline"), an_answer(token, "accept"))

    assert await linking.states(session) == [("Ada", "cancelled"), ("Chloé", "declined"), ("Denis", "offered")]
    assert await linking.rows("select refusal from booking_log where refusal is not null") == [("no-offer",)]


async def test_an_offer_that_lapsed_is_not_taken_whatever_moment_an_answer_claims(linking: Events) -> None:
    session, token = await _offered(linking, "Chloé", "Denis")
    await linking.a_week_passes()
    await hear(linking, an_answer(token, "accept", received_at=datetime.now(UTC) - timedelta(days=7)))
    await settle_offers(linking.begin, linking.engine)

    assert await linking.states(session) == [("Ada", "cancelled"), ("Denis", "offered"), ("Chloé", "waiting")]


async def test_whoever_ordered_cancels_all_or_one_and_others_themselves(linking: Events) -> None:
    session = await linking.session(capacity=3)
    kept = await linking.register(session, "Ada", "Alan", "Anne")
    ada, alan = await tokens(linking, "registration-confirmed", "Ada", "Alan")
    ids = {person["name"]: person["attendee_id"] for person in kept["attendees"]}
    await hear(linking, an_answer(alan, "cancel", ids["Anne"]), an_answer(alan, "cancel"), an_answer(alan, "cancel"))
    assert [person["left"] for person in (await shown(linking, ada))["people"]] == [False, True, False]
    assert (await shown(linking, alan))["state"] == "cancelled"

    await hear(linking, an_answer(ada, "cancel", ids["Anne"]))
    assert (await shown(linking, ada))["seats"] == 1
    await hear(linking, an_answer(ada, "cancel"))
    assert await linking.states(session) == [("Ada", "cancelled")]
    cancelled = [each["recipient"]["name"] for each in await linking.letters("registration-cancelled")]
    assert cancelled == ["Alan", "Anne", "Ada"]


@pytest.mark.parametrize("whole", [True, False])
async def test_whoever_calls_off_too_late_keeps_the_seat(linking: Events, whole: bool) -> None:
    until = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    session = await linking.session(cancel_until=until)
    await linking.register(session, "Ada", "Alan")
    [token] = await tokens(linking, "registration-confirmed", "Ada" if whole else "Alan")
    assert (await shown(linking, token))["open_to"] == ["replace"]
    await hear(linking, an_answer(token, "cancel", received_at=until + timedelta(seconds=1)))

    assert await linking.states(session) == [("Ada", "registered")]
    assert not any(person["left"] for person in (await shown(linking, token))["people"])
    await hear(linking, an_answer(token, "cancel", received_at=until))
    assert (await shown(linking, token))["state"] == "cancelled"


async def test_a_forged_link_and_one_of_somebody_who_was_replaced_do_nothing(linking: Events) -> None:
    session = await linking.session()
    kept = await linking.register(session, "Ada", "Alan")
    [alan] = await tokens(linking, "registration-confirmed", "Alan")
    await linking.ask("replace-attendee", attendee_id=kept["attendees"][1]["attendee_id"], name="Anne")
    await hear(linking, an_answer(FORGED, "cancel"), an_answer(alan, "cancel"))

    assert await linking.states(session) == [("Ada", "registered")]
    assert (await linking.refusal("linked-registration", digest=link_digest(alan)))[0] == "link-unknown"


async def test_nothing_is_done_by_a_link_while_a_former_system_has_the_gathering(linking: Events) -> None:
    session = await linking.session()
    await linking.register(session, "Ada")
    [token] = await tokens(linking, "registration-confirmed", "Ada")
    await linking.stage("mirror")
    assert ((await shown(linking, token))["called_off"], (await shown(linking, token))["open_to"]) == (True, [])
    await hear(linking, an_answer(token, "cancel"))

    assert await linking.rows("select state from bookings") == [("registered",)]
    assert await linking.rows("select refusal from booking_log where refusal is not null") == [("not-the-authority",)]


async def test_whoever_ordered_for_others_gets_the_link_of_the_whole(linking: Events) -> None:
    session = await linking.session()
    await linking.register(session, "Ada", email="assistant@example.fr")
    letters = {each["recipient"]["email"]: each for each in await linking.letters("registration-confirmed")}

    assert set(letters) == {"ada@example.fr", "assistant@example.fr"}
    token = letters["assistant@example.fr"]["link"].removeprefix(f"{BASE}/p/r/")
    assert (await shown(linking, token))["whole"] is True


async def _offered(events: Events, *names: str) -> tuple[str, str]:
    """A session of one seat that is offered to the first of those who wait, and the token of its letter."""
    session = await events.session(capacity=1)
    first = await events.register(session, "Ada")
    for name in names:
        await events.register(session, name)
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    [token] = await tokens(events, "seat-offered", names[0])
    return session, token


async def test_somebody_else_comes_by_a_link_and_both_are_written_to(linking: Events) -> None:
    """The seat stays; the former person's ticket and link end, and whoever ordered keeps theirs."""
    session = await linking.session()
    kept = await linking.register(session, "Ada", "Alan")
    ada, alan = await tokens(linking, "registration-confirmed", "Ada", "Alan")
    [alans_id] = [person["attendee_id"] for person in kept["attendees"] if person["name"] == "Alan"]
    await hear(linking, an_answer(alan, "replace", person=PersonAsked(name="Chloé", email="chloe@example.fr")))

    assert await linking.states(session) == [("Ada", "registered")]
    people = {each["attendee_id"]: each["name"] for each in (await shown(linking, ada))["people"]}
    assert people[alans_id] == "Chloé"
    assert [each["recipient"]["name"] for each in await linking.letters("registration-cancelled")] == ["Alan"]
    assert (await linking.letters("registration-confirmed"))[-1]["recipient"]["email"] == "chloe@example.fr"
    assert (await linking.refusal("linked-registration", digest=link_digest(alan)))[0] == "link-unknown"
    await hear(linking, an_answer(alan, "replace", person=PersonAsked(name="Denis")))
    assert [each["name"] for each in (await shown(linking, ada))["people"]] == ["Ada", "Chloé"]


async def test_a_name_that_was_written_wrong_keeps_address_ticket_and_link(linking: Events) -> None:
    await linking.register(await linking.session(), "Adda", "Alan")
    [token] = await tokens(linking, "registration-confirmed", "Adda")
    [person] = [each for each in (await shown(linking, token))["people"] if each["name"] == "Adda"]
    corrected = {"person": PersonAsked(name="Ada"), "same_person": True}
    await hear(linking, an_answer(token, "replace", person["attendee_id"], **corrected))

    assert [each["name"] for each in (await shown(linking, token))["people"]] == ["Ada", "Alan"]
    newest = (await linking.letters("registration-confirmed"))[-1]["recipient"]
    assert (newest["name"], newest["email"]) == ("Ada", "adda@example.fr")
    await hear(linking, an_answer(token, "replace", person["attendee_id"], person=PersonAsked(name="ADA")))
    assert (await linking.letters("registration-confirmed"))[-1]["recipient"]["email"] == "adda@example.fr"
    assert await linking.letters("registration-cancelled") == []


async def test_nobody_is_replaced_by_whom_is_registered_by_a_foreign_link_or_after_the_beginning(
    linking: Events,
) -> None:
    session = await linking.session()
    kept = await linking.register(session, "Ada", "Alan")
    ada, alan = await tokens(linking, "registration-confirmed", "Ada", "Alan")
    [adas_id] = [person["attendee_id"] for person in kept["attendees"] if person["name"] == "Ada"]
    chloe = PersonAsked(name="Chloé")
    await hear(
        linking,
        an_answer(alan, "replace", person=PersonAsked(name="Ada", email="ada@example.fr")),
        an_answer(alan, "replace", adas_id, person=chloe),
        an_answer(ada, "replace", person=chloe),
        an_answer(alan, "replace"),
        an_answer(alan, "replace", person=chloe, received_at=LATER + timedelta(minutes=1)),
    )
    assert [each["name"] for each in (await shown(linking, ada))["people"]] == ["Ada", "Alan"]
    refusals = "select refusal from booking_log where refusal is not null order by number"
    assert await linking.rows(refusals) == [("already-registered",), ("gathering-over",)]


async def test_a_feed_is_of_one_address_and_ends_when_a_link_writes_another(linking: Events) -> None:
    """Else whoever has a link reads anybody's sessions: they write that person's address, and keep the feed."""
    await linking.register(await linking.session(key="other"), "Victor")
    await linking.register(await linking.session(), "Ada", "Alan")
    [token] = await tokens(linking, "registration-confirmed", "Alan")
    victor = PersonAsked(name="Alan", email="victor@example.fr")
    assert "Petit-d" in (await linking.ask("personal-feed", digest=link_digest(feed_token(token))))["calendar"]
    await hear(linking, an_answer(token, "replace", person=victor, same_person=True))

    assert (await linking.refusal("personal-feed", digest=link_digest(feed_token(token))))[0] == "link-unknown"
    assert (await shown(linking, token))["has_feed"] is False
    [newest] = await tokens(linking, "registration-confirmed", "Alan")
    assert (await shown(linking, newest))["has_feed"] is True


async def test_of_two_answers_heard_at_once_the_second_is_about_who_comes_by_then(linking: Events) -> None:
    """What was refused changes nobody: neither is written to, nor is their address taken."""
    session = await linking.session(capacity=3)
    await linking.register(session, "Blaise")
    await linking.register(session, "Ada", "Alan")
    [alan] = await tokens(linking, "registration-confirmed", "Alan")
    blaise = PersonAsked(name="Blaise", email="blaise@example.fr")
    await hear(
        linking,
        an_answer(alan, "replace", person=blaise),
        an_answer(alan, "replace", person=PersonAsked(name="Allan"), same_person=True),
        an_answer(alan, "replace", person=PersonAsked(name="Chloé", email="chloe@example.fr")),
        an_answer(alan, "cancel"),
    )
    assert [each["recipient"]["name"] for each in await linking.letters("registration-cancelled")] == ["Allan"]
    newest = [each["recipient"]["email"] for each in await linking.letters("registration-confirmed")][-2:]
    assert newest == ["alan@example.fr", "chloe@example.fr"]
    assert await linking.rows("select former_name from tickets where former_name is not null") == [("Allan",)] * 2


async def test_the_case_of_a_letter_can_be_corrected(linking: Events) -> None:
    kept = await linking.register(await linking.session(), "ada", "alan")
    [token] = await tokens(linking, "registration-confirmed", "alan")
    await hear(linking, an_answer(token, "replace", person=PersonAsked(name="Alan"), same_person=True))
    ada = kept["attendees"][0] | {"name": "Ada"}
    shown = await linking.ask("replace-attendee", **{name: ada[name] for name in ("attendee_id", "name", "email")})
    assert [each["name"] for each in shown["attendees"]] == ["Ada", "Alan"]
