"""What a former system's export says is enough to go on with its gatherings: nobody is lost, and order is kept."""

from pathlib import Path

from tests.integration.events.test_taking_over import STATES, an_event, taken_over
from tests.support.events import LATER, Events
from tests.unit.events.legacy import exports
from tests.unit.events.legacy.test_participants_of_civicrm import a_row as a_participant
from tests.unit.events.legacy.test_participants_of_galette_and_odoo import a_booking
from tests.unit.events.legacy.test_participants_of_helloasso import a_row as a_ticket

DAY = {"Event Start Date": f"{LATER:%Y-%m-%d %H:%M:%S}", "Event End Date": ""}


async def test_civicrm_seats_and_the_waiting_list(events: Events, tmp_path: Path) -> None:
    rows = [
        a_participant(3, "7", **DAY, **{"Register date": "2026-10-03 09:00:00"}),
        a_participant(1, "1", **DAY, **{"Register date": "2026-10-01 09:00:00"}),
        a_participant(2, "7", **DAY, **{"Register date": "2026-10-02 09:00:00"}),
        a_participant(4, "4", **DAY),
    ]
    result = exports.read(tmp_path, "p.csv", exports.CIVICRM, *rows)
    await events.mirror(*result.events, *result.registrations)
    await taken_over(events)
    states = [("1", "registered", 1, 1), ("2", "waiting", 1, 2), ("3", "waiting", 1, 3)]
    assert await events.rows(STATES) == states


async def test_helloasso_tickets_without_a_name_or_a_number_keep_their_seats(events: Events, tmp_path: Path) -> None:
    nobody = a_ticket("503", **{"Nom participant": "", "Prénom participant": ""})
    result = exports.read(tmp_path, exports.HELLOASSO_NAME, exports.HELLOASSO, a_ticket("501"), a_ticket(""), nobody)
    await events.mirror(an_event("apero-de-rentree-numelink"), *result.registrations)
    await taken_over(events)
    assert {row[0]: row[1] for row in await events.rows(STATES)} == {
        "501": "registered", "503": "registered", "900000001/1": "registered",
    }  # fmt: skip
    names = await events.rows("select name from attendees order by 1")
    assert names == [("Zoé Müller",), ("Zoé Müller",)]


async def test_galette_a_booking_keeps_its_number_of_people(events: Events, tmp_path: Path) -> None:
    result = exports.read(tmp_path, "bookings.csv", exports.BOOKINGS, a_booking())
    await events.mirror(an_event("Pique-nique"), *result.registrations)
    await taken_over(events)
    assert [row[1:3] for row in await events.rows(STATES)] == [("registered", 3)]
