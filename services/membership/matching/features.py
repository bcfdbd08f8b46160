"""What one record contributes to recognising its company. Pure: the same record always contributes the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from services.membership.matching.stop_words import GENERIC, HOSTS, PLATFORMS, PROVIDERS, listed
from services.membership.normalisation.company_names import plain
from services.membership.records.record import RecordKey, SourceRecord

VERSION = 5
"""Of what is computed here, and of how common a key is. What is stored by another version is computed anew.

3: commonness counts companies, and a company's people go with it.
"""

LONGEST_NAME: Final = 200
MOST_WORDS: Final = 30
"""What of a name is compared, in characters and words. Comparing two takes their words multiplied."""

Form = Literal["association", "company"]

_ASSOCIATION = re.compile(r"\bASSO(?:C(?:IATION)?)?\b")
_COMPANY = re.compile(r"\b(?:SA|SAS|SASU|SARL|SARLU|EURL|SNC|SCA|SCOP|SELARL|SELAS|GMBH|LTD|INC|SRL)\b")
_LEGAL_WORDS = listed("SA SAS SASU SARL SARLU EURL EARL SNC SCS SCA SCI SCOP SCIC SELARL SELAS ASSOC ASSOCIATION ASSO")
_ALPHANUMERIC = re.compile(r"[A-Z0-9]+")
_CEDEX = re.compile(r"\bCEDEX\b.*|\b\d+\b")
_BOX = re.compile(r"\b(?:BP|CS|TSA|BOITE POSTALE)\s*\d+\b")
_EXTRA = re.compile(
    r"\b(?:BAT|BATIMENT|IMM|IMMEUBLE|ESC|ESCALIER|ETAGE|APPT?|HALL|LOT|PORTE|RDC|BUREAU)\b\.?\s*\w{0,3}\b"
)
_NUMBER = re.compile(r"\b(\d{1,4})\s*(BIS|TER|QUATER|[A-D])?\b")
_WAYS = listed(
    """
    R RUE AV AVE AVENUE BD BLD BLVD BOULEVARD CHE CHEM CHEMIN PL PLACE RTE ROUTE ALL ALLEE ALLEES IMP IMPASSE QU QUAI SQ
    SQUARE CRS COURS PAS PASSAGE PROM PROMENADE ESP ESPLANADE FG FAUBOURG LOT LOTISSEMENT RES RESIDENCE VOIE SENTIER
    ZI ZA ZAC ZAE ZONE INDUSTRIELLE ARTISANALE ACTIVITE ACTIVITES PARC CENTRE COMMERCIAL LIEU DIT LD HAMEAU
    """
)
_SMALL = listed("DE DU DES LA LE LES L D A AU AUX ET EN SUR")


@dataclass(frozen=True, slots=True)
class Features:
    """Everything that levels are told by. Nothing in it depends on other records; sets are sorted tuples."""

    key: RecordKey
    siren: str | None
    slipped_siren: str | None
    """Nine digits that stand for a SIREN and are none, when nothing else names it: perhaps one slip away from it."""
    same_as: str | None
    names: tuple[str, ...]
    """Keys of the name, then of the brand if it is another (:func:`company_names.name_key`)."""
    acronyms: tuple[str, ...]
    """Initials of a name of three words or more, with and without its small words; the town's words left out."""
    form: Form | None
    domains: tuple[str, ...]
    """Own ones: of the website, and of the e-mail address unless a provider's."""
    email: str | None
    phones: tuple[str, ...]
    number: str | None
    street: str
    """Words of the street without its kind, number and building: ``JEAN JAURES``."""
    postcode: str | None
    town: str
    departement: str | None
    naf: str | None
    naf_nomenclature: str | None
    contact: str | None
    works_for: str | None = None
    """The record of the same former system that a person goes with, whatever else the two have in common. A person has
    no other features: an e-mail or a name of theirs is no company's.
    """


def features(record: SourceRecord) -> Features:
    """Of a record that was not removed."""
    written, understood = record.written, record.understood
    if company := written.get("works_for"):
        return _person(record.key, str(company))
    name = str(written.get("name") or "")
    brand = str(understood.get("brand_key") or "")
    names = tuple(dict.fromkeys(_beginning(key) for key in (record.name_key, brand) if key))
    shown = _plain(name)
    number, street = read_street(str(written.get("street") or ""))
    city = town(str(written.get("city") or ""))
    return Features(
        record.key,
        record.siren,
        None if record.siren else _slipped_siren(written),
        record.same_as,
        names,
        acronyms(shown, city),
        _form(shown, _plain(str(written.get("legal_form") or ""))),
        own_domains(understood.get("website"), understood.get("email")),
        understood.get("email"),
        tuple(sorted({phone for kind in ("phone", "mobile") if (phone := understood.get(kind))})),
        number,
        street,
        understood.get("postcode"),
        city,
        understood.get("departement"),
        understood.get("naf"),
        understood.get("naf_nomenclature"),
        _contact(written),
    )


def _person(key: RecordKey, company: str) -> Features:
    nothing = (None, None, None, (), (), None, (), None, (), None, "", None, "", None, None, None, None)
    return Features(key, *nothing, works_for=company)


def _beginning(name: str) -> str:
    """A name key, cut after whole words where it has any so early."""
    kept = name[:LONGEST_NAME]
    if len(name) > LONGEST_NAME and " " in kept:
        kept = kept.rpartition(" ")[0]
    return " ".join(kept.split()[:MOST_WORDS])


