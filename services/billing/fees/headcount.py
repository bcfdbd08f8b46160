"""How many people work for a member, read from what a former system's clerk wrote."""

import re
from typing import NamedTuple

_NUMBER = re.compile(r"^(\d{1,8})$")
_BAND = re.compile(r"^(?:de\s)?(\d{1,8})\s?(?:-|–|à|to|/)\s?(\d{1,8})$")
_WORDS = re.compile(r"\b(?:salarié|salarie|personne|employé|employe|collaborateur|etp|people|employee)(?:\(?e?\)?s?)\b")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")


class Headcount(NamedTuple):
    """At least and at most so many people; None: unknown. ``unread``: something stands there, and is no number."""

    least: int | None = None
    most: int | None = None
    unread: bool = False


UNKNOWN = Headcount()


def headcount_of(text: str | None) -> Headcount:
    """Read a number ("23", "1 250 salariés") or a band ("10 à 19"). All else is not guessed at."""
    plain = _SPACES.sub(" ", _WORDS.sub("", (text or "").lower())).strip()
    if not plain:
        return UNKNOWN if not (text or "").strip() else Headcount(unread=True)
    if band := _BAND.match(plain):
        least, most = int(band[1]), int(band[2])
        return Headcount(least, most) if least <= most else Headcount(unread=True)
    if number := _NUMBER.match(plain.replace(" ", "")):
        return Headcount(int(number[1]), int(number[1]))
    return Headcount(unread=True)
