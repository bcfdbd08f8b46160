"""A backup's folder is whole or not there, is its owner's alone, and is told apart from one that was changed."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.ops.backup_folder import (
    FORMAT,
    MANIFEST,
    Database,
    Manifest,
    digests,
    new_folder,
    read_manifest,
    write,
    write_manifest,
)
from services.ops.parked import CannotAct


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    with new_folder(folder) as unfinished:
        write(unfinished / "billing.dump", b"rows")
        databases = {"billing": Database("billing.dump", "0005", 15)}
        at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
        write_manifest(
            unfinished, Manifest(FORMAT, "0.1.0", at, "zoé", 0.012, "traboule", databases, digests(unfinished))
        )
    return folder


def test_what_was_written_is_read_again_and_only_its_owner_may(backup: Path) -> None:
    manifest = read_manifest(backup)
    assert (manifest.made_at, manifest.by) == (datetime(2026, 11, 23, 9, 30, tzinfo=UTC), "zoé")
    assert manifest.databases == {"billing": Database("billing.dump", "0005", 15)}
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}


def test_a_backup_that_fails_leaves_nothing_and_one_that_was_killed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    (tmp_path / "backup.unfinished").mkdir()
    (tmp_path / "backup.unfinished" / "old.dump").write_bytes(b"half")

    def fails() -> None:
        with new_folder(folder) as unfinished:
            assert list(unfinished.iterdir()) == []
            write(unfinished / "billing.dump", b"rows")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_written_over(backup: Path) -> None:
    with pytest.raises(CannotAct, match="is there already"), new_folder(backup):
        raise AssertionError("it must not begin")
    assert read_manifest(backup).by == "zoé"


def test_a_backup_that_is_not_as_it_was_written_is_refused(backup: Path) -> None:
    (backup / "billing.dump").write_bytes(b"r0ws")
    with pytest.raises(CannotAct, match=r"billing\.dump is not what was written"):
        read_manifest(backup)
    (backup / "billing.dump").unlink()
    with pytest.raises(CannotAct, match=r"billing\.dump is missing"):
        read_manifest(backup)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (None, "is no backup"),
        (b"{", "not as `traboule backup` writes it"),
        (b"[]", "not as `traboule backup` writes it"),
        (b'{"format": 1}', "not as `traboule backup` writes it"),
        (orjson.dumps({"format": FORMAT + 1}), "of format 2"),
    ],
)
def test_what_is_no_backup_is_told(backup: Path, manifest: bytes | None, told: str) -> None:
    (backup / MANIFEST).unlink()
    if manifest is not None:
        (backup / MANIFEST).write_bytes(manifest)
    with pytest.raises(CannotAct, match=told):
        read_manifest(backup)
