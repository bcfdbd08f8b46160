import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas.envelope import Envelope
from schemas.membership import MemberRecorded, MemberRemoved
from schemas.reading import read as read_events
from services.cli.importing import commands as import_files
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.importing.outcomes import UnreadableError
from shared.importing.publish import NotPublishedError
from tests.unit.membership.legacy.exports import CIVICRM_CONTACTS, civicrm, galette

SYSTEM = FormerSystem("numelink", "membership")
GOOD = {"ID de l'adhérent": "12", "Personne morale": "ACME SAS", "Courriel": "zoe@acme.example"}
DOUBTFUL = {"ID de l'adhérent": "13", "Personne morale": "Müller", "Courriel": "zoe@@acme", "Pays": "Wakanda"}
BAD = {"ID de l'adhérent": "14", "Personne morale": "Roux", "Date de création": "31/02/2023", "Date d’échéance": "hier"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SYSTEM.variable, raising=False)
    app = typer.Typer()
    app.command()(import_files.import_files)

    def command(*arguments: str, env: dict[str, str] | None = None):
        given = {"COLUMNS": "200"} | (env or {})
        return CliRunner().invoke(app, ["--as", "numelink/membership", *arguments], env=given)

    return command


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "liste_adherents_filtree.csv"
    path.write_bytes(galette(GOOD, DOUBTFUL, BAD))
    return path


def test_a_dry_run_shows_what_would_happen_and_publishes_nothing(run, export):
    result = run("--dry-run", str(export))
    assert result.exit_code == import_files.SOME_REJECTED
    for shown in (
        "Dry run",
        "Galette members",
        "utf-8",
        "not the name or ISO code of a country",
        "'Wakanda' (line 3)",
        "no such day",
    ):
        assert shown in result.output


def test_the_report_as_json(run, export):
    result = run("--dry-run", "--json", str(export))
    report = json.loads(result.stdout)
    [file] = report["files"]
    assert (file["rows"], file["accepted"], file["rejected"], file["facts"]) == (3, 2, 1, {"MemberRecorded": 2})
    assert [fault["field"] for fault in file["rejections"]] == ["Date de création", "Date d’échéance"]
    assert {doubt["code"] for doubt in file["doubts"]} == {"email-invalid", "country-unknown"}
    assert report["published"] == 0


def test_rejected_rows_are_in_the_rejects_file_with_line_field_value_and_reason(run, export, tmp_path):
    run("--dry-run", str(export), "--rejects", "aside.csv")
    with (tmp_path / "aside.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(row["line"], row["record_id"], row["field"], row["value"]) for row in rows] == [
        ("4", "14", "Date de création", "31/02/2023"),
        ("4", "14", "Date d’échéance", "hier"),
    ]


def test_no_rejects_no_file_and_exit_code_0(run, tmp_path):
    (tmp_path / "good.csv").write_bytes(galette(GOOD))
    result = run("--dry-run", "good.csv")
    assert result.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_without_a_broker_it_says_which_variable_to_set(run, export):
    result = run(str(export))
    assert result.exit_code == import_files.UNUSABLE
    assert "TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP" in result.output


@pytest.mark.parametrize("name", ["numelink", "numelink/parking", "/membership"])
def test_an_unknown_former_system_names_the_services(run, export, name):
    result = run("--as", name, "--dry-run", str(export))
    assert result.exit_code == import_files.UNUSABLE
    assert "billing, communications, events, membership" in result.output


def test_one_unreadable_file_stops_the_import_before_anything_is_published(run, export, tmp_path, monkeypatch):
    (tmp_path / "empty.csv").touch()
    monkeypatch.setattr(import_files, "Publisher", None)
    monkeypatch.setenv(SYSTEM.variable, "amqp://nowhere")
    result = run(str(export), "empty.csv")
    assert result.exit_code == import_files.UNUSABLE
    assert "empty.csv is empty" in result.output


def test_a_broker_that_refuses_is_told_with_what_to_do(run, export, monkeypatch):
    class Refusing:
        def __init__(self, *_: object) -> None: ...

        async def run(self, _: object) -> int:
            raise NotPublishedError("the broker cannot be reached")

    monkeypatch.setattr(import_files, "Publisher", Refusing)
    monkeypatch.setenv(SYSTEM.variable, "amqp://u:secret@nowhere")
    result = run(str(export))
    assert result.exit_code == import_files.NOT_PUBLISHED
    assert "Run the same command again" in result.output
    assert "secret" not in result.output


