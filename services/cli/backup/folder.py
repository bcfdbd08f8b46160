"""A backup's folder: one dump for each database, the broker's definitions, the configuration, and a manifest of them.

The folder is there whole or not at all: it is written under another name, and renamed at the end. It holds members'
data and the hashes of broker passwords, so nobody but its owner may read it; the manifest holds neither.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.cli.errors import CannotAct

FORMAT = 1
MANIFEST = "manifest.json"
DEFINITIONS = "definitions.json"
_UNFINISHED = ".unfinished"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Database:
    """One service's database: its file in the folder, the schema's revision, and the server's major version."""

    file: str
    revision: str
    server: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. ``digests`` has the SHA-256 of each file but this one, in hex.

    ``made_at`` is the one moment of all databases; for ``held_up_seconds`` until then nobody could write. ``waiting``
    has how many messages of former systems and staff tools waited then, by queue; None where nobody counted.
    """

    format: int
    program: str
    made_at: datetime
    by: str
    held_up_seconds: float
    vhost: str
    databases: Mapping[str, Database]
    digests: Mapping[str, str]
    waiting: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


@contextmanager
def new_folder(folder: Path) -> Generator[Path]:
    """Where to write, renamed to ``folder`` at the end; what a failure leaves is removed. Raises CannotAct.

    Nobody else writes there, not even another backup into the same folder: whichever ends last of the two is refused.
    """
    unfinished = None
    try:
        if folder.exists():
            raise _exists_error(folder)
        # Made here, it would lie on the system's own disk where the one that it should be on is not mounted.
        if not folder.parent.is_dir():
            raise CannotAct(f"{folder.parent} is not there. Is its disk mounted? Nothing is made but the last folder")
        unfinished = Path(tempfile.mkdtemp(_UNFINISHED, f"{folder.name}.", folder.parent))
        yield unfinished
        for path in (*unfinished.iterdir(), unfinished):
            _sync(path)
        unfinished.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _exists_error(folder) from None
        raise CannotAct(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)


def left_behind(folder: Path) -> list[Path]:
    """Beside a backup's folder, what backups that were killed left; and those that are being written now."""
    return sorted(path for path in folder.parent.glob(f"*{_UNFINISHED}") if path.is_dir())


def write(path: Path, content: bytes) -> None:
    """Write a file that nobody but its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into the folder. Raises CannotAct if one of the files that it names is not there."""
    _require_all(folder, manifest)
    write(folder / MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in the folder but the manifest, by name."""
    return {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup whose files are all as they were written. Raises CannotAct."""
    strange = CannotAct(f"{folder / MANIFEST} is not as `traboule backup` writes it")
    try:
        tree = orjson.loads((folder / MANIFEST).read_bytes())
        written = tree["format"]
    except FileNotFoundError:
        raise CannotAct(f"{folder} is no backup: it has no {MANIFEST}") from None
    except OSError as error:
        raise CannotAct(f"{folder / MANIFEST} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise strange from None
    if written != FORMAT:
        raise CannotAct(f"{folder} is a backup of format {written}: restore it with the program that made it")
    try:
        databases = {name: Database(**item) for name, item in tree.pop("databases").items()}
        manifest = Manifest(**tree | {"made_at": datetime.fromisoformat(tree["made_at"]), "databases": databases})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise strange from None
    _require_all(folder, manifest)
    try:
        result = digests(folder)
    except OSError as error:
        raise CannotAct(f"{folder} cannot be read: {error.strerror}") from None
    for name, digest in manifest.digests.items():
        if name not in result:
            raise CannotAct(f"{folder / name} is missing")
        if result[name] != digest:
            raise CannotAct(f"{folder / name} is not what was written: its SHA-256 differs. Take another backup")
    return manifest


def _require_all(folder: Path, manifest: Manifest) -> None:
    """Make sure that each file without which there is no restore has a digest. Raises CannotAct."""
    for name in (DEFINITIONS, *(database.file for database in manifest.databases.values())):
        if name not in manifest.digests:
            raise CannotAct(f"{name} is missing among the digests of {folder / MANIFEST}. Take another backup")


def _exists_error(folder: Path) -> CannotAct:
    return CannotAct(f"{folder} is there already: name a folder that is not")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
