"""``traboule billing``: a grid from a file to what a member owes, as a treasurer types it."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import ISSUERS
from services.billing.definition import DEFINITION
from services.billing.members.repository import keep_descriptions
from services.common.transactions import transaction
from shared.runtime.clock import Clock
from shared.runtime.settings import ServiceSettings
from tests.support.billing import a_description
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.merging import envelope

GRID = """
issuer = "merged"
name = "Grille 2027"
valid_from = 2027-01-01

[[lines]]
code = "dues"
label = "Cotisation"
price = { by = "headcount", bands = [{ up_to = 9, amount = "320.00" }, { amount = "600.00" }] }
"""
PERIOD = ("--first", "2027-01-01")


@pytest.fixture(scope="module")
def billing(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    """Its database and its queues; no process runs."""
    with own_service(nodes, passwords, "billing") as own, own.environment(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRABOULE_BILLING_ISSUERS_FILE", str(ISSUERS))
        yield own


async def test_a_grid_is_proposed_simulated_and_adopted_and_a_member_is_shown_what_it_owes(
    billing: OwnService, tmp_path: Path
) -> None:
    await billing.empty()
    async with transaction(DEFINITION, _settings(), "test") as uow:
        facts = (a_description("numelink", "1", "12"), a_description("numelink", "2", "trop", name="=Sans nombre"))
        await keep_descriptions(uow, [envelope(fact) for fact in facts])
    (tmp_path / "grid.toml").write_text(GRID)
    proposed = await traboule("billing", "propose-grid", str(tmp_path / "grid.toml"), "--reason", "bureau", "--json")
    grid = proposed.json["grid_id"]
    table = tmp_path / "simulation.csv"
    shown = await traboule("billing", "simulate", grid, *PERIOD, "--csv", str(table))
    assert (shown.exit_code, "600.00" in shown.out, "Sans nombre" in shown.out) == (0, True, True)
    with table.open(encoding="utf-8-sig") as file:
        rows = {row["records"]: row for row in csv.DictReader(file, delimiter=";")}
    assert (rows["numelink/1"]["after"], rows["numelink/2"]["name"]) == ("600.00", "'=Sans nombre")
    neighbour = tmp_path / "comparison.csv"
    compared = await traboule("billing", "compare", grid, *PERIOD, "--csv", str(neighbour))
    assert (compared.exit_code, "rien n'a été facturé" in compared.out) == (0, True)
    assert "not-billed-there" in neighbour.read_text("utf-8-sig")
    adopt = ("billing", "adopt-grid", grid, "--reason", "assemblée")
    refused = await traboule(*adopt)
    assert (refused.exit_code, "somebody else, with a key" in refused.err) == (2, True)
    assert (await traboule(*adopt, "--by", "tresoriere")).exit_code == 0
    assert "tresoriere" in (await traboule("billing", "grids")).out
    owed = ("billing", "owed", "numelink/1", "--issuer", "merged", *PERIOD)
    assert (await traboule(*owed, "--json")).json["amount"] == "600.00"
    assert "12 people, band 10" in (await traboule(*owed, "--language", "en")).out
    decide = ("billing", "decide", "remit", "numelink/1", *PERIOD, "--amount", "50.00", "--reason", "geste", "--json")
    decision = (await traboule(*decide)).json["decision_id"]
    assert (await traboule(*owed, "--json")).json["amount"] == "550.00"
    assert (await traboule("billing", "take-back", decision, "--reason", "erreur")).exit_code == 0
    assert "erreur" in (await traboule("billing", "decisions", "--record", "numelink/1")).out


async def test_a_run_is_prepared_approved_issued_and_looked_at(billing: OwnService, tmp_path: Path) -> None:
    await billing.query("insert into stages values ('clustr-numerique', 'live', 1, now(), 'x')")
    await billing.query("insert into stages values ('numelink', 'live', 1, now(), 'x')")
    why = ("--reason", "appel 2027")
    prepared = await traboule("billing", "prepare-run", "--issuer", "merged", *PERIOD, *why, "--json")
    run = prepared.json["run_id"]
    shown = await traboule("billing", "run", run)
    assert (shown.exit_code, "12 personnes" in shown.out, "numelink/2" in shown.out) == (0, True, True)
    issue = ("billing", "issue-run", run, "--by", "tresoriere", *why)
    assert "nobody has approved it" in (await traboule(*issue)).err
    assert (await traboule("billing", "approve-run", run, "--by", "tresoriere", *why)).exit_code == 0
    (number,) = (await traboule(*issue, "--json")).json["numbers"]
    assert number in (await traboule("billing", "documents", "--record", "numelink/1")).out
    assert "Cotisation du 01/01/2027" in (await traboule("billing", "document", number)).out
    assert (await traboule("billing", "document", "F-1999-000001")).exit_code == 1
    assert run in (await traboule("billing", "runs")).out
    await traboule("billing", "decide", "exempt", "numelink/1", "--reason", "école publique")
    assert "école publique" in (await traboule("billing", "tasks")).out
    assert (await traboule("billing", "tasks", "--json")).json["items"][0]["cause"] == "decision"
    early = await traboule("billing", "files", number, "--to", str(tmp_path))
    assert (early.exit_code, "not made yet" in early.err) == (2, True)
    assert (await traboule("billing", "render")).exit_code == 0
    assert (await traboule("billing", "files", number, "--to", str(tmp_path))).exit_code == 0
    pdf, xml = [(tmp_path / f"{number}.{kind}").read_bytes() for kind in ("pdf", "xml")]
    assert (pdf[:5], number.encode() in xml) == (b"%PDF-", True)
    digests = await billing.column("select sha256 from document_files order by kind")
    assert [bytes(each) for each in digests] == [sha256(content).digest() for content in (pdf, xml)]
    assert "is there already" in (await traboule("billing", "files", number, "--to", str(tmp_path))).err
    assert (await traboule("billing", "series", "--json")).json["items"][0]["missing"] == 0
    correct = ("billing", "correct", number, "--cause", "gesture", "--by", "tresoriere", *why)
    assert "--line x: write a line's place" in (await traboule(*correct, "--line", "x")).err
    credit = await traboule(*correct, "--line", "0=50.00", "--json")
    assert (credit.json["gross"], credit.json["corrects"]) == ("50.00", number)
    assert (await traboule(*correct, "--first", "2027-12-01", "--last", "2027-12-31")).exit_code == 0
    assert "that are left of it" in (await traboule(*correct, "--line", "0=600.00")).err


async def test_overdue_documents_are_looked_at_then_reminded_of(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, day = (await billing.query("select number, due_on from documents where kind <> 'credit-note'"))[0].values()
    monkeypatch.setattr(Clock, "today", lambda _: day + timedelta(days=1))
    look = await traboule("billing", "remind", "--issuer", "merged", "--dry-run")
    assert (look.exit_code, number in look.out, "would be reminded of" in look.out) == (0, True, True)
    assert await billing.query("select * from reminders") == []
    sent = await traboule("billing", "remind", "--issuer", "merged", "--json")
    assert [(item["number"], item["reminder"]) for item in sent.json["items"]] == [(number, 1)]
    again = await traboule("billing", "remind", "--issuer", "merged")
    assert (again.exit_code, "0 documents were reminded of" in again.out) == (0, True)
    [row] = await billing.query("select level, author, reason from reminders")
    assert (row["level"], row["reason"]) == (1, "relance")


async def test_a_payment_is_recorded_allocated_undone_paid_back_and_returned(
    billing: OwnService, tmp_path: Path
) -> None:
    [number] = await billing.column("select number from documents where kind = 'invoice'")
    why = ("--reason", "relevé 12")
    paid = ("billing", "payments", "record", "numelink/1", "700.00", "--issuer", "merged", *why, "--json")
    first = (await traboule(*paid, "--key", "REL-1")).json["payment_id"]
    assert (await traboule(*paid, "--key", "REL-1")).json["payment_id"] == first
    allocate = ("billing", "payments", "allocate", first)
    assert "of 499.04 € that are owed" in (await traboule(*allocate, f"{number}=600.00", *why)).err
    part = (await traboule(*allocate, f"{number}=499.04", *why, "--json")).json["allocations"][0]
    assert number in (await traboule("billing", "payments", "show", first)).out
    assert "200.96" in (await traboule("billing", "payments", "list", "--free")).out
    refund = ("billing", "payments", "refund", first, "--amount", "0.96", *why, "--json")
    [asked] = (await traboule(*refund)).json["refunds"]
    approve = ("billing", "payments", "approve-refund", asked["refund_id"], *why)
    assert "somebody else, with a key" in (await traboule(*approve)).err
    assert (await traboule(*approve, "--by", "tresoriere", "--json")).json["free"] == "200.00"
    undo = ("billing", "payments", "undo", part["allocation_id"], *why, "--json")
    assert (await traboule(*undo)).json["free"] == "699.04"
    other = (await traboule(*paid, "--key", "REL-2", "--means", "cheque")).json["payment_id"]
    back = await traboule(
        "billing", "payments", "returned", other, "--code", "UNPAID", "--fee", "12.30", *why, "--json"
    )
    assert back.json["returned"] == {"returned_on": str(Clock().today()), "code": "UNPAID", "fee": "12.30"}
    assert (await traboule("billing", "payments", "show", "00000000-0000-4000-8000-000000000000")).exit_code == 1
    ledger = ("billing", "ledger", "--issuer", "merged", "--year", str(Clock().today().year))
    assert (await traboule(*ledger, "--to", str(tmp_path))).exit_code == 0
    assert "is there already" in (await traboule(*ledger, "--to", str(tmp_path))).err
    [path] = tmp_path.glob("323456780FEC*1231.txt")
    lines = path.read_text("iso8859-15").splitlines()
    assert (lines[0].count("\t"), lines[0][:11], len(lines) - 1) == (17, "JournalCode", 2 * _entries(lines))
    assert sum(_cents(line.split("\t")[11]) - _cents(line.split("\t")[12]) for line in lines[1:]) == 0
    assert len((await traboule(*ledger, "--json")).json["rows"]) == len(lines) - 1
    closing = ("billing", "close-year", "--issuer", "merged", "--by", "tresoriere", *why, "--json")
    assert "close it once it is over" in (await traboule(*closing, "--year", str(Clock().today().year))).err
    last_year = Clock().today().year - 1
    assert (await traboule(*closing, "--year", str(last_year))).json["closed_until"] == f"{last_year}-12-31"


def _entries(lines: list[str]) -> int:
    return int(lines[-1].split("\t")[2])


def _cents(amount: str) -> int:
    return int(amount.replace(",", ""))


async def test_after_a_restore_the_last_files_that_were_sent_let_numbers_go_on(
    billing: OwnService, tmp_path: Path
) -> None:
    assert (await traboule("billing", "check")).exit_code == 0
    await billing.query("alter table series_comparisons disable trigger user")
    await billing.query("update series_comparisons set fingerprint = 'another'")
    await billing.query("alter table series_comparisons enable trigger user")
    checked = await traboule("billing", "check")
    assert (checked.exit_code, "the database was restored" in checked.out) == (1, True)
    year = (await billing.column("select year from documents limit 1"))[0]
    for name in ("F-{}-000001.pdf", "F-{}-000003.xml", "A-{}-000002.pdf", "A-{}-000001.xml", "notes {}.txt"):
        (tmp_path / name.format(year)).touch()
    compare = ("billing", "compare-series", "--reason", "restauration", "--by", "tresoriere")
    assert "--folder" in (await traboule(*compare)).err
    compared = await traboule(*compare, "--folder", str(tmp_path), "--json")
    assert [lost["last"] for lost in compared.json["lost"]] == [f"F-{year}-000003"]
    assert (await traboule("billing", "check", "--json")).json["compared"]


async def test_the_series_of_a_former_system_are_shown(billing: OwnService) -> None:
    sql = """
        insert into invoices (cluster, invoice_id, version, digest, record_id, kind, status, number, issued_on,
                              net, vat, gross, currency)
        values ('numelink', $1, 1, '\\x00', '1', 'invoice', 'issued', $1, '2026-01-01', 1, 0, 1, 'EUR')
    """
    for number in ("FA-1", "FA-3"):
        await billing.query(sql, number)
    shown = await traboule("billing", "former-series", "numelink")
    assert (shown.exit_code, "FA-2" in shown.out) == (0, True), shown.err
    assert (await traboule("billing", "former-series", "nowhere")).exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [("issuer = ", "neither TOML nor JSON"), (GRID.replace('"320.00"', '"-1.00"'), "bands.0.amount")],
)
async def test_a_file_that_is_no_grid_is_refused(
    billing: OwnService, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "grid.toml").write_text(content)
    refused = await traboule("billing", "propose-grid", str(tmp_path / "grid.toml"), "--reason", "bureau")
    assert (refused.exit_code, message in refused.err) == (2, True), refused.err


async def test_the_legal_bodies_are_listed(billing: OwnService) -> None:
    listed = await traboule("billing", "issuers")
    assert (listed.exit_code, "outside-vat" in listed.out) == (0, True)


def _settings() -> ServiceSettings:
    from services.cli.environment import configured

    return configured("billing")["billing"]
