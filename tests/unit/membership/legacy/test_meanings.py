"""Who is a member, by each product's own words; and what nobody has given a meaning makes no member, and is asked."""

from pathlib import Path
from typing import Any

import pytest

from services.membership.legacy import reading_of, recognise
from services.membership.legacy.meanings import DEFAULT, NOT_KNOWN, NOT_THERE, Reading
from shared.importing.outcomes import Accepted, UnreadableError
from shared.importing.reading import read
from shared.runtime.clusters import Cluster, ClustersFileError, load_clusters
from tests.unit.membership.legacy.exports import (
    CIVICRM_CONTACTS,
    CIVICRM_MEMBERSHIPS,
    DOLIBARR_CONTACTS,
    DOLIBARR_MEMBERS,
    DOLIBARR_THIRD_PARTIES,
    GALETTE,
    GALETTE_RAW,
    PAHEKO,
    VERSION,
    civicrm,
    dolibarr,
    galette,
    paheko,
)


def accepted(tmp_path: Path, content: bytes, reading: Reading = DEFAULT) -> Accepted[Any]:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    table = read(path)
    [outcome] = recognise(table).translate(table, VERSION, reading)
    assert isinstance(outcome, Accepted)
    return outcome


def stage_state(outcome: Accepted[Any]) -> tuple[str | None, bool | None]:
    return outcome.fact.status, outcome.fact.is_member


@pytest.mark.parametrize(
    ("state", "status"), [("1", "active"), ("0", "ended"), ("-1", "pending"), ("-2", "ended")], ids=str
)
def test_dolibarr_says_it_of_its_members_by_a_number(tmp_path: Path, state: str, status: str) -> None:
    member = {"ID adhérent": "702", "Société": "Bistrologie", "Nature de l'adhérent": "mor", "État": state}
    assert stage_state(accepted(tmp_path, dolibarr(DOLIBARR_MEMBERS, member))) == (status, None)


@pytest.mark.parametrize("client", ["1", "2", "3", "0"], ids=["customer", "prospect", "both", "supplier"])
def test_a_third_party_has_no_say_in_who_is_a_member(tmp_path: Path, client: str) -> None:
    party = {"Id": "902", "Nom": "Bistrologie", "Client": client, "État": "1"}
    assert stage_state(accepted(tmp_path, dolibarr(DOLIBARR_THIRD_PARTIES, party))) == (None, False)


@pytest.mark.parametrize(
    ("status", "account", "expected"),
    [
        ("Membre actif", "Oui", ("active", None)),
        ("Société", "Oui", ("active", None)),
        ("Président", "Oui", ("active", None)),
        ("Vice-président", "Oui", ("active", None)),
        ("Membre actif", "Non", ("ended", None)),
        ("Non membre", "Oui", (None, False)),
        ("Non membre", "Non", (None, False)),
        ("", "Oui", ("active", None)),
    ],
)
def test_galette_says_it_by_status_and_account(
    tmp_path: Path, status: str, account: str, expected: tuple[str | None, bool | None]
) -> None:
    row = {"ID de l'adhérent": "1", "Personne morale": "ACME", "Statut": status, "Compte": account}
    assert stage_state(accepted(tmp_path, galette(row))) == expected


@pytest.mark.parametrize(("number", "expected"), [("4", ("active", None)), ("9", (None, False)), ("7", (None, False))])
def test_galette_s_table_says_it_by_numbers(
    tmp_path: Path, number: str, expected: tuple[str | None, bool | None]
) -> None:
    headers = [*GALETTE_RAW, "activite_adh"]
    row = {"id_adh": "1", "nom_adh": "Roux", "id_statut": number, "activite_adh": "1"}
    assert stage_state(accepted(tmp_path, galette(row, headers=headers))) == expected


