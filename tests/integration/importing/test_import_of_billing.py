"""An import of another service's records is compared as well, and says when they can be read."""

import os
from pathlib import Path

import pytest

from services.cli.importing import commands
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService

HEADER = "payment_id;record_id;paid_on;amount;method\n"
ROWS = tuple(f"P{number};A{number};31/01/2024;12,50;card\n" for number in range(1, 8))
DAY = 86_400


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, billing: OwnService, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command finds billing's database and broker; files are written here."""
    for name, value in billing.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def imports(folder: Path, text: str, day: int, *words: str) -> Answer:
    path = folder / "payments.csv"
    path.write_text(text, "utf-8")
    os.utime(path, (1_800_000_000 + day * DAY, 1_800_000_000 + day * DAY))
    return await traboule("import", "--as", "numelink/billing", *words, str(path))


async def test_it_says_what_is_new_changed_and_unchanged_and_when_it_is_kept(folder: Path) -> None:
    first = await imports(folder, HEADER + "".join(ROWS), 1)
    assert "payments.csv: 7 new, 0 changed, 0 unchanged; no field emptied." in first.out
    assert "billing keeps all 7 records now; the views follow." in first.out
    second = await imports(folder, HEADER + "".join(ROWS).replace("A2;31/01", "A2;30/01"), 2)
    assert "0 new, 1 changed, 6 unchanged; no field emptied." in second.out


async def test_a_column_that_is_not_there_stops_it(folder: Path, billing: OwnService) -> None:
    await imports(folder, HEADER + "".join(ROWS), 1)
    narrow = "".join(f"{row.strip().removesuffix(';card')}\n" for row in ROWS[:2])
    stopped = await imports(folder, HEADER.replace(";method", "") + narrow, 2)
    assert stopped.exit_code == commands.UNUSABLE
    assert "Columns that the file does not have, tick them (records): method 2." in stopped.err
    assert await billing.column("select distinct method from payments") == ["card"]
    replaced = await imports(folder, HEADER.replace(";method", "") + narrow, 2, "--replace")
    assert replaced.exit_code == commands.ALL_ACCEPTED
    assert await billing.column("select count(*) from payments where method is null") == [2]


async def test_without_its_database_it_says_that_nothing_was_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRABOULE_BILLING_DATABASE_URL")
    result = await imports(folder, HEADER + ROWS[0], 1, "--dry-run")
    assert "Not compared with what billing keeps already: TRABOULE_BILLING_DATABASE_URL is not set" in result.out
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x")
    stopped = await imports(folder, HEADER + ROWS[0], 1, "--dry-run")
    assert (stopped.exit_code, "what billing keeps already cannot be read" in stopped.err) == (commands.UNUSABLE, True)
