"""At the door: each comes in once, whichever device says so, and who did not register is counted too."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.membership import Addressee, MemberDescribed
from services.common.qr_code import grouped
from services.events.attendance.described import keep_described
from services.events.checkin.ticket import digest_of, new_token
from tests.support.events import CLUSTER, Events
from tests.support.merging import OURS, THEIRS, envelope, handled, merged

MORNING = datetime(2027, 3, 1, 8, 30, tzinfo=UTC)


async def entered(events: Events, session: str, *entries: dict[str, Any]) -> list[tuple[str, str | None]]:
    answer = await events.ask("check-in", session_id=session, entries=list(entries))
    return [(item["outcome"], item["name"]) for item in answer["items"]]


async def with_ticket(events: Events, session: str, name: str) -> tuple[str, str]:
    """Somebody's place on the list, and the token of their ticket, as their letter brings it."""
    attendee = (await events.register(session, name))["attendees"][0]["attendee_id"]
    return attendee, (await events.letters("registration-confirmed"))[-1]["ticket"]["code"]


async def test_a_ticket_lets_somebody_in_and_a_second_scan_says_since_when(events: Events) -> None:
    session = await events.session()
    _, token = await with_ticket(events, session, "Ada")
    typed = grouped(token).lower()
    assert await entered(events, session, {"key": "1", "ticket": typed}) == [("in", "Ada")]
    assert await entered(events, session, {"key": "2", "ticket": token}) == [("already-in", "Ada")]
    unknown = [{"key": "3", "ticket": new_token()}, {"key": "4", "ticket": "no ticket"}]
    assert await entered(events, session, *unknown) == [("unknown", None), ("unknown", None)]


async def test_two_devices_off_line_end_in_the_same_list_and_who_was_let_in_twice_is_named(events: Events) -> None:
    session = await events.session()
    ada, token = await with_ticket(events, session, "Ada")
    late = {"key": "b", "ticket": token, "at": MORNING + timedelta(minutes=9), "device": "phone 2"}
    early = {"key": "a", "ticket": token, "at": MORNING, "device": "phone 1"}
    await entered(events, session, late)
    await entered(events, session, early, late)
    listed = await events.ask("expected", session_id=session)
    assert [(item["attended_at"][:19], item["state"]) for item in listed["items"]] == [
        (MORNING.isoformat()[:19], "attended")
    ]
    assert listed["twice"] == [ada]
    assert listed["items"][0]["ticket"] == digest_of(token).hex()


async def test_who_did_not_register_is_added_once_and_counted_also_above_the_capacity(events: Events) -> None:
    session = await events.session(capacity=1)
    await events.register(session, "Ada")
    walk_in = {"key": "w", "name": "Zoé Guest"}
    assert await entered(events, session, walk_in) == [("added", "Zoé Guest")]
    assert await entered(events, session, walk_in) == [("already-in", "Zoé Guest")]
    counts = await events.ask("attendance", session_id=session)
    assert counts["total"] == {"registered": 1, "attended": 1, "walk_ins": 1, "members": 0}


async def test_who_waits_is_let_in_and_who_cancelled_is_asked_about(events: Events) -> None:
    session = await events.session(capacity=1)
    first, waiting = await events.register(session, "Ada"), await events.register(session, "Blaise")
    assert waiting["state"] == "waiting"
    await events.ask("cancel-registration", registration_id=first["registration_id"])
    entries = [{"key": each["name"], "attendee_id": each["attendees"][0]["attendee_id"]} for each in (first, waiting)]
    assert await entered(events, session, *entries) == [("not-expected", "Ada"), ("in", "Blaise")]


async def test_an_entry_is_taken_back(events: Events) -> None:
    session = await events.session()
    ada, token = await with_ticket(events, session, "Ada")
    await entered(events, session, {"key": "1", "ticket": token})
    await events.ask("undo-check-in", attendee_id=ada)
    assert (await events.ask("attendance", session_id=session))["total"]["attended"] == 0
    assert await entered(events, session, {"key": "2", "ticket": token}) == [("in", "Ada")]


