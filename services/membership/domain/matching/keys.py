"""Keys by which records find each other: two that share one that is not too common are compared.

A key is a letter for its kind, a colon, and the value. What is too common for blocking is counted, not listed: see
:mod:`frequencies`.
"""

from functools import lru_cache

from services.membership.domain.matching.features import Features, telling_words

SIREN, DOMAIN, EMAIL, PHONE, ADDRESS, NAME, WORD, ACRONYM, SAME = "sdepantcr"


@lru_cache(maxsize=4_096)
def keys(one: Features) -> frozenset[str]:
    """All keys of a record, common ones included: whether they are is a matter of all records together."""
    found = {f"{DOMAIN}:{domain}" for domain in one.domains}
    found |= {f"{PHONE}:{phone}" for phone in one.phones}
    found |= {f"{ACRONYM}:{initials}" for initials in one.acronyms}
    if one.siren:
        found.add(f"{SIREN}:{one.siren}")
    if one.email:
        found.add(f"{EMAIL}:{one.email}")
    if at := address(one):
        found.add(at)
    for name in one.names:
        compact = name.replace(" ", "")
        found.add(f"{NAME}:{compact}")
        found |= {f"{WORD}:{word}" for word in telling_words(name)}
        if 3 <= len(compact) <= 8 and compact.isalpha():
            found.add(f"{ACRONYM}:{compact}")
    # A former system's own statement joins the two that it is about, whatever else they share.
    found.add(f"{SAME}:{one.key}")
    if one.same_as:
        found.add(f"{SAME}:{one.key.cluster}/{one.same_as}")
    return frozenset(found)


def address(one: Features) -> str | None:
    """The key of its street, with the number if there is one, in its town."""
    place = one.postcode or one.town
    return f"{ADDRESS}:{place}|{one.number or ''}|{one.street}" if one.street and place else None
