"""``traboule events``: passes and attendance as staff type them, on a database that no process serves."""

import json
from pathlib import Path

import pypdf
import pytest

from deploy.provisioning.provision import CLUSTERS
from schemas.objections import TOKEN_LENGTH, link_digest
from tests.support.command import traboule
from tests.support.events import Events
from tests.support.merging import Database


@pytest.fixture
def installed(events_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABOULE_EVENTS_DATABASE_URL", events_database.url)
    monkeypatch.setenv("TRABOULE_EVENTS_BROKER_URL", "amqp://nobody")
    monkeypatch.setenv("TRABOULE_EVENTS_PUBLIC_URL", "https://adhesion.example")
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(CLUSTERS))


@pytest.mark.usefixtures("installed")
async def test_a_pass_is_printed_once_and_ended(events: Events) -> None:
    session = await events.session()
    made = await traboule("events", "check-in-pass", session, "--device", "Accueil", "--reason", "accueil")
    address = made.out.splitlines()[0]
    assert address.startswith("https://adhesion.example/p/c/")
    token = address.rpartition("/")[2]
    assert len(token) == TOKEN_LENGTH
    assert (await events.ask("check-in-list", digest=link_digest(token)))["device"] == "Accueil"

    listed = (await traboule("events", "check-in-passes", session, "--json")).out
    assert token not in listed
    [kept] = json.loads(listed)["items"]
    await traboule("events", "end-check-in-pass", kept["pass_id"], "--reason", "perdu")
    assert (await events.refusal("check-in-list", digest=link_digest(token)))[0] == "pass-unknown"
    [row] = await events.rows("select reason, end_reason from checkin_passes")
    assert row == ("accueil", "perdu")


@pytest.mark.usefixtures("installed")
async def test_attendance_is_written_as_pdf_and_as_csv(events: Events, tmp_path: Path) -> None:
    session = await events.session()
    ada = (await events.register(session, "Ada Martin"))["attendees"][0]["attendee_id"]
    await events.ask("check-in", session_id=session, entries=[{"key": "1", "attendee_id": ada}])
    pdf, csv = tmp_path / "presence.pdf", tmp_path / "presence.csv"
    await traboule("events", "attendance", session, "--pdf", str(pdf), "--csv", str(csv), "--signatures")

    text = pypdf.PdfReader(pdf).pages[0].extract_text()
    for part in ("Petit-déjeuner", "Organisateur : Clust'R Numérique", "Ada Martin", "Signature"):
        assert part in text
    assert csv.read_text("utf-8-sig").splitlines()[1] == '"Total";"";"1";"1";"0";"0"'
