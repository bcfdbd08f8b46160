"""Participants of former events systems, from their files to what events announces, compares and rehearses."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from services.cli.importing import commands
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.unit.events.legacy import exports
from tests.unit.events.legacy.test_participants_of_civicrm import a_row as a_participant
from tests.unit.events.legacy.test_participants_of_dolibarr import a_diary_entry
from tests.unit.events.legacy.test_participants_of_dolibarr import an_attendee as a_dolibarr_attendee
from tests.unit.events.legacy.test_participants_of_galette_and_odoo import EVENTS, TABLE, a_booking, a_registration
from tests.unit.events.legacy.test_participants_of_helloasso import a_row as a_ticket
from tests.unit.events.legacy.test_participants_of_mapped_tables import an_attendee

DAY = 86_400
GATHERINGS = "event_id;title;starts_at;capacity\n{};Apéro;2026-11-05T18:30:00+01:00;80\n"
FILES = {
    "civicrm": {"p.csv": [exports.CIVICRM, a_participant(1, "1"), a_participant(2, "2"), a_participant(3, "4")]},
    "helloasso": {
        exports.HELLOASSO_NAME: [exports.HELLOASSO, a_ticket("501"), a_ticket("502"), a_ticket("")],
        "gatherings.csv": [GATHERINGS.format("apero-de-rentree-numelink").strip()],
    },
    "dolibarr": {
        "attendees.csv": [exports.ATTENDEES, a_dolibarr_attendee(1, "1"), a_dolibarr_attendee(2, "5")],
        "agenda.csv": [exports.AGENDA, a_diary_entry(3), a_diary_entry(4)],
    },
    "galette's list": {"bookings.csv": [exports.BOOKINGS, a_booking(), a_booking(COURRIEL="roux@gier.example")]},
    "galette's tables": {
        "bookings.csv": [TABLE, "3;7;12;2026-10-01;1;10.00;2;2026-09-30", "4;7;13;1901-01-01;0;;1;2026-09-30"],
        "events.csv": [EVENTS, "7;Pique-nique;1 rue;42000;Rive-de-Gier;;2026-11-05;2026-11-06;2026-01-01;1;"],
    },
    "odoo": {"r.csv": [exports.ODOO, a_registration(1, "Confirmed"), a_registration(2, "Attended")]},
    "eventbrite": {"e.csv": [exports.EVENTBRITE, an_attendee(1), an_attendee(2, "Checked In")]},
    "weezevent": {"w.csv": [exports.WEEZEVENT, "W7;05/09/2026 18:23;Membre;Zoé;Müller;0,00;Web;"]},
}
NEED_AN_EVENT = ("eventbrite", "weezevent")


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "events") as own:
        yield own


@pytest.fixture
async def events(own: OwnService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OwnService]:
    """Running and empty; the command finds its database and broker, and files are written to the working folder."""
    await own.empty()
    for name, value in own.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    async with own.running():
        yield own


def write(files: dict[str, list[str]], day: int = 1) -> list[str]:
    for name, lines in files.items():
        Path(name).write_text("\n".join(lines) + "\n", "utf-8")
        os.utime(name, (1_780_000_000 + day * DAY, 1_780_000_000 + day * DAY))
    return list(files)


async def imports(*words: str) -> Answer:
    answer = await traboule("import", "--as", "numelink/events", *words)
    assert answer.exit_code == commands.ALL_ACCEPTED, answer.out + answer.err
    return answer


async def test_participants_arrive_as_changed_registrations_and_once(events: OwnService) -> None:
    rows = [a_participant(1, "1"), a_participant(2, "7"), a_participant(3, "1", Test="Yes")]
    first = await imports(*write({"p.csv": [exports.CIVICRM, *rows]}))
    assert "p.csv: seats: registered 1, waiting 1; rows that are no registration (a test of the form 1)" in first.out
    assert "events keeps all 3 records now" in first.out
    heard = await events.heard(3)
    assert {event["type"].split(".")[-2] for event in heard} == {"event-changed", "registration-changed"}
    announced = {event["data"].get("registration_id"): event["data"] for event in heard}
    assert (announced["1"].get("status", "registered"), announced["2"]["status"]) == ("registered", "waiting")
    assert announced["1"]["registrant"] == {"kind": "guest", "name": "Zoé Müller", "email": "zoe@gier.example"}

    again = await imports(*write({"p.csv": [exports.CIVICRM, *rows]}))
    assert "0 new, 0 changed, 3 unchanged" in again.out


async def test_promotions_are_changes_and_empty_nothing_however_many(events: OwnService) -> None:
    people = range(1, 9)
    await imports(*write({"p.csv": [exports.CIVICRM, *(a_participant(number, "7") for number in people)]}))
    later = write({"p.csv": [exports.CIVICRM, *(a_participant(number, "1") for number in people)]}, 2)
    answer = await imports(*later)
    assert "0 new, 8 changed, 1 unchanged; no field emptied." in answer.out
    assert set(await events.column("select status from registrations")) == {"registered"}


async def test_a_list_does_not_empty_what_a_table_of_gatherings_said(events: OwnService) -> None:
    people = {"p.csv": [exports.CIVICRM, a_participant(1, "1")]}
    await imports(*write(people | {"gatherings.csv": [GATHERINGS.format("7").strip()]}))
    stopped = await traboule("import", "--as", "numelink/events", *write(people, 2))
    assert stopped.exit_code == commands.UNUSABLE
    assert "capacity 1. A list of participants does not say all of its gathering: import the table" in stopped.err
    await imports(*write(people | {"gatherings.csv": [GATHERINGS.format("7").strip()]}, 2))
    assert await events.column("select capacity from events") == [80]


@pytest.mark.parametrize("product", FILES)
async def test_each_product_passes_parity_and_the_rehearsal(events: OwnService, product: str) -> None:
    option = ("--event", "apero-2026") if product in NEED_AN_EVENT else ()
    files = write(FILES[product])
    await imports(*files, *option)
    assert await differing(*files, *option) == 0
    assert await rehearsed(events) == []
    await events.query("update registrations set status = 'cancelled'")
    assert await differing(*files, *option) > 0


async def differing(*words: str) -> int:
    """How many differences parity finds."""
    return len((await traboule("parity", "--as", "numelink/events", "--json", *words)).json["differences"])


async def rehearsed(events: OwnService) -> list[Any]:
    """The differences that a rehearsal finds."""
    await events.query(
        "insert into stages (cluster, stage, epoch, since, by) values ('numelink', 'mirror', 1, now(), 'a test')"
    )
    return (await traboule("rehearse", "numelink/events", "--since", "2025-01-01", "--json")).json["differences"]


async def test_where_no_row_says_when_somebody_registered_the_rehearsal_makes_up_no_order(events: OwnService) -> None:
    lines = ["registration_id;name;status", "1;Zoé;waiting", "2;Léa;registered", "3;Ada;waiting"]
    await imports(*write({"list.csv": lines}), "--event", "E")
    assert await events.column("select count(*) from registrations") == [3]
    assert await rehearsed(events) == []
