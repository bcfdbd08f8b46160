"""How alike two records are, field by field. A field that one of them lacks says nothing: its level is None."""

from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from services.membership.matching import keys
from services.membership.matching.features import Features
from services.membership.matching.names import compare_names
from services.membership.matching.stop_words import GENERIC, listed
from services.membership.matching.term_frequency import Classes, Commonness

RARE = Commonness.RARE
AGREEING = frozenset(
    {"exact", "exact-common", "fuzzy", "located", "extended", "acronym", "abbreviation", "near", "brand"}
)
"""Names that may be one company's when its SIREN says so."""
PARTLY_ALIKE = frozenset({"subset-rare", "subset-common", "partial-rare"})
ELSEWHERE = ("elsewhere", "far", "branch")
"""What it may be worth that two are in different départements."""

_NAME_ORDER = (
    "exact", "exact-common", "fuzzy", "brand", "located", "extended", "acronym", "abbreviation", "near", "subset-rare",
    "subset-common", "partial-rare", "partial", "none",
)  # fmt: skip
_MORE = frozenset({"extended", "subset-rare", "subset-common", "partial-rare", "partial"})
"""Names that share a word, of which one or both say more: often those of a group."""
_BY_BRAND = {"exact": "brand", "fuzzy": "brand", "located": "extended"}
"""What a name and a brand, or two brands, are worth: less than two names, and not more for a word that one adds."""
_RANK = {level: rank for rank, level in enumerate(_NAME_ORDER)}
_SLIPS = 2
"""One on either side: a number that is wrong and farther from another is not that one mistyped."""
_ROLES = listed(
    """
    contact info infos accueil direction bonjour hello admin administration secretariat compta comptabilite rh office
    commercial mail courrier contacts association mairie communication gestion siege
    """
)


class Levels(NamedTuple):
    """One level for each field, in the order in which staff read them."""

    declared: str | None
    siren: str | None
    name: str | None
    domain: str | None
    email: str | None
    phone: str | None
    street: str | None
    place: str | None
    naf: str | None
    contact: str | None
    form: str | None


FIELDS = Levels._fields


def compare(a: Features, b: Features, classes: Classes) -> Levels:
    """Symmetric. ``classes`` needs to hold the keys that the two share and that are not rare."""
    return with_names(a, b, classes, compare_but_names(a, b, classes))


def compare_but_names(a: Features, b: Features, classes: Classes) -> Levels:
    """The first half of :func:`compare`, which costs little: without name and street, as if the two lacked them."""
    return Levels(
        _declared(a, b),
        _siren(a, b),
        None,
        _domain(a, b, classes),
        _email(a, b, classes),
        _phone(a, b, classes),
        None,
        _place(a, b),
        _naf(a, b),
        None if a.contact is None or b.contact is None else "equal" if a.contact == b.contact else "different",
        _form(a, b),
    )


def with_names(a: Features, b: Features, classes: Classes, known: Levels) -> Levels:
    """The other half: the names and the streets, and what ``elsewhere`` means between companies with those names."""
    name, place = _name(a, b, classes), known.place
    if place == "elsewhere":
        # A company may have sites in both clusters' towns; what is the same beside its name tells how likely.
        if known.siren == "equal" and (name in AGREEING or name in PARTLY_ALIKE):
            place = "branch"
        elif known.siren != "different" and name in AGREEING and "equal" in (known.domain, known.email, known.phone):
            place = "far"
    return known._replace(name=name, street=_street(a, b, classes), place=place)


def _declared(a: Features, b: Features) -> str | None:
    """Whether their former system holds the two to be one."""
    if a.key.cluster != b.key.cluster:
        return None
    if a.works_for == b.key.record_id or b.works_for == a.key.record_id:
        return "people"
    return "same" if a.same_as == b.key.record_id or b.same_as == a.key.record_id else None


def _siren(a: Features, b: Features) -> str | None:
    if a.siren and b.siren:
        return "equal" if a.siren == b.siren else "different"
    siren, other = a.siren or a.slipped_siren, b.siren or b.slipped_siren
    if not siren or not other:
        return None
    slips = OSA.distance(siren, other, score_cutoff=_SLIPS)
    if slips <= 1:
        return "slip" if a.siren or b.siren else None
    return "unlike" if slips > _SLIPS and _is_number(siren) and _is_number(other) else None


def _is_number(digits: str) -> bool:
    return len(set(digits)) > 2  # 000000000 and the like say that there is none


def _domain(a: Features, b: Features, classes: Classes) -> str | None:
    if not a.domains or not b.domains:
        return None
    shared = [domain for domain in a.domains if domain in b.domains]
    if not shared:
        return "different"
    return "equal" if any(_rare(classes, keys.DOMAIN, domain) for domain in shared) else "shared"


