"""Every French text has an English one, none is left over, and French is set as it is printed."""

import re

import pytest

from services.gateway.console.catalogue import spaced, typeset, words
from tests.support.console_messages import messages


def texts(message):
    return message if isinstance(message, tuple) else (message,)


def test_every_text_has_an_english_one_and_none_is_left_over():
    asked, known = messages(), set(words("en").texts)
    assert len(asked) > 20
    assert asked - known == set()
    assert known - asked == set()


def test_translations_are_not_empty_and_have_the_same_values_in_them():
    for french, english in words("en").texts.items():
        for before, after in zip(texts(french), texts(english), strict=True):
            assert after.strip(), french
            assert sorted(re.findall(r"%\(\w+\)s", before)) == sorted(re.findall(r"%\(\w+\)s", after)), french


@pytest.mark.parametrize("message", sorted(messages(), key=str), ids=str)
def test_french_has_its_own_apostrophes_and_plain_spaces(message):
    for text in texts(message):
        assert "'" not in text
        assert not set("\u00a0\u202f") & set(text), "the spaces are made narrow when the text is shown"
        assert "  " not in text


def test_spaces_before_high_punctuation_do_not_break_lines():
    assert spaced("Une seule entreprise ? « Oui » : 5 %") == (
        "Une seule entreprise\u202f? «\u202fOui\u202f»\u202f: 5\u202f%"
    )
    assert spaced("Bonjour %(name)s !") == "Bonjour %(name)s\u202f!"


def test_the_words_of_the_api_are_set_as_they_are_printed():
    assert typeset("Cette fiche n'existe pas : rien", "fr") == "Cette fiche n’existe pas\u202f: rien"
    assert typeset("It's gone: nothing", "en") == "It's gone: nothing"


def test_french_counts_nothing_and_one_alike_and_english_does_not():
    french, english = words("fr"), words("en")
    assert [french.plural("%(num)s membre", "%(num)s membres", number) for number in (0, 1, 2)] == [
        "0 membre",
        "1 membre",
        "2 membres",
    ]
    (plural,) = [known for known in english.texts if isinstance(known, tuple)][:1] or [None]
    if plural is not None:
        assert english.messages(*plural, 0) == english.texts[plural][1]
        assert english.messages(*plural, 1) == english.texts[plural][0]


def test_a_text_without_a_translation_is_no_text():
    with pytest.raises(KeyError):
        words("en").message("Ceci n’est pas traduit")
