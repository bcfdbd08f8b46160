"""What a source record means, beside what it says: numbers, addresses and names in one form, and what is doubtful."""

from typing import NamedTuple

from schemas.membership import MemberRecorded
from services.membership.normalisation.company_names import fold, name_key
from services.membership.normalisation.contact_points import read_email, read_phone, read_website
from services.membership.normalisation.data_quality import Problem
from services.membership.normalisation.identifiers import read_identifiers, read_naf
from services.membership.normalisation.places import departements, read_country, read_postcode


class Understood(NamedTuple):
    """A record's values as they are compared and searched; None is missing or not understood (see ``problems``).

    siren 9 digits · siret 14 digits · vat with its country · naf ``62.01Z`` · phones E.164 · country ISO alpha-2 ·
    postcode five digits in France, as written elsewhere · departement ``69``, ``2A``, ``974`` · domain without ``www.``
    """

    siren: str | None
    siret: str | None
    vat: str | None
    naf: str | None
    naf_nomenclature: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    postcode: str | None
    departement: str | None
    country: str | None
    domain: str | None
    name_key: str
    brand_key: str
    search_text: str
    problems: tuple[Problem, ...]


def understand(fact: MemberRecorded) -> Understood:
    """The meaning of one record. Pure: the same record, whichever came before, always means the same."""
    problems: list[Problem] = []
    siren, siret, vat = read_identifiers(fact.siren, fact.siret, fact.vat, problems)
    naf, nomenclature = _naf(fact, problems)
    country = read_country(fact.country) if fact.country else None
    if fact.country and country is None:
        problems.append(Problem("country", "country-unknown", fact.country))
    postcode, departement = _postcode(fact.postcode, country, fact.country is None, problems)
    region = departements()[departement].phone_region if departement else country or "FR"
    email = _email(fact.email, problems)
    domain = read_website(fact.website) if fact.website else None
    if fact.website and domain is None:
        problems.append(Problem("website", "website-invalid", fact.website))
    search = " ".join(part for part in (fact.name, fact.brand, fact.city, siren) if part)
    return Understood(
        siren,
        siret,
        vat,
        naf,
        nomenclature,
        email,
        _phone("phone", fact.phone, region, problems),
        _phone("mobile", fact.mobile, region, problems),
        postcode,
        departement,
        country,
        domain,
        name_key(fact.name),
        name_key(fact.brand) if fact.brand else "",
        fold(search),
        tuple(problems),
    )


def _naf(fact: MemberRecorded, problems: list[Problem]) -> tuple[str | None, str | None]:
    if not fact.naf:
        return None, None
    code, nomenclature = read_naf(fact.naf)
    if code is None:
        problems.append(Problem("naf", "naf-unknown", fact.naf))
    elif fact.naf_nomenclature and fact.naf_nomenclature != nomenclature:
        problems.append(Problem("naf", "naf-nomenclature", fact.naf))
    return code, nomenclature


def _postcode(
    written: str | None, country: str | None, unconfirmed: bool, problems: list[Problem]
) -> tuple[str | None, str | None]:
    """Postcode and département; where no country is written it is France, as in every former system's own default."""
    if not written:
        return None, None
    if not unconfirmed and country is not None and not _french(country):
        return written.strip().upper(), None
    postcode, departement, restored = read_postcode(written)
    if postcode is None:
        problems.append(Problem("postcode", "postcode-invalid", written))
    elif restored:
        problems.append(Problem("postcode", "leading-zero-restored", written))
    return postcode, departement


def _french(country: str) -> bool:
    # The overseas territories have ISO codes of their own, and French postcodes.
    return country == "FR" or any(place.phone_region == country for place in departements().values())


def _email(written: str | None, problems: list[Problem]) -> str | None:
    if not written:
        return None
    email, several = read_email(written)
    if email is None:
        problems.append(Problem("email", "email-invalid", written))
    elif several:
        problems.append(Problem("email", "several-values", written))
    return email


def _phone(field: str, written: str | None, region: str, problems: list[Problem]) -> str | None:
    if not written:
        return None
    number = read_phone(written, region)
    if number is None and region != "FR" and any(place.phone_region == region for place in departements().values()):
        # Many in an overseas territory have a number of the mainland.
        number = read_phone(written, "FR")
    if number is None:
        problems.append(Problem(field, f"{field}-invalid", written))
    return number
