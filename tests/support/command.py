"""The ``traboule`` command, called inside the test's process: fast, and with the test's own environment."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from typer.testing import CliRunner

from services.cli.main import app


@dataclass(frozen=True)
class Answer:
    """What the command printed, and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return orjson.loads(self.out)


async def traboule(*arguments: str) -> Answer:
    """Run ``traboule …``; it brings its own event loop, so it runs in a thread."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)
