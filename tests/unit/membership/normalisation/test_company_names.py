import pytest
from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from services.membership.normalisation.company_names import LONGEST_SORTED, fold, name_key, plain, sort_key


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


BEFORE = r"""
    ! C/ PS $? Y= | SS " (C) A << ! -none- (R) - DEG +- 2 3 ' U P * , 1 O >> _1/4 _1/2 _3/4 ? A A A A A A AE C E E E
    E I I I I D N O O O O O X O U U U U Y TH SS A A A A A A AE C E E E E I I I I D N O O O O O / O U U U U Y TH Y A
    A A A A A C C C C C C C C D D D D E E E E E E E E E E G G G G G G G G H H H H I I I I I I I I I I IJ IJ J J K K
    K L L L L L L L L L L N N N N N N 'N NG NG O O O O O O OE OE R R R R R R S S S S S S S S T T T T T T U U U U U U
    U U U U U U W W Y Y Y Z Z Z Z Z Z S
""".split()  # noqa: SIM905 (a table, as one reads it)
"""What Unidecode 1.4.0 made of U+00A1 to U+017F, in capitals; recognition and lists went by it before. A space is _."""
OTHERWISE = {"¢": "C", "£": "GBP", "¤": "$", "¥": "Y", "§": "S", "·": "-", "¼": "1/4", "½": "1/2", "¾": "3/4", "×": "*",
             "ĸ": "Q"}  # fmt: skip
"""Signs, and a letter of Greenlandic that went out of use in 1973."""


def test_latin_text_is_what_it_was_before() -> None:
    characters = [chr(code) for code in range(0xA1, 0x180)]
    before = {
        character: OTHERWISE.get(character, was.replace("_", " "))
        for character, was in zip(characters, BEFORE, strict=True)
    }
    before["\u00ad"] = ""  # a soft hyphen
    assert {character: plain(character).upper() for character in characters} == before


def test_other_scripts_are_transliterated_and_pictures_are_left_out() -> None:
    assert plain("Афина Ωμέγα 北京") == "Afina Omega BeiJing"
    assert name_key("Houille 🏭 → Gier") == "HOUILLE GIER"


def test_names_are_sorted_by_no_more_than_an_index_takes() -> None:
    assert sort_key("  Écluse ") == "ecluse"
    assert sort_key("漢" * 1_000) == ("han" * 1_000)[:LONGEST_SORTED]


@given(st.text(max_size=60))
def test_characters_are_written_one_by_one_as_in_their_text(text: str) -> None:
    pictures = {*range(0x2190, 0x2C00), 0xFE0F, *range(0x1F000, 0x1FB00)}
    assert plain(text) == anyascii("".join(character for character in text if ord(character) not in pictures))
