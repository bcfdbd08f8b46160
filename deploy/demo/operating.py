"""What the demo's chapters do as an operator would: commands, moves, and the former system's own queue."""

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import aio_pika

from deploy.errors import NodeError
from services.cli.main import app as traboule
from shared.messaging.topology import way_back_queue

Echo = Callable[[str], None]
"""Prints a step."""


def run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
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


def move(echo: Echo, system: str, which: str, reason: str) -> None:
    """Switch or roll back, and overrule by name what does not hold."""
    conditions = json.loads(run("cutover", "check", system, "--for", which, "--json", codes=(0, 1)))
    failed = [condition["name"] for condition in conditions if not condition["holds"]]
    overruled = [word for name in failed for word in ("--overrule", name)]
    run("cutover", which, system, "--reason", reason, *overruled)
    authority = "Traboule" if which == "switch" else "the former system"
    echo(f"{which}: {authority} is the authority (overruled: {', '.join(failed) or 'nothing'})")


def counted(result: Mapping[str, int]) -> str:
    """Differences by kind, in words."""
    return ", ".join(f"{count} {what}" for what, count in sorted(result.items())) or "no difference"


def differences(system: str, *files: str) -> Counter[str]:
    """How many differences a comparison with these files shows, by kind."""
    result = json.loads(run("parity", "--as", system, *files, "--json", codes=(0, 1)))["differences"]
    return Counter(document["what"] for document in result)


async def read_way_back(broker_url: str, cluster: str, service: str) -> list[dict[str, Any]]:
    """What the former system does with its own queue; the facts that it took from there."""
    facts: list[dict[str, Any]] = []
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(way_back_queue(cluster, service).name, ensure=False)
        while (message := await queue.get(fail=False)) is not None:
            tree = json.loads(message.body)
            facts += [event["data"] for event in (tree if isinstance(tree, list) else [tree])]
            await message.ack()
    return facts
