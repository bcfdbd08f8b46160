"""``traboule backup``: all databases at one moment, and what is defined on the broker."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import orjson
import typer

from services import SERVICES, VERSION
from services.cli.backup import broker as backup_broker
from services.cli.backup import folder as backup_folder
from services.cli.backup.databases import Snapshot, dump, snapshots
from services.cli.backup.folder import DEFINITIONS, FORMAT, Database, Manifest
from services.cli.cutover import operations
from services.cli.environment import configured
from shared.cli.author import who
from shared.cli.options import By, Json
from shared.cli.shutdown import in_order
from shared.cli.terminal import as_json, refuse, run, size
from shared.messaging.accounts import vhost_of
from shared.runtime.settings import ServiceSettings


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="to be made; its parent must be there")],
    by: By = "",
    json: Json = False,
) -> None:
    """Back up all databases and the broker's definitions, while the services run.

    All four databases are taken at one moment, for which writers wait some milliseconds. The folder holds members'
    data and the hashes of broker passwords: only its owner may read it. The gate of [bold]traboule cutover check[/]
    asks for a backup of today.

    What the queues held at that moment is not in it: see [bold]traboule restore --help[/]. Needs
    TRABOULE_BROKER_MANAGEMENT_URL, and a pg_dump as new as the server.

    Name a folder inside one that the disk brings with it: where that disk is not mounted, nothing is written then.

    Example: [bold]traboule backup /mnt/nas/traboule/$(date +%F)[/]
    """
    services = configured()
    if missing := [name for name in SERVICES if name not in services]:
        refuse(f"not configured here: {', '.join(missing)}. A backup of some services would be of no moment")
    folder = folder.absolute()
    manifest = run(in_order(_backup(folder, services, who(by), quiet=json)))
    left = _left_behind(folder)
    if json:
        as_json({"folder": str(folder), "left_behind": left, **manifest.as_json()})
    else:
        blocked = manifest.held_up_seconds * 1000
        typer.echo(f"all as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC; writers waited {blocked:.0f} ms for it")
        if manifest.waiting:
            detail = ", ".join(f"{name} {count:,}" for name, count in manifest.waiting.items())
            typer.echo(f"what waited in queues is not in it, and after a restore has to be published again: {detail}")
        typer.echo(f"noted for the gate. Try it: traboule restore {folder} --dry-run")
        for path in left:
            detail = f"{path} is of a backup that was killed, and holds members' data, unless it is being written now"
            typer.secho(f"{detail}: rm -r {path}", fg="yellow", err=True)


async def _backup(folder: Path, services: dict[str, ServiceSettings], by: str, *, quiet: bool) -> Manifest:
    vhost = vhost_of(next(iter(services.values())).broker_url)
    definitions = await asyncio.to_thread(backup_broker.export, vhost)
    with backup_folder.new_folder(folder) as unfinished:
        backup_folder.write(unfinished / DEFINITIONS, orjson.dumps(definitions, option=orjson.OPT_INDENT_2))
        for path in _configuration(services):
            backup_folder.write(unfinished / path.name, path.read_bytes())
        async with snapshots(services) as moment:
            waiting = await asyncio.to_thread(backup_broker.waiting, definitions, vhost)
            for name, snapshot in moment.snapshots.items():
                await _dump(name, snapshot, services[name], unfinished, quiet=quiet)
        manifest = Manifest(
            FORMAT,
            VERSION,
            moment.at,
            by,
            round(moment.blocked, 3),
            vhost,
            {name: Database(f"{name}.dump", item.revision, item.server) for name, item in moment.snapshots.items()},
            await asyncio.to_thread(backup_folder.digests, unfinished),
            waiting,
        )
        backup_folder.write_manifest(unfinished, manifest)
    await operations.note_backup(
        services, by, f"traboule backup {folder.name}, as of {manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )
    return manifest


async def _dump(name: str, snapshot: Snapshot, settings: ServiceSettings, folder: Path, *, quiet: bool) -> None:
    began = time.monotonic()
    path = folder / f"{name}.dump"
    await dump(snapshot, settings, path)
    if not quiet:
        typer.echo(f"{name:<15} {size(path.stat().st_size):>9} in {time.monotonic() - began:.1f} s")


def _left_behind(folder: Path) -> list[str]:
    return [str(path) for path in backup_folder.left_behind(folder)]


def _configuration(services: dict[str, ServiceSettings]) -> list[Path]:
    """The files that views depend on as much as on the databases."""
    membership = services["membership"]
    return [membership.clusters_file, *([file] if (file := getattr(membership, "survivorship_file", None)) else [])]
