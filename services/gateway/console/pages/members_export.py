"""Exporter: the members that the list shows as a spreadsheet, with the columns that somebody ticks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.auth.authorisation import require
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import number
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import today
from services.gateway.console.pages.members_filters import PATH, Asked, Filters
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

EXPORT: Final = PATH + "/export"
_USUAL: Final = ("name", "brand", "siren", "city", "departement", "clusters", "lineages", "paid_until", "active")
_LETTERS: Final = ("name", "contact_first_name", "contact_last_name", "email", "clusters")
_POST: Final = ("name", "contact_first_name", "contact_last_name", "street", "postcode", "city", "country")
_REFUSALS: Final = "refuses"


@dataclass(frozen=True, slots=True)
class Column:
    """A column to tick; ``name`` is the API's."""

    name: str
    label: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns that belong together."""

    label: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an export is for: a link that ticks the columns."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """What the page shows; ``fields`` are the list's filters, as they go with the form."""

    count: str
    members: int
    groups: tuple[Columns, ...]
    purposes: tuple[Purpose, ...]
    fields: tuple[tuple[str, str], ...]
    back: str


@router.get(EXPORT)
async def members_export(request: Request, person: Person, asked: Asked) -> Response:
    """What to put into the spreadsheet."""
    require(person, "read-persons")
    words = rendering.words_of(request)
    wanted = {**asked.asked(today(request)), "limit": 1, "total": True}
    page = (await Inside(request, person).get("/members", wanted)).value()
    offered = offer(page, asked, request.query_params.getlist("colonne"), words)
    return rendering.page(request, person, "members/columns.html", words.text("Exporter"), offered=offered)


@router.get(PATH + ".csv")
async def members_csv(request: Request, person: Person, asked: Asked) -> Response:
    """The same members as a spreadsheet."""
    columns = request.query_params.getlist("colonne") or _USUAL
    return Inside(request, person).passing("/members.csv", {**asked.asked(today(request)), "columns": columns})


def offer(page: Mapping[str, Any], asked: Filters, ticked: Sequence[str], words: Words) -> Offered:
    """The columns, with those ticked that the address names, or else the usual ones."""
    chosen = tuple(ticked) or _USUAL
    total: int = page["total"]
    return Offered(
        count=words.plural("%(count)s membre", "%(count)s membres", total, count=number(total, words.language)),
        members=total,
        groups=tuple(_groups(chosen, words)),
        purposes=tuple(_purposes(asked, chosen, words)),
        fields=tuple(asked.fields()),
        back=asked.address(),
    )


def _groups(chosen: Sequence[str], words: Words) -> Iterator[Columns]:
    for label, columns in _columns(words):
        yield Columns(label, tuple(Column(name, text, name in chosen) for name, text in columns.items()))


def _purposes(asked: Filters, chosen: Sequence[str], words: Words) -> Iterator[Purpose]:
    purposes = (
        (words.text("Liste des membres"), _USUAL),
        (words.text("Envoi par courriel"), (*_LETTERS, _REFUSALS)),
        (words.text("Envoi par la poste"), (*_POST, _REFUSALS)),
    )
    for label, names in purposes:
        separator = "&" if asked.address() != PATH else "?"
        ticked = "&".join(f"colonne={name}" for name in names)
        yield Purpose(label, f"{asked.address(EXPORT)}{separator}{ticked}", set(names) == set(chosen))


def _columns(words: Words) -> tuple[tuple[str, Mapping[str, str]], ...]:
    company = {
        "name": words.text("Nom"),
        "brand": words.text("Enseigne"),
        "legal_form": words.text("Forme juridique"),
        "siren": words.text("SIREN"),
        "siret": words.text("SIRET"),
        "vat": words.text("Numéro de TVA"),
        "rna": words.text("RNA"),
        "naf": words.text("Code NAF"),
        "headcount": words.text("Effectif"),
        "website": words.text("Site"),
    }
    place = {
        "street": words.text("Adresse"),
        "postcode": words.text("Code postal"),
        "city": words.text("Ville"),
        "departement": words.text("Département"),
        "country": words.text("Pays"),
        "phone": words.text("Téléphone"),
    }
    membership = {
        "clusters": words.text("Clusters"),
        "lineages": words.text("Origines"),
        "paid_until": words.text("Cotisation payée jusqu’au"),
        "paid_up": words.text("À jour de cotisation"),
        "owed": words.text("Reste dû"),
        "active": words.text("Adhésion en cours"),
    }
    contact = {
        "contact_first_name": words.text("Prénom du contact"),
        "contact_last_name": words.text("Nom du contact"),
        "contact_role": words.text("Fonction du contact"),
        "email": words.text("Courriel"),
        "mobile": words.text("Mobile"),
        _REFUSALS: words.text("Ce qu’il refuse"),
    }
    kept = {
        "id": words.text("Identifiant"),
        "records": words.text("Identifiants des fiches"),
        "changed_on": words.text("Modifié le"),
    }
    return (
        (words.text("Entreprise"), company),
        (words.text("Lieu"), place),
        (words.text("Adhésion"), membership),
        (words.text("Personne"), contact),
        (words.text("Suivi"), kept),
    )
