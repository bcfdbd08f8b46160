from datetime import date
from decimal import Decimal

import pytest

from schemas.membership import MemberRemoved
from services.membership.legacy import recognise
from shared.importing.outcomes import UnreadableError
from shared.importing.reading import read
from tests.unit.membership.legacy.exports import (
    CIVICRM_CONTACTS,
    CIVICRM_MEMBERSHIPS,
    VERSION,
    civicrm,
    facts,
    faults,
    paheko,
    translate,
)

CONTACT = {
    "Contact ID": "41",
    "Contact Type": "Organization",
    "Do Not Email": "No",
    "Do Not Phone": "Yes",
    "Do Not Mail": "1",
    "Do Not Trade": "Yes",
    "No Bulk Emails (User Opt Out)": "Yes",
    "Legal Identifier": "732 829 320",
    "Sort Name": "ACME",
    "Display Name": "ACME",
    "Nickname": "Acmé",
    "Organization Name": "ACME SAS",
    "Sic Code": "62.01Z",
    "Contact is in Trash": "No",
    "Street Address": "1 rue du Lac",
    "Supplemental Address 1": "Bât. C",
    "City": "Lyon",
    "Postal Code": "69003",
    "Country": "France",
    "Email": "bonjour@acme.example",
    "On Hold": "No",
    "Group(s)": "Presse",
}
MEMBERSHIP = {
    "Contact ID": "41",
    "Contact Type": "Organization",
    "Display Name": "ACME",
    "Organization Name": "ACME SAS",
    "Membership Type": "PME",
    "Test": "No",
    "Member Since": "2022-01-01",
    "Membership Start Date": "2022-01-01",
    "Membership Expiration Date": "2022-12-31",
    "Membership Status": "Expired",
    "Membership ID": "1",
    "Total Amount": "600.00",
    "Payment Method": "Check",
}


def test_an_organisation_and_its_opt_outs(tmp_path):
    product, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT))
    assert product == "CiviCRM contacts"
    [fact] = facts(outcomes)
    assert (fact.record_id, fact.name, fact.brand, fact.siren, fact.naf) == (
        "41",
        "ACME SAS",
        "Acmé",
        "732 829 320",
        "62.01Z",
    )
    assert fact.opt_outs == ("bulk-email", "phone", "post")
    assert fact.street == "1 rue du Lac\nBât. C"
    assert {"Group(s)": "Presse", "Do Not Trade": "Yes"}.items() <= fact.extra.items()


@pytest.mark.parametrize(("written", "field"), [("73282932000074", "siret"), ("W691000000", "rna"), ("XYZ", "siren")])
def test_the_legal_identifier_is_told_by_its_form(tmp_path, written, field):
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT | {"Legal Identifier": written}))
    assert getattr(facts(outcomes)[0], field) == written


def test_an_address_on_hold_by_wish_is_an_opt_out_and_a_bounce_is_none(tmp_path):
    free = CONTACT | {"No Bulk Emails (User Opt Out)": "No", "Do Not Phone": "No", "Do Not Mail": "No"}
    wish, bounce = free | {"On Hold": "On Hold Opt Out"}, free | {"Contact ID": "42", "On Hold": "On Hold Bounce"}
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, wish, bounce))
    assert [fact.opt_outs for fact in facts(outcomes)] == [("bulk-email",), ()]
    assert facts(outcomes)[1].extra["On Hold"] == "On Hold Bounce"


def test_a_contact_in_the_trash_is_a_removal(tmp_path):
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT | {"Contact is in Trash": "Yes"}))
    assert facts(outcomes) == [MemberRemoved(record_id="41", version=VERSION, reason="in CiviCRM's trash")]