def test_galette_for_a_group_s_head_has_neither_and_says_so(tmp_path: Path) -> None:
    headers = [name for name in GALETTE if name.strip() not in ("Statut", "Compte", "Date d’échéance")]
    outcome = accepted(tmp_path, galette({"ID de l'adhérent": "1", "Personne morale": "ACME"}, headers=headers))
    assert stage_state(outcome) == (None, False)
    assert [(notice.field, notice.reason) for notice in outcome.notices] == [("Statut", NOT_THERE)]


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("Membres actifs", ("active", None)),
        ("Administrateurs", ("active", None)),
        ("Anciens membres", ("ended", None)),
        ("Membres bienfaiteurs", ("active", None)),
        ("Démissionnaires", ("ended", None)),
        ("Non-adhérents", (None, False)),
    ],
)
def test_paheko_says_it_by_category(tmp_path: Path, category: str, expected: tuple[str | None, bool | None]) -> None:
    row = {"Numéro de membre": "5", "Nom & prénom": "Atelier Vélo", "Catégorie": category}
    assert stage_state(accepted(tmp_path, paheko(row))) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Current", "active"), ("Grace", "active"), ("Pending", "pending"), ("Expired", "ended"), ("Cancelled", "ended"),
     ("Expirée", "ended"), ("Actuelle", "active")],
)  # fmt: skip
def test_civicrm_says_it_of_memberships_alone(tmp_path: Path, status: str, expected: str) -> None:
    row = {
        "Contact ID": "41",
        "Organization Name": "ACME",
        "Membership ID": "1",
        "Membership Start Date": "2026-01-01",
        "Membership Status": status,
    }
    assert stage_state(accepted(tmp_path, civicrm(CIVICRM_MEMBERSHIPS, row))) == (expected, None)
    contact = {"Contact ID": "41", "Contact Type": "Organization", "Organization Name": "ACME"}
    assert stage_state(accepted(tmp_path, civicrm(CIVICRM_CONTACTS, contact))) == (None, False)


def test_a_word_of_no_known_meaning_is_asked_and_may_be_answered(tmp_path: Path) -> None:
    content = paheko({"Numéro de membre": "5", "Nom & prénom": "Atelier Vélo", "Catégorie": "Amis"})
    outcome = accepted(tmp_path, content)
    assert stage_state(outcome) == (None, False)
    assert outcome.fact.category == "Amis"
    assert [(notice.field, notice.value, notice.reason) for notice in outcome.notices] == [
        ("Catégorie", "Amis", NOT_KNOWN)
    ]
    answered = accepted(tmp_path, content, Reading({"amis": "active"}))
    assert (stage_state(answered), answered.notices) == (("active", None), ())


def test_what_a_cluster_says_of_its_words_is_believed_before_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "clusters.toml"
    path.write_text(
        '[clusters.a]\nname = "A"\nformer_systems = ["membership"]\n'
        'statuses = { membership = { "Société" = "none", "Amis" = "active" } }\n',
        "utf-8",
    )
    reading = reading_of(load_clusters(path)["a"])
    row = {"ID de l'adhérent": "1", "Personne morale": "ACME", "Statut": "Société", "Compte": "Oui"}
    assert stage_state(accepted(tmp_path, galette(row), reading)) == (None, False)
    wrong = Cluster("a", "A", ("membership",), (), statuses={"membership": {"Amis": "friends"}})
    with pytest.raises(ClustersFileError, match='"friends" is no meaning; there are active, pending, ended, none'):
        reading_of(wrong)


def test_a_contact_is_one_of_the_company_s_people(tmp_path: Path) -> None:
    row = {
        "Identifiant contact": "7",
        "Nom": "Laurent",
        "Prénom": "Philippe",
        "Poste/fonction": "Directeur",
        "Téléphone": "04 72 00 00 00",
        "Téléphone#2": "04 41 30 53 07",
        "Email": "philippe@sge.example",
        "Email#2": "bonjour@sge.example",
        "Identifiant société": "905",
        "Raison sociale": "SGE",
    }
    fact = accepted(tmp_path, dolibarr(DOLIBARR_CONTACTS, row)).fact
    assert (fact.record_id, fact.works_for, fact.name, fact.contact_role) == (
        "contact:7", "905", "Philippe Laurent", "Directeur")  # fmt: skip
    assert (fact.phone, fact.email, fact.is_member) == ("04 72 00 00 00", "philippe@sge.example", False)


