"""What seats cost is told to billing when somebody has them, and again when they give one up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from schemas.charges import RegistrationBilled
from services.events.gatherings.republish import BOOKINGS_AGAIN
from services.events.seats.bills import keep_bills
from services.events.usecases.tasks import follow_stages
from tests.support.events import CLUSTER, LATER, Events
from tests.support.merging import envelope, handled

RECORD = "numelink/1042"


async def a_dinner(events: Events, capacity: int = 2, **prices: str) -> str:
    """40 € for members, 55 € for guests; its session's id."""
    await events.stage("live")
    gathering = await events.ask(
        "plan-gathering",
        cluster=CLUSTER,
        key="dinner",
        title="Dîner annuel",
        sessions=[{"starts": LATER.strftime("%Y-%m-%dT23:30"), "zone": "Europe/Paris", "capacity": capacity}],
        **({"member_price": "40.00", "guest_price": "55.00"} | prices),
    )
    return str(gathering["sessions"][0]["session_id"])


async def prices(events: Events) -> list[tuple[str, str]]:
    """Who was told to owe how much, in order."""
    return [(fact["name"], fact["amount"]) for fact in await events.letters("registration-priced")]


async def test_members_and_guests_owe_their_own_price_once_they_have_a_seat(events: Events) -> None:
    session = await a_dinner(events, capacity=3)
    await events.register(session, "Léa", "Max", record=RECORD)
    await events.register(session, "Zoé")
    await events.register(session, "Paul")
    assert await prices(events) == [("Léa", "80.00"), ("Zoé", "55.00")]
    [first, _] = await events.letters("registration-priced")
    assert first["record"] == {"cluster": "numelink", "record_id": "1042"}
    # The day where it takes place: in UTC it is the day before, or after, at another hour.
    assert first["day"] == LATER.strftime("%Y-%m-%d")


async def test_who_gives_a_seat_up_owes_less_and_who_moves_up_owes(events: Events) -> None:
    session = await a_dinner(events)
    pair = await events.register(session, "Léa", "Max", record=RECORD)
    waiting = await events.register(session, "Paul")
    [lea, _] = pair["attendees"]
    await events.ask("cancel-registration", registration_id=pair["registration_id"], attendees=[lea["attendee_id"]])
    await events.ask("answer-offer", registration_id=waiting["registration_id"], accept=True)
    await events.ask("cancel-registration", registration_id=pair["registration_id"])
    assert await prices(events) == [("Léa", "80.00"), ("Léa", "40.00"), ("Paul", "55.00"), ("Léa", "0.00")]
    versions = [fact["version"] for fact in await events.letters("registration-priced") if fact["name"] == "Léa"]
    assert versions == sorted(set(versions))


async def test_all_seats_of_a_gathering_that_is_called_off_cost_nothing(events: Events) -> None:
    session = await a_dinner(events)
    await events.register(session, "Léa", record=RECORD)
    [(gathering,)] = await events.rows("select gathering_id::text from sessions where session_id = $1::uuid", session)
    await events.ask("cancel-gathering", gathering_id=gathering)
    assert await prices(events) == [("Léa", "40.00"), ("Léa", "0.00")]


async def test_nothing_is_told_of_seats_that_are_free(events: Events) -> None:
    session = await a_dinner(events, member_price="0.00")
    await events.register(session, "Léa", record=RECORD)
    assert await prices(events) == []


async def test_billing_hears_of_seats_whose_gathering_was_given_back(events: Events) -> None:
    session = await a_dinner(events)
    await events.register(session, "Léa", record=RECORD)
    await events.stage("mirror", 3)
    for _ in range(2):
        await follow_stages(events.begin, events.engine)
    [first, last] = await events.letters("registration-priced")
    assert ("by_traboule" in first, last["by_traboule"], last["amount"]) == (False, False, "40.00")
    assert first["version"] < last["version"]


async def test_what_billing_billed_is_shown_the_newest_whatever_came_last(events: Events) -> None:
    session = await a_dinner(events)
    registration = await events.register(session, "Léa", record=RECORD)
    assert (registration["billed"], registration["billed_by"]) == (None, [])

    def a_bill(version: int, amount: str, *references: str) -> RegistrationBilled:
        return RegistrationBilled(
            version=version,
            cluster=CLUSTER,
            registration_id=registration["registration_id"],
            amount=Decimal(amount),
            references=references,
        )

    for bill in (a_bill(2, "0.00", "F-2027-000001", "A-2027-000001"), a_bill(1, "40.00", "F-2027-000001")):
        await handled(events.engine, events.begin, keep_bills, [envelope(bill)])
    shown = await events.ask("registration", registration_id=registration["registration_id"])
    assert (shown["billed"], shown["billed_by"]) == ("0.00", ["F-2027-000001", "A-2027-000001"])


async def test_prices_are_told_again_after_a_restore(events: Events) -> None:
    session = await a_dinner(events)
    registration = await events.register(session, "Léa", record=RECORD)
    await events.run("delete from outbox")
    async with events.engine.begin() as connection:
        uow: Any = events.begin(connection)
        pages = [await BOOKINGS_AGAIN.page(uow, after) for after in (None, (registration["registration_id"],))]
        await uow.outbox.flush(connection)
    assert [page.published for page in pages] == [1, 0]
    assert await prices(events) == [("Léa", "40.00")]


async def test_billing_hears_of_another_day_for_invoices_name_it(events: Events) -> None:
    session = await a_dinner(events)
    registration = await events.register(session, "Léa", record=RECORD)
    later = LATER + timedelta(days=7)
    await events.ask("change-session", session_id=session, key="later", starts=later.strftime("%Y-%m-%dT19:30"))
    await events.ask("cancel-registration", registration_id=registration["registration_id"])
    facts = await events.letters("registration-priced")
    assert [(fact["day"], fact["amount"]) for fact in facts] == [
        (LATER.strftime("%Y-%m-%d"), "40.00"),
        (later.strftime("%Y-%m-%d"), "40.00"),
        (later.strftime("%Y-%m-%d"), "0.00"),
    ]
    versions = [fact["version"] for fact in facts]
    assert versions == sorted(set(versions))
