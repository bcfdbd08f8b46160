"""Every kind of export, imported twice into a running service: the second changes nothing, and parity is clean."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from deploy.local.nodes import Nodes
from services.cli.importing import commands
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.unit.membership.legacy.exports import (
    CIVICRM_CONTACTS,
    CIVICRM_MEMBERSHIPS,
    DOLIBARR_CONTACTS,
    DOLIBARR_MEMBERS,
    DOLIBARR_THIRD_PARTIES,
    GALETTE_RAW,
    civicrm,
    dolibarr,
    galette,
    paheko,
)

pytestmark = pytest.mark.timeout(300)
SYSTEM = "numelink/membership"


@dataclass(frozen=True)
class Export:
    """One kind of file: what is in it, and the files that are read beside it."""

    product: str
    files: dict[str, bytes]
    records: int
    system: str = SYSTEM


def dynamic_fields() -> bytes:
    rows = [["item_id", "field_id", "field_form", "val_index", "field_val"], ["11", "5", "adh", "1", "73282932000074"]]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode()


def spreadsheet(content: bytes) -> bytes:
    """The same table as an XLSX file."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in csv.reader(io.StringIO(content.decode())):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PARTIES = (
    {"Id": "21", "Nom": "L’Atelier", "Client": "2", "Adresse": "1 rue\\nBât. B", "Capital": "0.00000000"},
    {"Id": "22", "Nom": "Bistrologie", "Fournisseur": "1", "Identifiant professionnel 1": "732829320"},
)
TERMS = {"Id adhésion": "5", "Date adhésion": "2025-01-01", "Date fin adhésion#2": "2025-12-31", "Montant": "150,00"}
MEMBER = {"ID adhérent": "31", "Société": "L’Atelier", "Nature de l'adhérent": "mor", "État": "1"}
MEMBERSHIP = {
    "Contact ID": "41",
    "Organization Name": "ACME",
    "Membership ID": "7",
    "Membership Type": "PME",
    "Membership Start Date": "2026-01-01",
    "Membership Expiration Date": "2026-12-31",
    "Membership Status": "Current",
    "Total Amount": "150.00",
}
PAHEKO = (
    {"Numéro de membre": "51", "Nom & prénom": "Atelier Vélo", "Catégorie": "Membres actifs"},
    {"Numéro de membre": "52", "Nom & prénom": "Zoé", "Catégorie": "Anciens membres"},
)
EXPORTS = (
    Export("Dolibarr third parties", {"tiers.csv": dolibarr(DOLIBARR_THIRD_PARTIES, *PARTIES)}, 2),
    Export(
        "Dolibarr members",
        {
            "adherents.csv": dolibarr(
                DOLIBARR_MEMBERS,
                MEMBER | TERMS,
                MEMBER | TERMS | {"Id adhésion": "6", "Date adhésion": "2026-01-01", "Date fin adhésion#2": ""},
                MEMBER | {"ID adhérent": "32", "État": "-2"},
                encoding="utf-8",
            )
        },
        2,
    ),
    Export(
        "Dolibarr contacts",
        {
            "contacts.csv": dolibarr(
                DOLIBARR_CONTACTS, {"Identifiant contact": "7", "Nom": "Roux", "Identifiant société": "21"}
            )
        },
        1,
    ),
    Export(
        "Galette members",
        {
            "liste.csv": galette(
                {"ID de l'adhérent": "11", "Personne morale": "ACME", "Statut": "Membre actif", "Compte": "Oui"},
                {"ID de l'adhérent": "12", "Nom ": "Roux", "Statut": "Non membre", "Parent": "11", "Langue": "fr_FR"},
            ),
            "galette_dynamic_fields_full.csv": dynamic_fields(),
        },
        2,
    ),
    Export(
        "Galette members",
        {
            "galette_adherents_full.csv": galette(
                {"id_adh": "13", "nom_adh": "Roux", "id_statut": "4", "mdp_adh": "secret"}, headers=GALETTE_RAW
            )
        },
        1,
        # Dynamic fields are read beside one list of members, so a second one is another system's.
        "clustr-numerique/membership",
    ),
    Export("Paheko members", {"membres.csv": paheko(*PAHEKO)}, 2),
    Export("Paheko members", {"membres.xlsx": spreadsheet(paheko(*PAHEKO))}, 2),
    Export(
        "CiviCRM contacts",
        {
            "contacts.csv": civicrm(
                CIVICRM_CONTACTS,
                {"Contact ID": "41", "Contact Type": "Organization", "Organization Name": "ACME", "Do Not Email": "1"},
                {"Contact ID": "42", "Contact Type": "Individual", "First Name": "Zoé", "Current Employer ID": "41"},
            )
        },
        2,
    ),
    Export("CiviCRM memberships", {"memberships.csv": civicrm(CIVICRM_MEMBERSHIPS, MEMBERSHIP)}, 1),
    Export("plain table", {"plain.csv": b"record_id;name;opt_outs\n61;ACME;post|email\n"}, 1),
    Export("plain table", {"plain.jsonl": b'{"record_id": "62", "name": "ACME", "extra": {"Code": "7"}}\n'}, 1),
)


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
async def membership(own: OwnService) -> AsyncIterator[OwnService]:
    """The service, running in this process on an empty database."""
    await own.empty()
    async with own.running():
        yield own


async def imports(system: str, files: list[str], hour: int) -> str:
    """What the command says at its end, once the views show the records."""
    moment = f"2026-11-29T{hour:02d}:00"
    result = await traboule("import", "--as", system, "--exported-at", moment, *files)
    assert result.exit_code == commands.ALL_ACCEPTED, result.out + result.err
    assert "records now." in result.out
    return result.out


async def test_the_second_import_changes_nothing_and_parity_finds_both_equal(
    membership: OwnService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    everything: dict[str, list[str]] = {}
    for number, export in enumerate(EXPORTS):
        files = [f"{number}-{name}" for name in export.files]
        for name, content in zip(files, export.files.values(), strict=True):
            (tmp_path / name).write_bytes(content)
        if files[0].endswith(".xlsx"):
            # The same members as in the file before, which are all that there are.
            assert f"0 new, 0 changed, {export.records} unchanged" in await imports(export.system, files, 2 * number)
        else:
            everything.setdefault(export.system, []).extend(files)
            assert f"{files[0]}: {export.records} new, 0 changed, 0 unchanged" in await imports(
                export.system, files, 2 * number
            )
        assert f"{files[0]}: 0 new, 0 changed, {export.records} unchanged" in await imports(
            export.system, files, 2 * number + 1
        )
    for system, files in everything.items():
        proved = await traboule("parity", "--as", system, "--json", *files)
        assert proved.exit_code == 0, proved.out + proved.err
        assert (proved.json["clean"], proved.json["differences"]) == (True, [])
    assert await membership.column("select count(*) from source_records") == [sum(e.records for e in EXPORTS) - 2]