def test_an_employee_and_a_child_name_their_company(tmp_path: Path) -> None:
    employee = {"Contact ID": "42", "Contact Type": "Individual", "First Name": "Zoé", "Current Employer ID": "41"}
    assert accepted(tmp_path, civicrm(CIVICRM_CONTACTS, employee)).fact.works_for == "41"
    own = employee | {"Contact Type": "Organization", "Organization Name": "ACME"}
    assert accepted(tmp_path, civicrm(CIVICRM_CONTACTS, own)).fact.works_for is None
    child = {"ID de l'adhérent": "306", "Nom ": "Roux", "Parent": "4", "Compte": "Oui", "Statut": "Membre actif"}
    fact = accepted(tmp_path, galette(child)).fact
    assert (fact.works_for, fact.status) == ("4", "active")


@pytest.mark.parametrize("missing", [("Société", "Nature de l'adhérent")])
def test_members_without_the_names_of_their_companies_are_refused_with_what_to_tick(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    headers = [name for name in DOLIBARR_MEMBERS if name not in missing]
    with pytest.raises(UnreadableError, match='tick "Société" and "Nature de l\'adhérent"'):
        accepted(tmp_path, dolibarr(headers, {"ID adhérent": "1", "Nom": "Roux"}))


def test_one_last_day_beside_a_subscription_is_the_subscription_s(tmp_path: Path) -> None:
    ends = [at for at, name in enumerate(DOLIBARR_MEMBERS) if name == "Date fin adhésion"]
    headers = [name for at, name in enumerate(DOLIBARR_MEMBERS) if at != ends[0]]
    row = {
        "ID adhérent": "1",
        "Société": "ACME",
        "État": "1",
        "Id adhésion": "5",
        "Date adhésion": "2025-01-01",
        "Date fin adhésion": "2025-12-31",
    }
    fact = accepted(tmp_path, dolibarr(headers, row)).fact
    assert [str(subscription.ends_on) for subscription in fact.subscriptions] == ["2025-12-31"]
    assert fact.paid_until is None
    alone = [name for name in headers if name not in ("Id adhésion", "Date adhésion", "Montant")]
    member = {"ID adhérent": "1", "Société": "ACME", "État": "1", "Date fin adhésion": "2025-12-31"}
    assert str(accepted(tmp_path, dolibarr(alone, member)).fact.paid_until) == "2025-12-31"


def test_two_sales_people_are_one_record(tmp_path: Path) -> None:
    headers = [*DOLIBARR_THIRD_PARTIES, "Login du commercial", "Prénom du commercial"]
    party = {"Id": "1", "Nom": "ACME", "Capital": "0.00000000", "Login du commercial": "sophie"}
    outcome = accepted(tmp_path, dolibarr(headers, party, party | {"Login du commercial": "karim"}))
    assert outcome.lines == (2, 3)
    assert outcome.fact.extra == {"Login du commercial": "sophie ; karim", "Capital": "0"}


def test_paheko_may_keep_first_and_last_name_apart(tmp_path: Path) -> None:
    headers = ["Numéro de membre", "Nom", "Prénom", "Catégorie"]
    path = tmp_path / "x.csv"
    path.write_text(f"{','.join(headers)}\n5,Roux,Zoé,Membres actifs\n", "utf-8")
    fact = accepted(tmp_path, path.read_bytes()).fact
    assert (fact.name, fact.contact_first_name, fact.contact_last_name) == ("Zoé Roux", "Zoé", "Roux")
    assert PAHEKO[1] == "Nom & prénom"