def test_people_and_households(tmp_path):
    person = CONTACT | {
        "Contact Type": "Individual",
        "First Name": "Zoé",
        "Last Name": "Martin",
        "Organization Name": "",
    }
    home = CONTACT | {
        "Contact ID": "42",
        "Contact Type": "Household",
        "Display Name": "Famille Roux",
        "Organization Name": "",
    }
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, person, home))
    assert [(fact.name, fact.category) for fact in facts(outcomes)] == [
        ("Zoé Martin", "Individual"),
        ("Famille Roux", "Household"),
    ]


def test_memberships_of_one_contact_become_one_fact(tmp_path):
    current = MEMBERSHIP | {
        "Membership ID": "2",
        "Member Since": "2023-01-01",
        "Membership Start Date": "2023-01-01",
        "Membership Expiration Date": "2023-12-31",
        "Membership Status": "Current",
        "Payment Method": "EFT",
    }
    product, outcomes = translate(tmp_path, civicrm(CIVICRM_MEMBERSHIPS, MEMBERSHIP, current))
    assert product == "CiviCRM memberships"
    [fact] = facts(outcomes)
    assert (fact.record_id, fact.same_as, fact.name) == ("membership:41", "41", "ACME SAS")
    assert (fact.status, fact.member_since, fact.paid_until) == ("active", date(2022, 1, 1), date(2023, 12, 31))
    assert [(s.label, s.amount) for s in fact.subscriptions] == [("PME", Decimal(600)), ("PME", Decimal(600))]
    assert (fact.extra["Payment Method"], fact.extra["Payment Method (2)"]) == ("Check", "EFT")
    assert not outcomes[0].notices


def test_test_memberships_are_set_aside(tmp_path):
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_MEMBERSHIPS, MEMBERSHIP | {"Test": "Yes"}))
    assert [outcome.reason for outcome in outcomes] == ["a test membership"]


def test_paheko(tmp_path):
    row = {
        "Numéro de membre": "5",
        "Nom & prénom": "Atelier Vélo",
        "Adresse E-Mail": "velo@atelier.example",
        "Code postal": "42000",
        "Pays": "FR",
        "Inscription à la lettre d'information": "Non",
        "Date d'inscription": "01/09/2020",
        "Rattaché à": "3",
        "Catégorie": "Membres actifs",
    }
    product, outcomes = translate(tmp_path, paheko(row))
    assert product == "Paheko members"
    [fact] = facts(outcomes)
    assert (fact.record_id, fact.name, fact.member_since) == ("5", "Atelier Vélo", date(2020, 9, 1))
    assert fact.opt_outs == ("bulk-email",)
    assert fact.extra == {"Rattaché à": "3"}


def test_the_plain_table_with_short_contact_columns(tmp_path):
    content = (
        "record_id,name,brand,siren,siret,vat,website,email,phone,street,postcode,city,naf,contact_first,contact_last\n"
        "A-1,ACME,,732829320,,,,,,,69001,LYON,,Zoé,Martin\n"
    )
    product, outcomes = translate(tmp_path, content.encode())
    assert product == "plain table"
    assert (facts(outcomes)[0].contact_first_name, facts(outcomes)[0].contact_last_name) == ("Zoé", "Martin")


def test_a_duplicate_key_in_a_plain_table(tmp_path):
    _, outcomes = translate(tmp_path, b"record_id;name\n1;ACME\n1;OTHER\n")
    assert faults(outcomes) == [(3, "record_id", "1")]


def test_an_unknown_file_names_the_nearest_product_and_what_it_lacks(tmp_path):
    (tmp_path / "x.csv").write_text("ID de l'adherent;Nom;Prénom\n1;2;3\n")
    with pytest.raises(
        UnreadableError, match='nearest is Galette members, but the column "id de l\'adhérent" is missing'
    ):
        recognise(read(tmp_path / "x.csv"))


def test_a_file_without_a_header_asks_for_it(tmp_path):
    (tmp_path / "x.csv").write_text("4711;0815;42\n1;2;3\n")
    with pytest.raises(UnreadableError, match="Is the first line the header"):
        recognise(read(tmp_path / "x.csv"))
