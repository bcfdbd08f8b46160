"""How the ``traboule`` command answers: JSON for programs, words for people, an exit code for both."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.runtime.text import printable

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
NOTHING_FOUND = 1
NOT_UNDERSTOOD = 2
_WIDE = 200


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


def size(length: float) -> str:
    """A length in bytes, in one unit of a thousand others."""
    for unit in ("B", "kB", "MB", "GB"):
        if length < 1_000:
            return f"{length:.0f} {unit}" if unit == "B" else f"{length:.1f} {unit}"
        length /= 1_000
    return f"{length:,.1f} TB"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do it, and end with what was not found, or with why it cannot be done."""
    try:
        return asyncio.run(work)
    except NotFound as error:
        nothing(str(error))
    except (CannotAct, Unreachable) as error:
        refuse(str(error))


def terminal() -> Console:
    """Where tables go: as wide as the terminal, and wide enough for whole names where there is none (a pipe, a log).

    COLUMNS is believed in both. Members' own words are shown as written: ``:star:`` is no picture.
    """
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE, emoji=False)


def plain(text: str) -> str:
    """Text that is neither markup nor, by a control character of some message, an order to the terminal."""
    from rich.markup import escape

    return escape(printable(text, lines=True))
