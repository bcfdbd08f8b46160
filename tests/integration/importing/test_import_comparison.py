"""An import against the records that are there: what it would do is said, and a column not ticked erases nothing."""

import json
import os
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.cli.importing import commands
from services.cli.importing.closing import database_variable
from services.cli.importing.comparison import wait_until_kept
from services.cli.importing.reading import FormerSystem, messages, open_files
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.keep_records import record_members
from shared.persistence.database import create_engine
from tests.support.in_memory import POLICY
from tests.support.in_process import OwnService, Passwords, own_service
from tests.unit.membership.legacy.exports import DOLIBARR_MEMBERS, GALETTE, dolibarr, galette

SYSTEM = FormerSystem("numelink", "membership")
DATABASE = database_variable(SYSTEM)
NARROW = [name for name in GALETTE if name not in ("Date d’échéance", "Téléphone")]
ROWS = [
    {
        "ID de l'adhérent": str(number),
        "Personne morale": f"ACME {number}",
        "Statut": "Membre actif",
        "Compte": "Oui",
        "Date d’échéance": "31/12/2026",
        "Téléphone": "04 77 00 00 00",
        "Langue": "fr_FR",
    }
    for number in range(1, 9)
]


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
def url(own: OwnService) -> str:
    return own.env[DATABASE]


@pytest.fixture
async def engine(own: OwnService, url: str) -> AsyncIterator[AsyncEngine]:
    await own.empty()
    engine = create_engine(url, application="test", pool_size=2)
    yield engine
    await engine.dispose()


def export(folder: Path, content: bytes, minute: int) -> Path:
    path = folder / "export.csv"
    path.write_bytes(content)
    os.utime(path, (1_800_000_000 + minute * 60, 1_800_000_000 + minute * 60))
    return path


async def arrive(engine: AsyncEngine, path: Path) -> None:
    for outgoing in messages(SYSTEM, open_files(SYSTEM, [path])):
        result = read(MemberRecorded, outgoing.body, outgoing.content_type, {})
        async with engine.begin() as connection:
            uow = MembershipUnitOfWork(connection, POLICY)
            await record_members(uow, [item for item in result if isinstance(item, Envelope)])


async def run(url: str, *words: str) -> Result:
    app = typer.Typer()
    app.command()(commands.import_files)
    given = {DATABASE: url, "COLUMNS": "300"}
    return await to_thread(CliRunner().invoke, app, ["--as", "numelink/membership", *words], env=given)


async def changes(url: str, path: Path) -> dict[str, Any]:
    return json.loads((await run(url, "--dry-run", "--json", str(path))).stdout)["changes"][0]


def few(changed: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: changed[name] for name in names}


async def test_it_says_what_is_new_changed_unchanged_and_older(engine: AsyncEngine, url: str, tmp_path: Path) -> None:
    path = export(tmp_path, galette(*ROWS[:3]), 1)
    assert few(await changes(url, path), "new", "changed", "unchanged") == {"new": 3, "changed": 0, "unchanged": 0}
    await arrive(engine, path)
    path = export(tmp_path, galette(ROWS[0] | {"Ville": "Lyon"}, *ROWS[1:4]), 2)
    assert few(await changes(url, path), "new", "changed", "unchanged", "emptied") == {
        "new": 1, "changed": 1, "unchanged": 2, "emptied": {}}  # fmt: skip
    assert "1 new, 1 changed, 2 unchanged; no field emptied." in (await run(url, "--dry-run", str(path))).output
    assert (await changes(url, export(tmp_path, galette(*ROWS[:3]), 0)))["older"] == 3


