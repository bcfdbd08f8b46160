import pytest

from services.gateway.console.catalogue import words
from services.gateway.console.shouting import calm, calm_town, member_name, record_name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("AGENCE VECTAMEUM SARL", "Agence Vectameum SARL"),
        ("SAS AGENCE DU RHÔNE", "SAS Agence du Rhône"),
        ("IBM FRANCE", "IBM France"),
        ("HTTPS CONSEIL", "HTTPS Conseil"),
    ],
)
def test_what_is_shouted_is_shown_calmly(written, shown):
    assert calm(written) == shown


@pytest.mark.parametrize("written", ["", "SAS", "IBM", "42", "Lyon", "iPhone Services", "eBay FRANCE", "SARL", "X & Y"])
def test_anything_else_stays_as_it_is_written(written):
    assert calm(written) == written


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("VILLEURBANNE", "Villeurbanne"),
        ("BOURG-LES-VALENCE", "Bourg-les-Valence"),
        ("SAINT-ÉTIENNE CEDEX 1", "Saint-Étienne Cedex 1"),
        ("LE PUY-EN-VELAY", "Le Puy-en-Velay"),
        ("L'ARBRESLE", "L'Arbresle"),
        ("VAL D’ISÈRE", "Val d’Isère"),
        ("Aix-les-Bains", "Aix-les-Bains"),
        ("", ""),
    ],
)
def test_a_town_too(written, shown):
    assert calm_town(written) == shown


def test_a_member_is_called_calmly_and_a_record_as_it_says():
    french = words("fr")
    assert member_name("AGENCE VECTAMEUM", french) == "Agence Vectameum"
    assert record_name({"name": "AGENCE VECTAMEUM"}, french) == "AGENCE VECTAMEUM"
    assert member_name(None, french) == member_name("", french) == record_name({"name": None}, french) == "(sans nom)"
