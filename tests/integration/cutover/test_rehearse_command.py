"""``traboule rehearse`` and ``traboule differences … --rehearsal`` as an operator types them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from services.billing.definition import DEFINITION as BILLING
from services.cutover.preconditions import Condition, Writers, conditions
from services.cutover.rehearsal.running import last_rehearsal
from services.cutover.stages import StageState
from tests.support.builders import a_payment, an_invoice
from tests.support.command import traboule
from tests.support.parity import Mirrored, a_mirror, empty
from tests.support.rehearsal import hears, in_stage, rehearse

PAID = an_invoice(invoice_id="F1", status="paid")
HALF = a_payment(payment_id="P1", invoice_id="F1", amount=Decimal("60"))
REST = HALF.model_copy(update={"payment_id": "P2"})
WHY = ("--reason", "paid in cash", "--by", "m.durand")


@pytest.fixture(scope="module")
def database(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with a_mirror(nodes, tmp_path_factory.mktemp("exports"), "billing") as mirrored:
        yield mirrored


@pytest.fixture
async def billing(database: Mirrored) -> Mirrored:
    """One invoice that is said to be paid, and half of the money."""
    await empty(database)
    await in_stage(database, "mirror")
    await hears(database, PAID, HALF)
    return database


async def listed(billing: Mirrored, *words: str) -> list[dict[str, Any]]:
    return (await billing.command("differences", "list", "--rehearsal", *words, "--json")).json["differences"]


async def test_a_rehearsal_shows_both_sides_and_where_to_go_on(billing: Mirrored) -> None:
    shown = (await rehearse(billing, "--by", "zoé", ends=1)).out

    for line in ("here: what we would have done", "settlement: on which invoices", "settlement different: 1 open of 1",
                 "owed: false → true", "because: – → 60.00 paid and 0.00 credited of 120.00", "+120.00",
                 "✗ numelink/billing: 1 open", "differences list --as numelink/billing --rehearsal"):  # fmt: skip
        assert line in shown, line
    published = (await rehearse(billing, "--json", ends=1)).json
    assert (published["subject"], published["since"], published["source"]) == (
        "rehearsal",
        "2025-01-01",
        ["since 2025-01-01"],
    )

    await hears(billing, REST)
    assert "✓ numelink/billing is clean" in (await rehearse(billing)).out


async def test_what_is_accepted_stays_so_until_we_would_do_otherwise(billing: Mirrored) -> None:
    await rehearse(billing, ends=1)
    (document,) = await listed(billing)
    await billing.command("differences", "assign", document["id"], "--owner", "trésorerie", "--rehearsal")
    whole = (await billing.command("differences", "show", document["id"], "--rehearsal")).out
    assert "60.00 paid" in whole
    assert "trésorerie" in whole

    await billing.command("differences", "accept", document["id"], *WHY, "--rehearsal")
    await rehearse(billing)
    assert await listed(billing) == []
    await billing.command("differences", "take-back", document["id"], "--reason", "no", "--rehearsal")
    await rehearse(billing, ends=1)
    await billing.command("differences", "accept", "--kind", "settlement", *WHY, "--rehearsal")

    await hears(billing, REST.model_copy(update={"amount": Decimal("1")}))
    await rehearse(billing, ends=1)
    history = (await billing.command("differences", "history", "--rehearsal", "--json")).json
    assert [(row["open"], row["accepted"]) for row in history] == [(1, 0), (1, 0), (0, 1), (1, 0)]
    assert [document["owner"] for document in await listed(billing)] == ["trésorerie"]


async def test_parity_and_rehearsals_are_kept_apart(billing: Mirrored) -> None:
    await billing.parity(PAID, HALF)
    missing = (await billing.command("differences", "list", "--rehearsal", ends=1)).err
    assert "was never rehearsed: traboule rehearse numelink/billing" in missing
    assert "never rehearsed" in (await billing.command("differences", "history", "--rehearsal")).out

    await rehearse(billing, ends=1)

    assert "no open differences in the comparison" in (await billing.command("differences", "list")).out
    history = (await billing.command("differences", "history", "--json")).json
    assert [row["open"] for row in history] == [0]


async def test_only_what_was_done_since_then_is_looked_at(billing: Mirrored) -> None:
    old = {"status": "paid", "issued_on": datetime.now(UTC).date() - timedelta(days=400)}
    await hears(billing, REST, an_invoice(invoice_id="old", **old))

    answer = await traboule("rehearse", billing.system, "--json")
    assert (answer.exit_code, answer.json["counts"]["settlement"]["there"]) == (0, 1)
    answer = await traboule("rehearse", billing.system, "--since", str(old["issued_on"]), "--json")
    assert (answer.exit_code, [item["item_id"] for item in answer.json["differences"]]) == (1, ["old"])


async def test_a_rehearsal_of_too_little_does_not_open_the_gate(billing: Mirrored) -> None:
    async def condition() -> Condition:
        async with billing.database.engine() as engine, engine.begin() as connection:
            rehearsed = await last_rehearsal(connection, BILLING, "numelink")
            at = StageState("mirror")
            result = await conditions(
                connection, "billing", "numelink", at, {}, None, rehearsed, Writers(None, ""), takes_commands=False
            )
            return next(condition for condition in result if condition.name == "rehearsal")

    today = datetime.now(UTC).date()
    await hears(billing, REST)
    assert (await condition()).detail == "what we would have done was never compared with what it did"

    short = today - timedelta(days=364)
    assert (await traboule("rehearse", billing.system, "--since", str(short))).exit_code == 0
    refused = await condition()
    assert not refused.holds
    assert refused.detail.endswith(
        f"since {short} (dues 0, settlement 1), 0 open differences: it has to go back a year"
    )
    assert refused.remedy == "traboule rehearse numelink/billing"

    assert (await traboule("rehearse", billing.system)).exit_code == 0
    stored = await condition()
    assert stored.holds
    assert stored.detail.endswith(f"since {today - timedelta(days=365)} (dues 0, settlement 1), 0 open differences")

    await billing.sql("update invoices set issued_on = issued_on - 1000")
    assert (await traboule("rehearse", billing.system)).exit_code == 0
    nothing = await condition()
    assert not nothing.holds
    assert nothing.detail.endswith(
        "(dues 0, settlement 0), 0 open differences: it compared nothing, and 3 records are held"
    )
    assert "--since DAY" in nothing.remedy
    await billing.sql("delete from payments")
    await billing.sql("delete from invoices")
    assert (await condition()).holds, "there is nothing that could be compared"


async def test_a_page_is_written_and_escaped(billing: Mirrored, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    await hears(billing, an_invoice(invoice_id="<b>F2</b>", status="paid"))
    await rehearse(billing, "--html", str(page), ends=1)

    text = page.read_text("utf-8")
    for published in ("répétition", "&lt;b&gt;F2&lt;/b&gt;", "Factures restant dues", "since 2025-01-01"):
        assert published in text, published
    assert "<b>F2" not in text


async def test_nothing_leaves_and_only_the_run_is_kept(billing: Mirrored) -> None:
    async with billing.database.engine() as engine, engine.begin() as connection:
        count = "select (select count(*) from outbox), (select count(*) from inbox), (select count(*) from parity_runs)"
        before = tuple((await connection.exec_driver_sql(count)).one())
        await rehearse(billing, ends=1)
        after = tuple((await connection.exec_driver_sql(count)).one())

    assert after == (*before[:2], before[2] + 1)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["numelink"], "write <cluster>/<service>"),
        (["nobody/billing"], "there is no cluster 'nobody'"),
        (["numelink/billing", "--since", "yesterday"], "does not match the format"),
        (["numelink/billing", "--since", "2199-01-01"], "is still to come"),
        (["numelink/billing", "--html", "/no/such/page.html"], "there is no such folder"),
        (["numelink/billing", "--by", "a\nb" * 200], "--by must be"),
        (["clustr-numerique/billing"], "traboule cutover mirror clustr-numerique/billing --reason"),
    ],
)
async def test_what_is_wrong_is_told_and_keeps_nothing(billing: Mirrored, words: Sequence[str], text: str) -> None:
    answer = await traboule("rehearse", *words)

    assert answer.exit_code == 2
    assert text in " ".join(answer.err.replace("│", " ").split())
    assert (await billing.command("differences", "history", "--rehearsal", "--json")).json == []


async def test_a_database_that_is_away_is_told(billing: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")

    answer = await traboule("rehearse", billing.system)

    assert answer.exit_code == 2
    assert "the billing service's database" in answer.err
    assert "secret" not in answer.err