async def test_a_column_that_was_not_ticked_stops_the_import_however_few_records_it_would_empty(
    engine: AsyncEngine, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Any] = []

    class Taking:
        def __init__(self, *_: object) -> None: ...

        async def run(self, outgoing: Any) -> int:
            published.extend(outgoing)
            return len(published)

    monkeypatch.setattr(commands, "Publisher", Taking)
    monkeypatch.setenv(SYSTEM.variable, "amqp://u:p@nowhere")
    monkeypatch.setattr("services.cli.importing.comparison._PATIENCE", 0.1)
    monkeypatch.chdir(tmp_path)
    await arrive(engine, export(tmp_path, galette(*ROWS), 1))
    narrow = [{name: cell for name, cell in row.items() if name in NARROW} for row in ROWS[:2]]
    path = export(tmp_path, galette(*narrow, headers=NARROW), 2)
    assert (await changes(url, path))["needs_replace"] == ["paid_until", "phone"]
    result = await run(url, str(path))
    assert result.exit_code == commands.UNUSABLE
    columns = "Date d’échéance 2, Téléphone 2."
    assert f"would empty fields. Columns that the file does not have, tick them (records): {columns}" in result.output
    assert (
        f"viderait des champs. Colonnes absentes du fichier, à cocher (nombre de fiches) : {columns}" in result.output
    )
    assert not published
    result = await run(url, "--replace", str(path))
    assert (result.exit_code, len(published)) == (0, 1)
    assert "0 new, 2 changed, 0 unchanged; fields emptied:" in result.output
    assert "2 of 2 records cannot be read yet" in result.output


async def test_empty_cells_may_empty_a_handful(engine: AsyncEngine, url: str, tmp_path: Path) -> None:
    await arrive(engine, export(tmp_path, galette(*ROWS), 1))
    without = [row | {"Téléphone": ""} for row in ROWS]
    five = await changes(url, export(tmp_path, galette(*without[:5], *ROWS[5:]), 2))
    assert few(five, "emptied", "needs_replace") == {"emptied": {"phone": 5}, "needs_replace": []}
    six = await changes(url, export(tmp_path, galette(*without[:6], *ROWS[6:]), 2))
    assert few(six, "emptied", "needs_replace") == {"emptied": {"phone": 6}, "needs_replace": ["phone"]}


async def test_terms_are_not_lost_by_a_narrower_export_nor_are_columns_without_a_field(
    engine: AsyncEngine, url: str, tmp_path: Path
) -> None:
    member = {
        "ID adhérent": "1",
        "Société": "ACME",
        "État": "1",
        "Note (publique)": "à rappeler",
        "Id adhésion": "5",
        "Date adhésion": "2025-01-01",
        "Date fin adhésion": "2025-12-31",
    }
    await arrive(engine, export(tmp_path, dolibarr(DOLIBARR_MEMBERS, member), 1))
    headers = ["ID adhérent", "Société", "État"]
    narrow = {name: member[name] for name in headers}
    result = await changes(url, export(tmp_path, dolibarr(headers, narrow), 2))
    assert result["needs_replace"] == ["extra:Note (publique)", "paid_until", "subscriptions"]


async def test_galette_s_dynamic_fields_left_at_home_are_named_by_their_table(
    engine: AsyncEngine, url: str, tmp_path: Path
) -> None:
    with_siret = [row | {"SIRET": "73282932000074"} for row in ROWS[:1]]
    await arrive(engine, export(tmp_path, galette(*with_siret, headers=[*GALETTE, "SIRET"]), 1))
    result = await run(url, "--dry-run", str(export(tmp_path, galette(ROWS[0]), 2)))
    assert "tick them (records): siret 1. SIRET, N° TVA… are in the table galette_dynamic_fields_full.csv" in (
        result.output.replace("\n", " ")
    )


async def test_it_waits_for_the_views(
    engine: AsyncEngine, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.importing.comparison._PATIENCE", 0.1)
    path = export(tmp_path, galette(*ROWS[:2]), 1)
    await arrive(engine, path)
    version = 1_800_000_060_000_000
    assert await wait_until_kept(url, SYSTEM, {MemberRecorded: {"1": version, "2": version}}) == 0
    assert await wait_until_kept(url, SYSTEM, {MemberRecorded: {"1": version + 1, "2": version}}) == 1


async def test_a_database_that_is_away_stops_the_import_and_a_word_goes_without(tmp_path: Path) -> None:
    path = export(tmp_path, galette(*ROWS[:1]), 1)
    nowhere = "postgresql://u:p@127.0.0.1:1/x"
    result = await run(nowhere, "--dry-run", str(path))
    assert (result.exit_code, "--no-compare" in result.output) == (commands.UNUSABLE, True)
    assert (await run(nowhere, "--dry-run", "--no-compare", str(path))).exit_code == 0
