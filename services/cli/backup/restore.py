"""``traboule restore``: a backup into new and empty servers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import orjson
import typer

from services import SERVICES, VERSION
from services.cli.backup import broker as backup_broker
from services.cli.backup import folder as backup_folder
from services.cli.backup import restore_databases
from services.cli.backup.folder import Manifest
from services.cli.backup.tools import contents
from services.cli.environment import configured
from services.cli.migrate import migrations_of
from shared.cli.errors import CannotAct
from shared.cli.options import Json
from shared.cli.shutdown import in_order
from shared.cli.terminal import as_json, refuse, run
from shared.messaging.accounts import vhost_of
from shared.persistence.migrations import knows
from shared.runtime.settings import ServiceSettings
from shared.runtime.tls import address

ADMIN = "TRABOULE_DATABASE_URL"
"""Names the variable with an administrator's address of the database server."""

NEXT = (
    ("traboule migrate --all --post", "where this program is newer than the backup's; no service may run before"),
    ("start the services", "queues are there already, so nothing that is published now is lost"),
    ("traboule republish", "tells what was on its way between the services; twice does no harm"),
    ("traboule billing check", "no document is issued before somebody said which numbers had been sent"),
    ("traboule doctor", "is all as it should be?"),
)
"""What to do after a restore, and why; at the end comes what only a backup can tell (:func:`republished`)."""
SURELY_COUNTED = timedelta(minutes=1)
"""The broker knows how much waits in its queues some seconds late."""


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="as traboule backup wrote it")],
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="check the backup and the servers (while services run, the backup alone)"),
    ] = False,
    json: Json = False,
) -> None:
    """Restore a backup into new servers: databases that hold no row, and the broker's definitions.

    The services must be configured for the new servers, and must not run. With TRABOULE_DATABASE_URL, an
    administrator's, roles and databases are made where they are missing; TRABOULE_BROKER_MANAGEMENT_URL is needed.
    Former systems and staff tools keep their broker passwords; the services get those that they are configured with.

    A backup does not hold what the queues held. What was on its way between services is told again by
    [bold]traboule republish[/]. What former systems published since then, and what of theirs waited then,
    they publish again. What staff did here since then is lost: commands, decisions, moves.

    Examples: [bold]traboule restore /mnt/nas/traboule/2026-11-23 --dry-run[/],
    [bold]traboule restore /mnt/nas/traboule/2026-11-23[/]
    """
    services = configured()
    if missing := [name for name in SERVICES if name not in services]:
        refuse(f"not configured here: {', '.join(missing)}. All services are restored together")
    manifest, running = run(in_order(_restore(folder.absolute(), services, dry_run=dry_run, quiet=json)))
    following = (*NEXT, republished(manifest))
    if json:
        as_json(
            {"restored": not dry_run, "running": running, **manifest.as_json(), "next": [what for what, _ in following]}
        )
    elif running:
        typer.echo(f"whole: all as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
        typer.echo(f"services run here ({', '.join(running)}), so only the backup was looked at, and not the servers")
    elif dry_run:
        typer.echo(f"whole, and can be restored here: all as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
    else:
        typer.echo(f"restored: all as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC. Now, in this order:")
        for number, (what, why) in enumerate(following, 1):
            typer.echo(f"  {number}. {what}  ({why})")


async def _restore(
    folder: Path, services: dict[str, ServiceSettings], *, dry_run: bool, quiet: bool
) -> tuple[Manifest, list[str]]:
    """What was restored, or can be; and on a dry run the services that run here, if any does."""
    manifest = await asyncio.to_thread(backup_folder.read_manifest, folder)
    _fits(manifest)
    for name in services:
        database = manifest.databases[name]
        await asyncio.to_thread(contents, folder / database.file, database.server)
    # Whoever tries a backup where it was made asks about the backup: nobody restores into a house that is at work.
    if dry_run and (running := await restore_databases.running(services)):
        return manifest, running
    admin_url = address(ADMIN)
    # Only an administrator is answered this.
    await asyncio.to_thread(backup_broker.call, "GET", "/api/users?columns=name")
    await restore_databases.require_room(services, manifest.databases, admin_url)
    if dry_run:
        return manifest, []
    for name, settings in services.items():
        await restore_databases.prepare(name, settings, admin_url)
    await restore_databases.require_room(services, manifest.databases, None)
    vhost = vhost_of(next(iter(services.values())).broker_url)
    definitions = orjson.loads((folder / backup_folder.DEFINITIONS).read_bytes())
    await asyncio.to_thread(backup_broker.load, definitions, vhost)
    for name, settings in services.items():
        await asyncio.to_thread(backup_broker.set_password, *_credentials(settings))
        database = manifest.databases[name]
        await restore_databases.restore(name, settings, folder / database.file, database.server)
        if not quiet:
            typer.echo(f"{name}: restored")
    return manifest, []


def republished(manifest: Manifest) -> tuple[str, str]:
    """What former systems have to publish again after a restore, and why."""
    since = f"{manifest.made_at - SURELY_COUNTED:%Y-%m-%d %H:%M} UTC"
    what = f"publish or import again what changed in the former systems since {since}"
    if manifest.waiting is None:
        what += ", and what still waited in queues then (nobody counted it)"
    elif manifest.waiting:
        counts = ", ".join(f"{count:,} in {name}" for name, count in manifest.waiting.items())
        what += f", and what still waited in queues then, however old it was: {counts}"
    return what, "what was there before changes nothing; traboule parity shows what is missing"


def _fits(manifest: Manifest) -> None:
    """Whether this program knows what the backup holds. Raises CannotAct."""
    if missing := [name for name in SERVICES if name not in manifest.databases]:
        raise CannotAct(f"the backup has no database of {', '.join(missing)}")
    newer = [name for name, database in manifest.databases.items() if not knows(migrations_of(name), database.revision)]
    if newer or is_newer(manifest.program, VERSION):
        raise CannotAct(
            f"the backup was made by Traboule {manifest.program}, and this program is {VERSION}"
            f"{': its schema of ' + ', '.join(newer) + ' is newer' if newer else ''}. Restore it with that version"
        )


def is_newer(theirs: str, ours: str) -> bool:
    """Whether one version of the program, such as 0.10.0, comes after another."""
    return _numbers(theirs) > _numbers(ours)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(word) for word in version.split(".") if word.isdigit())


def _credentials(settings: ServiceSettings) -> tuple[str, str]:
    parts = urlsplit(settings.broker_url)
    return unquote(parts.username or ""), unquote(parts.password or "")
