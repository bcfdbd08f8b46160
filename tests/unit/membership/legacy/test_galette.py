from datetime import date

from shared.importing.outcomes import Accepted, Rejection, Repeated
from tests.unit.membership.legacy.exports import GALETTE, GALETTE_RAW, VERSION, facts, faults, galette, translate

ACME = {
    "ID de l'adhérent": "12",
    "Statut": "Membre actif",
    "Nom ": "Martin",
    "Prénom": "Zoé",
    "Personne morale": "ACME SAS",
    "Adresse": "1 rue de la République",
    "Code Postal": "69001",
    "Ville": "Lyon",
    "Pays": "France",
    "Téléphone": "04 72 00 00 00",
    "GSM": "06 12 34 56 78",
    "Courriel": "zoe@acme.example",
    "Profession": "Gérante",
    "Date de création": "31/12/2019",
    "Date de modification": "01/02/2024",
    "Compte": "Oui",
    "Exempt de cotisation": "Non",
    "Date d’échéance": "31/12/2024",
    "Langue": "fr_FR",
    "Numéro adhérent": "NL12",
}


def test_a_company_and_its_contact(tmp_path):
    product, outcomes = translate(tmp_path, galette(ACME))
    assert product == "Galette members"
    [fact] = facts(outcomes)
    assert fact.model_dump(exclude_defaults=True) == {
        "version": VERSION,
        "record_id": "12",
        "name": "ACME SAS",
        "email": "zoe@acme.example",
        "phone": "04 72 00 00 00",
        "mobile": "06 12 34 56 78",
        "street": "1 rue de la République",
        "postcode": "69001",
        "city": "Lyon",
        "country": "France",
        "contact_first_name": "Zoé",
        "contact_last_name": "Martin",
        "contact_role": "Gérante",
        "category": "Membre actif",
        "status": "active",
        "member_since": date(2019, 12, 31),
        "paid_until": date(2024, 12, 31),
        "exempt": False,
        "created_on": date(2019, 12, 31),
        "modified_on": date(2024, 2, 1),
        "extra": {"Langue": "fr_FR", "Numéro adhérent": "NL12"},
    }


def test_a_person_is_called_by_first_and_last_name(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME | {"Personne morale": ""}))
    assert facts(outcomes)[0].name == "Zoé Martin"


def test_columns_that_a_cluster_added(tmp_path):
    headers = [*GALETTE, "SIRET", "N° TVA", "APE", "Site web", "Couleur"]
    added = {
        "SIRET": "732 829 320 00074",
        "N° TVA": "FR44732829320",
        "APE": "6201Z",
        "Site web": "acme.example",
        "Couleur": "bleu",
    }
    _, outcomes = translate(tmp_path, galette(ACME | added, headers=headers))
    [fact] = facts(outcomes)
    assert (fact.siret, fact.vat, fact.naf, fact.website) == (
        "732 829 320 00074",
        "FR44732829320",
        "6201Z",
        "acme.example",
    )
    assert fact.extra["Couleur"] == "bleu"


def test_the_raw_variant_and_no_passwords(tmp_path):
    row = {
        "id_adh": "7",
        "nom_adh": "Roux",
        "societe_adh": "Roux SA",
        "mdp_adh": "$2y$10$x",
        "date_crea_adh": "2020-01-31",
        "cp_adh": "1000",
    }
    _, outcomes = translate(tmp_path, galette(row, headers=GALETTE_RAW))
    [fact] = facts(outcomes)
    assert (fact.record_id, fact.name, fact.created_on, fact.postcode) == ("7", "Roux SA", date(2020, 1, 31), "1000")
    assert "$2y$10$x" not in fact.model_dump_json()


def test_a_missing_name_is_rejected(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME | {"Personne morale": "", "Nom ": "", "Prénom": ""}))
    assert outcomes == [Rejection(2, "12", "Personne morale", "", "the name is missing")]


def test_a_missing_id_is_rejected(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME | {"ID de l'adhérent": ""}))
    assert [(o.record_id, o.reason) for o in outcomes] == [(None, "the id is missing")]


def test_a_bad_date_is_rejected_with_its_column_and_value(tmp_path):
    bad = ACME | {"ID de l'adhérent": "13", "Date d’échéance": "31/02/2023", "Date de création": "01/01/1970"}
    _, outcomes = translate(
        tmp_path, galette(ACME, bad, ACME | {"ID de l'adhérent": "14", "Date de création": "00/00/0000"})
    )
    assert faults(outcomes) == [(3, "Date de création", "01/01/1970"), (3, "Date d’échéance", "31/02/2023")]
    assert [fact.record_id for fact in facts(outcomes)] == ["12", "14"]


def test_a_name_of_300_characters_is_kept_whole(tmp_path):
    name = "Société " + "é" * 292
    _, outcomes = translate(tmp_path, galette(ACME | {"Personne morale": name}))
    assert facts(outcomes)[0].name == name


def test_a_value_that_is_too_long_is_rejected_not_cut(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME | {"Personne morale": "x" * 1_001}))
    [fault] = outcomes
    assert (fault.field, len(fault.value)) == ("Personne morale", 1_001)
    assert fault.reason == "too long: at most 1000 characters"


def test_bad_contact_details_are_kept_as_written(tmp_path):
    bad = {"Courriel": "zoe@@acme", "Téléphone": "standard", "Pays": "Wakanda", "Code Postal": "ABC"}
    _, outcomes = translate(tmp_path, galette(ACME | bad))
    [fact] = facts(outcomes)
    assert (fact.email, fact.phone, fact.country, fact.postcode) == ("zoe@@acme", "standard", "Wakanda", "ABC")


def test_the_same_company_twice_under_one_id(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME, ACME, ACME | {"Ville": "Paris"}))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Repeated, Rejection]
    assert outcomes[2].reason == "line 2 has this id, and says otherwise"


def test_the_same_company_twice_under_two_ids_is_two_records(tmp_path):
    _, outcomes = translate(tmp_path, galette(ACME, ACME | {"ID de l'adhérent": "99"}))
    assert [fact.record_id for fact in facts(outcomes)] == ["12", "99"]
