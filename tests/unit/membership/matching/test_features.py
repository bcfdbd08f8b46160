"""What a record contributes."""

import orjson
import pytest

from services.membership.matching.features import (
    acronyms,
    as_json,
    from_json,
    own_domains,
    read_street,
    registered,
    telling_words,
    town,
)
from services.membership.matching.keys import keys
from tests.unit.membership.matching.builders import a_company


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12 rue des Lilas", ("12", "LILAS")),
        ("12, R DES LILAS", ("12", "LILAS")),
        ("12 bis Av. Jean-Jaurès", ("12BIS", "JEAN JAURES")),
        ("BP 543 24 Rue Henri Fichon", ("24", "HENRI FICHON")),
        ("ZI 10 ROUTE DE PEGOMAS", ("10", "PEGOMAS")),
        ("75 RUE JEAN JAURES - Bât. C", ("75", "JEAN JAURES")),
        ("RUE DU 8 MAI 1945", (None, "8 MAI 1945")),
        ("3 PL de la République", ("3", "REPUBLIQUE")),
        ("133 RTE DEPARTEMENTALE 922", ("133", "DEPARTEMENTALE 922")),
        ("5 Bd St-Michel", ("5", "SAINT MICHEL")),
        ("12 rue du Parc", ("12", "PARC")),
        ("", (None, "")),
        ("CS 40012", (None, "")),
    ],
)
def test_streets_are_read_as_number_and_words(written: str, expected: tuple[str | None, str]) -> None:
    assert read_street(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("St-Étienne Cedex 2", "SAINT ETIENNE"),
        ("SAINT ETIENNE", "SAINT ETIENNE"),
        ("Lyon 3", "LYON"),
        ("L'Isle-d'Abeau", "ISLE ABEAU"),
        ("", ""),
    ],
)
def test_towns_lose_what_files_write_differently(written: str, expected: str) -> None:
    assert town(written) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("lumerine.example", "lumerine.example"),
        ("agence.lumerine.example", "lumerine.example"),
        ("orange.fr", None),
        ("gmail.com", None),
        ("lumerine.wixsite.com", "lumerine.wixsite.com"),
        ("wixsite.com", None),
        ("lumerine.asso.fr", "lumerine.asso.fr"),
        ("www.lumerine.asso.fr", "lumerine.asso.fr"),
        ("fr-fr.facebook.com", None),
        ("localhost", "localhost"),
    ],
)
def test_a_domain_is_own_unless_it_is_a_providers_or_a_platforms(host: str, expected: str | None) -> None:
    assert registered(host) == expected


def test_website_and_e_mail_both_give_own_domains() -> None:
    assert own_domains("b.example", "x@a.example") == ("a.example", "b.example")
    assert own_domains("a.example", "x@orange.fr") == ("a.example",)
    assert own_domains(None, None) == ()


def test_acronyms_with_and_without_small_words_and_the_town() -> None:
    assert acronyms("VIORNE PAYS D'AVELLE", "") == ("VPA", "VPDA")
    assert "FSL" in acronyms("FRATERNITE SUD LORRAINE TOUL", "TOUL")
    assert acronyms("SARL DEUX MOTS", "") == ()


def test_telling_words_leave_out_generic_ones_numbers_and_short_ones() -> None:
    assert telling_words("LUMERINE CONSEIL FRANCE 2000 MC") == {"LUMERINE"}


@pytest.mark.parametrize(
    ("name", "legal_form", "expected"),
    [
        ("Assoc Lumerine", None, "association"),
        ("Lumerine SAS", None, "company"),
        ("Assoc Lumerine SAS", None, None),
        ("Lumerine", None, None),
        ("Lumerine", "Association loi 1901", "association"),
        ("Lumerine", "SARL", "company"),
    ],
)
def test_the_form_that_a_record_calls_itself(name: str, legal_form: str | None, expected: str | None) -> None:
    assert a_company(name=name, legal_form=legal_form).form == expected


def test_features_survive_being_stored() -> None:
    features = a_company(
        name="Lumerine Conseil", brand="Vioreau", siren="732829320", website="lumerine.example", email="a@b.example",
        phone="04 77 12 34 56", mobile="06 12 34 56 78", street="3 rue des Lilas", postcode="42000", city="St-Étienne",
        naf="6202A", contact_first_name="Ada", contact_last_name="Viorne", same_as="7",
    )  # fmt: skip
    assert from_json(features.key, orjson.loads(orjson.dumps(as_json(features)))) == features
    assert from_json(features.key, {**as_json(features), "v": 0}) is None


def test_a_siren_with_a_typing_error_is_remembered_as_written() -> None:
    assert a_company(siren="732829320").slipped_siren is None
    assert a_company(siren="732 829 321").slipped_siren == "732829321"
    assert a_company(siren="none").slipped_siren is None


def test_keys_of_a_record() -> None:
    features = a_company(
        "7", name="Lumerine Conseil", siren="732829320", website="lumerine.example", email="a@orange.fr",
        phone="04 77 12 34 56", street="3 rue des Lilas", postcode="42000", same_as="9",
    )  # fmt: skip
    assert keys(features) == {
        "s:732829320", "d:lumerine.example", "e:a@orange.fr", "p:+33477123456", "a:42000|3|LILAS",
        "n:LUMERINECONSEIL", "t:LUMERINE", "r:north/7", "r:north/9", "u:732829320 LUMERINECONSEIL",
        "o:42000 L", "b:42 LUMER", "b: LUMER",
    }  # fmt: skip


def test_short_names_meet_the_names_they_stand_for() -> None:
    assert keys(a_company(name="VPDA")) & keys(a_company(name="Viorne Pays d'Avelle")) >= {"c:VPDA"}
