"""What goes back is a file that the product's own import takes as it is; the rest is a list for a person."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from schemas.membership import MemberRecorded, Subscription
from services.membership.legacy import kind_for
from services.membership.legacy.export import file_of, write
from services.membership.legacy.import_rules import RULES, faults
from services.membership.legacy.way_back import LIST, Row, import_files, left_out
from tests.support.examples import examples
from tests.unit.membership.legacy.test_export import ADDED, IDS, members

NEW = IDS[4]


def a_record(software: str, **answer: Any) -> Row:
    given_fields: dict[str, Any] = {"record_id": "12", "version": 7, "name": "ACME"} | answer
    fact = MemberRecorded(**given_fields)
    written = write(fact, software)
    return Row(written.file, fact.record_id, fact.name, written.columns, written.rows)


def back(software: str, **answer: Any) -> tuple[str, list[dict[str, str]], list[dict[str, str]]]:
    """The kind of the record, the rows of its file, and the lines that are left for a person."""
    row = a_record(software, **answer)
    files = import_files([row])
    content = files.get(row.kind, b"")
    assert faults(row.kind, content) == [] if content else True
    separator = RULES[row.kind].separator
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=separator))
    left = files.get(LIST, b"").decode("utf-8-sig")
    return row.kind, rows, list(csv.DictReader(io.StringIO(left, newline=""), delimiter=";"))


PARTY = {"extra": {"État": "1", "Client": "1", "Fournisseur": "0", "Code client": "CU12"}}
MEMBER = {
    "record_id": "adherent:12",
    "contact_last_name": "Roux",
    "extra": {"Réf adhérent": "12", "Identifiant": "m12", "Id type adhérent": "3"},
}
TERMS = tuple(
    Subscription(subscription_id=str(year), starts_on=date(year, 1, 1), ends_on=date(year, 12, 31), amount=Decimal(150))
    for year in (2025, 2026)
)


def test_a_third_party_of_dolibarr_keeps_its_line_breaks_and_leaves_out_what_is_not_taken() -> None:
    _, [row], left = back(
        "dolibarr", street="1 rue de l’Arbre\nBât. B", headcount="EF1-5", country="France", category="TE_SMALL", **PARTY
    )
    assert (row["Adresse"], row["Code pays"], row["Type du tiers"]) == ("1 rue de l’Arbre\nBât. B", "FR", "TE_SMALL")
    assert (row["État"], row["Client"], row["Fournisseur"], row["Code client"]) == ("1", "1", "0", "CU12")
    assert not row.keys() & {"Id", "Effectifs", "Pays"}
    assert [(item["column"], item["value"]) for item in left] == [("Effectifs", "EF1-5")]


def test_a_record_made_here_gets_what_dolibarr_requires_of_a_new_one() -> None:
    _, [row], _ = back("dolibarr", record_id=NEW, status="active")
    assert (row["Nom"], row["État"], row["Client"], row["Fournisseur"], row["Code client"]) == (
        "ACME", "1", "1", "0", "auto")  # fmt: skip


def test_a_third_party_that_cannot_be_found_there_is_left_for_a_person_whole() -> None:
    _, rows, left = back("dolibarr", email="contact@acme.example")
    assert rows == []
    assert {"État", "Client", "Fournisseur", "Code client", "Email", "Nom"} <= {item["column"] for item in left}


def test_subscriptions_and_categories_of_dolibarr_members_are_left_and_drafts_are_not_taken() -> None:
    _, [row], left = back("dolibarr", status="ended", category="PME", subscriptions=TERMS, **MEMBER)
    assert (row["État"], row["Réf adhérent"], row["Identifiant"]) == ("0", "12", "m12")
    assert {"Libellé du type adhérent", "Id adhésion", "Date adhésion", "Montant"} <= {item["column"] for item in left}
    _, rows, left = back("dolibarr", status="pending", **MEMBER)
    assert rows == []
    assert ("État", "'-1") in {(item["column"], item["value"]) for item in left}


def test_galette_only_creates_so_a_change_is_a_list_and_a_new_member_a_row_of_its_model() -> None:
    _, rows, left = back("galette", email="contact@acme.example", status="active", category="Membre actif")
    assert rows == []
    assert ("email_adh", "contact@acme.example") in {(item["column"], item["value"]) for item in left}
    assert "only creates" in left[0]["why"]
    _, [row], left = back("galette", record_id=NEW, email="contact@acme.example", opt_outs=("bulk-email",), siren="1")
    assert [*row] == [*RULES["Galette members"].columns]
    assert (row["nom_adh"], row["societe_adh"], row["email_adh"]) == ("ACME", "ACME", "contact@acme.example")


def test_paheko_numbers_new_members_itself_and_a_yes_is_never_made_up() -> None:
    letter = "Inscription à la lettre d'information"
    _, [row], left = back("paheko", record_id=NEW, category="Membres actifs")
    assert "Numéro de membre" not in row
    assert row[letter] == ""
    assert [item["column"] for item in left] == ["Catégorie"]
    _, [row], _ = back("paheko", opt_outs=("bulk-email",))
    assert (row["Numéro de membre"], row[letter]) == ("12", "Non")


def test_civicrm_takes_contacts_and_memberships_apart_and_no_amounts() -> None:
    _, [row], _ = back("civicrm", extra={"Contact Type": "Organization"}, opt_outs=("email",))
    assert (row["Contact ID"], row["Organization Name"], row["Do Not Email"]) == ("12", "ACME", "1")
    assert "Display Name" not in row
    named = tuple(item.model_copy(update={"label": "PME"}) for item in TERMS)
    _, rows, left = back("civicrm", record_id="membership:12", status="active", subscriptions=named)
    result = [(item["Membership ID"], item["Membership Status"]) for item in rows]
    assert result == [("2025", "Expired"), ("2026", "Current")]
    assert {item["column"] for item in left} == {"Total Amount"}


@pytest.mark.parametrize("software", ["dolibarr", "galette", "paheko", "civicrm"])
def test_the_export_s_own_form_is_refused_by_every_import(software: str) -> None:
    answer: dict[str, Any] = {
        "record_id": "12", "version": 7, "name": "ACME", "status": "pending", "street": "a\nb", "country": "France",
        "category": "X", "headcount": "EF1-5"}  # fmt: skip
    written = write(MemberRecorded(**answer), software)
    assert faults(written.file, file_of(kind_for(software, "12"), [written]))


@pytest.mark.parametrize("software", ["dolibarr", "galette", "paheko", "civicrm"])
@given(fact=members())
@settings(max_examples=examples(100), deadline=None)
def test_whatever_a_record_says_its_file_is_taken_and_nothing_is_lost(software: str, fact: MemberRecorded) -> None:
    written = write(fact, software, ADDED)
    row = Row(written.file, fact.record_id, fact.name, written.columns, written.rows)
    files = import_files([row])
    if content := files.get(row.kind):
        assert [fault for fault in faults(row.kind, content) if "written line break" not in fault] == []
    listed = files.get(LIST, b"").decode("utf-8-sig")
    columns = {item["column"] for item in csv.DictReader(io.StringIO(listed, newline=""), delimiter=";")}
    assert set(left_out(row)) == columns
