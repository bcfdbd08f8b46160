"""Keys by which records find each other: two that share one that is not too common are compared.

A key is a letter for its kind, a colon, and the value. What is too common for blocking is counted, not listed: see
:mod:`term_frequency`.

``NEAR`` and ``BEGINNING`` bring nobody together by themselves. They count the records among which names are looked
for that are alike: those of a postcode with one first letter, those of a département, or of all, that begin alike.
"""

from functools import lru_cache
from typing import Final

from services.membership.matching.features import Features, telling_words

SIREN, DOMAIN, EMAIL, PHONE, ADDRESS, NAME, WORD, ACRONYM, SAME, TWIN, NEAR, BEGINNING = "sdepantcruob"

PLACES: Final = frozenset({NEAR, BEGINNING})
"""Kinds that only count who is in one place."""
HUBBED: Final = frozenset({SAME, TWIN})
"""Kinds of which even a crowd is brought together, by a few hubs: see :mod:`term_frequency`."""
LONGEST: Final = 200
"""Characters of a key's value: at four bytes each, a third of what an index of PostgreSQL takes (2,704 bytes)."""
EVERYWHERE: Final = ""
"""In place of a département: that of records which have none, and all others."""

_BEGINNING: Final = 5
"""Letters. Half as many names of a département begin alike as by four."""


def key_of(kind: str, value: str) -> str:
    """Two values that only differ after so many characters share a key; whoever judges compares them whole."""
    return f"{kind}:{value[:LONGEST]}"


@lru_cache(maxsize=2_048)
def keys(features: Features) -> frozenset[str]:
    """All keys of a record, common ones included: whether they are is a matter of all records together."""
    found_keys = {key_of(DOMAIN, domain) for domain in features.domains}
    found_keys |= {key_of(PHONE, phone) for phone in features.phones}
    found_keys |= {key_of(ACRONYM, initials) for initials in features.acronyms}
    if features.siren:
        found_keys.add(key_of(SIREN, features.siren))
    if features.email:
        found_keys.add(key_of(EMAIL, features.email))
    if at := address(features):
        found_keys.add(at)
    for name in features.names:
        compact = name.replace(" ", "")
        found_keys.add(key_of(NAME, compact))
        found_keys |= {key_of(WORD, word) for word in telling_words(name)}
        if 3 <= len(compact) <= 8 and compact.isalpha():
            found_keys.add(key_of(ACRONYM, compact))
    if features.names:
        found_keys |= {key for key in (twin(features), near(features), here(features), everywhere(features)) if key}
    # A former system's own statement joins the two that it is about, whatever else they share.
    found_keys.add(f"{SAME}:{features.key}")  # whole: a record's own name is short, and cut it would be another's
    if features.works_for:
        found_keys.add(f"{SAME}:{features.key.cluster}/{features.works_for}")
    if features.same_as:
        found_keys.add(f"{SAME}:{features.key.cluster}/{features.same_as}")
    return frozenset(found_keys)


def address(features: Features) -> str | None:
    """The key of its street, with the number if there is one, in its town."""
    place = features.postcode or features.town
    return key_of(ADDRESS, f"{place}|{features.number or ''}|{features.street}") if features.street and place else None


def twin(features: Features) -> str | None:
    """The key of its valid SIREN and its name together."""
    return key_of(TWIN, f"{features.siren} {features.names[0].replace(' ', '')}") if features.siren else None


def near(features: Features) -> str | None:
    """The key of all in its postcode whose names begin with the same letter."""
    return key_of(NEAR, f"{features.postcode} {beginning(features.names[0])[0]}") if features.postcode else None


def here(features: Features) -> str | None:
    """The key of all in its département whose names begin alike."""
    return key_of(BEGINNING, f"{features.departement} {beginning(features.names[0])}") if features.departement else None


def everywhere(features: Features) -> str:
    """The key of all whose names begin alike."""
    return key_of(BEGINNING, f"{EVERYWHERE} {beginning(features.names[0])}")


@lru_cache(maxsize=2_048)
def beginning(name: str) -> str:
    """Five letters of the first word that is not generic, or of the name: ``LUMER`` for GROUPE LUMERINE."""
    telling = telling_words(name)
    return next((word for word in name.split() if word in telling), name)[:_BEGINNING]
