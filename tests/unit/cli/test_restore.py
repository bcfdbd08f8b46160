"""What of a dump a service's role can make again, and which backups this program can restore."""

from datetime import UTC, datetime

import pytest

from services.cli.backup.folder import FORMAT, Manifest
from services.cli.backup.restore import is_newer, republished
from services.cli.backup.restore_databases import is_foreign
from services.cli.backup.tools import environment


@pytest.mark.parametrize(
    ("line", "foreign"),
    [
        ("2; 3079 16390 EXTENSION - pg_trgm ", True),
        ("4000; 0 0 COMMENT - EXTENSION pg_trgm ", True),
        ("5; 2615 2200 SCHEMA - public pg_database_owner", True),
        ("3999; 0 0 COMMENT - SCHEMA public pg_database_owner", True),
        ("219; 1259 16500 TABLE public inbox traboule_billing", False),
        ("3901; 0 0 COMMENT public COLUMN inbox.message traboule_billing", False),
        ("3788; 0 16500 TABLE DATA public inbox traboule_billing", False),
        ("; Archive created at 2026-11-23 09:30:00 UTC", False),
        ("", False),
    ],
)
def test_what_belongs_to_an_administrator_is_left_out_of_a_restore(line: str, foreign: bool) -> None:
    assert is_foreign(line) == foreign


@pytest.mark.parametrize(
    ("theirs", "ours", "newer"),
    [("0.1.0", "0.1.0", False), ("0.2.0", "0.10.0", False), ("0.10.0", "0.9.1", True), ("1.0.0", "0.9.9", True)],
)
def test_a_backup_of_a_newer_program_is_told_by_its_numbers(theirs: str, ours: str, newer: bool) -> None:
    assert is_newer(theirs, ours) == newer


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        ({}, "since 2026-11-22 23:59 UTC"),
        (None, "since 2026-11-22 23:59 UTC, and what still waited in queues then (nobody counted it)"),
        (
            {"billing.unrouted": 2, "traboule.retry.300s": 1200},
            "since 2026-11-22 23:59 UTC, and what still waited in queues then, however old it was: "
            "2 in billing.unrouted, 1,200 in traboule.retry.300s",
        ),
    ],
)
def test_what_was_said_before_the_backup_but_waited_has_to_be_said_again_too(
    waiting: dict[str, int] | None, text: str
) -> None:
    at = datetime(2026, 11, 23, 0, 0, 30, tzinfo=UTC)
    what, _ = republished(Manifest(FORMAT, "0.1.0", at, "zoé", 0.012, "traboule", {}, {}, waiting))
    assert what == f"publish or import again what changed in the former systems {text}"


def test_passwords_reach_postgresqls_programs_by_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "somebody else's")
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", "postgresql://u:hidden@h/d")
    env = environment(
        "postgresql://traboule_billing:it%27s@db.example:5433/billing?sslmode=verify-full&sslrootcert=/ca"
    )
    assert {name: value for name, value in env.items() if name.startswith("PG")} == {
        "PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "traboule_billing", "PGPASSWORD": "it's",
        "PGDATABASE": "billing", "PGAPPNAME": "traboule backup", "PGCONNECT_TIMEOUT": "10",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca",
    }  # fmt: skip
    assert not any(name.startswith("TRABOULE_") for name in env)
