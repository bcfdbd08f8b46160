"""The words of the console: French stands in templates and code, ``words/en.po`` has the English ones."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from babel.messages.pofile import read_po

from services.membership.translations import Language

ENGLISH: Final = Path(__file__).with_name("words") / "en.po"
_HIGH: Final = re.compile(r" (?=[;?!:»€]|%(?!\())|(?<=«) ")
_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
_NARROW: Final = "\u202f"

Texts = Mapping[str | tuple[str, str], str | tuple[str, ...]]
"""English by French; of a message with a plural by both of its forms."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language: ``words.text("…")`` is a French text in it, ``words.plural`` the form that a number needs."""

    language: Language
    texts: Texts

    def text(self, french: str, **values: Any) -> str:
        """A text, with values for its ``%(name)s``. Raises KeyError for a text that has no translation."""
        return self.message(french) % values if values else self.message(french)

    def plural(self, singular: str, plural: str, number: int, **values: Any) -> str:
        """The form for a number, which may stand in it as ``%(num)s``. Raises KeyError as above."""
        return self.messages(singular, plural, number) % {"num": number, **values}

    def message(self, french: str) -> str:
        """A text as it is written, without values."""
        return spaced(french) if self.language == "fr" else str(self.texts[french])

    def messages(self, singular: str, plural: str, number: int) -> str:
        """The form for a number, without values. French counts 0 and 1 alike, English does not."""
        if self.language == "fr":
            return spaced(singular if abs(number) < 2 else plural)
        return self.texts[singular, plural][0 if number == 1 else 1]


def words(language: Language) -> Words:
    """The words of a language, read once."""
    return _WORDS[language]()


@cache
def _french() -> Words:
    return Words("fr", {})


@cache
def _english() -> Words:
    with ENGLISH.open("rb") as file:
        catalogue = read_po(file, locale="en")
    texts = {message.id: message.string for message in catalogue if message.id}
    return Words("en", cast("Texts", texts))


_WORDS: Final[Mapping[Language, Callable[[], Words]]] = {"fr": _french, "en": _english}


@cache
def spaced(french: str) -> str:
    """French with spaces that are narrow, and that no line breaks at, before high punctuation and in guillemets."""
    return _HIGH.sub(_NARROW, french)


def typeset(text: str, language: Language) -> str:
    """What the API says in words, as it is printed: its French has straight apostrophes and plain spaces."""
    return _HIGH.sub(_NARROW, _APOSTROPHE.sub("’", text)) if language == "fr" else text
