"""Eventbrite, Weezevent, and tables whose columns somebody names."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas.events import Registrant
from services.cli.importing import commands
from services.events.mirror.undated import UNDATED
from shared.importing.outcomes import UnreadableError
from tests.unit.events.legacy.exports import EVENTBRITE, SYSTEM, WEEZEVENT, Read, at, read, row

TABLE = "N° de billet;Email;Prénom;Nom;Mail du participant;État;Le;Remarque"
MAP = ("N° de billet=registration_id", "Nom=last_name", "Prénom=first_name", "Mail du participant=email",
       "État=status", "Le=registered_at")  # fmt: skip
LINE = "B1;compta@gier.example;Zoé;Müller;zoe@gier.example;waiting;05/09/2026 18:23;à voir"


def an_attendee(number: int, status: str = "Attending", **cells: str) -> str:
    usual = {
        "Order #": "11211912243", "Order Date": "11/05/26 22:28", "First Name": "Zoé", "Last Name": "Müller",
        "Email": "zoe@gier.example", "Quantity": "1", "Attendee #": f"1844158342{number}", "Order Type": "Free Order",
        "Attendee Status": status,
    }  # fmt: skip
    return row(EVENTBRITE, usual | cells, ",")


def eventbrite(folder: Path, *rows: str) -> Read:
    return read(folder, "report.csv", EVENTBRITE, *rows, event="apero-2026")


def test_eventbrite_months_come_before_days(tmp_path: Path) -> None:
    days = ("11/05/26 22:28", "11/05/2026 10:28 PM", "2026-11-05 22:28", "13/05/26 22:28", "")
    result = eventbrite(tmp_path, *(an_attendee(number, **{"Order Date": day}) for number, day in enumerate(days)))
    assert [fact.registered_at for fact in result.registrations] == [*[at(2026, 11, 5, 21, 28)] * 3, UNDATED]
    [(line, field, reason)] = result.reasons
    assert (line, field) == (5, "Order Date")
    assert "months come before days" in reason


def test_eventbrite_statuses_refunds_and_people_whom_the_buyer_did_not_name(tmp_path: Path) -> None:
    nobody = {"First Name": "Info Requested", "Last Name": "Info Requested", "Email": "Info Requested"}
    result = eventbrite(
        tmp_path, an_attendee(1), an_attendee(2, "Checked In"), an_attendee(3, "Not Attending"),
        an_attendee(4, "Deleted"), an_attendee(5, **{"Order Type": "Refund"}), an_attendee(6, **nobody),
        an_attendee(7, "Peut-être"), an_attendee(8, **{"Attendee #": ""}),
    )  # fmt: skip
    statuses = ["registered", "attended", "cancelled", "cancelled", "cancelled", "registered", "registered"]
    assert list(result.statuses.values()) == statuses
    assert list(result.statuses)[-1] == "11211912243/1", "made of the order"
    assert result.registrations[5].registrant == Registrant(kind="guest")
    assert [(line, field) for line, field, _ in result.reasons] == [(8, "Attendee Status")]
    assert {fact.event_id for fact in result.registrations} == {"apero-2026"}


def test_weezevent_rows_of_an_order_get_ids_of_it(tmp_path: Path) -> None:
    line = "W7;05/09/2026 18:23;Membre;{};Müller;0,00;Web;compta@gier.example"
    result = read(tmp_path, "w.csv", WEEZEVENT, line.format("Zoé"), line.format("Léa"), event="E")
    assert result.statuses == {"W7/1": "registered", "W7/2": "registered"}
    assert [fact.registrant for fact in result.registrations] == [
        Registrant(kind="guest", name="Zoé Müller"), Registrant(kind="guest", name="Léa Müller"),
    ]  # fmt: skip
    assert len(result.report.notices) == 2
    with pytest.raises(UnreadableError, match="say --event"):
        read(tmp_path, "w.csv", WEEZEVENT, line)


def test_any_table_is_read_by_a_mapping(tmp_path: Path) -> None:
    result = read(tmp_path, "billets.csv", TABLE, LINE, columns=MAP, event="E")
    (fact,) = result.registrations
    assert (fact.registration_id, fact.status, fact.registered_at) == ("B1", "waiting", at(2026, 9, 5, 16, 23))
    assert fact.registrant == Registrant(kind="guest", name="Zoé Müller", email="zoe@gier.example"), (
        "a column that is called like a field is not taken for the one that was mapped to it"
    )


def test_a_table_of_gatherings_may_stand_by_a_mapping_and_a_product(tmp_path: Path) -> None:
    others = {"gatherings.csv": "event_id;title;starts_at\nE;Apéro;2026-11-05T18:00:00+01:00\n"}
    result = read(tmp_path, "billets.csv", TABLE, LINE, columns=MAP, event="E", product="registrations", others=others)
    assert list(result.statuses) == ["B1"]


def test_unknown_words_of_a_mapped_table_are_asked_and_the_rest_goes_on(tmp_path: Path) -> None:
    result = read(tmp_path, "billets.csv", TABLE, LINE, LINE.replace("B1", "B2").replace("waiting", "Confirmé"),
                  columns=MAP, event="E")  # fmt: skip
    assert list(result.statuses) == ["B1"]
    assert "is none of registered, waiting, attended, absent, cancelled" in result.reasons[0][2]


def test_a_mapped_column_of_gatherings_needs_no_option(tmp_path: Path) -> None:
    columns = ("N°=registration_id", "Qui=name", "Soirée=event_id", "Adhérent=record_id", "Places=seats")
    header = "N°;Qui;Soirée;Adhérent;Places"
    result = read(tmp_path, "x.csv", header, "1;Zoé;E1;;", "2;;E2;1042;3", "3;Léa;;;", columns=columns)
    assert [(fact.event_id, fact.record_id, fact.seats) for fact in result.registrations] == [
        ("E1", None, 1), ("E2", "1042", 3),
    ]  # fmt: skip
    assert [(line, field) for line, field, _ in result.reasons] == [(4, "event_id")]


def test_a_field_that_there_is_not_is_refused_and_an_unknown_file_gets_a_proposal(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match='there is no field "paid_until"; there are registration_id, order'):
        read(tmp_path, "billets.csv", TABLE, LINE, columns=["Nom=paid_until"])
    with pytest.raises(UnreadableError, match="say which column is which field, such as --map"):
        read(tmp_path, "billets.csv", TABLE, LINE)
    with pytest.raises(UnreadableError, match='--product "sage" is none of civicrm-participants'):
        read(tmp_path, "billets.csv", TABLE, LINE, product="sage")


def test_plain_tables_of_facts_are_still_plain_tables(tmp_path: Path) -> None:
    result = read(tmp_path, "x.csv", "registration_id;event_id;record_id;registered_at;status",
                  "R1;E1;1042;2026-10-01T09:15:00+02:00;waiting")  # fmt: skip
    assert (result.report.product, result.statuses) == ("plain table of RegistrationRecorded", {"R1": "waiting"})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(commands.import_files)

    def command(*words: str) -> Any:
        given = ["--as", f"{SYSTEM.cluster}/events", "--dry-run", "--event", "E", *words]
        return CliRunner().invoke(app, given, env={"COLUMNS": "400"})

    return command


def test_the_report_counts_seats_and_names_what_is_no_registration(tmp_path: Path, run) -> None:
    lines = [EVENTBRITE, an_attendee(1, Quantity="3"), an_attendee(2, "x")]
    (tmp_path / "report.csv").write_text("\n".join(lines) + "\n", "utf-8")
    result = run("report.csv")
    assert result.exit_code == commands.SOME_REJECTED
    assert "report.csv: seats: registered 3; Eventbrite says neither when the gathering is" in result.output
    assert "report.csv : places : inscrits 3 ; Eventbrite ne dit ni" in result.output
    [file] = json.loads(run("--json", "report.csv").stdout)["files"]
    assert (file["seats"], file["without_fact"]) == ({"registered": 3}, {})


def test_a_mapping_is_taken_again_for_the_next_file(tmp_path: Path, run) -> None:
    (tmp_path / "billets.csv").write_text(f"{TABLE}\n{LINE}\n", "utf-8")
    options = [word for column in MAP for word in ("--map", column)]
    assert json.loads(run("--json", *options, "billets.csv").stdout)["files"][0]["seats"] == {"waiting": 1}
    assert json.loads(run("--json", "billets.csv").stdout)["files"][0]["seats"] == {"waiting": 1}
