"""The demo's chapter about billing: a grid tried, billing moved over, a run, a corrected merge, and back; a payment."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import aio_pika
from rich.console import Console
from rich.table import Table

from deploy.demo.operating import Echo, counted, differences, move, read_way_back, run
from deploy.demo.settling import wait_until_settled
from deploy.errors import NodeError
from schemas.billing import InvoiceRecorded
from schemas.envelope import encode, routing_key, source_of
from shared.runtime.clock import Clock

SYSTEM = "numelink/billing"
ISSUER = "merged"
SETTLED_SECONDS = 3.0
"""Within them what changed in membership is described to billing."""
PATIENCE = 30
"""Seconds for the files of one document, which the service makes in the background."""
_GRID = """
issuer = "merged"
name = "Grille {year}"
valid_from = {year}-01-01

[[lines]]
code = "dues"
label = "Cotisation"
price = {{ by = "headcount", unknown = "320.00", bands = [
    {{ up_to = 9, amount = "320.00" }}, {{ up_to = 25, amount = "600.00" }},
    {{ up_to = 50, amount = "900.00" }}, {{ amount = "1250.00" }},
] }}
"""


def show_billing(console: Console, env: Mapping[str, str], exports: Sequence[Path], folder: Path) -> None:
    """Move Numelink's billing over, bill a year, correct a merge, go back, bill nothing twice, and take a payment."""
    first = date(Clock().today().year + 1, 1, 1)
    console.print(f"[bold]Billing {first.year}[/] (traboule billing)")

    def print_step(step: str) -> None:
        console.print(f"  {step}", highlight=False)

    _simulate(console, print_step, first, folder)
    _switch(print_step, exports)
    held_back = _issue(print_step, first, "appel de cotisations")["held_back"]
    dual = sum(
        "clustr-numerique/billing" in item["why"] and item["record"].startswith("numelink") for item in held_back
    )
    print_step(f"held back: {dual} records of Numelink whose member Clust'R's former system still bills, by name")
    _correct_a_merge(print_step, env, first)
    _show_invoice(print_step, folder)
    broker_url = env["TRABOULE_BROKER_URL_NUMELINK_BILLING"]
    entered = asyncio.run(_enter_documents(broker_url))
    asyncio.run(wait_until_settled(env))
    print_step(f"the former system read {entered} documents from its own queue, and entered each under its number")
    move(print_step, SYSTEM, "rollback", "the office is not ready")
    move(print_step, SYSTEM, "switch", "now it is")
    again = _prepared(first, "appel de cotisations, une fois encore")
    print_step(f"a second run would issue {again['documents']} documents: nothing is billed twice")
    _pay_too_much(print_step)


def _simulate(console: Console, echo: Echo, first: date, folder: Path) -> None:
    """Show what a grid brings before anybody adopts it."""
    path = folder / "grille.toml"
    path.write_text(_GRID.format(year=first.year), "utf-8")
    grid_id = json.loads(run("billing", "propose-grid", str(path), "--reason", "bureau", "--json"))["grid_id"]
    simulation = json.loads(run("billing", "simulate", grid_id, "--first", str(first), "--json"))
    table = Table("Members of", title="A grid is tried: billed the year before, and by the grid", title_justify="left")
    for heading in ("Members", "Pay more", "Pay less", "Before", "After"):
        table.add_column(heading, justify="right")
    for row in [*simulation["by_cluster"], simulation["total"] | {"group": "all"}]:
        counts = [str(row[name]) for name in ("members", "more", "less")]
        table.add_row(row["group"], *counts, f"{row['before']} €", f"{row['after']} €")
    console.print(table)
    run("billing", "adopt-grid", grid_id, "--by", "tresoriere", "--reason", "assemblée générale")
    echo("adopted by the treasurer")


def _switch(echo: Echo, exports: Sequence[Path]) -> None:
    run("cutover", "mirror", SYSTEM, "--reason", "its export is in")
    unequal = differences(SYSTEM, *map(str, exports))
    for what in unequal:
        run("differences", "accept", "--as", SYSTEM, "--what", what, "--reason", "sent back to be corrected there")
    echo(f"{SYSTEM} compared with its export: {counted(unequal)}{', accepted' if unequal else ''}")
    rehearsed = json.loads(run("rehearse", SYSTEM, "--json", codes=(0, 1)))["differences"]
    for what in sorted({difference["what"] for difference in rehearsed}):
        words = ("--rehearsal", "--what", what, "--reason", "its own reckoning is kept")
        run("differences", "accept", "--as", SYSTEM, *words)
    echo(f"rehearsed what we would have billed in its place: {len(rehearsed)} otherwise, accepted")
    move(echo, SYSTEM, "switch", "the board decided")


def _prepared(first: date, reason: str) -> dict[str, Any]:
    words = ("billing", "prepare-run", "--issuer", ISSUER, "--first", str(first), "--by", "secretaire")
    return json.loads(run(*words, "--reason", reason, "--json"))


