import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.naming import fold, name_key, names_agree


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Sté Générale d'Électricité (S.A.S.)", "GENERALE ELECTRICITE"),
        ("L’Abri", "ABRI"),
        ("SAS GEEMST", "GEEMST"),
        ("Crédit & Cie", "CREDIT"),
        ("Société SA", "SOCIETE SA"),
        ("CHR HANSEN FR SAS", "CHR HANSEN FRANCE"),
    ],
)
def test_name_keys(name, key):
    assert name_key(name) == key


AGREE = [
    ("ACME", "Acmé SAS"),
    ("FRANCE AIR", "AIR FRANCE"),
    ("Boulangerie Dupont et fils", "BOULANGERIE DUPONT & FILS SARL"),
    ("CHR HANSEN FR SAS", "Chr. Hansen France"),
    ("TSA", "SASU TSA FRANCE"),
    ("FRATERNITE SUD LORRAINE", "FSL"),
    ("SABENA TECHNICS DNR", "SABENA TECHNICS"),
    ("UNIPROTECT SECURIET", "UNIPROTECT SECURITE"),
    ("Mécanique de précision du Rhône", "MECANIQUE PRECISION RHONE SA"),
    ("AIRLIQUIDE", "AIR LIQUIDE"),
    ("INTER EMLPOI LAYON", "INTER EMPLOI LAYON"),
]
DISAGREE = [
    ("TEREGA", "TEREVA"),
    ("THALES DIS FRANCE", "THALES LAS FRANCE"),
    ("AUCHAN HYPERMARCHE", "AUCHAN SUPERMARCHE"),
    ("THALES DMS FRANCE SAS", "THALES AVS FRANCE SAS"),
    ("GROUPE FRANCE", "HOLDING FRANCE"),
    ("FEDEX CORP", "Société US"),
    ("LASER 03", "LASER 04"),
    ("Dupont", "Durand"),
    ("FRANCE SERVICES", "FRANCE"),
]


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_writings_of_one_name_agree(one, other):
    assert names_agree(name_key(one), name_key(other))


@pytest.mark.parametrize(("one", "other"), DISAGREE)
def test_names_of_two_companies_do_not_agree(one, other):
    assert not names_agree(name_key(one), name_key(other))


keys = st.lists(
    st.sampled_from(["ACME", "FRANCE", "THALES", "DIS", "LAS", "ELECTRICITE", "ELECRTICITE", "FSL", "A", "03"]),
    max_size=4,
)


@given(keys, keys)
def test_agreement_is_symmetric(a, b):
    assert names_agree(" ".join(a), " ".join(b)) == names_agree(" ".join(b), " ".join(a))


@given(st.text(min_size=1, max_size=40))
def test_a_name_always_agrees_with_itself_whatever_the_case(name):
    key = name_key(name)
    assert key == "" or names_agree(key, key)
    assert fold(fold(name)) == fold(name)
