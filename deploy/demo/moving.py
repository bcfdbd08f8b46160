"""The demo's chapter about moving a former system over: compare, switch, a late write, back, and over again."""

import asyncio
import contextlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aio_pika
from rich.console import Console

from deploy.demo.settling import wait_until_settled
from deploy.local.errors import NodeError
from schemas.envelope import encode, routing_key, source_of
from schemas.membership import MemberRecorded
from services.cli import app as traboule
from shared.messaging.topology import way_back_queue

SYSTEM = "numelink/membership"


def tell_moving(console: Console, env: Mapping[str, str], export: Path) -> None:
    """Move Numelink's membership over and back and over again, as an operator would, and show the board."""
    steps = ["[bold]Moving numelink/membership over[/] (traboule cutover)"]
    _run("cutover", "mirror", SYSTEM, "--reason", "its export is in")
    compared = json.loads(_run("parity", "--as", SYSTEM, str(export), "--json", codes=(0, 1)))
    found = Counter(one["what"] for one in compared["differences"])
    told = ", ".join(f"{count} {what}" for what, count in sorted(found.items())) or "no difference"
    steps.append(f"  compared with its export: {told}; accepted with a reason")
    for what in found:
        _run("differences", "accept", "--as", SYSTEM, "--what", what, "--reason", "planted by the demo")
    _run("cutover", "note-backup", "--note", "the demo's")
    failed = [
        one["name"] for one in json.loads(_run("cutover", "open", SYSTEM, "--json", codes=(0, 1))) if not one["holds"]
    ]
    overruled = [word for name in failed for word in ("--overrule", name)]
    _run("cutover", "switch", SYSTEM, "--reason", "the board decided", *overruled)
    steps.append(f"  switched: Traboule is the authority (overruled: {', '.join(failed) or 'nothing'})")
    asyncio.run(_say_late(env["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]))
    asyncio.run(wait_until_settled(env))
    [late] = json.loads(_run("quarantine", "list", SYSTEM, "--json"))
    _run("quarantine", "dismiss", late["id"], "--reason", "typed in the old system by habit")
    steps.append(f"  a late write waited in quarantine as {late['id']}, and was dismissed with a reason")
    asyncio.run(wait_until_settled(env))
    read = asyncio.run(_read_way_back(env["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]))
    steps.append(f"  the former system read what we hold instead ({read} message) from its own queue")
    _run("cutover", "rollback", SYSTEM, "--reason", "the office is not ready")
    _run("cutover", "switch", SYSTEM, "--reason", "now it is", *overruled)
    steps.append("  rolled back, and switched again")
    console.print("\n".join(steps), highlight=False)
    os.environ["COLUMNS"] = str(console.width)  # the command prints into a file here, and would not know
    console.print(_run("cutover", "status"), highlight=False)


async def _say_late(broker_url: str) -> None:
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


async def _read_way_back(broker_url: str) -> int:
    """What the former system does with its own queue; how many messages it took from there."""
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(way_back_queue("numelink", "membership").name, ensure=False)
        read = 0
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            read += 1
        return read


def _run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    """A command in this process, as an operator types it; what it printed. Raises NodeError."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            ended: Any = traboule(list(words), standalone_mode=False)
        except SystemExit as exit_:
            ended = exit_.code
    if (ended or 0) not in codes:
        raise NodeError(f"traboule {' '.join(words)} ended with {ended}: {err.getvalue().strip()}")
    return out.getvalue()
