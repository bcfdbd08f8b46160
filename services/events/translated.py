"""Errors that guests and staff read, in French and English."""

from collections.abc import Mapping
from typing import Final, Literal

from shared.importing.languages import in_both

Language = Literal["fr", "en"]


class TranslatedError(ValueError):
    """What was written cannot be taken; ``texts`` says what, where and what to do, in each language."""

    def __init__(self, french: str, english: str) -> None:
        self.texts: Final[Mapping[Language, str]] = {"fr": french, "en": english}
        super().__init__(in_both(french, english))
