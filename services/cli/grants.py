"""Grants as people write them on the command line."""

import socket

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.environment import load_settings
from services.gateway.auth.audit import Access, note
from services.gateway.auth.caller import Caller, Grant
from services.membership.settings import MembershipSettings
from shared.cli.author import who
from shared.runtime.clusters import load_clusters


def grant_from(text: str) -> Grant:
    """``staff``, or ``staff@numelink`` for one cluster. Raises typer.BadParameter."""
    try:
        grant = Grant.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--role") from None
    clusters = load_clusters(load_settings("membership", MembershipSettings).clusters_file)
    if grant.cluster is not None and grant.cluster not in clusters:
        message = f"there is no cluster {grant.cluster!r}; there are {', '.join(sorted(clusters))}"
        raise typer.BadParameter(message, param_hint="--role")
    return grant


async def note_at_terminal(connection: AsyncConnection, about: str, what: str) -> None:
    """Who may do what stands in the audit, wherever it is changed."""
    at_terminal = Caller(operator(), operator(), frozenset[Grant](), b"", 0.0)
    await note(connection, Access(at_terminal, "give-access", about, reason=what))


def operator() -> str:
    """Who is at the terminal, as the audit keeps it."""
    return f"cli:{who('')}@{socket.gethostname()}"[:200]
