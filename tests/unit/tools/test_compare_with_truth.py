"""The comparison of imports with what a product's own database says, on a small folder of the same shape."""

from pathlib import Path

import pytest

from tests.tools.compare_with_truth import Comparison, compare_folder, main
from tests.unit.membership.legacy.exports import paheko

TRUTH = """numero,nom,email,adresse,code_postal,ville,telephone,lettre_infos,date_inscription,siret,tva,categorie
5,Atelier Vélo,velo@atelier.example,1 rue du Lac,42000,Lyon,,1,2020-09-01,,,Membres actifs
6,Bistrologie,,,,,,0,,,,Anciens membres
"""
LETTER = "Inscription à la lettre d'information"
ROWS = (
    {
        "Numéro de membre": "5",
        "Nom & prénom": "Atelier Vélo",
        "Adresse E-Mail": "velo@atelier.example",
        "Adresse postale": "1 rue du Lac",
        "Code postal": "42000",
        "Ville": "Lyon",
        "Date d'inscription": "01/09/2020",
        LETTER: "Oui",
        "Catégorie": "Membres actifs",
    },
    {"Numéro de membre": "6", "Nom & prénom": "Bistrologie", LETTER: "", "Catégorie": "Anciens membres"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("truth", "paheko-1.3"):
        (tmp_path / name).mkdir()
    (tmp_path / "truth" / "paheko-1.3-users.csv").write_text(TRUTH, "utf-8")
    (tmp_path / "paheko-1.3" / "membres.csv").write_bytes(paheko(*ROWS))
    (tmp_path / "paheko-1.3" / "compta.csv").write_text("Numéro d'écriture,Numéro compte\n1,756\n", "utf-8")
    return tmp_path


def item(folder: Path) -> Comparison:
    return next(found for found in compare_folder(folder) if found.export == "membres.csv")


def test_what_is_true_agrees_and_a_file_that_is_no_list_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder)]) == 0
    assert "contains Paheko's accounts" in capsys.readouterr().out
    found = item(folder)
    assert (found.rows, found.accepted, found.active, found.refusals) == (2, 2, (1, 1), (1, 1))


@pytest.mark.parametrize(
    ("truth", "field"),
    [
        ("Bistrologie,,,,,,0,,,,Anciens membres", "status"),
        ("42000,Lyon", "postcode"),
        (",0,,,,Anciens", "opt_outs"),
        ("2020-09-01", "member_since"),
    ],
)
def test_what_is_not_is_counted_by_field(folder: Path, truth: str, field: str) -> None:
    wrong = {"status": truth.replace("Anciens membres", "Membres actifs"), "postcode": "69001,Lyon",
             "opt_outs": ",1,,,,Anciens", "member_since": "2019-01-01"}[field]  # fmt: skip
    path = folder / "truth" / "paheko-1.3-users.csv"
    path.write_text(TRUTH.replace(truth, wrong), "utf-8")
    assert item(folder).wrong[field] == 1
    assert main([str(folder)]) == 1