def _email(a: Features, b: Features, classes: Classes) -> str | None:
    if a.email is None or b.email is None:
        return None
    if a.email != b.email:
        return "different"
    if not _rare(classes, keys.EMAIL, a.email):
        return "shared"
    local, _, domain = a.email.partition("@")
    # contact@ at a domain that both have tells no more than the domain does.
    return "role" if local in _ROLES and a.domains and domain.endswith(a.domains) else "equal"


def _phone(a: Features, b: Features, classes: Classes) -> str | None:
    if not a.phones or not b.phones:
        return None
    shared = [phone for phone in a.phones if phone in b.phones]
    if not shared:
        return "different"
    return "equal" if any(_rare(classes, keys.PHONE, phone) for phone in shared) else "shared"


# --- names ---------------------------------------------------------------------------------------------------------


def _name(a: Features, b: Features, classes: Classes) -> str | None:
    best = len(_NAME_ORDER)
    for i, name in enumerate(a.names):
        for j, other in enumerate(b.names):
            if i + j and best < len(_NAME_ORDER) and _NAME_ORDER[best] in _MORE:
                continue  # a group trades under one brand: X and X PARTICIPATIONS, both known as X or Y
            level = _two_names(a, b, name, other, classes)
            if i + j:
                level = _BY_BRAND.get(level, level)
            best = min(best, _RANK[level])
    return _NAME_ORDER[best] if best < len(_NAME_ORDER) else None


def _two_names(a: Features, b: Features, text: str, other: str, classes: Classes) -> str:
    likeness, shared, more = compare_names(text, other)
    if likeness == "exact":
        return "exact" if _rare(classes, keys.NAME, text.replace(" ", "")) else "exact-common"
    if likeness in {"fuzzy", "near", "abbreviation"}:
        return likeness
    if text.replace(" ", "") in b.acronyms or other.replace(" ", "") in a.acronyms:
        return "acronym"
    if likeness == "none":
        return "none"
    if likeness == "subset" and shared:
        if any(more <= {*town.split(), "FRANCE"} for town in (a.town, b.town)):
            return "located"  # EXAMECA, EXAMECA PONT AUDEMER
        if more <= GENERIC:
            return "extended"
    rare = any(_rare(classes, keys.WORD, word) for word in shared)
    return f"{likeness}-rare" if rare else "partial" if likeness == "partial" else "subset-common"


def _rare(classes: Classes, kind: str, value: str) -> bool:
    return classes.get(keys.key_of(kind, value), RARE) == RARE


# --- places and the rest -------------------------------------------------------------------------------------------


def _street(a: Features, b: Features, classes: Classes) -> str | None:
    if not a.street or not b.street:
        return None
    if a.street != b.street and not _like_street(a.street, b.street):
        return "different"
    if a.number and b.number and a.number != b.number:
        return "other-number"
    if not a.number or not b.number:
        return "no-number"
    # How common a key is may only count for those who both hold it: no other pair is judged anew when that changes.
    crowd = keys.address(a)
    return "shared" if crowd == keys.address(b) and classes.get(crowd or "", RARE) != RARE else "equal"


def _like_street(a: str, b: str) -> bool:
    if fuzz.ratio(a, b) >= 85:
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= 5 and f" {short} " in f" {long} "


def _place(a: Features, b: Features) -> str | None:
    if a.postcode and a.postcode == b.postcode:
        return "postcode"
    known = bool(a.departement and b.departement)
    if known and a.departement != b.departement:
        return "elsewhere"
    if a.town and b.town:
        if a.town == b.town or _like_town(a.town, b.town):
            return "town"
        return "departement" if known else "other-town"
    return "departement" if known else None


@lru_cache(maxsize=4_096)
def _like_town(a: str, b: str) -> bool:
    return fuzz.ratio(a, b) >= 88


def _naf(a: Features, b: Features) -> str | None:
    # The two nomenclatures give one code to different trades; only their divisions can be told apart, and not always.
    if not a.naf or not b.naf or a.naf_nomenclature != b.naf_nomenclature:
        return None
    if a.naf == b.naf:
        return "equal"
    return "division" if a.naf[:2] == b.naf[:2] else "different"


def _form(a: Features, b: Features) -> str | None:
    """An association often stands beside a company of the same name, at the same address (LASER 03)."""
    forms = {a.form, b.form}
    if "association" not in forms:
        return None
    if forms == {"association"}:
        return "associations"
    return "different" if "company" in forms else "one-association"