def heard(fact, message) -> list[Envelope[Any]]:
    """What a service reads of it: all of it."""
    events = read_events(fact, message.body, message.content_type, {})
    return [event for event in events if isinstance(event, Envelope) or pytest.fail(str(event))]


def test_the_same_file_twice_makes_the_same_messages(export):
    def once():
        return list(messages(SYSTEM, open_files(SYSTEM, [export])))

    assert once() == once()


def test_a_changed_row_changes_its_version_with_the_files_time(export):
    def versions() -> list[int]:
        [message] = messages(SYSTEM, open_files(SYSTEM, [export]))
        return [e.data.version for e in heard(MemberRecorded, message)]

    os.utime(export, ns=(0, 1_700_000_000_000_001_000))
    assert versions() == [1_700_000_000_000_001] * 2
    os.utime(export, ns=(0, 1_800_000_000_000_000_000))
    assert versions() == [1_800_000_000_000_000] * 2


def test_batches_hold_one_type_each_under_the_former_systems_own_key(tmp_path):
    contacts = [
        {"Contact ID": str(n), "Contact Type": "Organization", "Organization Name": f"Org {n}"} for n in range(5)
    ]
    path = tmp_path / "contacts.csv"
    path.write_bytes(
        civicrm(CIVICRM_CONTACTS, *contacts, contacts[0] | {"Contact ID": "9", "Contact is in Trash": "Yes"})
    )
    outgoings = list(messages(SYSTEM, open_files(SYSTEM, [path]), batch=2))
    assert [(m.routing_key, m.events) for m in outgoings] == [
        ("numelink.membership.member-recorded", 2),
        ("numelink.membership.member-recorded", 2),
        ("numelink.membership.member-recorded", 1),
        ("numelink.membership.member-removed", 1),
    ]
    [removed] = heard(MemberRemoved, outgoings[-1])
    assert (removed.source, removed.data.record_id) == ("/numelink/membership", "9")


def test_other_services_take_the_plain_table(tmp_path):
    path = tmp_path / "payments.csv"
    path.write_text('payment_id,record_id,paid_on,amount\nP1,A1,31/01/2024,"12,50"\n')
    billing = FormerSystem("numelink", "billing")
    [message] = messages(billing, open_files(billing, [path]))
    assert message.routing_key == "numelink.billing.payment-recorded"
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UnreadableError, match="PaymentRecorded needs payment_id"):
        open_files(billing, [tmp_path / "other.csv"])


def test_plain_removals(tmp_path):
    path = tmp_path / "gone.csv"
    path.write_text("record_id,reason\n12,left\n")
    [message] = messages(SYSTEM, open_files(SYSTEM, [path]))
    assert message.routing_key == "numelink.membership.member-removed"


def test_rows_are_accepted_or_rejected_and_nothing_is_lost(tmp_path):
    path = tmp_path / "mixed.csv"
    ragged = b'"1";"2"\r\n'
    path.write_bytes(galette(GOOD, GOOD, DOUBTFUL, BAD, GOOD | {"Personne morale": "Other"}) + ragged)
    files = open_files(SYSTEM, [path])
    list(messages(SYSTEM, files))
    report = files[0].report
    assert (report.rows, report.accepted, report.repeated, report.rejected) == (6, 3, 1, 3)


def test_a_status_that_nobody_knows_is_asked_once_with_the_line_that_answers(run, tmp_path):
    friends = [GOOD | {"ID de l'adhérent": str(number), "Statut": "Amis", "Compte": "Oui"} for number in (12, 13)]
    (tmp_path / "friends.csv").write_bytes(galette(*friends))
    result = run("--dry-run", "friends.csv")
    assert 'does Statut "Amis" make a member? 2 rows, such as line 2, 3.' in " ".join(result.output.split())
    assert 'statuses = { membership = { "Amis" = "…" } }' in result.output
    (tmp_path / "clusters.toml").write_text(
        '[clusters.numelink]\nname = "N"\nformer_systems = ["membership"]\n'
        'statuses = { membership = { "Amis" = "active" } }\n'
    )
    result = run("--dry-run", "friends.csv", env={"TRABOULE_CLUSTERS_FILE": "clusters.toml"})
    assert "Amis" not in result.output
