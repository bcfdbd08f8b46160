"""``traboule former-systems revoke-retired``: what the HTTP side may not do itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.environment import configured
from services.cli.registry import definition_of
from services.common.transactions import transaction
from services.gateway.revocation import take_rights
from shared.cli.terminal import as_json, refuse, run


def revoke_retired(json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Take the rights of former systems that were retired over HTTP. Exit code 2 if one still may write.

    Only the broker's administrator may change rights, and the process that answers HTTP is none. Their answers say in
    `remains` that something is left to do, until this command has done it. It may run as often as you like, from cron
    say, where TRABOULE_BROKER_MANAGEMENT_URL is set.

    Example: [bold]traboule former-systems revoke-retired[/]
    """
    settings = configured("membership")["membership"]

    async def take() -> list[dict[str, str | None]]:
        async with transaction(definition_of("membership"), settings, "former-systems revoke-retired") as uow:
            return [asdict(right) for right in await take_rights(uow, settings.broker_url)]

    taken = run(take())
    left = [item for item in taken if item["remains"] is not None]
    if json:
        as_json(taken)
    else:
        for item in taken:
            if item["remains"] is None:
                typer.echo(f"the broker user {item['user']} may publish nothing any more, and is not connected")
        if not taken:
            typer.echo("nobody who was retired over HTTP may write still")
    if left:
        refuse("\n".join(f"{item['user']} still may write: {item['remains']}" for item in left))
