"""A backup's folder is whole or not there, is its owner's alone, and is told apart from one that was changed."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.cli.backup.folder import (
    DEFINITIONS,
    FORMAT,
    MANIFEST,
    Database,
    Manifest,
    digests,
    left_behind,
    new_folder,
    read_manifest,
    write,
    write_manifest,
)
from shared.cli.errors import CannotAct


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    with new_folder(folder) as unfinished:
        write(unfinished / "billing.dump", b"rows")
        write(unfinished / DEFINITIONS, b"{}")
        databases = {"billing": Database("billing.dump", "0005", 15)}
        at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
        write_manifest(
            unfinished,
            Manifest(FORMAT, "0.1.0", at, "zoé", 0.012, "traboule", databases, digests(unfinished), {"b.unrouted": 3}),
        )
    return folder


def test_what_was_written_is_read_again_and_only_its_owner_may(backup: Path) -> None:
    manifest = read_manifest(backup)
    assert (manifest.made_at, manifest.by) == (datetime(2026, 11, 23, 9, 30, tzinfo=UTC), "zoé")
    assert manifest.databases == {"billing": Database("billing.dump", "0005", 15)}
    assert manifest.waiting == {"b.unrouted": 3}
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}


def test_a_backup_of_before_the_queues_were_counted_can_be_read(backup: Path) -> None:
    tree = orjson.loads((backup / MANIFEST).read_bytes())
    del tree["waiting"]
    (backup / MANIFEST).write_bytes(orjson.dumps(tree))
    assert read_manifest(backup).waiting is None


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> None:
        with new_folder(tmp_path / "backup") as unfinished:
            write(unfinished / "billing.dump", b"rows")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_backup_left_is_told_and_does_not_stand_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    killed = new_folder(folder)
    left = killed.__enter__()
    write(left / "billing.dump", b"half")
    (tmp_path / "notes.unfinished").write_bytes(b"somebody's own")
    with new_folder(folder) as unfinished:
        assert list(unfinished.iterdir()) == []
    assert left_behind(folder) == [left]
    assert folder.is_dir()


def test_two_backups_into_one_folder_do_not_mix_and_the_second_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "backup"

    def second() -> None:
        with new_folder(folder) as mine:
            write(mine / "billing.dump", b"the second's")
            with new_folder(folder) as theirs:
                write(theirs / "events.dump", b"the first's")

    with pytest.raises(CannotAct, match="backup is there already"):
        second()
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("events.dump", b"the first's")]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_backup_does_not_make_the_folder_that_a_disk_should_be_mounted_on(tmp_path: Path) -> None:
    with pytest.raises(CannotAct, match=r"nas is not there.*mounted"), new_folder(tmp_path / "nas" / "backup"):
        raise AssertionError("it must not begin")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_without_one_of_its_files_cannot_be_made(tmp_path: Path) -> None:
    def fails() -> None:
        with new_folder(tmp_path / "backup") as unfinished:
            write(unfinished / DEFINITIONS, b"{}")
            databases = {"billing": Database("billing.dump", "0005", 15)}
            at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
            manifest = Manifest(FORMAT, "0.1.0", at, "zoé", 0.012, "traboule", databases, digests(unfinished), {})
            write_manifest(unfinished, manifest)

    with pytest.raises(CannotAct, match=r"billing\.dump is missing"):
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


@pytest.mark.parametrize("name", ["billing.dump", DEFINITIONS])
def test_a_file_that_neither_the_folder_nor_the_digests_have_is_missed(backup: Path, name: str) -> None:
    tree = orjson.loads((backup / MANIFEST).read_bytes())
    del tree["digests"][name]
    (backup / MANIFEST).write_bytes(orjson.dumps(tree))
    with pytest.raises(CannotAct, match=rf"{name} is missing"):
        read_manifest(backup)
    (backup / name).unlink()
    with pytest.raises(CannotAct, match=rf"{name} is missing"):
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
def test_what_is_no_backup_is_told(backup: Path, manifest: bytes | None, text: str) -> None:
    (backup / MANIFEST).unlink()
    if manifest is not None:
        (backup / MANIFEST).write_bytes(manifest)
    with pytest.raises(CannotAct, match=text):
        read_manifest(backup)
