"""``traboule parity`` and ``traboule differences`` as an operator types them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from tests.support.builders import a_payment, an_invoice
from tests.support.command import traboule
from tests.support.parity import Mirrored, a_mirror, empty

FIRST, OTHER, THIRD = (an_invoice(invoice_id=f"F{n}", number=f"FA-{n}") for n in (1, 2, 3))
DEARER = FIRST.model_copy(update={"gross": Decimal("121")})
RENAMED = OTHER.model_copy(update={"label": "<b>Cotisation</b> & [bold]co[/]"})
PAYMENT = a_payment(payment_id="P1")
WHY = ("--reason", "rounded over there", "--by", "m.durand")


@pytest.fixture(scope="module")
def database(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with a_mirror(nodes, tmp_path_factory.mktemp("exports"), "billing") as mirrored:
        yield mirrored


@pytest.fixture
async def billing(database: Mirrored) -> Mirrored:
    """Three invoices and a payment are held."""
    await empty(database)
    await database.imports(FIRST, OTHER, THIRD, PAYMENT)
    return database


async def listed(billing: Mirrored, *words: str) -> list[dict[str, Any]]:
    return (await billing.command("differences", "list", *words, "--json")).json["differences"]


async def test_a_clean_comparison_says_so(billing: Mirrored) -> None:
    shown = (await billing.parity(FIRST, OTHER, THIRD, PAYMENT)).out

    assert "✓ numelink/billing is clean" in shown
    assert "360.00" in shown
    assert "no open differences" in (await billing.command("differences", "list")).out


async def test_differences_are_shown_with_sums_and_examples(billing: Mirrored) -> None:
    shown = (await billing.parity(DEARER, RENAMED, PAYMENT, ends=1)).out

    for line in ("invoice missing-there: 1 open of 1", "gross: 121.00 → 120.00", "label: <b>Cotisation</b>", "[bold]co",
                 "241.00", "+119.00", "✗ numelink/billing: 3 open"):  # fmt: skip
        assert line in shown, line
    (document,) = await listed(billing, "--field", "gross")
    whole = (await billing.command("differences", "show", document["id"])).out
    assert "121.00" in whole
    assert (await billing.command("differences", "show", document["id"], "--json")).json == document


async def test_what_is_accepted_is_clean_until_it_changes(billing: Mirrored) -> None:
    await billing.parity(DEARER, OTHER, THIRD, PAYMENT, ends=1)
    (document,) = await listed(billing)

    done = (await billing.command("differences", "accept", document["id"], *WHY, "--json")).json
    assert done == {"accepted": [document["id"]]}
    assert "nothing to change" in (await billing.command("differences", "accept", document["id"], *WHY)).out
    assert await listed(billing) == []
    (accepted,) = await listed(billing, "--state", "accepted")
    assert (accepted["accepted"]["reason"], accepted["accepted"]["by"]) == ("rounded over there", "m.durand")
    assert "accepted differences: 1" in (await billing.parity(DEARER, OTHER, THIRD, PAYMENT)).out

    dearest = DEARER.model_copy(update={"gross": Decimal("122")})
    await billing.parity(dearest, OTHER, THIRD, PAYMENT, ends=1)
    await billing.parity(DEARER, OTHER, THIRD, PAYMENT)

    await billing.command("differences", "take-back", document["id"][:6], "--reason", "it was ours to fix")
    await billing.parity(DEARER, OTHER, THIRD, PAYMENT, ends=1)
    history = (await billing.command("differences", "history", "--json")).json
    assert [(row["open"], row["accepted"]) for row in history] == [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0)]


async def test_many_are_accepted_by_a_filter(billing: Mirrored) -> None:
    await billing.parity(DEARER, RENAMED, ends=1)

    await billing.command("differences", "accept", "--kind", "invoice", "--what", "different", *WHY)
    left = [(document["kind"], document["what"]) for document in await listed(billing)]
    assert left == [("invoice", "missing-there"), ("payment", "missing-there")]

    await billing.command("differences", "accept", *[document["id"] for document in await listed(billing)], *WHY)
    assert await listed(billing) == []
    await billing.command("differences", "take-back", "--field", "label", "--reason", "no")
    assert [document["fields"] for document in await listed(billing)] == [["label"]]


async def test_a_record_keeps_its_owner(billing: Mirrored) -> None:
    await billing.parity(DEARER, RENAMED, THIRD, PAYMENT, ends=1)
    await billing.command("differences", "assign", "--field", "gross", "--owner", "trésorerie")

    await billing.parity(DEARER.model_copy(update={"gross": Decimal("9")}), RENAMED, THIRD, PAYMENT, ends=1)

    assert [document["item_id"] for document in await listed(billing, "--owner", "trésorerie")] == ["F1"]
    assert "trésorerie" in (await billing.command("differences", "list")).out


async def test_a_row_that_cannot_be_read_is_a_difference(billing: Mirrored, tmp_path: Path) -> None:
    file = tmp_path / "factures.csv"
    file.write_text("invoice_id;record_id;number;issued_on;net;vat;gross\nF9;M1;1;15/01/2026;100;20;cent vingt\n")

    answer = await billing.command("parity", str(file), ends=1)

    assert "row unreadable: 1 open of 1" in answer.out
    assert "cent vingt" in answer.out
    assert "no file holds any payment, and 1 are held here: was a file forgotten?" in answer.out
    (item,) = [document for document in await listed(billing) if document["what"] == "unreadable"]
    assert (item["item_id"], item["fields"]) == ("F9", ["gross"])


async def test_the_page_escapes_what_members_wrote(billing: Mirrored, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    await billing.parity(DEARER, RENAMED, THIRD, ends=1, also=["--html", str(page), *WHY[2:]])

    text = page.read_text("utf-8")
    assert "&lt;b&gt;Cotisation&lt;/b&gt; &amp;" in text
    assert "<b>Cotisation" not in text
    for published in ("Montants TTC par année", "Gross amounts per year", "Manque là-bas", "m.durand", "361,00"):
        assert published in text
    for foreign in ("<script", "http://", "https://", "src=", "url("):
        assert foreign not in text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["parity", "x.csv", "--as", "numelink"], "write <cluster>/<service>"),
        (["parity", "x.csv", "--as", "nobody/billing"], "there is no cluster 'nobody'"),
        (["parity", "x.csv", "--as", "numelink/billing"], "x.csv: No such file"),
        (["parity", "x.csv", "--as", "numelink/billing", "--html", "/no/such/page.html"], "there is no such folder"),
        (["differences", "accept", "--as", "numelink/billing", "--reason", "x"], "name ids, or say --kind"),
        (["differences", "accept", "abcd", "--as", "numelink/billing", "--reason", " "], "--reason must be"),
        (["differences", "accept", "a%", "--as", "numelink/billing", "--reason", "x"], "no difference's id"),
        (["differences", "list", "--as", "numelink/billing", "--what", "odd"], "--what is one of"),
    ],
)
async def test_what_is_wrong_is_told(database: Mirrored, words: Sequence[str], text: str) -> None:
    answer = await traboule(*words)

    assert answer.exit_code == 2
    assert text in answer.err


async def test_an_unknown_table_is_refused_and_keeps_nothing(billing: Mirrored, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("a;b\n1;2\n")

    answer = await billing.command("parity", str(file), ends=2)

    assert "no fact of billing has these columns" in answer.err
    assert "was never compared" in (await billing.command("differences", "list", ends=1)).err
    assert (await billing.command("differences", "history", "--json")).json == []


async def test_an_id_that_is_not_there_is_told(billing: Mirrored) -> None:
    await billing.parity(FIRST, OTHER, THIRD, PAYMENT)

    answer = await billing.command("differences", "accept", "abcdef", *WHY, ends=1)

    assert "found no difference abcdef" in answer.err
