"""Levels, with the traps that public declarations hold."""

from typing import Any

import pytest

from services.membership.matching.explanations import LEVELS
from services.membership.matching.levels import FIELDS, compare
from services.membership.matching.term_frequency import Commonness
from services.membership.matching.weights import shipped
from tests.unit.membership.matching.builders import a_company, levels, names

COMMON = Commonness.COMMON


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Lumerine", "LUMERINE SAS", "exact"),
        ("Electro Dépôt", "ELECTRODEPOT", "exact"),
        ("Lumerine Logiciels", "Lumerine Logicels", "fuzzy"),
        ("Vorliane Bossert", "Vorliane Bsosert", "fuzzy"),
        ("Aribi", "Aribbi", "fuzzy"),
        ("Lumerine Logiciels", "Logiciels Lumerine", "fuzzy"),
        ("Lumerine", "Lumerine France", "located"),
        ("Lumerine", "Lumerine Groupe", "extended"),
        ("Viorne Pays d'Avelle", "VPDA", "acronym"),
        ("Institut Nation Audiovisuel", "Institut National Audiovisuel", "abbreviation"),
        ("Lumerine", "Lumerine Vioreau", "subset-rare"),
        ("Lumerine Alpha", "Lumerine Vioreau", "partial-rare"),
        ("Lumerine Conseil", "Vioreau Conseil", "none"),
        # Two companies each, of which one letter or the order of two words is the difference.
        ("SOCIETE AIR FRANCE", "FRANCE AIR", "near"),
        ("TEREGA", "TEREVA", "near"),
        ("THALES DIS FRANCE SAS", "THALES LAS FRANCE SAS", "partial-rare"),
        ("THALES DMS FRANCE", "THALES AVS FRANCE", "partial-rare"),
        ("THALES", "THALES DIS", "subset-rare"),
        ("AUCHAN HYPERMARCHE", "AUCHAN SUPERMARCHE", "partial-rare"),
        ("ALDI MARCHE", "ALDI MARCHE", "exact"),
        ("LASER 03", "ASSOC LASER 03", "exact"),
        ("LASER 03", "LASER 38", "partial-rare"),
    ],
)
def test_names(text: str, other: str, expected: str) -> None:
    assert names(text, other) == expected


def test_a_name_that_adds_its_town() -> None:
    town = {"city": "Saint-Étienne"}
    assert levels({"name": "Lumerine"}, {"name": "Lumerine St Étienne"}).name == "subset-rare"
    assert levels({"name": "Lumerine"}, {"name": "Lumerine Saint-Étienne"} | town).name == "located"


def test_a_brand_is_a_name_too() -> None:
    assert levels({"name": "Vioreau"}, {"name": "Lumerine", "brand": "VIOREAU"}).name == "brand"
    assert levels({"name": "Lumerine", "brand": "Vioreau"}, {"name": "Lumerine"}).name == "exact"
    assert levels({"name": "Lumerine", "brand": "Vioreau"}, {"name": "Ornesse", "brand": "Vioreau"}).name == "brand"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Whoever holds a company trades under its brand, or has a name that adds a word to it.
        ("Lumerine", "Lumerine Participations", "extended"),
        ("Lumerine Alpha", "Lumerine Vioreau", "partial-rare"),
        ("Ornesse Groupe", "Lumerine Participations", "brand"),
    ],
)
def test_a_brand_that_a_group_shares_does_not_make_its_names_one(text: str, other: str, expected: str) -> None:
    assert levels({"name": text, "brand": "Avelle"}, {"name": other, "brand": "Avelle"}).name == expected


def test_a_holding_that_trades_under_the_name_of_what_it_holds_is_not_that_company() -> None:
    paused = {"name": "Lumerine SAS Participations", "brand": "Lumerine"}
    assert levels({"name": "Lumerine", "brand": "Lumerine"}, paused).name == "extended"
    assert levels({"name": "Lumerine", "brand": "Vioreau"}, paused).name == "extended"


