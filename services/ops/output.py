"""How the ``traboule`` command answers: JSON for programs, words for people, an exit code for both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

import typer

NOTHING_FOUND = 1
NOT_UNDERSTOOD = 2


def as_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import orjson

    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode())


def nothing(message: str) -> NoReturn:
    """End with what was not found."""
    typer.secho(message, fg="yellow", err=True)
    raise typer.Exit(NOTHING_FOUND)


def refuse(message: str) -> NoReturn:
    """End with what was wrong in what was asked."""
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(NOT_UNDERSTOOD)


def ago(moment: datetime) -> str:
    """How long ago, in one unit."""
    return f"{span((datetime.now(UTC) - moment).total_seconds())} ago"


def span(seconds: float) -> str:
    """A length of time, in one unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
