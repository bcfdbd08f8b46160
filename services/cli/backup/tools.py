"""PostgreSQL's own programs, of the server's version; passwords reach them by their environment alone."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import make_url

from shared.cli.errors import CannotAct

_DEBIAN = Path("/usr/lib/postgresql")
_FROM_QUERY = ("sslmode", "sslrootcert", "sslcert", "sslkey")


def tool(name: str, server: int) -> str:
    """The oldest ``pg_dump`` or ``pg_restore`` here that knows a server of this major version. Raises CannotAct."""
    candidates = {str(path) for path in _DEBIAN.glob(f"*/bin/{name}")} | {shutil.which(name) or ""} - {""}
    known = {path: major for path in candidates if (major := _major(path)) >= server}
    if not known:
        raise CannotAct(f"there is no {name} for PostgreSQL {server} here: apt-get install postgresql-client-{server}")
    return min(known, key=lambda path: (known[path], path))


def environment(url: str) -> dict[str, str]:
    """What libpq is told of a database: its address, role, password and TLS."""
    parts = make_url(url)
    variables = {
        "PGHOST": parts.host,
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
        "PGAPPNAME": "traboule backup",
        "PGCONNECT_TIMEOUT": "10",
        **{f"PG{name.upper()}": str(parts.query[name]) for name in _FROM_QUERY if name in parts.query},
    }
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "TRABOULE_"))}
    return surroundings | {name: value for name, value in variables.items() if value is not None}


async def call(command: Sequence[str], url: str) -> None:
    """Run one of these programs. Raises CannotAct with its last words."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        umask=0o077,
    )
    try:
        _, body = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        # What follows a "DETAIL:" or "CONTEXT:" may quote a row.
        lines = [line for line in body.decode(errors="replace").splitlines() if "error" in line.lower()]
        last = lines[-1] if lines else f"exit code {process.returncode}"
        raise CannotAct(f"{Path(command[0]).name}: {last}")


def contents(path: Path, server: int) -> list[str]:
    """The lines of a dump's own list of contents. Raises CannotAct."""
    command = [tool("pg_restore", server), "--list", str(path)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)
    if listed.returncode != 0:
        raise CannotAct(f"{path} is no dump that pg_restore can read")
    return listed.stdout.splitlines()


def _major(path: str) -> int:
    answer = subprocess.run([path, "--version"], check=False, capture_output=True, text=True).stdout
    match = re.search(r"\) (\d+)", answer)
    return int(match.group(1)) if match else 0
