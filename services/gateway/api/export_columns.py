"""The columns of a spreadsheet of members: what each is called, and how its cells are written."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from services.membership.normalisation.contact_points import dialled
from services.membership.translations import CHANNELS, Language, label
from services.membership.views.consents import OBJECTIONS
from shared.importing.cells import harmless
from shared.runtime.clock import PARIS

Member = Mapping[str, Any]
"""As it is listed, with its view as ``document`` where a column needs that."""

REFUSALS: Final = "refuses"
_YES_NO: Final[Mapping[Language, tuple[str, str]]] = {"fr": ("oui", "non"), "en": ("yes", "no")}
_EVERYTHING: Final = ("tout usage", "any purpose")
_UNREACHABLE: Final = ("adresse qui ne reçoit rien", "address that receives nothing")
_SIRET: Final = re.compile(r"(\d{3})(\d{3})(\d{3})(\d{5})")


class Column(NamedTuple):
    """Its French and its English heading, and its value; ``of_view`` where that is in the consolidated view.

    ``addresses``: somebody can be written to or called by it, and who does that must know who refused to be.
    """

    french: str
    english: str
    value: Callable[[Member, Language], Any]
    of_view: bool = False
    addresses: bool = False


def _listed(name: str) -> Callable[[Member, Language], Any]:
    return lambda member, _: member[name]


def _shown(name: str) -> Callable[[Member, Language], Any]:
    return lambda member, _: member["document"].get(name, {}).get("value")


def _part(name: str, part: str) -> Callable[[Member, Language], Any]:
    return lambda member, _: (member["document"].get(name, {}).get("value") or {}).get(part)


def _phone(name: str) -> Callable[[Member, Language], Any]:
    def dialled_number(member: Member, _: Language) -> str | None:
        number = member["document"].get(name, {}).get("value")
        return None if number is None else dialled(number)

    return dialled_number


def _siret(member: Member, _: Language) -> str | None:
    # With spaces: a spreadsheet would round fourteen digits.
    value = member["document"].get("siret", {}).get("value")
    return None if value is None else _SIRET.sub(r"\1 \2 \3 \4", value)


def _owed(member: Member, language: Language) -> str:
    amount: str = member["document"]["dues"]["outstanding"]
    return amount.replace(".", ",") if language == "fr" else amount


def _records(member: Member, _: Language) -> list[str]:
    return [source["from"] for source in member["document"]["sources"]]


def _changed(member: Member, _: Language) -> str:
    changed_at: datetime = member["changed_at"]
    return changed_at.astimezone(PARIS).date().isoformat()


def _refusals(member: Member, language: Language) -> list[str]:
    """What a member refused, channel by channel, and what reaches it no more (RGPD art. 7(3) and 21)."""
    consents = member["document"]["consents"]
    refused = [
        f"{label(CHANNELS, verdict['channel'], language)} ({_purpose(verdict['purpose'], language)})"
        for verdict in consents["in_force"]
        if not verdict["allowed"]
    ]
    unreachable = any(item["reason"] not in OBJECTIONS for item in consents.get("suppressed", ()))
    return refused + ([_UNREACHABLE[language == "en"]] if unreachable else [])


def _purpose(purpose: str, language: Language) -> str:
    return _EVERYTHING[language == "en"] if purpose == "*" else purpose


COLUMNS: Final[Mapping[str, Column]] = {
    "id": Column("Identifiant", "Id", _listed("id")),
    "name": Column("Nom", "Name", _listed("name")),
    "brand": Column("Enseigne", "Brand", _listed("brand")),
    "legal_form": Column("Forme juridique", "Legal form", _shown("legal_form"), of_view=True),
    "siren": Column("SIREN", "SIREN", _listed("siren")),
    "siret": Column("SIRET", "SIRET", _siret, of_view=True),
    "vat": Column("Numéro de TVA", "VAT number", _shown("vat"), of_view=True),
    "rna": Column("RNA", "RNA", _shown("rna"), of_view=True),
    "naf": Column("Code NAF", "NAF code", _part("naf", "code"), of_view=True),
    "headcount": Column("Effectif", "Headcount", _shown("headcount"), of_view=True),
    "website": Column("Site", "Website", _shown("website"), of_view=True),
    "street": Column("Adresse", "Street", _shown("street"), of_view=True, addresses=True),
    "postcode": Column("Code postal", "Postcode", _shown("postcode"), of_view=True),
    "city": Column("Ville", "Town", _listed("city")),
    "departement": Column("Département", "Département", _listed("departement")),
    "country": Column("Pays", "Country", _shown("country"), of_view=True),
    "clusters": Column("Clusters", "Clusters", _listed("clusters")),
    "lineages": Column("Origines", "Lineages", _listed("lineages")),
    "records": Column("Fiches", "Records", _records, of_view=True),
    "paid_until": Column("Cotisation payée jusqu'au", "Paid until", _listed("paid_until")),
    "paid_up": Column("À jour de cotisation", "Paid up", _listed("paid_up")),
    "owed": Column("Reste dû (EUR)", "Owed (EUR)", _owed, of_view=True),
    "active": Column("Actif", "Active", _listed("active")),
    "changed_on": Column("Modifié le", "Changed on", _changed),
    "phone": Column("Téléphone", "Phone", _phone("phone"), of_view=True, addresses=True),
    "email": Column("Courriel", "E-mail", _shown("email"), of_view=True, addresses=True),
    "mobile": Column("Mobile", "Mobile", _phone("mobile"), of_view=True, addresses=True),
    "contact_first_name": Column("Prénom du contact", "Contact's first name", _part("contact", "first_name"), True),
    "contact_last_name": Column("Nom du contact", "Contact's last name", _part("contact", "last_name"), True),
    "contact_role": Column("Fonction du contact", "Contact's role", _part("contact", "role"), True),
    REFUSALS: Column("Refuse", "Refuses", _refusals, of_view=True),
}
"""By name, in the order in which they are offered."""

USUAL: Final = (
    "id", "name", "brand", "siren", "city", "departement", "clusters", "lineages", "paid_until", "paid_up", "active",
)  # fmt: skip
"""What is there if nothing else is asked for."""


def with_refusals(names: Sequence[str]) -> Sequence[str]:
    """Beside an address or a number stands what its member refuses: who exports it is about to write or to call."""
    if REFUSALS in names or not any(COLUMNS[name].addresses for name in names):
        return names
    return (*names, REFUSALS)


def needs_view(names: Collection[str]) -> bool:
    """Whether one of these columns is in the consolidated view."""
    return any(COLUMNS[name].of_view for name in names)


def heading(names: Sequence[str], language: Language) -> list[str]:
    """The first line."""
    return [COLUMNS[name].english if language == "en" else COLUMNS[name].french for name in names]


def line(names: Sequence[str], member: Member, language: Language) -> list[str]:
    """One member's line. No cell of it is a formula."""
    return [_cell(COLUMNS[name].value(member, language), language) for name in names]


def _cell(value: Any, language: Language) -> str:
    match value:
        case None:
            return ""
        case bool():
            yes, no = _YES_NO[language]
            return yes if value else no
        case list():
            text = ", ".join(value)
        case _:
            text = str(value)
    return harmless(text)
