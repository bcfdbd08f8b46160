"""Galette's SIRET, VAT number, trade and site are in a table of their own: they are read beside the members."""

from pathlib import Path

import pytest

from schemas.membership import MemberRecorded
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.importing.outcomes import Accepted, UnreadableError
from tests.unit.membership.legacy.exports import GALETTE, galette

SYSTEM = FormerSystem("numelink", "membership")
MEMBERS = [
    {"ID de l'adhérent": number, "Personne morale": f"ACME {number}", "Statut": "Membre actif", "Compte": "Oui"}
    for number in ("1", "2")
]
VALUES = [
    ("1", "5", "adh", "378 744 585 00035"),
    ("2", "5", "adh", "73282932000074"),
    ("1", "6", "adh", "FR 84 781580337"),
    ("2", "7", "adh", "6201Z"),
    ("1", "8", "adh", "www.acme.example"),
    ("2", "9", "adh", "bleu"),
    ("2", "9", "adh", "vert"),
    ("1", "9", "contrib", "rouge"),
    ("77", "5", "adh", "73282932000082"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    members, dynamic = tmp_path / "liste.csv", tmp_path / "galette_dynamic_fields_full.csv"
    members.write_bytes(galette(*MEMBERS))
    lines = ['"item_id";"field_id";"field_form";"val_index";"field_val"']
    lines += [f'"{item}";"{field}";"{form}";"1";"{value}"' for item, field, form, value in VALUES]
    dynamic.write_text("\n".join(lines), "utf-8")
    return members, dynamic


@pytest.mark.parametrize("swapped", [False, True])
def test_they_are_told_by_what_is_in_them(files: tuple[Path, Path], swapped: bool) -> None:
    opened = open_files(SYSTEM, files[::-1] if swapped else files)
    facts: list[MemberRecorded] = [
        outcome.fact for file in opened for outcome in file.outcomes if isinstance(outcome, Accepted)
    ]
    item, other = facts
    assert (item.siret, item.vat, item.website, item.naf) == (
        "378 744 585 00035", "FR 84 781580337", "www.acme.example", None)  # fmt: skip
    assert (other.siret, other.naf, other.extra) == ("73282932000074", "6201Z", {"Champ 9": "bleu ; vert"})


def test_the_report_counts_them_and_says_whose_are_not_there(files: tuple[Path, Path]) -> None:
    opened = open_files(SYSTEM, files)
    list(messages(SYSTEM, opened))
    members, dynamic = (file.report for file in opened)
    assert (dynamic.product, dynamic.rows, dynamic.accepted) == ("Galette dynamic fields", 8, 8)
    assert members.warnings == ["dynamic fields of 1 members that are not in this file were left out"]


def test_alone_they_are_refused_with_what_to_do(files: tuple[Path, Path]) -> None:
    with pytest.raises(UnreadableError, match="import them together with one list of members"):
        open_files(SYSTEM, [files[1]])


def test_the_list_of_members_has_none_of_them() -> None:
    assert not {"SIRET", "APE"} & set(GALETTE)