def _settled(first: date, reason: str) -> dict[str, Any]:
    """Prepare until nothing changes: members are described to billing some seconds after they changed."""
    before = _prepared(first, reason)
    while True:
        time.sleep(SETTLED_SECONDS)
        after = _prepared(first, reason)
        if _content_of(after) == _content_of(before):
            return after
        before = after


def _content_of(prepared: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prepared.items() if name not in ("run_id", "prepared_at", "reason")}


def _issue(echo: Echo, first: date, reason: str) -> dict[str, Any]:
    """Prepare, approve by another, and issue; returns what was prepared."""
    prepared = _settled(first, reason)
    signed = ("--by", "tresoriere", "--reason", reason, "--json")
    run("billing", "approve-run", prepared["run_id"], *signed)
    issued = json.loads(run("billing", "issue-run", prepared["run_id"], *signed))
    numbers = sorted(issued["numbers"])
    span = " to ".join(sorted({numbers[0], numbers[-1]}))
    echo(f"a run ({reason}) issued {issued['documents']} documents, {issued['total']} €: {span}")
    return prepared


def _correct_a_merge(echo: Echo, env: Mapping[str, str], first: date) -> None:
    """Two records were billed and turn out to be one member: the second invoice is credited."""
    invoices = json.loads(run("billing", "documents", "--json"))["items"]
    pair = sorted(item["record"] for item in invoices)[:2]
    run("duplicates", "confirm", *pair, "--reason", "la même entreprise")
    asyncio.run(wait_until_settled(env))
    items = json.loads(run("billing", "tasks", "--json"))["items"]
    task = next(item for item in items if item["cause"] == "merge")
    echo(f"a task: {task['sentence']} ({task['corrects']})")
    _issue(echo, first, "fusion de deux fiches")


def _show_invoice(echo: Echo, folder: Path) -> None:
    """The first invoice, once the service made its files."""
    documents = json.loads(run("billing", "documents", "--json"))["items"]
    number = min(item["number"] for item in documents if item["kind"] == "invoice")
    document = json.loads(run("billing", "document", number, "--json"))
    until = time.monotonic() + PATIENCE
    while not run("billing", "files", number, "--to", str(folder), codes=(0, 1, 2)):
        if time.monotonic() > until:
            raise NodeError(f"the files of {number} were not made within {PATIENCE} s: see the logs of billing")
        time.sleep(0.5)
    size = (folder / f"{number}.pdf").stat().st_size // 1000
    echo(f"{number} for {document['buyer']}: {document['lines'][0]['label']}, {document['gross']} €")
    echo(f"  why: {document['why']}")
    echo(f"  a PDF/A-3 of {size} kB with its Factur-X inside; payment reference {document['reference']}")


def _pay_too_much(echo: Echo) -> None:
    """A member pays its invoice and 50.00 € more: they are free, and the books agree."""
    documents = json.loads(run("billing", "documents", "--json"))["items"]
    credited = {item["corrects"] for item in documents}
    owed = [item for item in documents if item["kind"] == "invoice" and item["number"] not in credited]
    invoice = min(owed, key=lambda item: item["number"])
    amount = f"{Decimal(invoice['gross']) + 50:.2f}"
    words = ("--issuer", ISSUER, "--key", "REL-1-1", "--reason", "relevé de banque", "--json")
    paid = json.loads(run("billing", "payments", "record", invoice["record"], amount, *words))
    allocate = ("billing", "payments", "allocate", paid["payment_id"], invoice["number"])
    after = json.loads(run(*allocate, "--reason", "virement", "--json"))
    echo(f"a payment of {amount} € pays {invoice['number']}; {after['free']} € are free: two persons may refund them")
    year = str(Clock().today().year)
    rows = json.loads(run("billing", "ledger", "--issuer", ISSUER, "--year", year, "--json"))["rows"]
    debit, credit = (sum(Decimal(row[place].replace(",", ".")) for row in rows) for place in (11, 12))
    echo(f"the books have {rows[-1][2]} entries: {debit} € of debits, {credit} € of credits")


async def _enter_documents(broker_url: str) -> int:
    """What the former system does with the way back: it enters each document, and says it as its own."""
    documents = await read_way_back(broker_url, "numelink", "billing")
    facts = [_entered(document) for document in documents]
    message = encode(source_of("numelink", "billing"), facts)
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("traboule", ensure=False)
        sent = aio_pika.Message(
            message.body, content_type=message.content_type, user_id="numelink.billing", delivery_mode=2
        )
        await exchange.publish(sent, routing_key("numelink", InvoiceRecorded))
    return len(documents)


def _entered(document: Mapping[str, Any]) -> InvoiceRecorded:
    row = dict(zip(document["columns"], document["rows"][0], strict=True))
    return InvoiceRecorded(
        version=time.time_ns() // 1_000,
        invoice_id=f"W-{document['number']}",
        record_id=document["record_id"],
        number=document["number"],
        kind="credit-note" if document["kind"] == "credit-note" else "invoice",
        issued_on=row["émis le"],
        period_starts_on=row["période du"],
        period_ends_on=row["période au"],
        net=row["total TTC du document"],
        vat="0.00",  # type: ignore[arg-type] - read as the wire is
        gross=row["total TTC du document"],
    )
