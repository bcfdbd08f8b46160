from contextlib import suppress

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum.fr import siren as std_siren
from stdnum.fr import siret as std_siret
from stdnum.fr import tva as std_tva

from schemas.membership import MemberRecorded
from services.membership.normalisation import contact_points, identifiers, places
from services.membership.normalisation.data_quality import MEANINGS, REPAIRS
from services.membership.normalisation.normalise import Understood, understand


def understood(**fields) -> Understood:
    return understand(MemberRecorded(**({"record_id": "1", "version": 1, "name": "ACME"} | fields)))


def codes(result: Understood) -> list[str]:
    return [problem.code for problem in result.problems]


# --- identifiers


@pytest.mark.parametrize("written", ["732829320", "732 829 320", "732.829.320", " 732\u00a0829\u202f320 "])
def test_a_siren_however_it_is_spaced(written):
    assert understood(siren=written).siren == "732829320"


def test_a_wrong_siren_is_flagged_and_not_used():
    result = understood(siren="732829321")
    assert (result.siren, codes(result)) == (None, ["siren-invalid"])
    assert result.problems[0].written == "732829321"


def test_la_poste_has_its_own_rule():
    assert understood(siret="35600000049837").siren == "356000000"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"siret": "73282932000074"}, "siren-from-siret"),
        ({"vat": "FR 44 732 829 320"}, "siren-from-vat"),
        ({"siret": "732 829 320 00075"}, "siren-from-invalid-siret"),
        ({"siren": "73282932000074"}, "siren-is-siret"),
        ({"siret": "732829320"}, "siret-is-siren"),
    ],
)
def test_a_siren_that_stands_elsewhere(fields, code):
    result = understood(**fields)
    assert result.siren == "732829320"
    assert code in codes(result)


def test_a_wrong_siren_is_replaced_from_the_vat_number_and_both_are_told():
    result = understood(siren="732829321", vat="FR44732829320")
    assert (result.siren, codes(result)) == ("732829320", ["siren-invalid", "siren-from-vat"])


def test_a_leading_zero_that_a_spreadsheet_dropped():
    result = understood(siren="5520135")
    assert result.siren is None  # two zeros are no longer a slip of a spreadsheet
    result = understood(siren="50754045")
    assert result.siren == ("050754045" if identifiers.is_siren("050754045") else None)


def test_numbers_that_name_two_companies_are_flagged_and_the_written_siren_stands():
    result = understood(siren="552103905", vat="FR44732829320")
    assert result.siren == "552103905"
    assert codes(result) == ["identifiers-disagree"]


def test_two_derived_sirens_that_disagree_are_none():
    result = understood(siret="35600000000048", vat="FR44732829320")
    assert result.siren is None
    assert codes(result) == ["identifiers-disagree"]


def test_vat_numbers_of_other_countries():
    assert understood(vat="BE 0403.170.701").vat == "BE0403170701"
    assert codes(understood(vat="FR45732829320")) == ["vat-invalid"]


digits = st.text("0123456789", min_size=1, max_size=15)


@given(st.one_of(digits, st.from_regex(r"\A356000000[0-9]{5}\Z")))
@example("000000000")
def test_the_shortcuts_agree_with_stdnum(number):
    assert identifiers.is_siren(number) == (std_siren.is_valid(number) and number != "000000000")
    assert identifiers.is_siret(number) == std_siret.is_valid(number)


@given(st.from_regex(r"\A[0-9]{9}\Z"), st.sampled_from(["right", "wrong", "letters"]))
def test_the_vat_shortcut_agrees_with_stdnum(siren, kind):
    key = f"{(12 + 3 * (int(siren) % 97)) % 97:02}" if kind == "right" else ("A1" if kind == "letters" else "00")
    result = identifiers.read_identifiers(None, None, f"FR{key}{siren}", [])
    assert (result.vat is not None) == std_tva.is_valid(key + siren)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("6201Z", ("62.01Z", "rev2")),
        ("62.01 z", ("62.01Z", "rev2")),
        ("62.10Y", ("62.10Y", "2025")),
        ("87.30G", ("87.30G", "2025")),
        ("722A", (None, None)),
        ("62.01Y", (None, None)),
        ("99.99Z", (None, None)),
    ],
)
def test_naf_codes_tell_their_nomenclature(written, expected):
    result = understood(naf=written)
    assert (result.naf, result.naf_nomenclature) == expected
    assert codes(result) == ([] if expected[0] else ["naf-unknown"])


def test_a_naf_code_of_the_other_nomenclature_is_flagged():
    assert codes(understood(naf="62.01Z", naf_nomenclature="2025")) == ["naf-nomenclature"]


def test_the_reference_lists_are_whole():
    assert len(identifiers.naf_rev2()) == 732
    assert len(identifiers.naf_2025_classes()) == 651
    assert len([code for code in places.departements() if len(code) == 2]) == 96
    assert {"971", "972", "973", "974", "976"} <= places.departements().keys()


# --- places


@pytest.mark.parametrize(
    ("written", "postcode", "departement"),
    [
        ("69003", "69003", "69"),
        ("F-69003", "69003", "69"),
        ("69 003", "69003", "69"),
        ("69603 CEDEX 03", "69603", "69"),
        ("20090", "20090", "2A"),
        ("20200", "20200", "2B"),
        ("97400", "97400", "974"),
        ("98800", "98800", "988"),
    ],
)
def test_postcodes(written, postcode, departement):
    result = understood(postcode=written)
    assert (result.postcode, result.departement, codes(result)) == (postcode, departement, [])