def as_json(item: Features) -> dict[str, Any]:
    """For storing: without the key, which its row has, and without what is empty."""
    values = {name: getattr(item, name) for name in Features.__slots__ if name != "key"}
    return {"v": VERSION, **{name: value for name, value in values.items() if value}}


def from_json(key: RecordKey, document: Mapping[str, Any]) -> Features | None:
    """What was stored; None when an older version of this module wrote it."""
    if document.get("v") != VERSION:
        return None
    get = document.get
    return Features(
        key, get("siren"), get("slipped_siren"), get("same_as"), tuple(get("names", ())), tuple(get("acronyms", ())),
        get("form"), tuple(get("domains", ())), get("email"), tuple(get("phones", ())), get("number"),
        get("street", ""), get("postcode"), get("town", ""), get("departement"), get("naf"), get("naf_nomenclature"),
        get("contact"), get("works_for"),
    )  # fmt: skip


@lru_cache(maxsize=8_192)
def telling_words(name: str) -> frozenset[str]:
    """The words of a name key that may tell one company from another: not generic, not a number, three letters."""
    return frozenset(word for word in name.split() if len(word) >= 3 and word not in GENERIC and not word.isdigit())


def acronyms(shown: str, city: str) -> tuple[str, ...]:
    """``KPDA`` and ``KPA`` for KEOLIS PAYS D'AIX: people take the small words along, or not; the town mostly not."""
    words = [word for word in _words(shown) if word not in _LEGAL_WORDS]
    telling = [word for word in words if word not in _SMALL]
    elsewhere = [word for word in telling if word not in city.split()]
    initials = {"".join(word[0] for word in chosen) for chosen in (words, telling, elsewhere) if len(chosen) >= 3}
    return tuple(sorted(initials for initials in initials if 3 <= len(initials) <= 8))


def own_domains(website: str | None, email: str | None) -> tuple[str, ...]:
    """The domains that a record calls its own, as registered: ``agence.foo.fr`` is ``foo.fr``'s."""
    hosts = [website] if website else []
    if email:
        hosts.append(email.rpartition("@")[2])
    return tuple(sorted({domain for host in hosts if (domain := registered(host))}))


@lru_cache(maxsize=4_096)
def registered(host: str) -> str | None:
    """The part of a host name that somebody registered; None for providers and platforms."""
    labels = host.split(".")
    for length in (2, 3):
        tail = ".".join(labels[-length:])
        if tail in HOSTS:
            return ".".join(labels[-length - 1 :]) if len(labels) > length and labels[-length - 1] != "www" else None
    domain = ".".join(labels[-2:])
    return None if domain in PROVIDERS or domain in PLATFORMS else domain


@lru_cache(maxsize=4_096)
def read_street(written: str) -> tuple[str | None, str]:
    """Number and words: ``"BP 543, 24 bis Rue Henri Fichon - Bât. C"`` → ``("24BIS", "HENRI FICHON")``."""
    left = _EXTRA.sub(" ", _BOX.sub(" ", _plain(written)))
    match = _NUMBER.search(left)
    number = None
    # A number after the first words belongs to the name of the street: RUE DU 8 MAI 1945.
    if match and _only_ways(left[: match.start()]):
        number = match[1].lstrip("0") + (match[2] or "")
        left = left[: match.start()] + " " + left[match.end() :]
    words = [word for word in _words(left) if word not in _SMALL]
    kept = [word for word in words if word not in _WAYS]
    return number or None, " ".join(_SAINT.get(word, word) for word in kept or words[1:] or words)


_SAINT = {"ST": "SAINT", "STE": "SAINTE", "GAL": "GENERAL", "MAL": "MARECHAL", "DR": "DOCTEUR", "PDT": "PRESIDENT"}
_ZONES = listed("ZI ZA ZAC ZAE ZONE INDUSTRIELLE ARTISANALE PARC ACTIVITE ACTIVITES")


def _only_ways(before: str) -> bool:
    return all(word in _ZONES or word in _SMALL for word in _words(before))


@lru_cache(maxsize=4_096)
def town(written: str) -> str:
    """``"St-Étienne Cedex 2"`` → ``"SAINT ETIENNE"``; the articles go, since files drop them."""
    words = _words(_CEDEX.sub(" ", _plain(written)))
    return " ".join(_SAINT.get(word, word) for word in words if word not in _SMALL)


def _form(name: str, legal_form: str) -> Form | None:
    """What the name calls itself; one that is called both says nothing."""
    association = bool(_ASSOCIATION.search(name) or _ASSOCIATION.search(legal_form) or "LOI 1901" in legal_form)
    company = bool(_COMPANY.search(name) or _COMPANY.search(legal_form))
    if association == company:
        return None
    return "association" if association else "company"


def _slipped_siren(written: Mapping[str, Any]) -> str | None:
    for name in ("siren", "siret"):
        digits = "".join(_DIGITS.findall(str(written.get(name) or "")))
        if len(digits) == _LENGTHS[name]:
            return digits[:9]
    return None


_DIGITS = re.compile(r"[0-9]+")
_LENGTHS = {"siren": 9, "siret": 14}


def _contact(written: Mapping[str, Any]) -> str | None:
    names = (_plain(str(written.get(name) or "")) for name in ("contact_first_name", "contact_last_name"))
    first, last = (" ".join(_words(name)) for name in names)
    return f"{first} {last}" if first and last else None


def _words(text: str) -> list[str]:
    return _ALPHANUMERIC.findall(text)


def _plain(text: str) -> str:
    return plain(text).upper()
