import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.naming import fold, name_key


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


@given(st.text(min_size=1, max_size=40))
def test_folding_twice_changes_nothing(name):
    assert fold(fold(name)) == fold(name)
