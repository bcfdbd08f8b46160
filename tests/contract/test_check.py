"""`traboule check` says what the services would say, and more."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.base import Fact
from schemas.billing import InvoiceChanged, InvoiceRecorded
from schemas.catalogue import FACTS
from schemas.diagnostics import nearest
from schemas.envelope import STRUCTURED, routing_key
from schemas.examples import example_event
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.cli.check.commands import check as command
from services.cli.check.validator import Sender, Verdict, check

ROOT = Path(__file__).parents[2]
CLUSTERS = ("clustr-numerique", "numelink")


def member(**data: Any) -> dict[str, Any]:
    """The example of a member, other in these fields; None leaves one out."""
    event = example_event(MemberRecorded)
    event["data"] = {name: value for name, value in (event["data"] | data).items() if value is not None}
    return event


def verdict(event: Any, sender: Sender | None = None) -> Verdict:
    [only] = check(orjson.dumps(event), sender or Sender())
    return only


def told(event: Any, sender: Sender | None = None) -> dict[str, tuple[str, str]]:
    return {fault.field: (fault.problem, fault.hint) for fault in verdict(event, sender).faults}


# --- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", FACTS, ids=[fact.__name__ for fact in FACTS])
def test_every_example_is_accepted_without_a_doubt(fact: type[Fact]) -> None:
    event = example_event(fact)
    user = event["source"].removeprefix("/").replace("/", ".")
    for sender in (Sender(), Sender(user=user, clusters=CLUSTERS)):
        item = verdict(event, sender)
        assert (item.accepted, item.warnings) == (True, ())
        assert item.routing_key == routing_key(user.split(".")[0], fact, event["data"].get(fact.addressed_by))


FAULTY: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown field that resembles one": ({"postcod": "42000"}, "data.postcod", "did you mean postcode?"),
    "an unknown field of another language": ({"ville": "Lyon"}, "data.ville", "did you mean city?"),
    "an unknown field that resembles none": ({"favourite_colour": "red"}, "data.favourite_colour", "goes to extra"),
    "a missing field": ({"name": None}, "data.name", 'such as "Ateliers du Gier"'),
    "a number for text": ({"postcode": 69003}, "data.postcode", "must be text, and is the number 69003"),
    "another word than those allowed": ({"status": "activ"}, "data.status", "did you mean active?"),
    "a date that hides an unreadable one": ({"member_since": "1970-01-01"}, "data.member_since", "unreadable date"),
    "a date of another form": ({"member_since": "31/12/2025"}, "data.member_since", 'such as "2019-03-01"'),
    "a name of 1,200 characters": ({"name": "x" * 1200}, "data.name", "1,200 characters, and may have 1,000"),
    "an empty name": ({"name": "  "}, "data.name", "is empty"),
    "a NUL": ({"city": "a\0b"}, "data.city", "control character"),
    "an amount that is a float": (
        {"subscriptions": [{"subscription_id": "1", "starts_on": "2026-01-01", "amount": 4.5}]},
        "data.subscriptions.0.amount",
        'such as "480.00"',
    ),
    "an unknown field of a part": (
        {"subscriptions": [{"subscription_id": "1", "starts_on": "2026-01-01", "amonut": "4.50"}]},
        "data.subscriptions.0.amonut",
        "did you mean amount?",
    ),
}


@pytest.mark.parametrize(("data", "field", "words"), FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_field_is_named_with_what_was_meant(data: dict[str, Any], field: str, words: str) -> None:
    event = member(**data)
    assert verdict(event).reason == "invalid-field"
    assert words in " ".join(told(event)[field])


def test_every_fault_of_an_event_is_told_at_once() -> None:
    event = member(name=None, zip="42000", status="x")
    del event["id"]
    assert set(told(event)) == {"id", "data.name", "data.zip", "data.status"}


def test_the_reason_is_the_one_that_the_service_gives() -> None:
    broken = [member(zip="1"), member() | {"id": ""}, member() | {"specversion": "0.3"}, [], 5, {}, [member(), 7]]
    for event in broken:
        body = orjson.dumps(event)
        mode = "application/cloudevents-batch+json" if isinstance(event, list) else STRUCTURED
        services = [getattr(message, "reason", None) for message in read(MemberRecorded, body, mode, {})]
        assert [item.reason for item in check(body, Sender())] == services


# --- types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    ["fr.traboule.membership.member-recordd.v1", "member-recorded", "MemberRecorded", "membership.member-recorded"],
)
def test_a_misspelt_type_finds_the_one_that_was_meant(written: str) -> None:
    event = member(zip="42000") | {"type": written}
    assert verdict(event).reason == "wrong-type"
    assert told(event)["type"][1] == "did you mean fr.traboule.membership.member-recorded.v1?"
    assert told(event)["data.zip"][1] == "did you mean postcode?"


def test_a_type_that_resembles_none_is_guessed_by_its_fields() -> None:
    assert nearest("billing", {"invoice_id": "1", "gross": "1"}) in (InvoiceRecorded, InvoiceChanged)


def test_a_newer_version_is_told_as_such() -> None:
    event = member() | {"type": "fr.traboule.membership.member-recorded.v7"}
    assert verdict(event).reason == "newer-version"
    assert "version 7" in told(event)["type"][0]


# --- files ----------------------------------------------------------------------------------------------------------


def test_one_bad_event_of_a_batch_is_told_by_its_place() -> None:
    verdicts = check(orjson.dumps([member(), member(zip="1"), member()]), Sender())
    assert [(item.index, item.accepted) for item in verdicts] == [(1, True), (2, False), (3, True)]


def test_two_types_in_one_batch_are_refused() -> None:
    verdicts = check(orjson.dumps([member(), example_event(InvoiceRecorded)]), Sender())
    assert [item.reason for item in verdicts] == [None, "wrong-type"]
    assert "<cluster>.billing.invoice-recorded" in verdicts[1].faults[0].hint


def test_each_line_is_a_message_of_its_own() -> None:
    lines = [orjson.dumps(member()), b"", b'{"a":', orjson.dumps(example_event(InvoiceRecorded))]
    verdicts = check(b"\r\n".join(lines), Sender())
    assert [(item.line, item.reason) for item in verdicts] == [(1, None), (3, "not-json"), (4, None)]


def test_bare_facts_are_told_by_their_own_names() -> None:
    sender = Sender(bare=MemberRecorded)
    facts = b"\n".join(orjson.dumps(document["data"]) for document in (member(), member(zip="1"), member(email="nope")))
    good, bad, doubtful = check(facts, sender)
    assert good.accepted
    assert good.routing_key == "<cluster>.membership.member-recorded"
    assert bad.faults[0].field == "zip"
    assert doubtful.warnings[0].field == "email"


def test_the_binary_mode_is_read_from_headers() -> None:
    event = member()
    headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    assert verdict(event["data"], Sender(headers=headers)).accepted
    assert "data.zip" in told(member(zip="1")["data"], Sender(headers=headers))
    assert "id" in told(event["data"], Sender(headers={n: v for n, v in headers.items() if n != "ce-id"}))


def test_a_body_that_is_not_utf_8_is_told_with_the_byte() -> None:
    body = json.dumps(member(), ensure_ascii=False).encode("latin-1")
    [item] = check(body, Sender())
    assert item.reason == "not-utf-8"
    assert f"byte {body.index(0xE9)} is 0xE9" in item.faults[0].problem


def test_a_byte_order_mark_is_told() -> None:
    [item] = check(b"\xef\xbb\xbf" + orjson.dumps(member()), Sender())
    assert item.reason == "not-json"
    assert "byte order mark" in item.faults[0].hint


def test_a_message_over_the_limit_is_told() -> None:
    [item] = check(orjson.dumps([member()] * 5_000), Sender())
    assert item.reason == "too-large"


# --- publishers -----------------------------------------------------------------------------------------------------

NUMELINK = "numelink.membership"
FOREIGN = {
    "another's source": ({"user": "clustr-numerique.membership"}, "forged-source"),
    "a cluster that is not configured": ({"user": "elsewhere.membership"}, "unknown-publisher"),
    "another service's fact": (
        {"user": "numelink.billing", "routing_key": "numelink.billing.member-recorded"},
        "unrouted",
    ),
    "another's routing key": (
        {"user": NUMELINK, "routing_key": "clustr-numerique.membership.member-recorded"},
        "foreign-routing-key",
    ),
    "a misspelt routing key": ({"user": NUMELINK, "routing_key": f"{NUMELINK}.member-recoded"}, "unrouted"),
    "another fact's routing key": ({"user": NUMELINK, "routing_key": f"{NUMELINK}.member-removed"}, "wrong-type"),
    "a routing key alone": ({"routing_key": "clustr-numerique.membership.member-recorded"}, "forged-source"),
}


@pytest.mark.parametrize(("sender", "reason"), FOREIGN.values(), ids=FOREIGN.keys())
def test_who_may_not_say_this_is_refused(sender: dict[str, Any], reason: str) -> None:
    assert verdict(member(), Sender(clusters=CLUSTERS, **sender)).reason == reason


def test_a_former_system_cannot_announce() -> None:
    event = example_event(InvoiceChanged)
    assert verdict(event, Sender(user="numelink.billing", clusters=CLUSTERS)).reason == "unrouted"


def test_a_source_of_another_service_is_refused_without_a_named_publisher() -> None:
    assert verdict(member() | {"source": "/numelink/billing"}).reason == "forged-source"


# --- doubts ---------------------------------------------------------------------------------------------------------


def test_values_that_are_not_understood_are_doubtful_and_accepted() -> None:
    item = verdict(member(siren="123456789", siret=None, vat=None, email="nope"))
    assert item.accepted
    assert {warning.field for warning in item.warnings} == {"data.siren", "data.email"}


def test_an_id_that_is_used_twice_is_doubtful() -> None:
    first, again, other = check(orjson.dumps([member(), member(), member(city="Lyon")]), Sender())
    assert (first.warnings, again.warnings) == ((), ())
    assert other.warnings[0].field == "id"


# --- the command ----------------------------------------------------------------------------------------------------

app = typer.Typer()
app.command()(command)


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, "--clusters-file", str(ROOT / "deploy" / "clusters.toml")], input=stdin)


def test_the_command_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(orjson.dumps(member()))
    done = run(str(file), "--as", "numelink/membership")
    assert done.exit_code == 0, done.output
    assert "1 of 1 would be accepted" in done.output
    assert "numelink.membership.member-recorded" in done.output


def test_the_command_reads_standard_input_and_answers_in_json() -> None:
    done = run("-", "--json", stdin=orjson.dumps([member(), member(zip="1")]))
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert (answer["accepted"], answer["refused"]) == (1, 1)
    fault = {"field": "data.zip", "problem": "is not a field of MemberRecorded", "hint": "did you mean postcode?"}
    assert answer["events"][1]["faults"] == [fault]


def test_the_table_holds_no_markup_and_no_control_character_of_the_message() -> None:
    done = run("-", stdin=orjson.dumps(member(**{"[red]x\x1b[31m": "1"})))
    assert done.exit_code == 1
    assert "[red]x" in done.output.replace("\n", "")
    assert "\x1b[31m" not in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["/nowhere/event.json"],
        ["--as", "numelink", "-"],
        ["--type", "nothing", "-"],
        ["--headers", "/nowhere", "-"],
        [],
    ],
)
def test_what_cannot_be_told_exits_with_2(arguments: list[str]) -> None:
    assert run(*arguments, stdin=b"{}").exit_code == 2


def test_an_empty_file_cannot_be_told() -> None:
    assert run("-", stdin=b"\n").exit_code == 2


def test_bare_facts_need_their_type_by_any_of_its_names() -> None:
    for name in ("member-recorded", "MemberRecorded", MemberRecorded.type_name()):
        assert run("-", "--type", name, stdin=orjson.dumps(member()["data"])).exit_code == 0