def test_a_postcode_without_its_leading_zero_is_repaired_and_told():
    result = understood(postcode="1000")
    assert (result.postcode, result.departement, codes(result)) == ("01000", "01", ["leading-zero-restored"])


@pytest.mark.parametrize("written", ["ABC", "99999", "690034", "00000"])
def test_a_bad_postcode_is_flagged(written):
    assert codes(understood(postcode=written)) == ["postcode-invalid"]


def test_a_foreign_postcode_is_left_alone():
    result = understood(postcode="1201", country="Suisse")
    assert (result.postcode, result.departement, result.country, codes(result)) == ("1201", None, "CH", [])


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *[("France", "FR"), ("FRANCE ", "FR"), ("fra", "FR"), ("Belgique", "BE"), ("États-Unis", "US")],
        *[("Etats Unis", "US"), ("Germany", "DE"), ("Côte d’Ivoire", "CI"), ("GB", "GB"), ("Royaume-Uni", "GB")],
        *[("La Réunion", "RE"), ("ch", "CH")],
    ],
)
def test_countries_by_name_or_code(written, code):
    assert understood(country=written).country == code


@pytest.mark.parametrize("written", ["Wakanda", "XX", "Europe", "-"])
def test_an_unknown_country_is_flagged_not_dropped(written):
    result = understood(country=written)
    assert result.country is None
    assert result.problems[0] == ("country", "country-unknown", written)


# --- reach


@pytest.mark.parametrize("written", ["zoe@acme.example", " Zoe@ACME.Example ", "zoe.martin+ag@sous.domaine.acme.fr"])
def test_good_addresses(written):
    assert understood(email=written).email == written.strip().lower()


@pytest.mark.parametrize(
    "written", ["zoe@@acme.fr", "zoe", "zoe@acme", "zoe @acme.fr", "zoe@-acme.fr", "a..b@acme.fr", "x@y.local"]
)
def test_a_bad_e_mail_is_flagged(written):
    result = understood(email=written)
    assert (result.email, codes(result)) == (None, ["email-invalid"])


def test_two_addresses_in_one_cell():
    result = understood(email="pas-une@adresse ; zoe@acme.fr")
    assert (result.email, codes(result)) == ("zoe@acme.fr", ["several-values"])


words = st.text("abcXYZ019-_.+é' @", max_size=14)


@settings(deadline=None)  # the first of them loads the library
@given(words, words)
def test_the_e_mail_shortcut_agrees_with_the_library(local, domain):
    written = f"{local}@{domain}".strip()
    try:
        expected = validate_email(written, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    assert contact_points._one_email(written) == expected


@pytest.mark.parametrize(
    "written", ["04 72 00 00 00", "04.72.00.00.00", "+33 4 72 00 00 00", "0033472000000", "+33 (0)4 72 00 00 00"]
)
def test_french_phones(written):
    assert understood(phone=written).phone == "+33472000000"


def test_overseas_phones_are_read_where_they_ring():
    assert understood(phone="0262 41 00 00", postcode="97400").phone == "+262262410000"
    assert understood(mobile="0690 00 12 34", postcode="97110").mobile == "+590690001234"
    assert codes(understood(phone="0262 41 00 00", postcode="69001")) == ["phone-invalid"]


def test_foreign_phones_by_the_country():
    assert understood(phone="022 345 67 89", country="Suisse").phone == "+41223456789"


@settings(deadline=None)
@given(st.from_regex(r"\A(0|\+33|0033|33|)[ .-]?[0-9]{1,2}([ .-]?[0-9]{2}){3,5}\Z"))
def test_the_phone_shortcut_agrees_with_the_library(written):
    expected = None
    with suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(written, "FR")
        if phonenumbers.is_valid_number(number):
            expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert contact_points.read_phone(written, "FR") == expected


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("https://www.Foo.fr/accueil?x=1", "foo.fr"),
        ("foo.example", "foo.example"),
        ("HTTP://foo.fr:8080", "foo.fr"),
        ("www.été.fr", "xn--t-9fab.fr"),
        ("aucun", None),
        ("contact@foo.fr", None),
        ("http://", None),
    ],
)
def test_websites(written, domain):
    assert understood(website=written).domain == domain


# --- the whole


def test_search_text_has_no_accents_and_no_case():
    result = understood(name="Société Élan", brand="ÉLAN+", city="Saint-Étienne", siren="732 829 320")
    assert result.search_text == "societe elan elan+ saint-etienne 732829320"


def test_every_problem_has_a_meaning():
    assert MEANINGS.keys() >= REPAIRS
    assert all(
        problem.meaning for problem in understood(siren="1", siret="2", vat="3", naf="4", email="5", phone="6").problems
    )


anything = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(anything, anything, anything, anything, anything, anything, anything, anything)
def test_nothing_that_is_written_breaks_it(siren, siret, vat, naf, email, phone, postcode, website):
    result = understood(
        siren=siren, siret=siret, vat=vat, naf=naf, email=email, phone=phone, mobile=phone, postcode=postcode,
        website=website, country=naf, city=vat, brand=email,
    )  # fmt: skip
    assert result == understood(
        siren=siren, siret=siret, vat=vat, naf=naf, email=email, phone=phone, mobile=phone, postcode=postcode,
        website=website, country=naf, city=vat, brand=email,
    )  # fmt: skip
