"""Grants as people write them on the command line."""

import socket

import typer

from services.gateway.auth.caller import Grant
from shared.cli.author import who


def grant_from(text: str) -> Grant:
    """``staff``, or ``staff@numelink`` for one cluster. Raises typer.BadParameter."""
    try:
        return Grant.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--role") from None


def operator() -> str:
    """Who is at the terminal, as the audit keeps it."""
    return f"cli:{who('')}@{socket.gethostname()}"[:200]
