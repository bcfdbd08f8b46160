"""CiviCRM's participants: statuses by id up to 12, by name from there; tests, roles and offers; whose ids they are."""

from pathlib import Path

import pytest

from schemas.events import EventRecorded, Registrant
from shared.importing.outcomes import UnreadableError
from tests.unit.events.legacy.exports import CIVICRM, OTHER, Read, at, read, row

CLUSTERS = """
[clusters.numelink]
name = "Numelink"
former_systems = ["membership", "events"]
{line}
"""


def a_row(number: int, status: str, label: str = "Registered", **cells: str) -> str:
    usual = {
        "Contact ID": str(1000 + number),
        "Display Name": "Zoé Müller",
        "Email": "zoe@gier.example",
        "Event ID": "7",
        "Event Title": "Apéro",
        "Event Start Date": "2026-11-05 18:30:00",
        "Event End Date": "2026-11-05 21:00:00",
        "Participant ID": str(number),
        "Participant Status (label)": label,
        "Status ID": status,
        "Participant Role (label)": "Attendee",
        "Participant Role ID (ID)": "1",
        "Register date": "2026-10-01 09:15:00",
        "Test": "No",
    }
    return row(CIVICRM, usual | cells, ",")


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(line: str = "") -> None:
        path = tmp_path / "clusters.toml"
        path.write_text(CLUSTERS.format(line=line), "utf-8")
        monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(path))

    write()
    return write


def imported(folder: Path, *rows: str) -> Read:
    return read(folder, "participants.csv", CIVICRM, *rows)


@pytest.mark.usefixtures("configured")
def test_statuses_up_to_twelve_go_by_their_id_whatever_their_label(tmp_path: Path) -> None:
    rows = [a_row(number, str(number), "du site") for number in range(1, 13)]
    result = imported(tmp_path, *rows)
    assert result.statuses == {
        "1": "registered", "2": "attended", "3": "absent", "4": "cancelled", "5": "registered", "7": "waiting",
        "8": "waiting", "9": "registered", "10": "registered", "11": "cancelled", "12": "cancelled",
    }  # fmt: skip
    assert result.report.reasons == {"nobody finished it: it was neither paid nor confirmed": 1}
    assert [notice.record_id for notice in result.report.notices] == ["9", "10"], "an open offer is named"


@pytest.mark.usefixtures("configured")
def test_statuses_from_thirteen_on_go_by_their_name_for_installations_differ_by_one(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        a_row(1, "13", "Partially paid"), a_row(2, "14", "Partially paid"), a_row(3, "16", "Transferred"),
        a_row(4, "13", "Pending in cart"), a_row(5, "17", "Liste VIP"),
    )  # fmt: skip
    assert result.statuses == {"1": "registered", "2": "registered", "3": "cancelled"}
    [(line, field, reason)] = result.reasons
    assert (line, field) == (6, "Participant Status")
    assert reason.startswith('"Liste VIP" is none of Registered, Attended, No-show, Cancelled')


def test_the_clusters_file_answers_for_words_of_the_site(tmp_path: Path, configured) -> None:
    configured('statuses = { events = { "liste vip" = "waiting", "Registered" = "none" } }')
    result = imported(tmp_path, a_row(5, "17", "Liste VIP"), a_row(6, "1"))
    assert result.statuses == {"5": "waiting"}
    configured('statuses = { events = { "Liste VIP" = "peut-être" } }')
    with pytest.raises(UnreadableError, match=r'statuses\.events\."Liste VIP": "peut-être" is no meaning'):
        imported(tmp_path, a_row(5, "17"))


@pytest.mark.usefixtures("configured")
def test_a_test_of_the_form_is_no_registration(tmp_path: Path) -> None:
    result = imported(tmp_path, a_row(1, "1", Test="Yes"), a_row(2, "1"), a_row(3, "1", Test="peut-être"))
    assert list(result.statuses) == ["2"]
    assert result.report.reasons == {"a test of the form": 1}
    assert result.reasons == [(4, "Test", "neither yes nor no: write Oui or Non")]


def test_roles_but_the_attendee_s_are_asked(tmp_path: Path, configured) -> None:
    rows = (
        a_row(1, "1", **{"Participant Role (label)": "Speaker"}),
        a_row(2, "1", **{"Participant Role (label)": "Attendee, Speaker"}),
        a_row(3, "1", **{"Participant Role (label)": "Host\x01Volunteer"}),
    )
    asked = imported(tmp_path, *rows)
    assert list(asked.statuses) == ["2"]
    assert [line for line, _, _ in asked.reasons] == [2, 4]
    assert '"Speaker" is none of Attendee: write under [clusters.numelink]' in asked.reasons[0][2]
    configured('statuses = { events = { Speaker = "none", Host = "registered", Volunteer = "none" } }')
    assert list(imported(tmp_path, *rows).statuses) == ["2", "3"]


@pytest.mark.usefixtures("configured")
def test_the_gathering_comes_with_its_participants_once(tmp_path: Path) -> None:
    result = imported(tmp_path, a_row(1, "1"), a_row(2, "1"), a_row(3, "1", **{"Event ID": "8", "Event Title": ""}))
    (event,) = result.events
    version = event.version
    assert event == EventRecorded(
        version=version, event_id="7", title="Apéro", starts_at=at(2026, 11, 5, 17, 30), ends_at=at(2026, 11, 5, 20)
    )
    assert (len(result.registrations), result.report.rows) == (3, 3)
    assert result.registrations[0].registered_at == at(2026, 10, 1, 7, 15)


@pytest.mark.usefixtures("configured")
def test_a_table_of_gatherings_in_the_same_command_counts_for_more(tmp_path: Path) -> None:
    table = "event_id;title;starts_at;capacity\n7;Apéro;2026-11-05T18:00:00+01:00;80\n"
    result = read(tmp_path, "participants.csv", CIVICRM, a_row(1, "1"), others={"gatherings.csv": table})
    assert (result.events, len(result.registrations)) == ([], 1)


def test_ids_of_contacts_are_those_of_members_where_civicrm_has_the_members_too(tmp_path: Path, configured) -> None:
    configured('products = { membership = "civicrm" }')
    (fact,) = imported(tmp_path, a_row(1, "1")).registrations
    assert fact.record_id == "1001"
    assert fact.registrant == Registrant(kind="guest", name="Zoé Müller", email="zoe@gier.example")
    configured('products = { membership = "galette" }')
    result = imported(tmp_path, a_row(1, "1"))
    assert result.registrations[0].record_id is None
    assert "ids of people are not those of members (galette)" in result.report.lacks


@pytest.mark.usefixtures("configured")
def test_missing_columns_are_named_with_their_alternatives(tmp_path: Path) -> None:
    header = CIVICRM.replace("Participant Role (label),Participant Role ID (ID),", "")
    with pytest.raises(UnreadableError, match='"Participant Role" or "Participant Role '):
        read(tmp_path, "participants.csv", header)
    assert read(tmp_path, "participants.csv", CIVICRM, a_row(1, "1"), system=OTHER).statuses == {"1": "registered"}
    with pytest.raises(UnreadableError, match=r"--event .E. is for files that name no gathering"):
        read(tmp_path, "participants.csv", CIVICRM, a_row(1, "1"), event="E")
