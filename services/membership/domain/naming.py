"""Company names: how they are compared, and when two of them may be one company's.

The lists were read off public company declarations, in which 47% of companies spelled their own name differently
between two of them.
"""

import re
from functools import lru_cache

from rapidfuzz.distance import OSA
from unidecode import unidecode


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

_COMMON = _words(
    """
    FRANCE GROUPE HOLDING INTERNATIONAL SERVICES SERVICE TECHNOLOGIES INDUSTRIES SYSTEMES CONSEIL CONSULTING
    DISTRIBUTION DEVELOPPEMENT MANAGEMENT GESTION SOLUTIONS EUROPE NORD SUD EST OUEST CENTRE RHONE ALPES LYON PARIS
    LOIRE AUVERGNE GRENOBLE FRANCAISE FRANCAIS GENERALE GENERAL NATIONALE NATIONAL REGIONALE REGIONAL NOUVELLE
    CENTRALE TRANSPORTS CONSTRUCTION SAINT SAINTE COMMUNAUTE COMMUNES FEDERATION UNION MAISON CLUB
    """
)
"""Words that say little about which company it is: alone they do not make two names agree."""

_WORDS = re.compile(r"[A-Z0-9]+")
_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}(?:[A-Z]\b)?")


def fold(text: str) -> str:
    """Text without accents and case, as the search compares it."""
    return (text if text.isascii() else unidecode(text)).casefold()


def name_key(name: str) -> str:
    """A name for comparison: no case, accents, punctuation, legal forms or small words; short forms spelled out.

    ``"Sté Générale d'Électricité (S.A.S.)"`` is ``"GENERALE ELECTRICITE"``.
    A name of nothing but such words keeps them.
    """
    plain = (name if name.isascii() else unidecode(name)).upper()
    if "." in plain:
        plain = _INITIALS.sub(lambda found: found[0].replace(".", ""), plain)
    words: list[str] = _WORDS.findall(plain)
    kept = [_SHORT_FORMS.get(word, word) for word in words if word not in _LEGAL_FORMS and word not in _SMALL_WORDS]
    return " ".join(kept or words)


@lru_cache(maxsize=65_536)
def names_agree(a_key: str, b_key: str) -> bool:
    """Whether two keys of :func:`name_key` may be the names of one company whose SIRENs are equal.

    Word order, abbreviations, an acronym, one name within the other, and a typing error in a long word are forgiven.
    A word of its own on both sides is not (THALES DIS, THALES LAS), nor a letter of a short word (TEREGA, TEREVA).
    Symmetric; an empty key agrees with nothing.
    """
    if not a_key or not b_key:
        return False
    if a_key == b_key or a_key.replace(" ", "") == b_key.replace(" ", ""):
        return True
    # The shorter name is looked for in the longer; among equals the order is fixed, so that the answer is symmetric.
    a, b = sorted((list(dict.fromkeys(key.split())) for key in (a_key, b_key)), key=lambda words: (len(words), words))
    if set(a) == set(b):
        return True
    if _is_acronym(a, b) or _is_acronym(b, a):
        return True
    left = list(b)
    shared: list[str] = []
    for word in sorted(a, key=len, reverse=True):
        match = next((other for other in left if _same_word(word, other)), None)
        if match is None:
            return _glued(a_key, b_key)
        left.remove(match)
        shared.append(max(word, match, key=len))
    telling = [word for word in shared if word not in _COMMON and not word.isdigit()]
    if left and all(word in _COMMON for word in left):
        return any(len(word) >= 3 for word in telling)  # TSA, TSA FRANCE
    return any(len(word) >= 4 for word in telling)


def _glued(a_key: str, b_key: str) -> bool:
    """One typing error, or a space more or less, in names that are long enough to be told apart by the rest."""
    a, b = a_key.replace(" ", ""), b_key.replace(" ", "")
    return min(len(a), len(b)) >= 10 and _one_slip(a, b)


def _same_word(a: str, b: str) -> bool:
    if a == b:
        return True
    if a.isdigit() or b.isdigit():
        return False
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) >= 4 and long.startswith(short) and len(long) - len(short) <= max(2, len(long) // 2):
        return True
    # Two letters that changed places are a slip even in a short word; another letter may be another name there.
    return _one_slip(a, b) and (len(short) >= 7 or (len(short) >= 4 and sorted(a) == sorted(b)))


def _one_slip(a: str, b: str) -> bool:
    """One letter more, less or other, or two neighbours swapped."""
    return OSA.distance(a, b, score_cutoff=1) <= 1


def _is_acronym(word: list[str], words: list[str]) -> bool:
    """``FSL`` for FRATERNITE SUD LORRAINE TOUL: the initials, of all the words or of the first three and more."""
    if len(word) != 1 or not 3 <= len(word[0]) <= 8 or len(words) < 3:
        return False
    return "".join(w[0] for w in words).startswith(word[0])
