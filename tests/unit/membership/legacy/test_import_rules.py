"""The checker of way-back files fails on whatever a product's own import would refuse or misread."""

import pytest

from services.membership.legacy.import_rules import RULES, faults

PARTIES = "Nom,Adresse,Code pays,État,Client,Fournisseur,Code client\nACME,1 rue,FR,1,1,0,CU12\n"
GALETTE = (
    ";".join(RULES["Galette members"].columns)
    + "\n"
    + ";".join("Roux" if name == "nom_adh" else "" for name in RULES["Galette members"].columns)
    + "\n"
)
PAHEKO = (
    "Numéro de membre,Nom & prénom,Inscription à la lettre d'information,Date d'inscription\n5,Zoé,Oui,01/09/2020\n"
)
CONTACTS = "Contact ID,Organization Name,Do Not Email\n41,ACME,1\n"
MEMBERSHIPS = (
    "Contact ID,Membership ID,Membership Type,Membership Start Date,Membership Status\n41,7,PME,2026-01-01,Current\n"
)
MEMBERS = (
    "Réf adhérent,Nom,Identifiant,Nature de l'adhérent,Id type adhérent,État,Date fin adhésion\n"
    "7,Roux,m7,phy,1,1,2026-12-31\n"
)
PEOPLE = "Identifiant contact,Nom,Prénom,Adresse\n7,Roux,Zoé,1 rue\n"
FILES = {
    "Dolibarr third parties": PARTIES,
    "Dolibarr members": MEMBERS,
    "Dolibarr contacts": PEOPLE,
    "Galette members": GALETTE,
    "Paheko members": PAHEKO,
    "CiviCRM contacts": CONTACTS,
    "CiviCRM memberships": MEMBERSHIPS,
}


def test_every_kind_of_file_has_a_good_one_here() -> None:
    assert FILES.keys() == RULES.keys()
    assert not [kind for kind, text in FILES.items() if faults(kind, text.encode())]


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "complaint"),
    [
        ("Dolibarr third parties", ",FR,1,1,0", ",FR,-1,1,0", "line 2: \"État\" does not take '-1'"),
        ("Dolibarr third parties", ",FR,", ",France,", '"Code pays" does not take'),
        ("Dolibarr third parties", ",FR,1,1,0", ",FR,1,,0", '"Client" does not take'),
        ("Dolibarr third parties", "Fournisseur", "Effectifs", '"Effectifs" is no column of the import'),
        ("Dolibarr third parties", "Fournisseur", "Effectifs", '"Fournisseur" is required'),
        ("Dolibarr third parties", "Adresse", "Nom", '"Nom" stands twice'),
        ("Dolibarr third parties", "1 rue", "1 rue\\nBât. B", "has a written line break"),
        ("Dolibarr third parties", "CU12", "CU12,", "8 cells under 7 headers"),
        ("Dolibarr members", "m7,phy,1,1", "m7,phy,1,-1", '"État" does not take'),
        ("Dolibarr members", "m7,", ",", '"Identifiant" does not take'),
        ("Dolibarr members", "2026-12-31", "31/12/2026", '"Date fin adhésion" does not take'),
        ("Dolibarr contacts", "7,Roux", ",Roux", '"Identifiant contact" does not take'),
        ("Galette members", "nom_adh;prenom_adh", "id_adh;nom_adh;prenom_adh", "and not the"),
        ("Galette members", "Roux", "", '"nom_adh" does not take'),
        ("Galette members", "Roux", "Roux" * 300, "bytes, of which 1000 are read"),
        ("Paheko members", "5,Zoé", "019b0f6e-0000-7000-8000-000000000000,Zoé", '"Numéro de membre" does not take'),
        ("Paheko members", ",Oui,", ",1,", "does not take '1'"),
        ("Paheko members", "01/09/2020", "2020-09-01", '"Date d\'inscription" does not take'),
        ("CiviCRM contacts", ",ACME,1", ",ACME,Yes", '"Do Not Email" does not take'),
        ("CiviCRM contacts", "Organization Name", "Display Name", '"Display Name" is no column'),
        ("CiviCRM memberships", ",PME,", ",,", '"Membership Type" does not take'),
        ("CiviCRM memberships", "2026-01-01", "01/01/2026", '"Membership Start Date" does not take'),
        ("CiviCRM memberships", "Membership Type,", "Total Amount,", '"Total Amount" is no column'),
    ],
)
def test_a_broken_one_is_refused_for_what_is_broken(kind: str, right: str, wrong: str, complaint: str) -> None:
    assert right in FILES[kind]
    result = faults(kind, FILES[kind].replace(right, wrong).encode())
    assert any(complaint in fault for fault in result), result


def test_a_file_in_another_encoding_is_refused() -> None:
    assert faults("Dolibarr third parties", PARTIES.encode("cp1252")) == ["the file is not UTF-8"]
