"""What staff do: import files and read members, through the real command, the real broker and the real door."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from stdnum import luhn

from deploy.demo.settling import wait_until_settled
from deploy.local.local_services import LocalServices
from shared.persistence.database import create_engine
from tests.support.command import traboule
from tests.support.keys import create_key

pytestmark = pytest.mark.timeout(120)

Import = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def importing(stack: LocalServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """``importing("numelink/membership", "text of the file")``: exit code and report, once all is applied."""
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)

    def run(system: str, text: str, name: str = "members.csv", *options: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        rejects = str(tmp_path / "rejects.csv")
        answer = asyncio.run(traboule("import", "--as", system, "--json", "--rejects", rejects, *options, str(path)))
        assert answer.out, answer.err
        asyncio.run(wait_until_settled(stack.env))
        return answer.exit_code, answer.json

    return run


@pytest.fixture(scope="module")
def gateway(stack: LocalServices) -> Iterator[httpx2.Client]:
    """A reader at the HTTP gateway."""

    async def key() -> str:
        engine = create_engine(stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="tests")
        async with engine.begin() as connection:
            made = await create_key(connection, "journeys", "staff", 1)
        await engine.dispose()
        return made

    headers = {"Authorization": f"Bearer {asyncio.run(key())}"}
    with httpx2.Client(base_url=stack.url("membership"), headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def tag() -> str:
    """Letters that make this test's ids and names its own."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:10])


def a_siren() -> str:
    base = f"{uuid4().int % 10**8:08d}"
    return base + luhn.calc_check_digit(base)


