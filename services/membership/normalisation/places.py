"""Postcodes, départements and countries."""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from services.membership.normalisation.company_names import fold


class Departement(NamedTuple):
    """A French département or overseas territory; ``phone_region`` is its region in phone numbering plans (ISO)."""

    code: str
    name: str
    region: str
    phone_region: str


_POSTCODE = re.compile(r"(?:FR?[ -]?)?(\d{2}) ?(\d{3})(?: ?CEDEX.*)?", re.IGNORECASE)
_SHORT_POSTCODE = re.compile(r"[1-9]\d{3}")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_FRANCE = frozenset({"france", "fr"})
"""What most write, read without the libraries' lists, which take long to load."""


@cache
def departements() -> dict[str, Departement]:
    """All of them, by code."""
    with (files("services.membership.normalisation") / "reference" / "departements.csv").open(encoding="utf-8") as file:
        return {row["code"]: Departement(**row) for row in csv.DictReader(file)}


@lru_cache(maxsize=4_096)
def departement_of(postcode: str) -> str | None:
    """The code of a five-digit postcode's département: ``69003`` → ``69``, ``20090`` → ``2A``, ``97400`` → ``974``.

    A few villages get their mail from a neighbouring département; for those the answer is the neighbour.
    """
    head = postcode[:2]
    if head == "20":
        head = "2A" if postcode < "20200" else "2B"
    elif head in {"97", "98"}:
        head = postcode[:3]
    return head if head in departements() else None


@lru_cache(maxsize=4_096)
def read_postcode(written: str) -> tuple[str | None, str | None, bool]:
    """The French postcode in a text, its département, and whether a lost leading zero was put back.

    ``"F-69003"``, ``"69 003"`` and ``"69603 CEDEX"`` are read; (None, None, False) is for what is none.
    """
    text = written.strip()
    restored = bool(_SHORT_POSTCODE.fullmatch(text))
    match = _POSTCODE.fullmatch("0" + text if restored else text)
    if not match:
        return None, None, False
    postcode = match[1] + match[2]
    departement = departement_of(postcode)
    return (postcode, departement, restored) if departement else (None, None, False)


def _squeezed(name: str) -> str:
    return _NOT_LETTERS.sub(" ", fold(name)).strip()


@cache
def _countries() -> dict[str, str]:
    """ISO alpha-2 by every French and English name and code that is known."""
    import pycountry
    from babel import Locale

    known: dict[str, str] = {}
    for language in ("en", "fr"):
        territories = Locale(language).territories
        known |= {_squeezed(name): code for code, name in territories.items() if code.isalpha() and len(code) == 2}
    iso: set[str] = set()
    for country in pycountry.countries:
        code = str(country.alpha_2)
        iso.add(code)
        names = [country.name, country.alpha_3, code]
        names += [getattr(country, kind) for kind in ("official_name", "common_name") if hasattr(country, kind)]
        known |= {_squeezed(name): code for name in names}
    known |= {"angleterre": "GB", "ecosse": "GB", "uk": "GB", "grande bretagne": "GB", "usa": "US", "hollande": "NL"}
    known |= {
        "france metropolitaine": "FR",
        "republique francaise": "FR",
        "reunion": "RE",
        "etats unis d amerique": "US",
    }
    return {name: code for name, code in known.items() if code in iso}


@lru_cache(maxsize=4_096)
def read_country(written: str) -> str | None:
    """ISO alpha-2 of a country by its French or English name, alpha-2 or alpha-3; None when it is none of these."""
    name = _squeezed(written)
    return "FR" if name in _FRANCE else _countries().get(name)
