"""An import starts fast: it loads what its files need, and the rest never or when it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.membership.legacy.exports import galette

ROW = {
    "ID de l'adhérent": "12",
    "Personne morale": "ACME :star: SAS",
    "Courriel": "zoe@acme.example.org",
    "Téléphone": "04 77 00 00 00",
    "Pays": "France",
    "Statut": "Amis :star:",
}
SLOW = {
    "sqlalchemy", "aio_pika", "asyncpg", "faststream", "fastapi", "babel", "pycountry", "email_validator",
    "rich.progress", "schemas.billing", "schemas.events", "schemas.communications",
}  # fmt: skip


def loaded(*words: str, folder: Path) -> tuple[set[str], str]:
    """The modules that a process loads, and what it prints."""
    command, env = [sys.executable, "-X", "importtime", *words], {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=env)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}, done.stdout


def test_a_dry_run_of_members_loads_neither_broker_nor_database_nor_what_its_cells_do_not_need(tmp_path: Path) -> None:
    (tmp_path / "liste.csv").write_bytes(galette(ROW))
    words = ("-m", "services.cli", "import", "--as", "numelink/membership", "--dry-run", "--no-compare", "liste.csv")
    modules, printed = loaded(*words, folder=tmp_path)
    assert not modules & SLOW
    assert "Galette members" in printed
    assert ":star:" in printed, "a member's word is no picture"


def test_publishing_and_comparing_members_load_no_sqlalchemy(tmp_path: Path) -> None:
    words = "import shared.importing.publish, shared.messaging.topology, services.cli.importing.kept, asyncpg"
    modules, _ = loaded("-c", words, folder=tmp_path)
    assert "aio_pika" in modules
    assert "sqlalchemy" not in modules
