from datetime import date
from decimal import Decimal

from shared.importing.outcomes import Accepted
from tests.unit.membership.legacy.exports import (
    DOLIBARR_MEMBERS,
    DOLIBARR_THIRD_PARTIES,
    dolibarr,
    facts,
    faults,
    translate,
)

THIRD_PARTY = {
    "Id": "905",
    "Nom": "Société Générale d’Essai",
    "Nom alternatif": "SGE",
    "État": "1",
    "Date création": "2015-06-04",
    "Code client": "CU905",
    "Adresse": "12 rue du Lac\\nBP 3",
    "Code postal": "69003",
    "Ville": "Lyon",
    "Pays": "France",
    "Code pays": "FR",
    "Téléphone": "04 72 00 00 00",
    "Identifiant professionnel 1": "732829320",
    "Identifiant professionnel 2": "73282932000074",
    "Identifiant professionnel 3": "6201Z",
    "Identifiant professionnel 4": "RCS Lyon",
    "Identifiant professionnel 6": "W691000000",
    "Numéro TVA": "FR44732829320",
    "Type du tiers": "TE_SMALL",
    "Type d'entité légale": "SAS",
    "Url": "www.sge.example",
}
MEMBER = {
    "ID adhérent": "905",
    "Réf adhérent": "MEM905",
    "Nom": "Laurent",
    "Prénom": "Philippe",
    "Nature de l'adhérent": "mor",
    "Société": "SGE",
    "Tél pro.": "04 72 00 00 00",
    "Tél portable": "06 12 34 56 78",
    "État": "1",
    "Date création": "2011-01-15",
    "Date validation": "2011-01-16",
    "Date fin adhésion": "2012-12-31",
    "Id type adhérent": "4",
    "Libellé du type adhérent": "ETI / groupe",
    "Id adhésion": "1",
    "Date adhésion": "2011-01-01",
    "Date fin adhésion#2": "2011-12-31",
    "Montant": "1200,00",
}
SECOND = MEMBER | {
    "Id adhésion": "2",
    "Date adhésion": "2012-01-01",
    "Date fin adhésion#2": "2012-12-31",
    "Montant": "1 250,50",
}


def test_a_third_party_in_windows_1252(tmp_path):
    product, outcomes = translate(tmp_path, dolibarr(DOLIBARR_THIRD_PARTIES, THIRD_PARTY))
    assert product == "Dolibarr third parties"
    [fact] = facts(outcomes)
    assert (fact.record_id, fact.name, fact.brand) == ("905", "Société Générale d’Essai", "SGE")
    assert (fact.siren, fact.siret, fact.naf, fact.rna) == ("732829320", "73282932000074", "6201Z", "W691000000")
    assert (fact.vat, fact.legal_form, fact.category, fact.website) == (
        "FR44732829320",
        "SAS",
        "TE_SMALL",
        "www.sge.example",
    )
    assert fact.street == "12 rue du Lac\nBP 3"
    assert fact.extra == {
        "État": "1",
        "Code client": "CU905",
        "Code pays": "FR",
        "Identifiant professionnel 4": "RCS Lyon",
    }


def test_older_labels(tmp_path):
    headers = [
        "Id",
        "Nom",
        "Nature",
        "ID professionnel 1",
        "ID professionnel 2",
        "Num TVA",
        "Forme juridique",
        "Code postal",
    ]
    row = dict(zip(headers, ["7", "ACME", "Client", "732829320", "", "FR44732829320", "SARL", "38000"], strict=True))
    product, outcomes = translate(tmp_path, dolibarr(headers, row, encoding="utf-8"))
    assert product == "Dolibarr third parties"
    [fact] = facts(outcomes)
    assert (fact.siren, fact.vat, fact.legal_form, fact.category) == ("732829320", "FR44732829320", "SARL", "Client")