def test_a_brand_and_a_word_more_is_no_name_in_common() -> None:
    known = {"city": "Saint-Étienne", "brand": "Vioreau"}
    assert levels({"name": "Lumerine", "brand": "Vioreau"}, {"name": "Vioreau Groupe"}).name == "extended"
    assert levels({"name": "Lumerine"} | known, {"name": "Vioreau Saint-Étienne"}).name == "extended"


def test_common_names_and_words_say_less() -> None:
    features, other = a_company("1"), a_company("2", "south")
    assert compare(features, other, {"n:LUMERINE": COMMON}).name == "exact-common"
    longer = a_company("2", "south", name="Lumerine Vioreau")
    assert compare(features, longer, {"t:LUMERINE": COMMON}).name == "subset-common"
    apart = a_company("1", name="Lumerine Alpha")
    assert compare(apart, longer, {"t:LUMERINE": COMMON}).name == "partial"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"siren": "732829320"}, {"siren": "732 829 320"}, "equal"),
        ({"siren": "732829320"}, {"siret": "73282932000074"}, "equal"),
        ({"siren": "732829320"}, {"siren": "552100554"}, "different"),
        ({"siren": "732829320"}, {"siren": "732829321"}, "slip"),
        ({"siren": "732829320"}, {"siren": "732892320"}, "slip"),
        ({"siren": "732829320"}, {"siren": "732892321"}, None),
        ({"siren": "732829320"}, {"siren": "123456780"}, "unlike"),
        ({"siren": "732829321"}, {"siret": "55210055500013"}, "unlike"),
        ({"siren": "732829321"}, {"siren": "732829323"}, None),
        ({"siren": "732829320"}, {"siren": "999999999"}, None),
        ({"siren": "732829320"}, {}, None),
    ],
)
def test_siren(item: dict[str, Any], other: dict[str, Any], expected: str | None) -> None:
    assert levels(item, other).siren == expected


@pytest.mark.parametrize(
    ("one", "other", "domain", "email"),
    [
        ({"website": "www.lumerine.example"}, {"email": "ada@lumerine.example"}, "equal", None),
        ({"email": "ada@lumerine.example"}, {"email": "bob@lumerine.example"}, "equal", "different"),
        ({"email": "ada@lumerine.example"}, {"email": "Ada@lumerine.example"}, "equal", "equal"),
        ({"email": "contact@lumerine.example"}, {"email": "contact@lumerine.example"}, "equal", "role"),
        ({"email": "contact@orange.fr"}, {"email": "contact@orange.fr"}, None, "equal"),
        ({"email": "ada@gmail.com"}, {"email": "bob@gmail.com"}, None, "different"),
        ({"website": "a.example"}, {"website": "b.example"}, "different", None),
        ({"website": "a.example"}, {}, None, None),
    ],
)
def test_domain_and_e_mail(item: dict[str, Any], other: dict[str, Any], domain: str | None, email: str | None) -> None:
    result = levels(item, other)
    assert (result.domain, result.email) == (domain, email)


def test_an_agencys_domain_e_mail_and_phone_are_not_their_own() -> None:
    written = {"email": "ada@cabinet.example", "phone": "04 77 12 34 56"}
    common = {"d:cabinet.example": COMMON, "e:ada@cabinet.example": COMMON, "p:+33477123456": COMMON}
    result = levels(written, written, **common)
    assert (result.domain, result.email, result.phone) == ("shared", "shared", "shared")


def test_one_own_domain_beside_an_agencys_is_enough() -> None:
    written = {"website": "lumerine.example", "email": "ada@cabinet.example"}
    assert levels(written, written, **{"d:cabinet.example": COMMON}).domain == "equal"


def test_phone_and_mobile_may_stand_in_each_others_place() -> None:
    assert levels({"phone": "06 12 34 56 78"}, {"mobile": "+33 6 12 34 56 78"}).phone == "equal"
    assert levels({"phone": "06 12 34 56 78"}, {"phone": "06 12 34 56 79"}).phone == "different"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("12 rue des Lilas", "12 R DES LILAS", "equal"),
        ("12 rue des Lilas", "rue des Lilas", "no-number"),
        ("12 rue des Lilas", "14 rue des Lilas", "other-number"),
        ("12 rue Lothaire Viorne", "12 rue Loothaire Viorne", "equal"),
        ("ZI 12 rue des Lilas", "12 rue des Lilas - Bât. B", "equal"),
        ("12 rue des Lilas", "3 place Avelle", "different"),
        ("12 rue des Lilas", "", None),
    ],
)
def test_street(text: str, other: str, expected: str | None) -> None:
    assert levels({"street": text}, {"street": other or None}).street == expected


