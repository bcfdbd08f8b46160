"""Company names in the form in which they are compared.

The lists were read off public company declarations, in which 47% of companies spelled their own name differently
between two of them.
"""

import re
from typing import Final

from anyascii import anyascii


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LEGAL_FORMS = _words(
    """
    SA SAS SASU SARL SARLU EURL EARL SNC SCS SCA SCM SCI SCP SCIC SCOP SCOPARL SELARL SELAS SELASU SEM SEML SPL SPLA
    SICA SICAV GIE EIRL EI EPIC EPCI GMBH AG LTD LIMITED INC LLC PLC BV NV SRL SPA SE CORP CORPORATION
    SOCIETE STE SOC ASSOCIATION ASSOC ASSO ETABLISSEMENTS ETABLISSEMENT ETS COMPAGNIE CIE ENTREPRISE ENT
    ANONYME COOPERATIVE COOP MUTUELLE UES
    """
)
"""Also words for "company", which people add and drop as freely."""

_SMALL_WORDS = _words("ET DE DU DES LA LE LES L D AU AUX A EN AND THE OF FOR POUR PAR SUR SOUS DANS")

_SHORT_FORMS = {
    "FR": "FRANCE",
    "FCE": "FRANCE",
    "GRP": "GROUPE",
    "GPE": "GROUPE",
    "GROUP": "GROUPE",
    "INTL": "INTERNATIONAL",
    "INTERNAT": "INTERNATIONAL",
    "TECH": "TECHNOLOGIES",
    "TECHNOLOGY": "TECHNOLOGIES",
    "TECHNOLOGIE": "TECHNOLOGIES",
    "SERV": "SERVICES",
    "SERVICE": "SERVICES",
    "SCES": "SERVICES",
    "SYS": "SYSTEMES",
    "SYSTEM": "SYSTEMES",
    "SYSTEMS": "SYSTEMES",
    "SYSTEME": "SYSTEMES",
    "IND": "INDUSTRIES",
    "INDUSTRIE": "INDUSTRIES",
    "INDUSTRY": "INDUSTRIES",
    "MGT": "MANAGEMENT",
    "DEV": "DEVELOPPEMENT",
    "DEVELOPMENT": "DEVELOPPEMENT",
    "DISTRIB": "DISTRIBUTION",
    "TRANSP": "TRANSPORTS",
    "TRANSPORT": "TRANSPORTS",
    "CONST": "CONSTRUCTION",
    "CONSTR": "CONSTRUCTION",
    "ST": "SAINT",
    "STE": "SAINTE",
    "COM": "COMMUNAUTE",
    "FED": "FEDERATION",
    "REG": "REGIONAL",
    "NAT": "NATIONAL",
    "DEP": "DEPARTEMENTAL",
    "HOLD": "HOLDING",
    "CTRE": "CENTRE",
    "CENTER": "CENTRE",
}

_WORDS = re.compile(r"[A-Z0-9]+")
_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}(?:[A-Z]\b)?")


_PICTURES = re.compile("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
"""Arrows, signs and emoji: transliterated, they would be English words that nobody wrote (``:grinning:``)."""

LONGEST_SORTED: Final = 200
"""Characters by which members are sorted: an index of PostgreSQL takes no entry above 2,704 bytes."""


_MOST_REMEMBERED: Final = 4_096


class _Transliterated(dict[int, str]):
    """ASCII by character, filled as characters come: there are a few dozen in French names."""

    def __missing__(self, character: int) -> str:
        written = chr(character)
        result = "" if _PICTURES.match(written) else anyascii(written)
        if len(self) < _MOST_REMEMBERED:
            self[character] = result
        return result


_ASCII: Final = _Transliterated()


def plain(text: str) -> str:
    """Text in ASCII: without accents, and transliterated from other scripts."""
    return text if text.isascii() else text.translate(_ASCII)


def fold(text: str) -> str:
    """Text without accents and case, as the search compares it."""
    return plain(text).casefold()


def sort_key(name: str) -> str:
    """The beginning of a name without accents and case, as lists are sorted by it."""
    return fold(name).strip()[:LONGEST_SORTED]


def name_key(name: str) -> str:
    """A name for comparison: no case, accents, punctuation, legal forms or small words; short forms spelled out.

    ``"Sté Générale d'Électricité (S.A.S.)"`` is ``"GENERALE ELECTRICITE"``.
    A name of nothing but such words keeps them.
    """
    written = plain(name).upper()
    if "." in written:
        written = _INITIALS.sub(lambda match: match[0].replace(".", ""), written)
    words: list[str] = _WORDS.findall(written)
    kept = [_SHORT_FORMS.get(word, word) for word in words if word not in _LEGAL_FORMS and word not in _SMALL_WORDS]
    return " ".join(kept or words)
