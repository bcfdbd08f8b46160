"""Refusals that help: which export a file is, what to tick, which column is which field, and rows to correct."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.importing import commands
from services.membership.legacy import recognise
from services.membership.legacy.other_exports import OTHERS
from shared.importing.outcomes import UnreadableError
from shared.importing.reading import read
from tests.unit.membership.legacy.exports import GALETTE, galette

GOOD = {"ID de l'adhérent": "12", "Personne morale": "ACME SAS", "Statut": "Membre actif", "Compte": "Oui"}
SOME = "Raison sociale;N°;Courriel;Remarque\nACME SAS;12;zoe@acme.example;à voir\nRoux;13;;\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(commands.import_files)

    def command(*words: str):
        return CliRunner().invoke(app, ["--as", "numelink/membership", "--dry-run", *words], env={"COLUMNS": "300"})

    return command


def told(result: Any) -> dict[str, Any]:
    return json.loads(result.stdout)["files"][0]


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ("Réf adhérent,Nom,Société", 'members without their ids; tick "ID adhérent"'),
        ("Nom,Code client,Email", 'third parties without their ids; tick "Id"'),
        ("Member Id,Last name,Company", "members in an English session"),
        ("Id,Name,Customer Code", "third parties in an English session"),
        ("Member id;Name;Company", "Galette's members in an English session"),
        ("Identifiant société,Raison sociale,Id facture,Type", "invoices or payments"),
        ("Contact ID,Contact Type,Display Name,Contribution Date,Total Amount", "CiviCRM's contributions"),
        ("Contribution id;Contributeur ;Montant ", "Galette's contributions"),
        ("Activité,Numéro de membre,Membre,Statut", "enrolled in an activity"),
        ("Numéro d'écriture,Libellé,Numéro compte", "Paheko's accounts"),
        ("Nom,Prénom,Poste/fonction,Raison sociale", 'contacts without their ids; tick "Identifiant contact"'),
        ("Contact Id,Last name,First name,Third party Id", "contacts in an English session"),
        ("Ref.,Last name,Company,Status", "members in an English session"),
        ("Nom ;Prénom ;Personne morale ;Statut ", "Galette's members without their ids"),
        ("Nom & prénom,Adresse E-Mail,Catégorie", "Paheko's members without their numbers"),
        ("Id. du contact,Type de contact,Prénom", "CiviCRM in a French session; set your own language to English"),
        ("Display Name,Email,Membership Status", 'memberships without their contacts; tick "Contact ID"'),
        ("Référence commande;Nom payeur;Email payeur", "orders of HelloAsso"),
        ("Référence commande;Nom payeur;Email payeur", "le fichier contient des commandes de HelloAsso ; il ne dit"),
        ("Id,Noms,Code client", "nearest is Dolibarr third parties, but the column"),
        ("Raison sociale;Mail;Ville", "needs a column that identifies each record"),
        ("1;ACME;Lyon", "La première ligne est-elle bien celle des en-têtes"),
    ],
)
def test_a_file_is_told_what_it_is_and_what_to_do(tmp_path: Path, headers: str, complaint: str) -> None:
    (tmp_path / "x.csv").write_text(
        headers + "\n" + ("," if "," in headers else ";").join("1" * (headers.count(",") + 1))
    )
    with pytest.raises(UnreadableError, match=complaint):
        recognise(read(tmp_path / "x.csv"))


def test_every_such_file_is_told_what_to_do() -> None:
    assert all(all(item.what) and all(item.do) for item in OTHERS), "in French and in English"
    assert all(item.has and not item.has & item.lacks for item in OTHERS)


def test_a_file_of_no_known_product_gets_a_proposal_which_imports_it_and_is_kept(run, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text(SOME, "utf-8")
    result = run("some.csv")
    assert result.exit_code == commands.UNUSABLE
    proposal = '--map "N°=record_id" --map "Raison sociale=name" --map "Courriel=email"'
    assert proposal in result.output
    mapped = told(run("some.csv", "--json", "--map", "N°=record_id", "--map", "Raison sociale=name"))
    assert (mapped["product"], mapped["accepted"]) == ("plain table", 2)
    kept = tmp_path / "traboule-columns-numelink-membership.json"
    assert json.loads(kept.read_text("utf-8")) == {"n°": "record_id", "raison sociale": "name"}
    assert told(run("some.csv", "--json"))["accepted"] == 2
    (tmp_path / "other.csv").write_bytes(galette(GOOD))
    assert told(run("other.csv", "--json"))["product"] == "Galette members"


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("Raison sociale", "write"),
        ("Raison sociale=nom", 'there is no field "nom"'),
        ("Dénomination=name", 'no column "dénomination"'),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(run, tmp_path: Path, word: str, complaint: str) -> None:
    (tmp_path / "some.csv").write_text(SOME, "utf-8")
    result = run("some.csv", "--map", word)
    assert (result.exit_code, complaint in result.output) == (commands.UNUSABLE, True)


def test_the_product_may_be_named(run, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("Id,Nom,Libellé\n7,ACME,x\n", "utf-8")
    assert told(run("few.csv", "--json", "--product", "dolibarr-third-parties"))["accepted"] == 1
    result = run("few.csv", "--product", "sage")
    assert "none that is known: civicrm-memberships, " in result.output


def test_faults_of_one_kind_are_told_once_with_their_lines(run, tmp_path: Path) -> None:
    bad = [GOOD | {"ID de l'adhérent": str(number), "Date d’échéance": "hier"} for number in range(20, 28)]
    (tmp_path / "bad.csv").write_bytes(galette(GOOD, *bad))
    output = run("bad.csv").output
    assert output.count("not a date") == 1
    assert "8 rows: Date d’échéance: not a date: write 31/12/2024 or 2024-12-31; such as 'hier'" in output
    assert "(lines 3, 4, 5, 6, 7 …)" in output


def test_rows_that_were_set_aside_can_be_corrected_and_imported(run, tmp_path: Path) -> None:
    formula = GOOD | {"ID de l'adhérent": "13", "Date d’échéance": "hier", "Autres informations": "=1+1"}
    (tmp_path / "liste.csv").write_bytes(galette(GOOD, formula))
    run("liste.csv")
    path = tmp_path / "traboule-rejects-numelink-membership-rows-of-liste.csv"
    assert path.stat().st_mode & 0o077 == 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        [header, row] = csv.reader(lines, delimiter=";")
    assert header[1:] == list(GALETTE)
    assert row[0] == "Date d’échéance: not a date: write 31/12/2024 or 2024-12-31"
    assert "'=1+1" in row
    path.write_text(path.read_text("utf-8-sig").replace("hier", "31/12/2026"), "utf-8-sig")
    again = told(run(path.name, "--json"))
    assert (again["product"], again["accepted"], again["rejected"]) == ("Galette members", 1, 0)