async def test_who_comes_instead_did_not_come_in_with_the_other(events: Events) -> None:
    session = await events.session()
    ada, token = await with_ticket(events, session, "Ada")
    await entered(events, session, {"key": "1", "ticket": token, "device": "phone 1", "at": MORNING})
    await events.ask("replace-attendee", attendee_id=ada, name="Zoé")
    assert (await events.ask("attendance", session_id=session))["total"]["attended"] == 0
    # Also where both come in one list: each answer is about whose ticket it is.
    both = [{"key": "3", "attendee_id": ada}, {"key": "2", "ticket": token}]
    assert await entered(events, session, *both) == [("in", "Zoé"), ("not-expected", "Ada")]
    [zoe] = (await events.ask("expected", session_id=session))["items"]
    assert zoe["attended_at"][:10] != MORNING.isoformat()[:10]


async def test_an_entry_that_is_sent_again_after_it_was_taken_back_says_of_nobody_that_they_are_in(
    events: Events,
) -> None:
    session = await events.session()
    ada, token = await with_ticket(events, session, "Ada")
    entries = [{"key": "1", "ticket": token}, {"key": "w", "name": "Guest"}]
    await entered(events, session, *entries)
    [guest] = [each for each in (await events.ask("expected", session_id=session))["items"] if each["walk_in"]]
    await events.ask("undo-check-in", attendee_id=guest["attendee_id"])
    await events.ask("replace-attendee", attendee_id=ada, name="Zoé")
    await entered(events, session, {"key": "2", "attendee_id": ada})
    assert await entered(events, session, *entries) == [("not-expected", None)] * 2
    assert (await events.ask("attendance", session_id=session))["total"]["attended"] == 1


async def test_a_member_of_both_clusters_counts_once_in_all_and_once_in_each(events: Events) -> None:
    await events.merge(merged(1, "ateliers", OURS, THEIRS))
    session = await events.session(capacity=5)
    kept = await events.register(session, "Ada", record=f"{OURS.cluster}/{OURS.record_id}")
    await events.register(session, "Blaise", record=f"{CLUSTER}/other")
    await entered(events, session, {"key": "1", "attendee_id": kept["attendees"][0]["attendee_id"]})
    counts = await events.ask("attendance", session_id=session)
    assert (counts["total"]["registered"], counts["total"]["attended"], counts["total"]["members"]) == (2, 1, 1)
    by_name = {each["name"]: each["attended"] for each in counts["clusters"]}
    assert by_name == {OURS.cluster: 1, THEIRS.cluster: 1}


async def test_one_entry_says_one_thing(events: Events) -> None:
    session = await events.session()
    both = [{"key": "1", "ticket": "x", "name": "y"}]
    assert (await events.refusal("check-in", session_id=session, entries=both))[0] == "arguments-invalid"


async def test_a_departement_is_that_of_the_record_that_registered(events: Events) -> None:
    session = await events.session(capacity=5)
    older = a_description(1, own=Addressee(name="Ancien nom", departement="69"))
    newer = a_description(2, own=Addressee(name="Ateliers du Gier", departement="42"))
    shown = a_description(1, record_id="9", shown=Addressee(name="Métallerie", departement="01"))
    await handled(events.engine, events.begin, keep_described, [envelope(fact) for fact in (newer, shown)])
    await handled(events.engine, events.begin, keep_described, [envelope(older)])
    await events.register(session, "Ada", record=f"{CLUSTER}/7")
    await events.register(session, "Blaise", record=f"{CLUSTER}/9")
    await events.register(session, "Chloé", record=f"{CLUSTER}/nobody-described")
    await entered(events, session, {"key": "w", "name": "Zoé Guest"})

    counts = await events.ask("attendance", session_id=session)
    assert {each["name"]: (each["registered"], each["attended"]) for each in counts["departements"]} == {
        "01": (1, 0), "42": (1, 0), None: (1, 1),
    }  # fmt: skip
    assert counts["session"]["gathering"] == "Petit-déjeuner"
    listed = (await events.ask("expected", session_id=session))["items"]
    assert [(each["organisation"], each["departement"]) for each in listed] == [
        ("Ateliers du Gier", "42"), ("Métallerie", "01"), (f"{CLUSTER}/nobody-described", None), (None, None),
    ]  # fmt: skip


async def test_of_an_unknown_session_nothing_is_counted(events: Events) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await events.refusal("attendance", session_id=unknown))[0] == "session-unknown"


def a_description(version: int, record_id: str = "7", **more: Any) -> MemberDescribed:
    return MemberDescribed(version=version, cluster=CLUSTER, record_id=record_id, **more)
