"""``python -m deploy.demo``: the main job, from nothing to consolidated views, on private local nodes."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from deploy.demo.generate import generate
from deploy.demo.story import Story
from deploy.errors import NodeError
from deploy.local.house import ENVIRONMENT_FILE, run_services
from deploy.local.nodes import Nodes, local_nodes


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep everything running until Ctrl-C (this is `make up`).")
    ] = False,
    members: Annotated[int, typer.Option(min=1, max=100_000, help="Members of each cluster.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same companies.")] = 42,
) -> None:
    """Two fictional clusters' exports in, one consolidated view of every member out.

    Examples: make demo · make up · python -m deploy.demo --members 5000
    """
    # However it is asked to end, also by a shell that started it in the background, it puts its things away.
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.default_int_handler)
    began = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    try:
        with TemporaryDirectory(prefix="traboule-demo-") as folder:
            exports = generate(Path(folder) / "exports", seed=seed, members=members)
            console.print("[bold]Traboule[/]: two clusters, eight former systems, one view of every member")
            console.print("starting a private PostgreSQL and RabbitMQ …")
            with local_nodes() as nodes:
                _refuse_to_disturb(nodes)
                console.print(f"  both up in {nodes.boot_seconds:.1f} s; starting four services …")
                environment = ENVIRONMENT_FILE if keep else None
                with run_services(nodes, folder=Path(folder) / "logs", environment_file=environment) as services:
                    story = Story(console, services, exports, Path(folder))
                    story.run()
                    console.print(f"\n[green]done[/] in {time.monotonic() - began:.0f} s")
                    if keep:
                        story.print_addresses()
                        _wait_for_interrupt()
    except NodeError as error:
        console.print(f"[red]{error}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _refuse_to_disturb(nodes: Nodes) -> None:
    """On a server that the environment names there may be a real house: its passwords and its members are not ours."""

    async def known() -> bool:
        connection = await asyncpg.connect(nodes.database.url, timeout=10)
        try:
            return bool(await connection.fetchval("select 1 from pg_database where datname = 'traboule_membership'"))
        finally:
            await connection.close()

    if not nodes.database.owned and asyncio.run(known()):
        raise NodeError(
            "the database server that TRABOULE_DATABASE_URL names already carries a house (traboule_membership): "
            "the demo would change its passwords and add fictional members. Name an empty server, or none"
        )


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    typer.run(demo)
