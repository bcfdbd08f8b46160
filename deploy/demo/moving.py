"""The demo's chapter about moving a former system over: compare, switch, a late write, back, and over again."""

import asyncio
import csv
import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aio_pika
from rich.console import Console

from deploy.demo.operating import counted, move, read_way_back, run
from deploy.demo.settling import wait_until_settled
from schemas.envelope import encode, routing_key, source_of
from schemas.membership import MemberRecorded

SYSTEM = "numelink/membership"
DYNAMIC_FIELDS = "galette_dynamic_fields_full.csv"


@dataclass(frozen=True)
class GatewayContext:
    """Where members are read and changed, and the key for it."""

    url: str
    key: str

    def change(self, record_id: str, fields: Mapping[str, Any], reason: str) -> None:
        """Change a source record, as a staff tool does. Raises HTTPError."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/records/numelink/{record_id}",
            json.dumps({"fields": fields, "reason": reason}).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "If-Match": "*"},
            method="PATCH",
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10):
            return


def show_moving(console: Console, env: Mapping[str, str], export: Path, folder: Path, gateway: GatewayContext) -> None:
    """Move Numelink's membership over and back and over again, as an operator would, and show the board."""
    console.print("[bold]Moving numelink/membership over[/] (traboule cutover)")
    broker_url = env["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]

    def print_step(step: str) -> None:
        console.print(f"  {step}", highlight=False)

    run("cutover", "mirror", SYSTEM, "--reason", "its export is in")
    changed = _prove(print_step, env, export, folder)
    rehearsed = json.loads(run("rehearse", SYSTEM, "--json", codes=(0, 1)))["differences"]
    if rehearsed:
        run("differences", "accept", "--as", SYSTEM, "--rehearsal", "--reason", "its own reckoning is kept")
    otherwise = f"of {len(rehearsed)} memberships otherwise; accepted" if rehearsed else "the same of every membership"
    print_step(f"rehearsed what we would have said in its place: {otherwise}")
    run("cutover", "note-backup", "--note", "none: this is the demo")
    move(print_step, SYSTEM, "switch", "the board decided")

    gateway.change(changed, {"phone": "04 77 00 00 42"}, "told by phone")
    asyncio.run(_publish_late(broker_url))
    asyncio.run(wait_until_settled(env))
    [late] = json.loads(run("quarantine", "list", SYSTEM, "--json"))
    run("quarantine", "dismiss", late["id"], "--reason", "typed in the old system by habit")
    print_step(f"a member was changed here; a late write waited in quarantine as {late['id']}, and was dismissed")

    asyncio.run(wait_until_settled(env))
    unconfirmed = json.loads(run("cutover", "write-back", SYSTEM, "--json"))["records"]
    read = len(asyncio.run(read_way_back(broker_url, "numelink", "membership")))
    lossy = sum(bool(item["left_out"]) for item in unconfirmed)
    print_step(
        f"before going back: {len(unconfirmed)} records were written here, "
        f"{lossy} of which its columns cannot say whole;"
    )
    print_step(f"the former system read them from its own queue ({read} messages, as rows of {export.name})")
    move(print_step, SYSTEM, "rollback", "the office is not ready")
    move(print_step, SYSTEM, "switch", "now it is")
    os.environ["COLUMNS"] = str(console.width)  # the command prints into a file here, and would not know
    console.print(run("cutover", "status"), highlight=False)


def _prove(echo: Callable[[str], None], env: Mapping[str, str], export: Path, folder: Path) -> str:
    """Compare, find what was planted, mend it, and accept what is left; returns the id of the record that differed."""
    unreadable = {document["item_id"] for document in _compared(export) if document["what"] == "unreadable"}
    fresh, removed, changed = _plant(export, folder, unreadable)
    counter = Counter(document["what"] for document in _compared(fresh))
    echo(f"compared with a fresh export: {counted(counter)}")
    removals = folder / "removed.csv"
    removals.write_text(f"record_id\n{removed}\n", "utf-8")
    rejects = folder / "rejects-again.csv"
    run("import", "--as", SYSTEM, *_files(fresh), "--rejects", str(rejects), "--json", codes=(0, 3))
    run("import", "--as", SYSTEM, str(removals), "--json")
    asyncio.run(wait_until_settled(env))
    left = Counter(document["what"] for document in _compared(fresh))
    echo(f"mended by importing it and what it removed: {counted(left)} left, accepted with a reason")
    for what in left:
        run("differences", "accept", "--as", SYSTEM, "--what", what, "--reason", "sent back to be corrected there")
    return changed


def _plant(export: Path, folder: Path, unreadable: Collection[str]) -> tuple[Path, str, str]:
    """A later export in which one member is new, one is elsewhere, and one is gone; those two's ids."""
    with export.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    town, company = header.index("Ville "), header.index("Personne morale ")
    seen = Counter(row[0] for row in rows)
    sound = [row for row in rows if len(row) == len(header) and row[company] and seen[row[0]] == 1]
    absent, moved, *_ = (row for row in sound if row[0] not in unreadable)
    new = [*moved]
    moved[town] = "Feurs"
    new[0], new[company] = "9900", "Néons du Forez SARL"
    fresh = folder / "galette-adherents.csv"
    with fresh.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(
            [header, *(row for row in rows if row is not absent), new]
        )
    # It goes wherever the members go.
    (folder / DYNAMIC_FIELDS).write_bytes((export.parent / DYNAMIC_FIELDS).read_bytes())
    return fresh, absent[0], moved[0]


def _files(members: Path) -> list[str]:
    """The members, and beside them the fields that their association added."""
    return [str(members), str(members.parent / DYNAMIC_FIELDS)]


def _compared(export: Path) -> list[dict[str, Any]]:
    return json.loads(run("parity", "--as", SYSTEM, *_files(export), "--json", codes=(0, 1)))["differences"]


async def _publish_late(broker_url: str) -> None:
    """What somebody types into the former system after the switch."""
    late = {"record_id": "9901", "version": time.time_ns() // 1_000, "name": "Trop tard SARL"}
    fact = MemberRecorded.model_validate(late)
    message = encode(source_of("numelink", "membership"), [fact])
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("traboule", ensure=False)
        sent = aio_pika.Message(
            message.body, content_type=message.content_type, user_id="numelink.membership", delivery_mode=2
        )
        await exchange.publish(sent, routing_key("numelink", MemberRecorded))