def test_a_street_number_where_a_crowd_is_registered() -> None:
    written = {"street": "12 rue des Lilas", "postcode": "42000"}
    assert levels(written, written, **{"a:42000|12|LILAS": COMMON}).street == "shared"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("42000", "St-Étienne"), ("42000", "SAINT ETIENNE"), "postcode"),
        (("42000", "St-Étienne"), ("42100", "Saint-Etienne"), "town"),
        (("42000", "St-Étienne"), ("42300", "Roanne"), "departement"),
        (("42000", "St-Étienne"), ("69003", "Lyon"), "elsewhere"),
        (("42000", "Saint-Étienne"), ("69003", "Saint-Étienne"), "elsewhere"),
        ((None, "Roanne"), ("42000", "St-Étienne"), "other-town"),
        ((None, "Roanne"), ("42300", "ROANNE CEDEX"), "town"),
        ((None, None), ("42300", "Roanne"), None),
    ],
)
def test_place(
    texts: tuple[str | None, str | None], other: tuple[str | None, str | None], expected: str | None
) -> None:
    # The names differ, so that nothing makes it another site of one company.
    first = {"name": "Lumerine", "postcode": texts[0], "city": texts[1]}
    second = {"name": "Vioreau", "postcode": other[0], "city": other[1]}
    assert levels(first, second).place == expected


def test_one_company_may_have_sites_in_two_departements() -> None:
    ours, theirs = {"postcode": "42000"}, {"postcode": "69003"}
    siren, domain = {"siren": "732829320"}, {"website": "lumerine.example"}
    assert levels(ours | siren, theirs | siren).place == "branch"
    assert levels(ours | siren, theirs | siren | {"name": "Vioreau"}).place == "elsewhere"
    assert levels(ours | domain, theirs | domain).place == "far"
    assert levels(ours | domain | siren, theirs | domain | {"siren": "552100554"}).place == "elsewhere"
    assert levels(ours, theirs).place == "elsewhere"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("6202A", "62.02A", "equal"),
        ("6202A", "6201Z", "division"),
        ("6202A", "0111Z", "different"),
        ("6202A", "62.20Y", None),  # of the nomenclature of 2025
        ("6202A", None, None),
    ],
)
def test_naf(text: str, other: str | None, expected: str | None) -> None:
    assert levels({"naf": text}, {"naf": other}).naf == expected


def test_contact_and_form() -> None:
    ada = {"contact_first_name": "Ada", "contact_last_name": "Viorne"}
    assert levels(ada, {"contact_first_name": "ADA", "contact_last_name": "VIORNE"}).contact == "equal"
    assert levels(ada, ada | {"contact_first_name": "Bob"}).contact == "different"
    assert levels(ada, {"contact_last_name": "Viorne"}).contact is None
    assert levels({"name": "Assoc Laser 03"}, {"name": "Laser 03 SARL"}).form == "different"
    assert levels({"name": "Assoc Laser 03"}, {"name": "Laser 03"}).form == "one-association"
    assert levels({"name": "Assoc Laser 03"}, {"name": "Association Laser 03"}).form == "associations"
    assert levels({"name": "Laser 03"}, {"name": "Laser 03 SARL"}).form is None


def test_what_a_former_system_declares_holds_within_its_cluster() -> None:
    features = a_company("1", same_as="2")
    assert compare(features, a_company("2"), {}).declared == "same"
    assert compare(a_company("2"), features, {}).declared == "same"
    assert compare(features, a_company("2", "south"), {}).declared is None


def test_every_level_has_words_in_both_languages_and_a_weight() -> None:
    weights = shipped()
    assert set(LEVELS) == set(FIELDS)
    for field, wording in LEVELS.items():
        assert set(wording) == set(weights.levels[field]), field
        assert all(words["fr"] and words["en"] for words in wording.values())