def test_only_the_columns_that_the_user_picked(tmp_path):
    headers = ["Id", "Nom", "Identifiant professionnel 1"]
    _, outcomes = translate(tmp_path, dolibarr(headers, {"Id": "7", "Nom": "ACME"}))
    assert facts(outcomes)[0].model_fields_set == {"version", "record_id", "name", "is_member"}


def test_rows_of_one_member_become_one_fact(tmp_path):
    product, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, SECOND, MEMBER | {"ID adhérent": "906"}, MEMBER))
    assert product == "Dolibarr members"
    assert [(o.lines, o.fact.record_id) for o in outcomes] == [((2, 4), "adherent:905"), ((3,), "adherent:906")]
    fact = outcomes[0].fact
    assert (fact.same_as, fact.name, fact.contact_first_name) == (None, "SGE", "Philippe")
    assert [(s.subscription_id, s.starts_on, s.ends_on, s.amount) for s in fact.subscriptions] == [
        ("1", date(2011, 1, 1), date(2011, 12, 31), Decimal("1200.00")),
        ("2", date(2012, 1, 1), date(2012, 12, 31), Decimal("1250.50")),
    ]
    assert (fact.status, fact.member_since, fact.paid_until) == ("active", date(2011, 1, 16), date(2012, 12, 31))
    assert not outcomes[0].notices


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    _, item = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER, SECOND))
    _, other = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, SECOND, MEMBER))
    assert facts(item) == facts(other)


def test_a_person_is_called_by_first_and_last_name(tmp_path):
    _, outcomes = translate(
        tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER | {"Nature de l'adhérent": "phy", "Société": ""})
    )
    assert facts(outcomes)[0].name == "Philippe Laurent"


def test_a_legal_person_without_a_name_is_kept_by_its_contact_s_and_it_is_said(tmp_path):
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER | {"Société": ""}))
    [outcome] = outcomes
    assert outcome.fact.name == "Philippe Laurent"
    assert [(notice.line, notice.field) for notice in outcome.notices] == [(2, "Société")]


def test_a_bad_subscription_is_set_aside_alone(tmp_path):
    bad = SECOND | {"Date adhésion": "31/02/2023", "Montant": "1,200"}
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER, bad))
    assert faults(outcomes) == [(3, "Date adhésion", "31/02/2023"), (3, "Montant", "1,200")]
    assert [o.lines for o in outcomes if isinstance(o, Accepted)] == [(2,)]


def test_rows_that_disagree_about_the_member_keep_the_first_and_say_so(tmp_path):
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER, SECOND | {"Société": "SGE Holding"}))
    [outcome] = outcomes
    assert outcome.fact.name == "SGE"
    [notice] = outcome.notices
    assert (notice.line, notice.field, notice.value) == (3, "name", "SGE Holding")
    assert notice.reason == "line 2 says otherwise, and is kept"


def test_one_subscription_with_two_amounts_is_a_rejection(tmp_path):
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER, MEMBER | {"Montant": "99"}))
    assert faults(outcomes) == [(3, "subscription_id", "1")]


def test_the_same_subscription_row_twice_is_one_subscription(tmp_path):
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER, MEMBER))
    assert [o.lines for o in outcomes] == [(2, 3)]
    assert len(outcomes[0].fact.subscriptions) == 1


def test_a_member_that_never_subscribed(tmp_path):
    never = {
        k: v for k, v in MEMBER.items() if k not in {"Id adhésion", "Date adhésion", "Date fin adhésion#2", "Montant"}
    }
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, never))
    assert facts(outcomes)[0].subscriptions == ()


def test_a_member_that_cannot_be_made_takes_all_its_rows_along(tmp_path):
    long = {"Email": "x" * 1_001}
    _, outcomes = translate(tmp_path, dolibarr(DOLIBARR_MEMBERS, MEMBER | long, SECOND | long))
    assert {(line, field) for line, field, _ in faults(outcomes)} == {(2, "Email"), (3, "Email")}
    assert not facts(outcomes)