def member(gateway: httpx2.Client, cluster: str, record_id: str) -> dict[str, Any]:
    answer = gateway.get(f"/members/by-source/{cluster}/{record_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def history(stack: LocalServices, record_id: str) -> list[tuple[str, list[str]]]:
    async def rows() -> list[tuple[str, list[str]]]:
        connection = await asyncpg.connect(stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"])
        rows = await connection.fetch(
            "select what, fields from record_history where record_id = $1 order by id", record_id
        )
        await connection.close()
        return [(row["what"], row["fields"]) for row in rows]

    return asyncio.run(rows())


def test_a_company_of_two_clusters_is_one_member_that_says_who_said_what(
    importing: Import, gateway: httpx2.Client, tag: str
) -> None:
    siren = a_siren()
    importing("clustr-numerique/membership", f"record_id;name;siren;city\nA-{tag};Ateliers {tag} SAS;{siren};Lyon\n")
    importing("numelink/membership", f"record_id;name;siren;city\nB-{tag};ATELIERS {tag.upper()};{siren};LYON 3\n")

    view = member(gateway, "numelink", f"B-{tag}")

    assert view == member(gateway, "clustr-numerique", f"A-{tag}")
    assert view["clusters"] == ["clustr-numerique", "numelink"]
    assert view["siren"] == {"value": siren, "said_by": [f"clustr-numerique/A-{tag}", f"numelink/B-{tag}"]}
    assert view["city"]["others"] == [{"value": "LYON 3", "said_by": [f"numelink/B-{tag}"]}]
    for old_id in (view["id"], *view["former_ids"]):
        assert gateway.get(f"/members/{old_id}").json() == view


def test_importing_twice_changes_nothing_and_a_changed_row_makes_one_new_version(
    importing: Import, stack: LocalServices, gateway: httpx2.Client, tag: str
) -> None:
    rows = f"record_id;name;city\nA-{tag};Ateliers {tag};Lyon\nB-{tag};Forges {tag};Roanne\n"
    importing("numelink/membership", rows)
    before = gateway.get(f"/members/by-source/numelink/A-{tag}")

    importing("numelink/membership", rows)  # a new file, exported later, that says the same
    again = gateway.get(f"/members/by-source/numelink/A-{tag}")
    assert (again.content, again.headers["etag"]) == (before.content, before.headers["etag"])
    assert history(stack, f"A-{tag}") == [("recorded", [])]

    importing("numelink/membership", rows.replace("Lyon", "Bron"))
    assert history(stack, f"A-{tag}") == [("recorded", []), ("changed", ["city"])]
    assert history(stack, f"B-{tag}") == [("recorded", [])]
    assert member(gateway, "numelink", f"A-{tag}")["city"]["value"] == "Bron"


def test_an_older_export_that_arrives_late_changes_nothing(importing: Import, gateway: httpx2.Client, tag: str) -> None:
    header = "record_id;name;city\n"
    new, old = f"A-{tag};Ateliers {tag};Bron\n", f"A-{tag};Ateliers {tag};Lyon\n"
    importing("numelink/membership", header + new, "new.csv", "--exported-at", "2026-11-02T10:00")
    importing("numelink/membership", header + old, "old.csv", "--exported-at", "2026-11-01T10:00")
    assert member(gateway, "numelink", f"A-{tag}")["city"]["value"] == "Bron"


def test_bad_rows_are_set_aside_with_a_reason_and_the_rest_is_applied(
    importing: Import, gateway: httpx2.Client, tag: str, tmp_path: Path
) -> None:
    text = (
        "record_id;name;email;country;paid_until\n"
        f"A-{tag};Ateliers {tag};not an address;Neverland;2026-12-31\n"
        f"B-{tag};;b@b.example;France;2026-12-31\n"
        f"C-{tag};Forges {tag};c@c.example;France;31/02/2026\n"
        f"D-{tag};{'x' * 300};d@d.example;France;\n"
        f"A-{tag};Somebody else {tag};;;\n"
    )
    code, report = importing("numelink/membership", text)

    (file,) = report["files"]
    assert code == 3
    assert (file["rows"], file["accepted"], file["rejected"]) == (5, 2, 3)
    assert [(item["line"], item["field"]) for item in file["rejections"]] == [
        (3, "name"),
        (4, "paid_until"),
        (6, "record_id"),
    ]
    assert "31/02/2026" in (tmp_path / "rejects.csv").read_text("utf-8-sig")
    view = member(gateway, "numelink", f"A-{tag}")
    (source,) = view["sources"]
    assert (view["email"]["value"], view["country"]["value"]) == ("not an address", "Neverland")
    assert {item["field"] for item in source["problems"]} == {"email", "country"}
    assert member(gateway, "numelink", f"D-{tag}")["name"]["value"] == "x" * 300


def test_what_other_services_mirror_shows_in_the_view_in_whatever_order_it_came(
    importing: Import, gateway: httpx2.Client, tag: str
) -> None:
    invoice = {
        "invoice_id": f"F-{tag}", "version": 1, "record_id": f"A-{tag}", "number": f"FA-{tag}",
        "issued_on": "2026-01-10", "period_ends_on": "2026-12-31", "net": "500.00", "vat": "100.00", "gross": "600.00",
    }  # fmt: skip
    payment = {
        "payment_id": f"R-{tag}", "version": 1, "record_id": f"A-{tag}", "invoice_id": f"F-{tag}",
        "paid_on": "2026-02-01", "amount": "600.00",
    }  # fmt: skip
    consent = {
        "consent_id": f"C-{tag}", "version": 1, "record_id": f"A-{tag}", "channel": "email", "purpose": "newsletter",
        "status": "withdrawn", "decided_at": "2026-03-01T10:00:00+01:00",
    }  # fmt: skip
    registration = {
        "registration_id": f"I-{tag}", "version": 1, "event_id": f"E-{tag}", "record_id": f"A-{tag}",
        "registered_at": "2026-03-01T10:00:00+01:00",
    }  # fmt: skip
    event = {"event_id": f"E-{tag}", "version": 1, "title": "Matinale", "starts_at": "2026-04-01T08:30:00+02:00"}

    importing("numelink/billing", json.dumps(invoice), "invoices.jsonl")
    importing("numelink/communications", json.dumps(consent), "consents.jsonl")
    importing("numelink/events", json.dumps(registration), "registrations.jsonl")
    importing("numelink/membership", f"record_id;name\nA-{tag};Ateliers {tag}\n")
    importing("numelink/events", json.dumps(event), "events.jsonl")
    importing("numelink/billing", json.dumps(payment), "payments.jsonl")

    view = member(gateway, "numelink", f"A-{tag}")
    assert (view["dues"]["invoiced"], view["dues"]["outstanding"]) == ("600.00", "0.00")
    assert view["paid_until"] == "2026-12-31"
    assert view["registrations"][0]["event"]["title"] == "Matinale"
    (verdict,) = view["consents"]["in_force"]
    assert (verdict["allowed"], verdict["because_of"]) == (False, f"numelink/A-{tag}#C-{tag}")
